//! From bytes to JSON: the one way for responses, errors, pages, waits and events.
//!
//! Errors are read with [`from_slice`], so this file knows no error type of ours; [`decode`] makes the
//! errors of bodies that do not decode.

mod decode;
mod place;

pub use decode::decode;
pub use place::{Misplaced, read_value};
pub(crate) use place::{join, place};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text without a byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Reads JSON of any type.
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(without_mark(bytes))
}

/// A value as JSON. It goes through text, so that a type needs one way to be written.
pub(crate) fn value_of(of: &(impl Serialize + ?Sized)) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(&serde_json::to_vec(of)?)
}
