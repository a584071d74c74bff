//! Webhook deliveries.

use chrono::{DateTime, Utc};

/// Deliveries that wait to be made.
#[derive(Debug, Default)]
pub struct Outbox {}

impl Outbox {
    /// When the next delivery is due.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        None
    }
}
