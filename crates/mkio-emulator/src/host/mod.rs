//! The HTTP host.

mod builder;
mod control;
mod deliver;
mod server;

pub use builder::{Emulator, EmulatorBuilder};
pub use control::Control;
