//! The HTTP host.

mod builder;
mod control;
mod server;

pub use builder::{Emulator, EmulatorBuilder};
pub use control::Control;
