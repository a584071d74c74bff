//! Fields of a list.

use std::fmt;
use std::marker::PhantomData;

use super::{Filter, Kind, Literal, Sort, Text};

/// The field is of these, and holds none of them.
type Marker<L, K, U> = fn() -> (L, K, U);

/// A field by which the list `L` can be ordered, filtered or both, holding values of kind `K`.
///
/// The generated crates have a constant for each field that the documents name.
pub struct Field<L, K, U = Both> {
    path: &'static str,
    marker: PhantomData<Marker<L, K, U>>,
}

/// The field can be ordered and filtered by.
#[derive(Debug, Clone, Copy)]
pub enum Both {}

/// The field can be filtered by.
#[derive(Debug, Clone, Copy)]
pub enum FilterOnly {}

/// The field can be ordered by.
#[derive(Debug, Clone, Copy)]
pub enum SortOnly {}

/// Uses that include filtering.
#[diagnostic::on_unimplemented(message = "the service cannot filter this list by this field")]
pub trait Filterable {}

/// Uses that include ordering.
#[diagnostic::on_unimplemented(message = "the service cannot order this list by this field")]
pub trait Sortable {}

impl Filterable for Both {}
impl Sortable for Both {}
impl Filterable for FilterOnly {}
impl Sortable for SortOnly {}

impl<L, K, U> Field<L, K, U> {
    /// The field at `path`, with slashes between its parts: `properties/created`.
    pub const fn new(path: &'static str) -> Self {
        Self {
            path,
            marker: PhantomData,
        }
    }

    /// Path of the field, with slashes between its parts.
    pub const fn path(&self) -> &'static str {
        self.path
    }
}

impl<L, K, U: Sortable> Field<L, K, U> {
    /// Smallest first.
    pub fn asc(self) -> Sort<L> {
        Sort::new(self.path, "asc")
    }

    /// Largest first.
    pub fn desc(self) -> Sort<L> {
        Sort::new(self.path, "desc")
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[allow(clippy::should_implement_trait, reason = "these are OData's names")]
        pub fn $name(self, value: impl Literal<K>) -> Filter<L> {
            self.compare(stringify!($name), &value)
        })*
    };
}

impl<L, K: Kind, U: Filterable> Field<L, K, U> {
    comparisons! {
        /// The field is `value`.
        eq
        /// The field is not `value`.
        ne
        /// The field is less than `value`.
        lt
        /// The field is `value` or less.
        le
        /// The field is greater than `value`.
        gt
        /// The field is `value` or greater.
        ge
    }

    /// The field is one of `values`; without any value nothing matches. The filter is then
    /// `false`, as OData has it. The documents do not state whether the service takes that.
    pub fn one_of<V: Literal<K>>(self, values: impl IntoIterator<Item = V>) -> Filter<L> {
        values
            .into_iter()
            .map(|value| self.compare("eq", &value))
            .reduce(Filter::or)
            .unwrap_or_else(|| Filter::atom("false".to_owned()))
    }

    /// The field has no value: `eq null`, as OData has it. The documents do not state whether the
    /// service takes that.
    pub fn is_null(self) -> Filter<L> {
        self.with_null("eq")
    }

    /// The field has a value: `ne null`; see [`is_null`](Self::is_null).
    pub fn is_not_null(self) -> Filter<L> {
        self.with_null("ne")
    }

    fn compare(&self, operator: &str, value: &impl Literal<K>) -> Filter<L> {
        let filter = Filter::atom(format!("{} {operator} {}", self.path, value.literal()));
        match value.invalid_reason() {
            Some(reason) => filter.with_invalid_reason(format!("`{}`: {reason}", self.path)),
            None => filter,
        }
    }

    fn with_null(&self, operator: &str) -> Filter<L> {
        Filter::atom(format!("{} {operator} null", self.path))
    }
}

impl<L, U: Filterable> Field<L, Text, U> {
    /// The field has `part` somewhere in it.
    pub fn contains(self, part: impl Literal<Text>) -> Filter<L> {
        Filter::atom(format!("contains({},{})", self.path, part.literal()))
    }
}

impl<L, K, U> Clone for Field<L, K, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L, K, U> Copy for Field<L, K, U> {}

impl<L, K, U> fmt::Debug for Field<L, K, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&self.path).finish()
    }
}
