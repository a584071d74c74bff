//! The Live API.

pub(crate) mod flows;
mod mishaps;
pub(crate) mod operations;
mod starts;
mod status;
pub(crate) mod steering;
pub(crate) mod wiring;
