//! Texts of the documents as rustdoc: HTML, links and code marks in them are escaped, and bare URLs become links.

use proc_macro2::TokenStream;
use quote::quote;

/// Doc attributes for a text, one for each line.
pub fn attributes(text: &str) -> TokenStream {
    let text = escape(text);
    let lines = text.lines().map(|line| {
        let line = line.trim_end();
        let line = if line.is_empty() {
            String::new()
        } else {
            format!(" {line}")
        };
        quote!(#[doc = #line])
    });
    quote!(#(#lines)*)
}

/// The docs of a field: its description in the document, else its name in JSON where that is
/// another one. None when both are missing.
pub fn of_field(description: &str, name: &str, json: &str) -> Option<TokenStream> {
    if !description.trim().is_empty() {
        return Some(attributes(description));
    }
    let text = format!(" {} in JSON.", code(json));
    (name != json).then(|| quote!(#[doc = #text]))
}

/// Escapes a text for rustdoc: code between backticks and in fences stays as it is, no fence is taken
/// for Rust, and nothing is left open at the end of a paragraph.
pub fn escape(text: &str) -> String {
    let text = visible(text);
    let mut out: Vec<String> = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        match fence {
            Some(mark) if trimmed.starts_with(mark) => {
                out.push("```".to_owned());
                fence = None;
            }
            // A fence of the other kind would end this one.
            Some(_) => out.push(line.trim_end().replace("```", "~~~")),
            None => match ["```", "~~~"]
                .into_iter()
                .find(|mark| trimmed.starts_with(mark))
            {
                Some(mark) if trimmed.trim_start_matches(mark).contains('`') => {
                    paragraph.push(trimmed);
                }
                Some(mark) => {
                    flush(&mut paragraph, &mut out);
                    out.push("```text".to_owned());
                    fence = Some(mark);
                }
                None if trimmed.is_empty() => {
                    flush(&mut paragraph, &mut out);
                    out.push(String::new());
                }
                None => paragraph.push(line.trim_start()),
            },
        }
    }
    flush(&mut paragraph, &mut out);
    if fence.is_some() {
        out.push("```".to_owned());
    }
    out.join("\n")
}

fn flush(paragraph: &mut Vec<&str>, out: &mut Vec<String>) {
    if paragraph.is_empty() {
        return;
    }
    let text = paragraph.join("\n");
    paragraph.clear();
    let mut escaped = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            escaped.push('`');
        }
        if index % 2 == 1 {
            escaped.push_str(part);
        } else {
            prose(part, &mut escaped);
        }
    }
    // An odd number of backticks would turn what follows into code.
    if text.matches('`').count() % 2 == 1 {
        escaped.push('`');
    }
    out.push(escaped);
}

/// A text as code within a line.
pub fn code(text: &str) -> String {
    let text = visible(text).replace(['\n', '\t'], " ").replace('`', "'");
    let text = if text.trim().is_empty() { " " } else { &text };
    format!("`{text}`")
}

/// A text without characters that do not show, or that change the direction of what follows:
/// compilers refuse them.
pub fn visible(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let text = text.replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let hidden = |c: &char| {
        let direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        direction || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{feff}')
    };
    let shown = text.chars().filter(|c| !hidden(c));
    shown
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

fn prose(text: &str, out: &mut String) {
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let space = &piece[word.len()..];
        if let Some(start) = word.find("https://").or_else(|| word.find("http://")) {
            let (before, url) = word.split_at(start);
            let end = url
                .find(|c: char| "<>[]{}()\"'".contains(c))
                .unwrap_or(url.len());
            let (url, rest) = url.split_at(end);
            let trimmed = url.trim_end_matches(['.', ',', ';', ':']);
            plain(before, out);
            let scheme_alone = trimmed.ends_with("//");
            if rest.starts_with(['<', '{', '[']) || scheme_alone {
                // A template, not an address.
                out.push('`');
                out.push_str(word.get(start..).unwrap_or_default());
                out.push('`');
            } else {
                out.push_str(&format!("<{trimmed}>"));
                plain(&url[trimmed.len()..], out);
                plain(rest, out);
            }
        } else {
            plain(word, out);
        }
        out.push_str(space);
    }
}

fn plain(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '<' | '>' | '[' | ']' | '*' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_safe_for_rustdoc() {
        for (text, doc) in [
            ("a <device> [x]", "a \\<device\\> \\[x\\]"),
            (
                "see https://app.mk.io/user/profile.",
                "see <https://app.mk.io/user/profile>.",
            ),
            ("`Vec<T>` and <b>", "`Vec<T>` and \\<b\\>"),
            ("http://<device>/api", "`http://<device>/api`"),
            ("open ` tick", "open ` tick`"),
            (
                "open ` tick\n\nnext <x> `y`",
                "open ` tick`\n\nnext \\<x\\> `y`",
            ),
            (
                "a\n```json\n{\"a\": [1]}\n```\nb_c",
                "a\n```text\n{\"a\": [1]}\n```\nb\\_c",
            ),
            (
                "~~~rust\nlet x = 1;\n```\nnever closed",
                "```text\nlet x = 1;\n~~~\nnever closed\n```",
            ),
            ("~~~", "```text\n```"),
            ("```inline``` code", "```inline``` code"),
            ("\u{202e}evil\u{2066} \u{0}text\r\nline", "evil  text\nline"),
            ("    fn main() { panic!() }", "fn main() { panic!() }"),
            ("see http:// there", "see `http://` there"),
        ] {
            assert_eq!(escape(text), doc);
        }
        assert_eq!(code("a`b\n\u{202e}c"), "`a'b c`");
        assert_eq!(code(""), "` `");
    }
}
