//! The last requests.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Method;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{control::mask, docs::Operation, faults::Fault};

/// Requests that are remembered.
const MOST: usize = 1_000;
/// Most bytes of a body that is remembered.
const MOST_BODY: usize = 64 * 1024;
/// Bytes of all bodies that are remembered.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A request that the emulator answered. Secrets in it are masked.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestRecord {
    /// Counts requests, from 1.
    pub number: u64,
    /// Platform time of the response.
    pub time: DateTime<Utc>,
    /// Method.
    #[serde(serialize_with = "text")]
    pub method: Method,
    /// Path, as it was sent.
    pub path: String,
    /// Query, as it was sent.
    pub query: Option<String>,
    /// Status of the response, also if a fault withheld it.
    pub status: u16,
    /// Name of the operation in Rust; none when the request was refused before it was known, or asks for none.
    pub operation: Option<&'static str>,
    /// The fault that it matched.
    pub fault: Option<Value>,
    /// `ref` of an error.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// Body of the request; none when there was none, when it is no JSON, or when it is larger than 64 KiB.
    pub request: Option<Value>,
    /// Bytes of the request's body.
    pub request_bytes: usize,
    /// Body of the response, with the same exceptions.
    pub response: Option<Value>,
    /// Bytes of the response's body.
    pub response_bytes: usize,
}

fn text<S: Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(method.as_str())
}

/// A request, as the host saw it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Platform time.
    pub(crate) time: DateTime<Utc>,
    /// Method.
    pub(crate) method: Method,
    /// Path.
    pub(crate) path: String,
    /// Query.
    pub(crate) query: Option<String>,
    /// Status of the response.
    pub(crate) status: u16,
    /// The operation that it asked for.
    pub(crate) operation: Option<&'static Operation>,
    /// The fault that it matched.
    pub(crate) fault: Option<Arc<Fault>>,
    /// Its body.
    pub(crate) request: Bytes,
    /// The body of its response.
    pub(crate) response: Bytes,
}

/// A body that may be too large to be kept.
#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    size: usize,
}

impl Kept {
    fn new(bytes: &Bytes) -> Self {
        let size = bytes.len();
        // A copy, since a slice would keep the whole file in memory.
        let bytes = if size <= MOST_BODY {
            Bytes::copy_from_slice(bytes)
        } else {
            Bytes::new()
        };
        Self { bytes, size }
    }

    fn shown(&self) -> Option<Value> {
        let mut value = serde_json::from_slice(&self.bytes).ok()?;
        mask::mask(&mut value);
        Some(value)
    }
}

#[derive(Debug)]
struct Entry {
    number: u64,
    seen: Seen,
    request: Kept,
    response: Kept,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.request.bytes.len() + self.response.bytes.len()
    }

    fn record(&self) -> RequestRecord {
        let response = self.response.shown();
        let reference = response.as_ref().and_then(|body| body.get("ref")?.as_str());
        RequestRecord {
            number: self.number,
            time: self.seen.time,
            method: self.seen.method.clone(),
            path: self.seen.path.clone(),
            query: self.seen.query.as_deref().map(mask::query),
            status: self.seen.status,
            operation: self.seen.operation.map(|operation| operation.name),
            fault: self.seen.fault.as_ref().map(|fault| fault.to_json()),
            reference: reference.map(str::to_owned),
            request: self.request.shown(),
            request_bytes: self.request.size,
            response_bytes: self.response.size,
            response,
        }
    }
}

#[derive(Debug, Default)]
struct Entries {
    kept: VecDeque<Entry>,
    bytes: usize,
    count: u64,
}

impl Entries {
    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= oldest.bytes();
        }
    }
}

/// The last requests, at most 1,000 of them and 16 MiB of their bodies.
#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<Entries>);

impl RequestLog {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a request.
    pub(super) fn add(&self, mut seen: Seen) {
        let request = Kept::new(&std::mem::take(&mut seen.request));
        let response = Kept::new(&std::mem::take(&mut seen.response));
        let mut entries = self.entries();
        entries.count += 1;
        let entry = Entry {
            number: entries.count,
            seen,
            request,
            response,
        };
        entries.bytes += entry.bytes();
        entries.kept.push_back(entry);
        while entries.kept.len() > MOST || entries.bytes > MOST_BYTES {
            entries.drop_oldest();
        }
    }

    /// The requests after number `number`, oldest first; the newest `most` of them.
    pub(super) fn since(&self, number: u64, most: usize) -> Vec<RequestRecord> {
        let entries = self.entries();
        let first = entries.kept.partition_point(|entry| entry.number <= number);
        let first = first.max(entries.kept.len().saturating_sub(most));
        entries.kept.range(first..).map(Entry::record).collect()
    }

    /// Forgets all requests. Numbers go on.
    pub(super) fn clear(&self) {
        let mut entries = self.entries();
        entries.kept.clear();
        entries.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(size: usize) -> Seen {
        Seen {
            time: DateTime::UNIX_EPOCH,
            method: Method::PUT,
            path: "/p".to_owned(),
            query: None,
            status: 200,
            operation: None,
            fault: None,
            request: Bytes::from(format!("\"{}\"", "x".repeat(size))),
            response: Bytes::new(),
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_in_number_and_in_bytes() {
        let log = RequestLog::default();
        for _ in 0..MOST + 7 {
            log.add(seen(1));
        }
        let all = log.since(0, usize::MAX);
        assert_eq!((all.len(), all[0].number), (MOST, 8));
        assert_eq!(log.since(MOST as u64, 3).len(), 3);
        assert_eq!(log.since(MOST as u64 + 6, 9)[0].number, MOST as u64 + 7);
        for _ in 0..2 * MOST_BYTES / MOST_BODY {
            log.add(seen(MOST_BODY - 2));
        }
        let entries = log.entries();
        let held: usize = entries.kept.iter().map(Entry::bytes).sum();
        assert!(held == entries.bytes && held <= MOST_BYTES, "{held}");
    }

    #[test]
    fn a_body_that_is_too_large_is_told_by_its_size() {
        let log = RequestLog::default();
        log.add(seen(MOST_BODY));
        let record = &log.since(0, 1)[0];
        assert_eq!(
            (&record.request, record.request_bytes),
            (&None, MOST_BODY + 2)
        );
        log.clear();
        assert!(log.since(0, 1).is_empty());
    }
}
