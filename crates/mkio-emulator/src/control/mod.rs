//! Steering an emulator: in the same process, and over HTTP below `/_emulator/`.

mod handle;
mod http;
mod log;
mod mask;
mod state;

pub use handle::Control;
pub use log::RequestRecord;

pub(crate) use http::{Access, PREFIX, methods, respond};
pub(crate) use log::Seen;
