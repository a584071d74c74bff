//! The platform without HTTP: resources, rules, state machines, clock.

pub mod call;
pub mod clock;
pub mod engine;
pub mod error;
pub mod family;
mod generic;
pub mod handlers;
mod identity;
mod list;
mod media;
mod merge;
pub mod query;
mod render;
pub mod seed;
pub mod settings;
pub mod store;
pub mod webhooks;
pub mod world;
