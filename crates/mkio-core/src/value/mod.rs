//! Value types that generated models are made of.

mod nullable;
mod open_enum;
mod secret;
mod text;
mod timestamp;

pub use nullable::Nullable;
pub use secret::Secret;
pub use text::text;
pub use timestamp::Timestamp;
