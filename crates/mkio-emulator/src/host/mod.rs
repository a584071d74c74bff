//! The HTTP host.

mod body;
mod builder;
mod control;
mod deliver;
mod door;
mod emulator;
mod server;
mod start_error;

pub use builder::EmulatorBuilder;
pub use control::Control;
pub use emulator::Emulator;
pub use start_error::StartError;
