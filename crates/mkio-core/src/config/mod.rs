//! Where settings come from: code, environment, profile file.

mod env;
mod profile;

pub(crate) use env::{Environment, Lookup};
pub use profile::config_file;
pub(crate) use profile::{Profile, TokenSetting};
