//! What the states of resources mean: `spec/states.yaml`, which the SDK's waits are made of as well.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use serde::Deserialize;
use serde_norway::Value;

/// What a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It passes by itself.
    Transient,
    /// It stays until somebody acts.
    Steady,
    /// The end, and a good one.
    Success,
    /// The end, or a standstill, and no good one.
    Failure,
    /// On the way out.
    Deleting,
}

/// The states of one kind of resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct States {
    /// Each state with what it means.
    #[serde(default)]
    pub states: BTreeMap<String, Class>,
    /// States in which actions are refused.
    #[serde(default)]
    pub busy: BTreeSet<String>,
}

impl States {
    /// What a state means; a state that is not listed is taken for one that stays.
    pub fn class(&self, state: &str) -> Class {
        self.states.get(state).copied().unwrap_or(Class::Steady)
    }

    /// Whether a state is an end.
    pub fn is_end(&self, state: &str) -> bool {
        matches!(self.class(state), Class::Success | Class::Failure)
    }
}

/// The states of a resource such as `media.job`; none when the file has no such entry.
///
/// # Panics
/// When the file that ships with the crate is not what it has to be; a test of this crate reads it.
pub fn of(name: &str) -> &'static States {
    static ALL: OnceLock<BTreeMap<String, States>> = OnceLock::new();
    static NONE: States = States {
        states: BTreeMap::new(),
        busy: BTreeSet::new(),
    };
    let all = ALL.get_or_init(|| {
        read().unwrap_or_else(|problem| panic!("data/spec/states.yaml cannot be read: {problem}"))
    });
    all.get(name).unwrap_or(&NONE)
}

fn read() -> Result<BTreeMap<String, States>, serde_norway::Error> {
    // The generator keeps it equal to the one under `spec/`.
    let mut file: Value = serde_norway::from_str(include_str!("../../data/spec/states.yaml"))?;
    file.apply_merge()?;
    serde_norway::from_value(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_with_what_they_share() {
        let job = of("media.job");
        assert_eq!(job.class("Processing"), Class::Transient);
        assert!(job.is_end("Canceled") && !job.is_end("Queued"));
        let (channel, event) = (of("live.live_channel"), of("live.live_event"));
        assert_eq!(channel, event);
        assert!(channel.busy.contains("Updating"), "{channel:?}");
    }
}
