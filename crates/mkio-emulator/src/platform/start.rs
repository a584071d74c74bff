//! What a platform starts with, as data: `data/world.json`, or a file of the operator's.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// What a platform starts with, and what it has to offer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Start {
    /// Location of the first project.
    pub location: String,
    /// Payment method of the first project.
    pub payment_method: Uuid,
    /// What belongs to the organization. `{home}` stands for its id.
    pub organization: Vec<Record>,
    /// Roles that a team can be given.
    pub roles: Vec<RoleStart>,
    /// What is in every project. `{location}` stands for that of the project.
    pub project: Vec<Record>,
    /// What is in the first project besides.
    pub first_project: Vec<Record>,
    /// What is metered.
    pub meters: Vec<Meter>,
    /// Types and presets of configurations.
    pub templates: Templates,
}

/// A resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// Name of its kind.
    pub kind: String,
    /// Its name; of a kind whose name is its id, the id. `{new}` stands for a new id.
    pub name: String,
    /// What a caller would have said of it. `{id}` stands for its id.
    #[serde(default)]
    pub body: Value,
    /// What only the emulator knows of it.
    #[serde(default)]
    pub private: Value,
}

/// A role: which of the capabilities that the documents name it has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RoleStart {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Verbs that it has in everything.
    pub everywhere: Vec<String>,
    /// Capabilities that it has no other verbs of; none where it is null, which leaves it with `everywhere` alone.
    pub except: Option<Vec<String>>,
}

/// Something that is metered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// Its name.
    pub name: String,
    /// What it is counted in.
    pub unit: String,
    /// What it is part of.
    pub solution: String,
    /// What it is part of.
    pub family: String,
    /// Price of a unit.
    pub price: f64,
}

/// Types and presets of configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// Types.
    pub types: Vec<ConfigType>,
    /// Presets.
    pub presets: Vec<Preset>,
}

/// A type of configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigType {
    /// Its name.
    pub name: String,
    /// What it configures.
    pub description: String,
}

/// A preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Type of the configurations that are made from it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it makes.
    pub description: String,
    /// Names of its input pins.
    pub inputs: Vec<String>,
    /// Settings, which parameters of the same names change.
    pub settings: Value,
}

impl Start {
    /// Reads a world.
    ///
    /// # Errors
    /// Where the text is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The world of this crate.
    ///
    /// # Panics
    /// When the file that ships with the crate is not a world; every test that starts an emulator reads it.
    pub fn builtin() -> Self {
        Self::parse(include_str!("../../data/world.json"))
            .unwrap_or_else(|problem| panic!("data/world.json cannot be read: {problem}"))
    }
}
