//! What an operation has answered.

use serde_json::Value;

use super::Entry;
use crate::Response;

/// An answer as its type knows it; the response around it has it as it was received.
///
/// `Debug` hides secrets.
#[derive(Clone)]
pub struct Answer {
    known: Value,
    entry: &'static Entry,
}

impl Answer {
    pub(super) fn new(known: Value, entry: &'static Entry) -> Self {
        Self { known, entry }
    }

    /// What the answer's type knows of it; `null` when the answer is no JSON.
    pub fn known(&self) -> &Value {
        &self.known
    }

    /// As [`known`](Self::known), to keep.
    pub fn into_known(self) -> Value {
        self.known
    }

    /// The operation that answered.
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }
}

impl Response<Answer> {
    /// The answer as it was received, members that its type does not know included, with `***` in
    /// the place of secrets.
    pub fn shown(&self) -> Value {
        let mut received = self.json();
        self.entry.mask(&mut received);
        received
    }
}

/// The answer with secrets hidden.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = self.known.clone();
        self.entry.mask(&mut shown);
        f.debug_tuple("Answer").field(&shown).finish()
    }
}
