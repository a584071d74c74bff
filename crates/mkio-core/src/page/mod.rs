//! Lists: every list operation as a stream of pages or of items.
//!
//! A request for a list ends in `send()` (one page), `pages()` or `items()`. The streams
//! send nothing before they are polled for the first time, hold one page and those fetched ahead,
//! follow the service's next links, and can be written down and taken up again
//! ([`ResumeToken`]).
//!
//! - [`Page`] is implemented by the responses of lists, in the generated crates.
//! - [`Pages`] and [`Items`] are the streams.
//! - [`query`] has typed filters and orders.

mod bounds;
mod items;
mod link;
mod pages;
pub mod query;
mod recover;
mod token;
mod walk;

#[cfg(test)]
pub(crate) mod script;
#[cfg(test)]
mod tests;

pub use items::Items;
pub use pages::Pages;
pub use token::ResumeToken;

use serde::de::DeserializeOwned;

/// One response of a list operation.
///
/// Implemented by the generated crates for every response that holds a collection.
pub trait Page: DeserializeOwned + Send + 'static {
    /// The items of the list.
    type Item: DeserializeOwned + Send + 'static;

    /// The items of this page.
    fn items(&self) -> &[Self::Item];

    /// The items of this page, to take from; `None` when the response has none.
    fn items_mut(&mut self) -> Option<&mut Vec<Self::Item>>;

    /// Link to the next page (`@odata.nextLink`); `None` ends the list.
    fn next_link(&self) -> Option<&str> {
        None
    }

    /// How many items the service says there are in all (`supplemental.pagination.total`).
    ///
    /// The count differs: the cloud's documents say all items of the project, a Beam device counts
    /// those that match the filter.
    fn total(&self) -> Option<u64> {
        None
    }
}
