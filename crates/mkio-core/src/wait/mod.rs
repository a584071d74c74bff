//! Waits: every resource with a state can be awaited.
//!
//! - [`Resource`] declares where a resource's state is read and what it means. The generated crates
//!   have one for each resource with a state, and a `wait_for_…` call that makes a [`Wait`] of it.
//! - [`Wait`] is what the caller holds: a future of the final resource and a stream of changes.
//! - [`Waits`] are all waits of a client. Those of one collection share a task, and list requests
//!   where these are fewer than polls of each resource.

// The life of a wait: `wait.rs` holds it, `new.rs` keeps what its caller sets. The first poll
// carries out its actions (`action.rs`), then makes a `plan.rs` of it and hands that to the task of
// its collection (`running.rs`, `poll/`). The task polls the service; `judge.rs` remembers what
// came of it and `verdict.rs` decides when the wait has ended.

mod action;
mod description;
mod event;
mod failure;
mod judge;
mod new;
mod plan;
mod pointer;
mod poll;
mod resource;
mod running;
mod seen;
mod settings;
mod state;
mod target;
mod verdict;
#[allow(clippy::module_inception)]
mod wait;
mod want;

#[cfg(test)]
mod tests;

#[doc(hidden)]
pub use action::ActionCall;
pub use description::WaitDescription;
pub use event::StateEvent;
pub use failure::{Reason, ResourceError, WaitFailure};
pub use poll::Waits;
pub use resource::{Goal, ListSource, PRESENT, Resource, StateKind};
pub use state::{Change, State, StateName};
pub use wait::Wait;
pub use want::Until;
#[doc(hidden)]
pub use want::Want;
