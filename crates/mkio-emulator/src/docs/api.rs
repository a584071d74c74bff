//! The APIs, and the two sides of the wire.

use std::{collections::HashMap, fmt};

/// An API with a document.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Api(usize);

/// Name, whether a device has it, the document, and the names of its operations: a copy of the one under `spec/` and what comes of it, which
/// the generator keeps equal.
type Known = (&'static str, bool, &'static str, &'static str);

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    // documents: APIs of spec/apis.yaml, by cargo xtask generate
    ("media", false, include_str!("../../data/spec/media.json"), include_str!("../../data/spec/media.names.txt")),
    ("management", false, include_str!("../../data/spec/management.json"), include_str!("../../data/spec/management.names.txt")),
    ("fleets", false, include_str!("../../data/spec/fleets.json"), include_str!("../../data/spec/fleets.names.txt")),
    ("infrastructure", false, include_str!("../../data/spec/infrastructure.json"), include_str!("../../data/spec/infrastructure.names.txt")),
    ("live", false, include_str!("../../data/spec/live.json"), include_str!("../../data/spec/live.names.txt")),
    ("templates", false, include_str!("../../data/spec/templates.json"), include_str!("../../data/spec/templates.names.txt")),
    ("channels", true, include_str!("../../data/spec/channels.json"), include_str!("../../data/spec/channels.names.txt")),
    // end of APIs
];

impl Api {
    /// All of them, in the order of `spec/apis.yaml`.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..KNOWN.len()).map(Self)
    }

    fn known(self) -> Known {
        KNOWN.get(self.0).copied().unwrap_or_default()
    }

    /// The document's name: `media` for `spec/media.json`.
    pub fn name(self) -> &'static str {
        self.known().0
    }

    /// Whether it is that of a device and not of the cloud.
    pub fn is_device(self) -> bool {
        self.known().1
    }

    /// The document.
    pub(crate) fn text(self) -> &'static str {
        self.known().2
    }

    /// The names that operations have in Rust, by their signatures.
    pub(crate) fn names(self) -> HashMap<&'static str, &'static str> {
        let lines = self.known().3.lines();
        lines.filter_map(|line| line.rsplit_once(' ')).collect()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which side of the wire a schema is read for: read-only fields are ignored in requests, write-only ones in responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What a caller sends.
    Request,
    /// What the emulator answers.
    Response,
}
