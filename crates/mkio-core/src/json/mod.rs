//! From bytes to JSON: the one way for responses, errors, pages, waits and events.
//!
//! Errors are read with [`from_slice`], so this file knows no error type of ours; [`decode`] makes
//! the errors of bodies that do not decode.

mod decode;

pub use decode::decode;

use serde::de::DeserializeOwned;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text without a byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Decodes JSON. The usual case pays nothing for the place of a fault.
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let bytes = without_mark(bytes);
    match std::str::from_utf8(bytes) {
        // To check the whole text at once costs less than to check each string in it.
        Ok(text) => serde_json::from_str(text),
        // Bytes that are no text may stand in a member that no type reads.
        Err(_) => serde_json::from_slice(bytes),
    }
}
