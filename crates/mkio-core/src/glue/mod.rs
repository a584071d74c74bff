//! What generated code calls. Not meant for people: it changes with the generator.
#![doc(hidden)]

mod arguments;
mod decode;

pub use arguments::fixed_body;
pub(crate) use arguments::{path, path_segment};
#[cfg(feature = "dynamic")]
pub(crate) use decode::reencode;
pub(crate) use decode::{empty, json, json_or, read_body, stream};

pub use crate::json::{Misplaced, decode as decode_json, read_value};
pub use crate::{
    edit::{Writing, body_of},
    transport::{RequestBuilder, is_loopback},
    value::lenient::{lenient, or_none},
    value::{
        Content, Members, Refused, is_strict, members, next_lenient, next_or_none, strict_json,
        strict_text, text, union,
    },
};

/// What generated code and this module agree on, by number. It is raised with every change that
/// code of another generator would not compile with or misunderstand; each generated crate says
/// which one it was made for, and does not compile with another.
pub const INTERFACE: u32 = 1;

/// A map for objects that are not there.
pub fn empty_object() -> &'static serde_json::Map<String, serde_json::Value> {
    static EMPTY: std::sync::LazyLock<serde_json::Map<String, serde_json::Value>> =
        std::sync::LazyLock::new(Default::default);
    &EMPTY
}

pub use bytes;
pub use http;
pub use reqwest;
pub use serde;
pub use serde_json;
