//! Value types that generated models are made of.

pub mod lenient;
mod members;
mod nullable;
mod open_enum;
mod secret;
mod state_ref;
mod strict;
mod text;
mod timestamp;
mod union;
mod url_text;

pub use members::{Members, members, next_lenient, next_or_none};
pub use nullable::Nullable;
pub use open_enum::OpenEnum;
pub use secret::Secret;
pub use state_ref::StateRef;
pub use strict::{strict_json, strict_text};
pub use text::text;
pub use timestamp::Timestamp;
pub(crate) use timestamp::written;
pub use union::{Content, Refused, is_strict, union};
pub use url_text::UrlText;
