//! Workflows of users, from end to end: the client against the emulator.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod channels;
mod checked;
mod common;
mod dubbing;
mod fleet;
mod lists;
mod live_flow;
mod live_media;
mod management;
mod protection;
mod short;
mod storage;
mod templates;
mod troubles;
mod vod;
