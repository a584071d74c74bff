//! The Fleets API.

pub(crate) mod backups;
pub(crate) mod devices;
pub(crate) mod packages;
pub(crate) mod placement;
mod presence;
pub(crate) mod software;
mod tasks;
