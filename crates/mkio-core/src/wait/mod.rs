//! Waits: every resource with a state can be awaited.
//!
//! - [`Resource`] says as data where a resource's state is read and what it means; the generated
//!   crates have one for each resource with a state, and a `wait_for_…` call that makes a
//!   [`Wait`] of it.
//! - [`Wait`] is what the user holds: a future of the final resource and a stream of changes.
//! - [`Waits`] are all waits of a client. Those of one collection share a task, and list requests
//!   where these are fewer than looks at each resource.

mod act;
mod channels;
mod description;
mod event;
mod failure;
mod group;
mod handle;
mod hub;
mod judge;
mod look;
mod member;
mod members;
mod pointer;
mod resource;
mod running;
mod setup;
mod state;
mod target;

#[cfg(test)]
mod act_tests;
#[cfg(test)]
mod description_tests;
#[cfg(test)]
mod edge_tests;
#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod runtime_tests;
#[cfg(test)]
mod shared_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

#[doc(hidden)]
pub use act::Action;
pub use description::WaitDescription;
pub use event::StateEvent;
pub use failure::{Reason, ResourceError, WaitFailure};
pub use handle::Wait;
pub use hub::Waits;
pub use resource::{Goal, Listing, PRESENT, Resource, StateKind};
pub use state::{Change, State, StateName, Test, Until, UntilTarget};
