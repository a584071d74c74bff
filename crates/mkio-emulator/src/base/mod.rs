//! The base of all other modules: resources and where they are kept, time, tokens' keys, deliveries, errors, settings. Nothing here knows a
//! document or a kind of resource.

pub mod blobs;
pub mod clock;
pub mod duration;
pub mod error;
pub mod folders;
pub mod format;
pub mod keys;
pub mod kind;
pub mod life;
pub mod merge;
pub mod outbox;
pub mod read;
pub mod reference;
pub mod settings;
pub mod states;
pub mod store;
mod weight;
pub mod world;

pub(crate) use weight::values_in;
