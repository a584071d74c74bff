//! Value types that generated models are made of.

mod nullable;
mod timestamp;

pub use nullable::Nullable;
pub use timestamp::Timestamp;
