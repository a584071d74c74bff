//! Waits of the typed clients against a scripted service, with the paused clock.

mod actions;
mod envelopes;
mod every;
mod resumed;
mod service;
