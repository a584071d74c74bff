//! Operations by name: what each one takes and gives, as data, and calls with JSON arguments.
//!
//! For programs that learn only at run time what to call: command lines, form builders, tools of
//! language models. The generated crates have a [`Catalog`] each, `dynamic::CATALOG`, and calls
//! `dynamic::request`, `dynamic::call` and `dynamic::pages` over it.
//!
//! An argument or a member of the body with an unknown name is an error, and nothing is sent.
//! [`Response::json`](crate::Response::json) of a call has the whole response as it was received.

mod arguments;
mod call;
mod catalog;
mod edit;
mod mask;
mod nearest;
mod page;
mod response;
mod schema;

pub use catalog::{
    Action, Body, Catalog, Effect, Entry, Parameter, Place, ResponseBody, Step, Waiting, Write,
};
pub use nearest::nearest;
pub use page::AnyPage;
pub use response::DynamicResponse;
pub use schema::{Mark, ObjectField, Shape, Ty, Type, Types, at};

#[cfg(test)]
mod tests;
