//! Deliveries of webhooks: waiting, tried, tried again, remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::format;

/// Envelopes remembered for each rule.
const HISTORY: usize = 500;
/// Envelopes remembered in all.
const MOST: usize = 20_000;
/// Bytes of envelopes that are not delivered yet, in all.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Not tried yet.
    Pending,
    /// Failed at least once; will be tried again.
    Retrying,
    /// Given up.
    Failed,
    /// Taken by the receiver.
    Sent,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Retrying => "Retrying",
            Self::Failed => "Failed",
            Self::Sent => "Sent",
        }
    }
}

/// A delivery.
#[derive(Debug)]
pub struct Envelope {
    /// Project and name of its rule.
    pub rule: (String, String),
    /// When it happened.
    pub created: DateTime<Utc>,
    /// Type of the event.
    pub kind: String,
    /// Path of the resource.
    pub source: String,
    /// Its status.
    pub status: Status,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next.
    pub due: Option<DateTime<Utc>>,
    /// The envelope, until it was taken or given up.
    pub body: Bytes,
}

/// A delivery, written down.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedEnvelope {
    id: u64,
    rule: (String, String),
    created: DateTime<Utc>,
    kind: String,
    source: String,
    status: Status,
    tries: u32,
    due: Option<DateTime<Utc>>,
    body: String,
}

/// Deliveries, waiting and past. The memory is bounded: for each rule, in all, and in bytes; the oldest goes first.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: BTreeMap<u64, Envelope>,
    /// Of each rule, oldest first.
    rules: HashMap<(String, String), VecDeque<u64>>,
    due: BTreeSet<(DateTime<Utc>, u64)>,
    bytes: usize,
}

impl Outbox {
    /// When the next try is due.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The history of a rule, oldest first, as responses show it.
    pub fn history(&self, project: &str, rule: &str) -> Vec<Value> {
        let own = self.rules.get(&(project.to_owned(), rule.to_owned()));
        own.into_iter()
            .flatten()
            .filter_map(|id| self.entries.get(id))
            .map(|entry| {
                json!({
                    "created": format::time(entry.created), "source": entry.source, "type": entry.kind,
                    "status": entry.status.name(),
                })
            })
            .collect()
    }

    /// The newest deliveries of all rules, oldest first, as the control handle shows them.
    pub fn newest(&self, most: usize) -> Vec<Value> {
        let mut found: Vec<Value> = self
            .entries
            .iter()
            .rev()
            .take(most)
            .map(|(id, entry)| {
                json!({
                    "id": id, "project": entry.rule.0, "rule": entry.rule.1, "created": format::time(entry.created),
                    "source": entry.source, "type": entry.kind, "status": entry.status.name(), "tries": entry.tries,
                })
            })
            .collect();
        found.reverse();
        found
    }

    /// Writes all deliveries down.
    pub fn save(&self) -> Vec<SavedEnvelope> {
        let saved = |(id, entry): (&u64, &Envelope)| SavedEnvelope {
            id: *id,
            rule: entry.rule.clone(),
            created: entry.created,
            kind: entry.kind.clone(),
            source: entry.source.clone(),
            status: entry.status,
            tries: entry.tries,
            due: entry.due,
            body: String::from_utf8_lossy(&entry.body).into_owned(),
        };
        self.entries.iter().map(saved).collect()
    }

    /// The deliveries that were written down. One that was under way is tried again at once.
    pub fn load(saved: Vec<SavedEnvelope>, now: DateTime<Utc>) -> Self {
        let mut outbox = Self::default();
        for entry in saved {
            let waits = matches!(entry.status, Status::Pending | Status::Retrying);
            let envelope = Envelope {
                rule: entry.rule,
                created: entry.created,
                kind: entry.kind,
                source: entry.source,
                status: entry.status,
                tries: entry.tries,
                due: waits.then(|| entry.due.unwrap_or(now)),
                body: Bytes::from(entry.body),
            };
            outbox.push(entry.id, envelope);
        }
        outbox
    }

    /// Drops the history of a rule and its unsent deliveries.
    pub fn forget(&mut self, project: &str, rule: &str) {
        let ids = self.rules.remove(&(project.to_owned(), rule.to_owned()));
        for id in ids.into_iter().flatten() {
            self.drop_entry(id);
        }
    }

    /// Reports the outcome of a try.
    pub fn report(&mut self, id: u64, taken: bool, now: DateTime<Utc>, attempts: u32) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if taken || entry.tries >= attempts {
            entry.status = if taken { Status::Sent } else { Status::Failed };
            self.bytes -= std::mem::take(&mut entry.body).len();
            return;
        }
        entry.status = Status::Retrying;
        // 10 s, 20 s, 40 s, …: the platform publishes no schedule.
        let doublings = entry.tries.saturating_sub(1).min(20);
        let seconds = (10_i64 << doublings).min(3_600);
        let due = now
            .checked_add_signed(TimeDelta::seconds(seconds))
            .unwrap_or(now);
        entry.due = Some(due);
        self.due.insert((due, id));
    }

    /// Adds a delivery; the oldest are dropped when there are too many.
    pub fn push(&mut self, id: u64, entry: Envelope) {
        while self.entries.len() >= MOST || self.bytes + entry.body.len() > MOST_BYTES {
            let Some((oldest, rule)) = self
                .entries
                .first_key_value()
                .map(|(id, entry)| (*id, entry.rule.clone()))
            else {
                break;
            };
            // Ids grow, so the oldest of all is the oldest of its rule.
            if let Some(own) = self.rules.get_mut(&rule) {
                own.pop_front();
            }
            self.drop_entry(oldest);
        }
        let own = self.rules.entry(entry.rule.clone()).or_default();
        own.push_back(id);
        let oldest = if own.len() > HISTORY {
            own.pop_front()
        } else {
            None
        };
        if let Some(oldest) = oldest {
            self.drop_entry(oldest);
        }
        if let Some(due) = entry.due {
            self.due.insert((due, id));
        }
        self.bytes += entry.body.len();
        self.entries.insert(id, entry);
    }

    fn drop_entry(&mut self, id: u64) {
        if let Some(entry) = self.entries.remove(&id) {
            self.bytes -= entry.body.len();
            if let Some(due) = entry.due {
                self.due.remove(&(due, id));
            }
        }
    }

    /// Takes the next delivery whose time has come; it is under way then.
    pub fn start(&mut self, now: DateTime<Utc>) -> Option<(u64, &Envelope)> {
        let (due, id) = *self.due.first().filter(|(due, _)| *due <= now)?;
        self.due.remove(&(due, id));
        let entry = self.entries.get_mut(&id)?;
        entry.due = None;
        entry.tries += 1;
        Some((id, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(rule: &str, size: usize) -> Envelope {
        Envelope {
            rule: ("demo".to_owned(), rule.to_owned()),
            created: DateTime::UNIX_EPOCH,
            kind: String::new(),
            source: String::new(),
            status: Status::Pending,
            tries: 0,
            due: Some(DateTime::UNIX_EPOCH),
            body: Bytes::from(vec![b'x'; size]),
        }
    }

    /// Whether the counts of the outbox agree with its content.
    fn consistent(outbox: &Outbox) -> bool {
        let bytes: usize = outbox.entries.values().map(|entry| entry.body.len()).sum();
        let listed: usize = outbox.rules.values().map(VecDeque::len).sum();
        let due = outbox
            .entries
            .values()
            .filter(|entry| entry.due.is_some())
            .count();
        (bytes, listed, due) == (outbox.bytes, outbox.entries.len(), outbox.due.len())
    }

    #[test]
    fn what_is_remembered_is_bounded_for_a_rule_in_all_and_in_bytes() {
        let mut outbox = Outbox::default();
        for id in 0..1_000 {
            outbox.push(id, entry("r", 1));
        }
        assert_eq!(outbox.history("demo", "r").len(), HISTORY);
        for id in 1_000..30_000 {
            outbox.push(id, entry(&format!("r{}", id % 100), 1));
        }
        assert_eq!(outbox.entries.len(), MOST);
        assert!(consistent(&outbox));
        for id in 30_000..30_100 {
            outbox.push(id, entry("large", 1024 * 1024));
        }
        assert!(outbox.bytes <= MOST_BYTES && consistent(&outbox));
        outbox.forget("demo", "large");
        assert!(outbox.history("demo", "large").is_empty() && consistent(&outbox));
    }

    #[test]
    fn tries_are_spaced_and_given_up_and_their_bodies_let_go() {
        let mut outbox = Outbox::default();
        let start = DateTime::UNIX_EPOCH;
        outbox.push(1, entry("r", 10));
        let mut spaces = Vec::new();
        let mut now = start;
        while let Some(due) = outbox.next_due() {
            spaces.push((due - now).num_seconds());
            now = due;
            assert!(outbox.start(now).is_some_and(|(id, _)| id == 1));
            assert!(outbox.start(now).is_none(), "it is under way");
            outbox.report(1, false, now, 5);
        }
        assert_eq!(spaces, [0, 10, 20, 40, 80]);
        assert_eq!(outbox.history("demo", "r")[0]["status"], "Failed");
        assert!(outbox.bytes == 0 && consistent(&outbox));
    }
}
