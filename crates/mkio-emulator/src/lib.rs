//! The MK.IO platform in memory.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! let emulator = mkio_emulator::Emulator::start().await?;
//! println!("{} {} {}", emulator.base_url(), emulator.token(), emulator.project());
//! # Ok(())
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::too_many_lines, reason = "a test tells one story"))]

#[doc(hidden)]
pub mod base;
#[cfg(feature = "host")]
mod control;
#[doc(hidden)]
pub mod docs;
pub mod engine;
mod entries;
#[doc(hidden)]
pub mod faults;
#[cfg(feature = "host")]
mod host;
#[cfg(feature = "host")]
mod incidents;
#[cfg(feature = "host")]
mod inspect;
#[doc(hidden)]
pub mod platform;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod program;
#[doc(hidden)]
pub mod query;
mod registry;
mod resources;
#[doc(hidden)]
pub mod seed;

pub use base::settings::{NextLink, Settings};
#[cfg(feature = "host")]
pub use control::{Control, RequestRecord};
pub use faults::{Fault, FaultError, Link, Reset};
#[cfg(feature = "host")]
pub use host::{Emulator, EmulatorBuilder, StartError};
pub use platform::incidents::{ChannelAlarm, Incident, JobFailure, SyncFailure};

/// The SAS token that opens the storage account `storage1`, unless the operator's world has another one.
pub const STORAGE_SAS: &str = "?sv=2024-11-04&sp=rwdlac&sig=emulated";
