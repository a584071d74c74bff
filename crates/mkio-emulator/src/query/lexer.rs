//! Tokens of `$filter` expressions.

use crate::query::expression::FilterError;

/// A token and where it starts, counted in characters from 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub at: usize,
    pub kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Comma,
    /// `'…'`, with `''` for a quote.
    Text(String),
    /// Anything else up to a space, parenthesis, comma or quote: keywords, fields, numbers, dates, uuids.
    Word(String),
}

pub(super) fn tokens(source: &str) -> Result<Vec<Token>, FilterError> {
    let mut out = Vec::new();
    let mut chars = source.chars().enumerate().peekable();
    while let Some((at, next)) = chars.next() {
        let kind = match next {
            space if space.is_whitespace() => continue,
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            ',' => TokenKind::Comma,
            '\'' => {
                let mut text = String::new();
                loop {
                    match chars.next() {
                        None => {
                            return Err(FilterError {
                                at,
                                reason: "the string that starts here has no closing quote"
                                    .to_owned(),
                            });
                        }
                        Some((_, '\'')) if chars.next_if(|(_, next)| *next == '\'').is_some() => {
                            text.push('\'')
                        }
                        Some((_, '\'')) => break,
                        Some((_, other)) => text.push(other),
                    }
                }
                TokenKind::Text(text)
            }
            first => {
                let mut word = String::from(first);
                while let Some((_, other)) =
                    chars.next_if(|(_, other)| !other.is_whitespace() && !"(),'".contains(*other))
                {
                    word.push(other);
                }
                TokenKind::Word(word)
            }
        };
        out.push(Token { at, kind });
    }
    Ok(out)
}
