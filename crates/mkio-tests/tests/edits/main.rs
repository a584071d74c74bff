//! Edits of every resource that can be edited: what is not touched stays, and nothing is sent when
//! nothing changed.

mod asset;
mod every;
mod special;
mod world;
