//! Edits of every resource that can be edited: other members stay, and nothing is sent when nothing
//! changed.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod asset;
mod every;
mod guide;
mod special;
mod world;
