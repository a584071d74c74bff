//! Reading what a service may write instead of what its document says.
//!
//! Fields of types that are read are read like this: a number or a flag that is text, a fraction
//! where an integer stands, `null` or text among objects must not make a whole response unreadable.
//! [`Response::json`](crate::Response::json) has what was received.

mod element;
mod lists;
mod scalar;
#[cfg(test)]
mod tests;
mod value;

pub use value::{Lenient, lenient, or_none};
