//! The seven APIs and where their files live.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// One API: one document, one generated crate.
#[derive(Debug, PartialEq, Eq)]
pub struct Api {
    /// Short name, also the stem of its files under `spec/`.
    pub name: &'static str,
    /// How people call it.
    pub title: &'static str,
    /// What its crate is for, the crate's description.
    pub about: &'static str,
}

/// All APIs, in the order in which they are generated and listed.
pub const APIS: [Api; 7] = [
    Api {
        name: "media",
        title: "Media",
        about: "assets, transforms, jobs, live events, publishing and content protection",
    },
    Api {
        name: "management",
        title: "Management",
        about: "organizations, projects, users, tokens, billing and webhooks",
    },
    Api {
        name: "fleets",
        title: "Fleets",
        about: "devices, their software, backups and support packages",
    },
    Api {
        name: "infrastructure",
        title: "Infrastructure",
        about: "networks and sites",
    },
    Api {
        name: "live",
        title: "Live",
        about: "live channels, live events and multiview flows",
    },
    Api {
        name: "templates",
        title: "Templates",
        about: "configurations and presets of transforms",
    },
    Api {
        name: "channels",
        title: "Channels",
        about: "channels of one Beam device, called on the device itself",
    },
];

impl Api {
    /// Finds an API by its short name.
    pub fn find(name: &str) -> Result<&'static Api> {
        APIS.iter().find(|api| api.name == name).with_context(|| {
            let known: Vec<_> = APIS.iter().map(|api| api.name).collect();
            format!("unknown API {name:?}: known are {}", known.join(", "))
        })
    }

    /// The document as it was imported.
    pub fn document(&self) -> PathBuf {
        root().join("spec").join(format!("{}.json", self.name))
    }

    /// Our corrections of the document.
    pub fn overlay(&self) -> PathBuf {
        root()
            .join("spec/overlays")
            .join(format!("{}.yaml", self.name))
    }

    /// Package name of the generated crate.
    pub fn package(&self) -> String {
        format!("mkio-{}", self.name)
    }

    /// Name of the generated crate in Rust code.
    pub fn crate_name(&self) -> String {
        format!("mkio_{}", self.name)
    }
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
