//! Waits against a scripted service, with the paused clock.

mod actions;
mod basic;
mod descriptions;
mod edges;
mod events;
mod isolation;
mod listed;
mod outcomes;
mod random;
mod runtimes;
pub(super) mod service;
mod sharing;
