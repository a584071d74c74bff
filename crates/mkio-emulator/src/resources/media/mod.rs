//! The Media API.

pub(crate) mod assets;
pub(crate) mod blobs;
pub(crate) mod connections;
mod content;
pub(crate) mod download;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod locators;
mod outputs;
pub(crate) mod play;
pub(crate) mod policies;
mod recording;
mod running;
pub(crate) mod storage;
pub(crate) mod writers;
