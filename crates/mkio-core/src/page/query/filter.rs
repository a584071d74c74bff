//! Filter expressions.

use std::fmt;
use std::marker::PhantomData;

/// A condition on the items of the list `L` (`$filter`, OData).
///
/// Built from [`Field`](super::Field)s and joined with [`and`](Self::and) and [`or`](Self::or);
/// parentheses are set where they are needed. A string can be given instead wherever one is taken:
/// it is sent as it is. A blank string is not a condition.
///
/// A time field that is compared with a text that is not a time makes the filter unusable: the list
/// fails with kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest), and nothing is sent.
pub struct Filter<L> {
    text: String,
    strength: Strength,
    /// The first value that is unusable.
    invalid_reason: Option<String>,
    list: PhantomData<fn() -> L>,
}

/// How tightly the outermost operator binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// Written by hand: nothing is known.
    Raw,
    Or,
    And,
    Atom,
}

impl<L> Filter<L> {
    pub(super) fn atom(text: String) -> Self {
        Self::new(text, Strength::Atom)
    }

    fn new(text: String, strength: Strength) -> Self {
        Self {
            text,
            strength,
            invalid_reason: None,
            list: PhantomData,
        }
    }

    pub(super) fn with_invalid_reason(mut self, reason: String) -> Self {
        self.invalid_reason = Some(reason);
        self
    }

    /// Why the filter cannot be sent, if it cannot.
    pub(crate) fn invalid_reason(&self) -> Option<&str> {
        self.invalid_reason.as_deref()
    }

    /// Both conditions hold.
    #[must_use]
    pub fn and(self, other: impl Into<Self>) -> Self {
        self.join("and", Strength::And, &other.into())
    }

    /// At least one of the conditions holds.
    #[must_use]
    pub fn or(self, other: impl Into<Self>) -> Self {
        self.join("or", Strength::Or, &other.into())
    }

    /// The expression as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn join(self, operator: &str, strength: Strength, other: &Self) -> Self {
        if self.text.trim().is_empty() {
            return other.clone();
        }
        if other.text.trim().is_empty() {
            return self;
        }
        let text = format!(
            "{} {operator} {}",
            self.bracketed_in(strength),
            other.bracketed_in(strength)
        );
        let mut joined = Self::new(text, strength);
        joined.invalid_reason = self.invalid_reason.or_else(|| other.invalid_reason.clone());
        joined
    }

    fn bracketed_in(&self, outer: Strength) -> String {
        if self.strength < outer {
            format!("({})", self.text)
        } else {
            self.text.clone()
        }
    }
}

impl<L> From<&str> for Filter<L> {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned(), Strength::Raw)
    }
}

impl<L> From<String> for Filter<L> {
    fn from(text: String) -> Self {
        Self::new(text, Strength::Raw)
    }
}

impl<L> Clone for Filter<L> {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            strength: self.strength,
            invalid_reason: self.invalid_reason.clone(),
            list: PhantomData,
        }
    }
}

impl<L> PartialEq for Filter<L> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<L> Eq for Filter<L> {}

impl<L> fmt::Display for Filter<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<L> fmt::Debug for Filter<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Field, Flag, Number, Text};
    use super::*;

    enum List {}
    const A: Field<List, Text> = Field::new("a");
    const B: Field<List, Number> = Field::new("b/c");
    const C: Field<List, Flag> = Field::new("c");

    #[test]
    fn sets_parentheses_where_they_are_needed() {
        let either = || A.eq("x").or(B.gt(2));
        let both = || A.eq("x").and(B.gt(2));
        for (filter, text) in [
            (either().or(C.ne(true)), "a eq 'x' or b/c gt 2 or c ne true"),
            (
                either().and(C.ne(true)),
                "(a eq 'x' or b/c gt 2) and c ne true",
            ),
            (
                C.ne(true).and(either()),
                "c ne true and (a eq 'x' or b/c gt 2)",
            ),
            (both().or(C.ne(true)), "a eq 'x' and b/c gt 2 or c ne true"),
            (
                C.ne(true).and(both()),
                "c ne true and a eq 'x' and b/c gt 2",
            ),
            (C.eq(false).and("x or y"), "c eq false and (x or y)"),
            (
                Filter::from("x or y").or(C.eq(false)),
                "(x or y) or c eq false",
            ),
            (Filter::from("x or y".to_owned()), "x or y"),
            (Filter::from(" ").and(C.eq(true)), "c eq true"),
            (either().and(""), "a eq 'x' or b/c gt 2"),
            (
                either().and("").and(C.eq(true)),
                "(a eq 'x' or b/c gt 2) and c eq true",
            ),
        ] {
            assert_eq!(filter.to_string(), text);
        }
    }

    #[test]
    fn compares_with_every_operator() {
        for (filter, text) in [
            (B.lt(1), "b/c lt 1"),
            (B.le(1), "b/c le 1"),
            (B.ge(1.5), "b/c ge 1.5"),
            (A.contains("o'c"), "contains(a,'o''c')"),
            (A.is_null().or(B.is_not_null()), "a eq null or b/c ne null"),
            (A.one_of(["x", "y"]), "a eq 'x' or a eq 'y'"),
            (
                A.one_of(["x", "y"]).and(B.eq(1)),
                "(a eq 'x' or a eq 'y') and b/c eq 1",
            ),
            (A.one_of::<&str>([]), "false"),
        ] {
            assert_eq!(filter.as_str(), text);
        }
    }
}
