//! The platform without HTTP: resources, rules, state machines, clock.

pub mod call;
mod candidate;
mod channels;
pub mod clock;
mod duration;
pub mod engine;
pub mod error;
pub mod family;
pub mod faults;
mod fixed;
mod fleet;
mod generic;
pub mod handlers;
mod identity;
pub mod incidents;
pub mod inspect;
mod json_patch;
mod labels;
mod limits;
mod list;
mod live;
mod management;
mod media;
mod merge;
pub mod query;
mod render;
pub mod seed;
pub mod settings;
pub mod store;
mod templates;
mod tokens;
pub mod webhooks;
mod weight;
pub mod world;

pub use incidents::{ChannelAlarm, Incident, JobFailure, SyncFailure};
