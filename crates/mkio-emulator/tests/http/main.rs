//! The emulator over HTTP: the published workflows, the rules, misbehaviour, hostile input.

mod channels;
mod common;
mod fleet;
mod hostile;
mod live;
mod management;
mod media;
mod misbehaviour;
mod rules;
mod tokens;
mod webhooks;
