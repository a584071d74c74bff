//! When a failed attempt is retried, and after how long.

mod budget;
mod policy;
mod retry_after;
mod verdict;

pub(crate) use budget::{DEFAULT_RETRIES, RetryBudget, Withdrawal};
pub use policy::{Jitter, RetryPolicy};
pub(crate) use retry_after::retry_after;
pub(crate) use verdict::{Cause, RetryVerdict, is_idempotent, is_transient, retry_verdict};
