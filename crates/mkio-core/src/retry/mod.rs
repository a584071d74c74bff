//! When a failed attempt is repeated, and after how long.

mod policy;
mod quota;
mod retry_after;
mod verdict;

pub use policy::{Jitter, RetryPolicy};
pub(crate) use quota::{Quota, REPETITIONS, Ticket};
pub(crate) use retry_after::retry_after;
pub(crate) use verdict::{Cause, Verdict, is_transient, repeatable, verdict};
