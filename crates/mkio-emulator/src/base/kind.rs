//! Kinds of resources.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

/// A kind. Each is declared beside its rules: `impl Kind { pub const ASSET: Self = Self::new("asset", "asset"); }`.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    name: &'static str,
    noun: &'static str,
    parent: Option<&'static Kind>,
}

impl Kind {
    /// Projects, which hold everything that is not an organization's.
    pub const PROJECT: Self = Self::new("project", "project");

    /// A kind at the top of its project, or of the organization. No other has its name.
    pub const fn new(name: &'static str, noun: &'static str) -> Self {
        Self {
            name,
            noun,
            parent: None,
        }
    }

    /// A kind that lives under another.
    pub const fn under(name: &'static str, noun: &'static str, parent: &'static Self) -> Self {
        Self {
            name,
            noun,
            parent: Some(parent),
        }
    }

    /// Its name, which no other kind has.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The kind in a sentence.
    pub const fn noun(self) -> &'static str {
        self.noun
    }

    /// The kind it lives under, when it is not at the top.
    pub fn parent(self) -> Option<Self> {
        self.parent.copied()
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
