//! The emulator over HTTP: the published workflows, the rules, misbehaviour, hostile input.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod blobs;
mod bodies;
mod channels;
mod clear_key;
mod common;
mod doors;
mod downloads;
mod fields;
mod fleet;
mod guides;
mod hostile;
mod incidents;
mod lists;
mod live;
mod management;
mod matrices;
mod media;
mod media_live;
mod misbehaviour;
mod mishaps;
mod operations;
mod paging;
mod patches;
mod playback;
mod protection;
mod recipes;
mod references;
mod rules;
mod samples;
mod secrets;
mod speech;
mod states;
mod steering;
mod tokens;
mod webhooks;
mod world;
