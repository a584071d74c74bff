//! The APIs, and the two sides of the wire.

/// An API with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// Media API, `/api/v1/projects/{project_name}/media/`.
    Media,
    /// Live API, `/api/v1/projects/{project_name}/live/`.
    Live,
    /// Templates API, `/api/v1/projects/{project_name}/templating/`.
    Templates,
    /// Fleets API, `/api/v1/projects/{project_name}/fleet/`.
    Fleets,
    /// Infrastructure API, `/api/v1/projects/{project_name}/infra/`.
    Infrastructure,
    /// Management API, `/api/v1/` and `/.well-known/`.
    Management,
    /// Channels API of a Beam device, `/api/channel…`.
    Channels,
}

impl Api {
    /// All of them, in the order of their documents.
    pub const ALL: &[Self] = &[
        Self::Media,
        Self::Live,
        Self::Templates,
        Self::Fleets,
        Self::Infrastructure,
        Self::Management,
        Self::Channels,
    ];

    /// The document's name: `media` for `spec/media.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Live => "live",
            Self::Templates => "templates",
            Self::Fleets => "fleets",
            Self::Infrastructure => "infrastructure",
            Self::Management => "management",
            Self::Channels => "channels",
        }
    }

    /// The document. The generator keeps it equal to the one under `spec/`.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Media => include_str!("../../data/spec/media.json"),
            Self::Live => include_str!("../../data/spec/live.json"),
            Self::Templates => include_str!("../../data/spec/templates.json"),
            Self::Fleets => include_str!("../../data/spec/fleets.json"),
            Self::Infrastructure => include_str!("../../data/spec/infrastructure.json"),
            Self::Management => include_str!("../../data/spec/management.json"),
            Self::Channels => include_str!("../../data/spec/channels.json"),
        }
    }
}

/// Which side of the wire a schema is read for: read-only fields are ignored in requests, write-only ones in replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What a caller sends.
    Request,
    /// What the emulator answers.
    Response,
}
