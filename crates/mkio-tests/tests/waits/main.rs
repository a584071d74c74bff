//! Waits of the typed clients against a scripted service, with the paused clock.

mod actions;
mod every;
mod resumed;
mod service;
