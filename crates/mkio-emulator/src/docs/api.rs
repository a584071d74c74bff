//! The APIs, and the two sides of the wire.

use std::{collections::HashMap, fmt};

/// An API with a document.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Api(usize);

/// Name, whether a device has it, the document, and notes of its operations: a copy of the one under `spec/` and what comes of its overlay, which
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

/// The generator's notes on an operation.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The name that it has in Rust.
    pub name: &'static str,
    /// Pointers of the fields of its body that cannot change once the resource exists.
    pub immutable: Vec<&'static str>,
}

impl Api {
    /// All APIs, in the order of `spec/apis.yaml`.
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

    /// The generator's notes on operations, by their signatures.
    pub(crate) fn notes(self) -> HashMap<&'static str, Notes> {
        let mut found = HashMap::new();
        let mut last = "";
        for line in self.known().3.lines() {
            if let Some(field) = line.strip_prefix(' ') {
                let of: &mut Notes = found.entry(last).or_default();
                of.immutable.push(field);
            } else if let Some((signature, name)) = line.rsplit_once(' ') {
                last = signature;
                let immutable = Vec::new();
                found.insert(signature, Notes { name, immutable });
            }
        }
        found
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
    /// The request.
    Request,
    /// The response.
    Response,
}
