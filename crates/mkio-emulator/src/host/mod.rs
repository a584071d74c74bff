//! The HTTP host.

mod body;
mod builder;
mod deliver;
mod door;
mod emulator;
mod server;
mod soundness;
mod start_error;

pub use builder::EmulatorBuilder;
pub use emulator::Emulator;
pub use start_error::StartError;
