//! The OData subset of `$filter`: comparison, `and`, `or`, `not`, `in`, parentheses, string functions, dates, uuids, null.

use uuid::Uuid;

use crate::{
    base::format,
    query::{
        expression::{
            Comparison, Dialect, Expression, Filter, FilterError, Function, Literal, Operand,
        },
        lexer::{Token, TokenKind, tokens},
    },
};

// Hostile input nests parentheses and chains operators; a human's filter needs neither.
const MAX_DEPTH: usize = 32;
const MAX_TOKENS: usize = 1_000;

impl Filter {
    /// Parses an expression. `known` says which fields it may name.
    ///
    /// # Errors
    /// Where the expression stops making sense, and why.
    pub fn parse(
        source: &str,
        dialect: Dialect,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<Self, FilterError> {
        let tokens = tokens(source)?;
        if let Some(token) = tokens.get(MAX_TOKENS) {
            return Err(FilterError {
                at: token.at,
                reason: format!("the filter has more than {MAX_TOKENS} words"),
            });
        }
        let mut parser = Parser {
            tokens: &tokens,
            next: 0,
            end: source.chars().count(),
            known,
            dialect,
            depth: 0,
        };
        let expression = parser.or()?;
        match parser.tokens.get(parser.next) {
            None => Ok(Self { expression }),
            Some(token) => Err(FilterError {
                at: token.at,
                reason: "expected 'and', 'or' or the end of the filter".to_owned(),
            }),
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    end: usize,
    known: &'a dyn Fn(&str) -> bool,
    dialect: Dialect,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |token| token.at)
    }

    fn fail<T>(&self, reason: impl Into<String>) -> Result<T, FilterError> {
        Err(FilterError {
            at: self.at(),
            reason: reason.into(),
        })
    }

    fn peek(&self) -> Option<&'a TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(TokenKind::Word(given)) if given.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    /// A keyword that devices do not know.
    fn cloud_keyword(&mut self, word: &str) -> Result<bool, FilterError> {
        let at = self.at();
        match (self.keyword(word), self.dialect) {
            (true, Dialect::Device) => Err(FilterError {
                at,
                reason: format!("the device does not know '{word}'"),
            }),
            (found, _) => Ok(found),
        }
    }

    fn symbol(&mut self, kind: &TokenKind, name: &str) -> Result<(), FilterError> {
        if self.peek() != Some(kind) {
            return self.fail(format!("expected {name}"));
        }
        self.next += 1;
        Ok(())
    }

    fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.depth >= MAX_DEPTH {
            return self.fail(format!("the filter nests deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn or(&mut self) -> Result<Expression, FilterError> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, FilterError> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expression::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, FilterError> {
        if self.cloud_keyword("not")? {
            return self.nested(|parser| Ok(Expression::Not(Box::new(parser.unary()?))));
        }
        if self.peek() == Some(&TokenKind::Open) {
            return self.nested(|parser| {
                parser.next += 1;
                let inner = parser.or()?;
                parser.symbol(&TokenKind::Close, "')'")?;
                Ok(inner)
            });
        }
        let left = self.operand()?;
        if self.cloud_keyword("in")? {
            return self.list(left);
        }
        match self.comparison() {
            Some(comparison) => Ok(Expression::Compare(comparison, left, self.operand()?)),
            None if is_truth(&left) => Ok(Expression::Truth(left)),
            None => self.fail("expected a comparison: eq, ne, lt, le, gt, ge or in"),
        }
    }

    fn list(&mut self, left: Operand) -> Result<Expression, FilterError> {
        self.symbol(&TokenKind::Open, "'(' after 'in'")?;
        let mut items = vec![self.operand()?];
        while self.peek() == Some(&TokenKind::Comma) {
            self.next += 1;
            items.push(self.operand()?);
        }
        self.symbol(&TokenKind::Close, "',' or ')'")?;
        Ok(Expression::In(left, items))
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let Some(TokenKind::Word(word)) = self.peek() else {
            return None;
        };
        let found = match word.to_ascii_lowercase().as_str() {
            "eq" => Comparison::Eq,
            "ne" => Comparison::Ne,
            "lt" => Comparison::Lt,
            "le" => Comparison::Le,
            "gt" => Comparison::Gt,
            "ge" => Comparison::Ge,
            _ => return None,
        };
        self.next += 1;
        Some(found)
    }

    fn operand(&mut self) -> Result<Operand, FilterError> {
        match self.peek() {
            Some(TokenKind::Text(text)) => {
                self.next += 1;
                Ok(Operand::Literal(Literal::Text(text.clone())))
            }
            Some(TokenKind::Word(word)) => {
                if self.tokens.get(self.next + 1).map(|token| &token.kind) == Some(&TokenKind::Open)
                {
                    return self.nested(|parser| parser.call(word));
                }
                let operand = self.word(word)?;
                self.next += 1;
                Ok(operand)
            }
            _ => self.fail("expected a field, a value or a function"),
        }
    }

    fn call(&mut self, word: &str) -> Result<Operand, FilterError> {
        let (function, arguments) = match word.to_ascii_lowercase().as_str() {
            "contains" => (Function::Contains, 2),
            "startswith" => (Function::StartsWith, 2),
            "endswith" => (Function::EndsWith, 2),
            "tolower" => (Function::ToLower, 1),
            "toupper" => (Function::ToUpper, 1),
            "trim" => (Function::Trim, 1),
            "length" => (Function::Length, 1),
            "concat" => (Function::Concat, 2),
            "indexof" => (Function::IndexOf, 2),
            _ => return self.fail(format!("there is no function '{word}'")),
        };
        let everywhere = matches!(
            function,
            Function::Contains | Function::ToLower | Function::ToUpper
        );
        if self.dialect == Dialect::Device && !everywhere {
            return self.fail(format!("the device does not know '{word}'"));
        }
        self.next += 2;
        let mut given = vec![self.operand()?];
        for _ in 1..arguments {
            self.symbol(&TokenKind::Comma, "','")?;
            given.push(self.operand()?);
        }
        self.symbol(&TokenKind::Close, "')'")?;
        Ok(Operand::Call(function, given))
    }

    fn word(&self, word: &str) -> Result<Operand, FilterError> {
        if format::is_too_fine(word) {
            return self.fail(format!("'{word}' {}", format::TOO_FINE));
        }
        if let Some(literal) = literal(word) {
            return Ok(Operand::Literal(literal));
        }
        let looks_like_a_field =
            word.starts_with(|first: char| first.is_alphabetic() || first == '_' || first == '@');
        if !looks_like_a_field {
            return self.fail(format!(
                "'{word}' is neither a field nor a value; strings are written in single quotes"
            ));
        }
        if (self.known)(word) {
            return Ok(Operand::Field(word.to_owned()));
        }
        self.fail(format!("'{word}' is not a field that can be filtered by here; strings are written in single quotes"))
    }
}

fn is_truth(operand: &Operand) -> bool {
    match operand {
        Operand::Call(function, _) => matches!(
            function,
            Function::Contains | Function::StartsWith | Function::EndsWith
        ),
        Operand::Field(_) => true,
        Operand::Literal(literal) => matches!(literal, Literal::Bool(_)),
    }
}

fn literal(word: &str) -> Option<Literal> {
    match word {
        "null" => return Some(Literal::Null),
        "true" => return Some(Literal::Bool(true)),
        "false" => return Some(Literal::Bool(false)),
        _ => {}
    }
    if let Ok(uuid) = Uuid::try_parse(word) {
        return (word.len() == 36).then_some(Literal::Uuid(uuid));
    }
    if !word.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        return None;
    }
    if let Ok(number) = word.parse::<f64>() {
        return Some(Literal::Number(number));
    }
    format::parse_time(word).map(Literal::Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(source: &str) -> (usize, String) {
        match Filter::parse(source, Dialect::Cloud, &|field| field != "secret") {
            Ok(filter) => panic!("{source} parsed as {filter:?}"),
            Err(error) => (error.at, error.reason),
        }
    }

    #[test]
    fn refusals_name_the_position() {
        assert_eq!(error("").0, 0);
        assert_eq!(error("name eq").0, 7);
        assert_eq!(error("name eq 'a' or").0, 14);
        assert_eq!(error("name eq 'open").0, 8);
        assert_eq!(error("(name eq 'a'").0, 12);
        assert_eq!(error("name eq 'a' name").0, 12);
        assert_eq!(error("secret eq 'a'").0, 0);
        assert_eq!(error("name like 'a'").0, 5);
        assert!(error("sum(name) eq 1").1.contains("'sum'"));
        assert!(error("created eq 20x").1.contains("20x"));
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let Ok(filter) = Filter::parse("a eq 1 or b eq 2 and c eq 3", Dialect::Cloud, &|_| true)
        else {
            panic!("it parses")
        };
        assert!(
            matches!(filter.expression, Expression::Or(_, right) if matches!(*right, Expression::And(_, _)))
        );
    }

    #[test]
    fn depth_and_length_are_bounded() {
        assert!(
            error(&format!("{}a eq 1", "(".repeat(500)))
                .1
                .contains("nests deeper")
        );
        assert!(
            error(&format!("{}a eq 1", "not ".repeat(900)))
                .1
                .contains("nests deeper")
        );
        assert!(
            error(&format!(
                "{}a{} eq 'x'",
                "tolower(".repeat(300),
                ")".repeat(300)
            ))
            .1
            .contains("nests deeper")
        );
        assert!(
            error(&format!("a eq 1{}", " or a eq 1".repeat(400)))
                .1
                .contains("1000 words")
        );
    }
}
