//! One change and the list of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Whether a program written against the old document can be affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It may fail, miss something or no longer compile.
    Breaking,
    /// It goes on as before.
    Compatible,
}

impl Level {
    /// Breaking when the condition holds.
    pub fn breaking_if(condition: bool) -> Self {
        if condition {
            Self::Breaking
        } else {
            Self::Compatible
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Compatible => "compatible",
        }
    }
}

/// Which way a value travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the user to the service.
    Request,
    /// From the service to the user.
    Response,
}

impl Direction {
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// One change for a user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Whether it is breaking.
    pub level: Level,
    /// Operation, or pointer into the schemas.
    pub place: String,
    /// Short name of this kind of change.
    pub kind: &'static str,
    /// What changed, in words.
    pub message: String,
    /// Where a value of the place travels; empty where that says nothing.
    pub directions: Vec<Direction>,
}

/// Collects changes; the same one in both directions becomes one.
#[derive(Debug, Default)]
pub struct Changes {
    found: BTreeMap<(Level, String, &'static str, String), BTreeSet<Direction>>,
}

impl Changes {
    /// Adds a change.
    pub fn add(
        &mut self,
        level: Level,
        place: &str,
        direction: Option<Direction>,
        kind: &'static str,
        message: impl Into<String>,
    ) {
        self.found
            .entry((level, place.to_owned(), kind, message.into()))
            .or_default()
            .extend(direction);
    }

    /// All changes: breaking ones first, then by place.
    pub fn into_sorted(self) -> Vec<Change> {
        self.found
            .into_iter()
            .map(|((level, place, kind, message), directions)| Change {
                level,
                place,
                kind,
                message,
                directions: directions.into_iter().collect(),
            })
            .collect()
    }
}
