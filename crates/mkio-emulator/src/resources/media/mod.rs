//! The Media API.

pub(crate) mod assets;
pub(crate) mod connections;
pub(crate) mod download;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod locators;
pub(crate) mod policies;
mod recording;
mod running;
pub(crate) mod storage;
