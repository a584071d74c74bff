//! Reading values that do not fit the document of the service.
//!
//! Fields of responses are read like this, so that one wrong value does not make a whole response
//! unreadable: a number or a flag that is text, a fraction in the place of an integer, `null` or
//! text among objects. [`Response::json`](crate::Response::json) has the body as it was received.

mod element;
mod lists;
mod scalar;
#[cfg(test)]
mod tests;
mod value;

pub use value::{Lenient, lenient, or_none};
