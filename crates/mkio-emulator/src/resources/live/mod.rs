//! The Live API.

pub(crate) mod flows;
mod incidents;
pub(crate) mod monitoring;
pub(crate) mod operations;
pub(crate) mod resolution;
mod starts;
mod status;
pub(crate) mod steering;
pub(crate) mod wiring;
