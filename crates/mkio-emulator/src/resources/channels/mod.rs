//! The Channels API of a Beam device. One emulator has one device.

mod alarms;
pub(crate) mod channel;
pub(crate) mod device;
pub(crate) mod exchange;
mod rules;
mod status;
