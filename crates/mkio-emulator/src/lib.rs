//! The MK.IO platform in memory.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! let emulator = mkio_emulator::Emulator::start().await?;
//! println!("{} {} {}", emulator.base_url(), emulator.token(), emulator.project());
//! # Ok(())
//! # }
//! ```

pub mod core;
pub mod docs;
#[cfg(feature = "host")]
mod host;

pub use crate::core::faults::{Fault, FaultError, Link, Reset};
pub use crate::core::settings::{NextLink, Settings};
pub use crate::core::{ChannelAlarm, Incident, JobFailure, SyncFailure};
#[cfg(feature = "host")]
pub use host::{Control, Emulator, EmulatorBuilder, StartError};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
