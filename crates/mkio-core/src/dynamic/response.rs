//! The response of an operation that was called by its name.

use serde_json::Value;

use super::Entry;
use crate::Response;

/// The body of a response as its type knows it; the [`Response`] around it has it as it was received.
///
/// `Debug` hides secrets.
#[derive(Clone)]
pub struct DynamicResponse {
    value: Value,
    entry: &'static Entry,
}

impl DynamicResponse {
    pub(super) fn new(value: Value, entry: &'static Entry) -> Self {
        Self { value, entry }
    }

    /// The body with the members that its type knows; `null` when the body is not JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// As [`value`](Self::value), owned.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The operation that was called.
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }
}

impl Response<DynamicResponse> {
    /// The body as it was received, members that its type does not know included, with `***` in
    /// the place of secrets.
    pub fn json_masked(&self) -> Value {
        let mut received = self.json();
        self.entry.mask(&mut received);
        received
    }
}

/// The value with secrets hidden.
impl std::fmt::Debug for DynamicResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut masked = self.value.clone();
        self.entry.mask(&mut masked);
        f.debug_tuple("DynamicResponse").field(&masked).finish()
    }
}
