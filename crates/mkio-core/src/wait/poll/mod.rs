//! Polling the service for all waits of a client.
//!
//! `registry.rs` gives each wait to the task of its collection (`task.rs`), which polls one
//! resource at a time (`single.rs`) or many through the collection's list (`list.rs`), as long as
//! the list is to be trusted (`list_trust.rs`). `results.rs` hands the results to each wait that
//! they concern (`member.rs`).

mod channels;
mod faults;
mod hub;
mod list;
mod list_trust;
mod member;
mod members;
mod registry;
mod report;
mod results;
mod single;
mod task;

pub(super) use channels::Channels;
pub(super) use registry::Membership;
pub use registry::Waits;
pub(super) use single::item;
