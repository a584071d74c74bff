//! Resources and the tables that hold them.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::base::kind::Kind;

/// The state of a resource that is being deleted.
pub const DELETING: &str = "Deleting";

/// Which table: project (empty for resources of an organization), kind, and the names of the parents joined with `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Project name, or empty.
    pub project: String,
    /// Kind of the resources.
    pub kind: Kind,
    /// Parents, `transform` for a job; empty at the top.
    pub parent: String,
}

impl Place {
    /// A table at the top of a project.
    pub fn new(project: &str, kind: Kind) -> Self {
        Self {
            project: project.to_owned(),
            kind,
            parent: String::new(),
        }
    }

    /// A table below a parent.
    pub fn under(project: &str, kind: Kind, parent: &str) -> Self {
        Self {
            project: project.to_owned(),
            kind,
            parent: parent.to_owned(),
        }
    }

    /// A resource in this table.
    pub fn at(&self, name: &str) -> Address {
        Address {
            place: self.clone(),
            name: name.to_owned(),
        }
    }
}

/// Where a resource is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Its table.
    pub place: Place,
    /// Its name in the table.
    pub name: String,
}

impl Address {
    /// A resource at the top of a project.
    pub fn new(project: &str, kind: Kind, name: &str) -> Self {
        Place::new(project, kind).at(name)
    }
}

/// One move of a state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Platform time until it happens.
    pub after: Duration,
    /// Its effect.
    pub event: Event,
}

impl Step {
    /// A step after some platform time.
    pub const fn new(after: Duration, event: Event) -> Self {
        Self { after, event }
    }
}

/// The effect of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The state changes.
    Enter(&'static str),
    /// The resource is removed.
    Remove,
}

/// A state after some milliseconds of platform time.
pub const fn enter(millis: u64, state: &'static str) -> Step {
    Step::new(Duration::from_millis(millis), Event::Enter(state))
}

/// The removal after some milliseconds of platform time.
pub const fn remove(millis: u64) -> Step {
    Step::new(Duration::from_millis(millis), Event::Remove)
}

/// A resource of the platform.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub id: Uuid,
    /// Its place in the order of creation.
    pub sequence: u64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Who made it.
    pub created_by: Uuid,
    /// When it was changed last.
    pub updated: DateTime<Utc>,
    /// Who changed it last.
    pub updated_by: Uuid,
    /// The caller's body, without fields that the document does not let a caller set.
    pub body: Value,
    /// The fields that the platform adds to the caller's body in responses.
    pub server: Value,
    /// Values that lists can sort and filter by, and that responses do not show.
    pub hidden: Map<String, Value>,
    /// The emulator's private notes: secrets, files, times of a run.
    pub private: Value,
    /// Its state.
    pub state: &'static str,
    /// The next steps of its state machine.
    pub plan: VecDeque<Step>,
    /// Bytes of memory that its values were estimated to take when it was weighed last.
    pub weight: usize,
    /// Counts plans, so that a step of a plan that was dropped does nothing.
    pub generation: u64,
}

impl Resource {
    /// A text in the emulator's private notes.
    pub fn private_text(&self, pointer: &str) -> Option<&str> {
        self.private.pointer(pointer).and_then(Value::as_str)
    }

    /// A text in the caller's body.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer).and_then(Value::as_str)
    }

    /// Twelve letters and digits that stand for it in addresses.
    pub fn short_id(&self) -> String {
        self.id.simple().to_string().chars().take(12).collect()
    }

    /// Whether its provisioning failed and was not repaired since.
    pub fn is_broken(&self) -> bool {
        self.private
            .get("provisioningFailed")
            .and_then(Value::as_bool)
            == Some(true)
    }

    /// Whether it is being deleted.
    pub fn is_deleting(&self) -> bool {
        self.state == DELETING
    }
}

/// Resources of one kind under one parent, in order of creation.
#[derive(Debug, Default)]
pub struct Table {
    /// By sequence: iteration reads memory in order.
    items: BTreeMap<u64, Resource>,
    names: HashMap<Arc<str>, u64>,
    order: Vec<u64>,
}

impl Table {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// One by name.
    pub fn get(&self, name: &str) -> Option<&Resource> {
        self.items.get(self.names.get(name)?)
    }

    /// One by name, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Resource> {
        self.items.get_mut(self.names.get(name)?)
    }

    /// Adds one. Sequences only grow, so it goes last.
    pub fn insert(&mut self, resource: Resource) {
        self.remove(&resource.name.clone());
        self.order.push(resource.sequence);
        self.names.insert(resource.name.clone(), resource.sequence);
        self.items.insert(resource.sequence, resource);
    }

    /// Takes one out.
    pub fn remove(&mut self, name: &str) -> Option<Resource> {
        let sequence = self.names.remove(name)?;
        if let Ok(at) = self.order.binary_search(&sequence) {
            self.order.remove(at);
        }
        self.items.remove(&sequence)
    }

    /// All, in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.items.values()
    }

    /// A stretch of the order of creation.
    pub fn slice(&self, start: usize, size: usize) -> impl Iterator<Item = &Resource> {
        let first = self.order.get(start).copied().unwrap_or(u64::MAX);
        self.items.range(first..).take(size).map(|(_, item)| item)
    }

    /// The offset of the first resource made after the one with this sequence, which may be gone.
    pub fn offset_after(&self, sequence: u64) -> usize {
        self.order
            .partition_point(|candidate| *candidate <= sequence)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(name: &str, sequence: u64) -> Resource {
        Resource {
            name: name.into(),
            id: Uuid::nil(),
            sequence,
            created: DateTime::UNIX_EPOCH,
            created_by: Uuid::nil(),
            updated: DateTime::UNIX_EPOCH,
            updated_by: Uuid::nil(),
            body: json!({}),
            server: json!({}),
            hidden: Map::new(),
            private: json!({}),
            state: "",
            plan: VecDeque::new(),
            weight: 0,
            generation: 0,
        }
    }

    #[test]
    fn the_place_after_an_item_survives_its_removal() {
        let mut table = Table::default();
        for (sequence, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
            table.insert(resource(name, sequence as u64 * 10));
        }
        table.remove("b");
        table.remove("a");
        let at = table.offset_after(10);
        assert_eq!(
            table
                .slice(at, 2)
                .map(|item| item.name.to_string())
                .collect::<Vec<_>>(),
            ["c", "d"]
        );
        assert_eq!(table.slice(9, 9).count(), 0);
    }

    #[test]
    fn a_name_taken_again_goes_last() {
        let mut table = Table::default();
        table.insert(resource("a", 1));
        table.insert(resource("b", 2));
        table.insert(resource("a", 3));
        assert_eq!(
            table
                .iter()
                .map(|item| item.name.to_string())
                .collect::<Vec<_>>(),
            ["b", "a"]
        );
        assert_eq!(table.len(), 2);
    }
}
