//! A `$filter` as a tree.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Why a filter was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Position in the expression, counted in characters from 0.
    pub at: usize,
    /// The expectation there.
    pub reason: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at position {}: {}", self.at, self.reason)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Contains,
    StartsWith,
    EndsWith,
    ToLower,
    ToUpper,
    Trim,
    Length,
    Concat,
    IndexOf,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Time(DateTime<Utc>),
    Uuid(Uuid),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Literal(Literal),
    Field(String),
    Call(Function, Vec<Operand>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Compare(Comparison, Operand, Operand),
    In(Operand, Vec<Operand>),
    Truth(Operand),
}

/// Which operators and functions a service knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The cloud APIs, which point at OData.
    Cloud,
    /// A Beam device: comparison, `and`, `or`, `contains`, `tolower`, `toupper`.
    Device,
}

/// A parsed `$filter`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub(crate) expression: Expression,
}

impl Filter {
    /// The name that everything it accepts has to have, if it says so: `name eq 'film'`, alone or with more.
    pub fn name(&self) -> Option<&str> {
        self.expression.name()
    }
}

impl Expression {
    fn name(&self) -> Option<&str> {
        match self {
            Self::And(left, right) => left.name().or_else(|| right.name()),
            Self::Compare(
                Comparison::Eq,
                Operand::Field(field),
                Operand::Literal(Literal::Text(name)),
            )
            | Self::Compare(
                Comparison::Eq,
                Operand::Literal(Literal::Text(name)),
                Operand::Field(field),
            ) if field == "name" => Some(name),
            _ => None,
        }
    }
}
