//! Orders of lists.

use std::fmt;
use std::marker::PhantomData;

/// One field to order the list `L` by, with its direction.
pub struct Sort<L> {
    text: String,
    list: PhantomData<fn() -> L>,
}

impl<L> Sort<L> {
    pub(super) fn new(path: &str, direction: &str) -> Self {
        Self {
            text: format!("{path} {direction}"),
            list: PhantomData,
        }
    }
}

/// The order of the list `L` (`$orderby`): one or more fields, the first counts most.
///
/// Made from one [`Sort`] or an array or vector of them, or from a string, which is sent as it is.
pub struct OrderBy<L> {
    text: String,
    list: PhantomData<fn() -> L>,
}

impl<L> OrderBy<L> {
    /// The order as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn new(text: String) -> Self {
        Self {
            text,
            list: PhantomData,
        }
    }

    fn join(fields: impl IntoIterator<Item = Sort<L>>) -> Self {
        let fields: Vec<_> = fields.into_iter().map(|field| field.text).collect();
        Self::new(fields.join(","))
    }
}

impl<L> From<Sort<L>> for OrderBy<L> {
    fn from(field: Sort<L>) -> Self {
        Self::new(field.text)
    }
}

impl<L, const N: usize> From<[Sort<L>; N]> for OrderBy<L> {
    fn from(fields: [Sort<L>; N]) -> Self {
        Self::join(fields)
    }
}

impl<L> From<Vec<Sort<L>>> for OrderBy<L> {
    fn from(fields: Vec<Sort<L>>) -> Self {
        Self::join(fields)
    }
}

impl<L> From<&str> for OrderBy<L> {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl<L> From<String> for OrderBy<L> {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<L> Clone for OrderBy<L> {
    fn clone(&self) -> Self {
        Self::new(self.text.clone())
    }
}

impl<L> fmt::Display for OrderBy<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<L> fmt::Debug for Sort<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sort").field(&self.text).finish()
    }
}

impl<L> fmt::Debug for OrderBy<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OrderBy").field(&self.text).finish()
    }
}
