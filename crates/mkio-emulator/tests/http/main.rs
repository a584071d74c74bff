//! The emulator over HTTP: the published workflows, the rules, misbehaviour, hostile input.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod blobs;
mod bodies;
mod channels;
mod common;
mod doors;
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
mod misbehaviour;
mod operations;
mod references;
mod rules;
mod samples;
mod states;
mod tokens;
mod webhooks;
