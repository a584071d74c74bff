//! `spec/states.yaml`: the resources with a state, as data. `check` holds it against the document,
//! `place` follows a pointer through the types, `moves` makes the emulator's constants.

mod check;
mod moves;
mod place;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
pub use check::connect;
use indexmap::IndexMap;
pub use moves::constants;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::apis::{Api, Workspace};

/// The file, below the workspace's folder.
pub const FILE: &str = "spec/states.yaml";

/// One resource with a state; the keys are explained in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub model: String,
    pub item: Option<String>,
    pub state: Option<String>,
    pub list: Option<ListSource>,
    pub params: Vec<String>,
    pub name_param: Option<String>,
    pub pointer: Option<String>,
    pub progress: Option<String>,
    #[serde(default)]
    pub errors: Vec<String>,
    pub created_at: Option<String>,
    #[serde(default)]
    pub busy: Vec<String>,
    #[serde(default)]
    pub failed_when: IndexMap<String, Vec<String>>,
    #[serde(rename = "type")]
    pub state_type: Option<String>,
    #[serde(default)]
    pub presence: bool,
    /// States that occur and that the document's enum lacks.
    #[serde(default)]
    pub undeclared: Vec<String>,
    #[serde(default)]
    pub states: IndexMap<String, Kind>,
    pub goals: IndexMap<String, Goal>,
    pub timeout: u64,
    pub poll: (u64, u64),
    pub missing_for: Option<u64>,
    #[serde(default)]
    pub events: bool,
    #[serde(default)]
    pub actions: IndexMap<String, Action>,
    pub delete: Option<String>,
    /// Data for [`constants`].
    #[serde(default, rename = "moves")]
    _moves: Option<IgnoredAny>,
    #[serde(default, rename = "unseen")]
    _unseen: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSource {
    pub operation: String,
    pub name: String,
    pub name_field: Option<String>,
    #[serde(default)]
    pub scope: IndexMap<String, String>,
    #[serde(default)]
    pub stem: bool,
    pub id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Transient,
    Steady,
    Success,
    Failure,
    Deleting,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    pub states: Vec<String>,
    #[serde(default)]
    pub failures: Vec<String>,
    #[serde(default)]
    pub on_the_way: Vec<String>,
    #[serde(default)]
    pub fell_back: Vec<String>,
    #[serde(default)]
    pub min_age: u64,
    #[serde(default)]
    pub failure_grace: u64,
    #[serde(default)]
    pub requires: IndexMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// A step that comes first and has reached its own goal before this one.
    pub first: Option<Box<Action>>,
    pub operation: String,
    pub goal: String,
    pub body: Option<Value>,
    /// It makes the resource, which must not exist before.
    #[serde(default)]
    pub creates: bool,
}

impl Action {
    /// All steps, in their order.
    pub fn steps(&self) -> Vec<&Self> {
        let mut steps = self.first.as_deref().map_or_else(Vec::new, Self::steps);
        steps.push(self);
        steps
    }
}

/// A resource's name in words: `an asset`, `a live event`.
pub fn with_article(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {}", name.replace('_', " "))
}

/// The resources of an API by their names, for example `live_event`.
pub type States = IndexMap<String, Resource>;

/// The file's text.
pub fn read(workspace: &Workspace) -> Result<String> {
    let path = workspace.states();
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Checks that each entry belongs to an API of the workspace.
pub fn check_owners(workspace: &Workspace, text: &str) -> Result<()> {
    let all: IndexMap<String, serde_norway::Value> = serde_norway::from_str(text).context(FILE)?;
    for name in all.keys() {
        let (owner, _) = split(name)?;
        workspace
            .api(owner)
            .with_context(|| format!("{FILE}: {name}"))?;
    }
    Ok(())
}

fn split(name: &str) -> Result<(&str, &str)> {
    let parts = name.split_once('.');
    parts.with_context(|| format!("{FILE}: {name}: not of the form <api>.<resource>"))
}

/// The file, with what entries take over from others.
fn merged(text: &str) -> Result<serde_norway::Value> {
    let mut all: serde_norway::Value = serde_norway::from_str(text)?;
    all.apply_merge()?;
    Ok(all)
}

/// The entries of an API.
pub fn parse(api: &Api, text: &str) -> Result<States> {
    entries(api, text).context(FILE)
}

fn entries(api: &Api, text: &str) -> Result<States> {
    let all: IndexMap<String, serde_norway::Value> = serde_norway::from_value(merged(text)?)?;
    let mut states = States::new();
    for (name, entry) in all {
        let (owner, resource) = split(&name)?;
        // An entry with moves alone is for the emulator.
        let keys = entry.as_mapping().into_iter().flat_map(|keys| keys.keys());
        let mut other = keys.filter(|key| {
            let key = key.as_str().unwrap_or_default();
            !["states", "moves", "unseen"].contains(&key)
        });
        let waits = other.next().is_some() || entry.get("moves").is_none();
        if owner == api.name && waits {
            let entry = serde_norway::from_value(entry).with_context(|| name.clone())?;
            states.insert(resource.to_owned(), entry);
        }
    }
    Ok(states)
}
