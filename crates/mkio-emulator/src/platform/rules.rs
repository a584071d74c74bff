//! The rules of the kinds of resources, as data, and the platform that follows them.

use std::{
    collections::{BTreeSet, HashMap},
    ops::{Deref, DerefMut},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, StatusCode};
use serde_json::{Map, Value};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        life::Life,
        reference::Reference,
        settings::Settings,
        store::{Address, DELETING, Resource},
        world::{Names, World},
    },
    docs::{Documents, Operation},
    platform::{
        call::{Call, Response},
        incidents::Incident,
        start::{Activity, Meter, Start},
    },
};

/// How responses of a kind look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `id`, `name`, `type`, `properties`, `systemData`.
    Arm {
        /// Collection in the `type` and the `id`.
        collection: &'static str,
        /// Whether `id`, `type` and `systemData` are answered.
        envelope: bool,
        /// Whether `properties.created` and `properties.lastModified` are.
        times: bool,
    },
    /// `kind`, `metadata`, `spec`, `status`.
    Spec {
        /// Whether `metadata.name` is answered.
        name: bool,
    },
    /// Nothing is added; the kind's `complete` adds everything.
    Bare,
}

impl Shape {
    /// The shape of most media resources.
    pub const fn arm(collection: &'static str) -> Self {
        Self::Arm {
            collection,
            envelope: true,
            times: true,
        }
    }
}

/// The effect of PUT, by the status codes that the document declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// 201 for a new one, 200 for one that is replaced.
    Upsert,
    /// This status for a new one, 409 when the name is taken.
    Create(StatusCode),
}

impl Put {
    /// The status of a response to a new one.
    pub fn made(self) -> StatusCode {
        match self {
            Self::Upsert => StatusCode::CREATED,
            Self::Create(status) => status,
        }
    }
}

/// Limits of a name.
#[derive(Debug, Clone, Copy)]
pub struct NameRule {
    /// Pattern, as the documents give it for the name in responses.
    pub pattern: &'static str,
    /// Fewest characters.
    pub min: usize,
    /// Most characters.
    pub max: usize,
}

/// Names of most media resources.
pub const ARM_NAME: NameRule = NameRule {
    pattern: r"^[^\^\'<>%&:\\?/*+]+$",
    min: 1,
    max: 260,
};
/// Names of Live, Fleets and Infrastructure resources.
pub const DNS_NAME: NameRule = NameRule {
    pattern: r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    min: 1,
    max: 63,
};

/// The pattern of live events, live outputs and streaming endpoints.
pub const WORD_NAME: &str = r"^[a-zA-Z0-9]+(-*[a-zA-Z0-9])*$";

/// A kind of resource: how it is named, changed, deleted, shown, and how its state moves.
pub struct Rules {
    /// The kind.
    pub kind: Kind,
    /// Path of its collection, whose operations work as for all kinds unless a route says otherwise: `~/media/assets`, where `~` is the
    /// project. Empty for what has none.
    pub collection: &'static str,
    /// `kind` in responses and lists.
    pub label: &'static str,
    /// How responses look.
    pub shape: Shape,
    /// Limits of its name.
    pub name: NameRule,
    /// Fields that null in a PATCH removes.
    pub clearable: &'static [&'static str],
    /// Its states.
    pub life: &'static Life,
    /// Where responses show the state.
    pub state_at: &'static [&'static str],
    /// Prefix of names that no filter leaves out. Empty for none.
    pub unfiltered: &'static str,
    /// Whether responses have `properties.provisioningState`.
    pub provisioning: bool,
    /// Fields that name other resources.
    pub references: &'static [Reference],
    /// Checks a body against the rest of the platform before it is kept, and may complete it. The resource is the one to be
    /// changed, if there is one.
    pub check: fn(&Platform, &Call<'_>, &mut Value, Option<&Resource>) -> Result<(), ApiError>,
    /// Called for a new resource.
    pub created: fn(&mut Platform, &Address),
    /// Called after a change by PUT or PATCH.
    pub changed: fn(&mut Platform, &Address),
    /// Whether it may be deleted.
    pub guard: fn(&Platform, &Address) -> Result<(), ApiError>,
    /// Called after its removal.
    pub removed: fn(&mut Platform, &Address, &Resource),
    /// Called when it enters a state by itself; the last argument is the state before.
    pub entered: fn(&mut Platform, &Address, &'static str),
    /// Completes a response.
    pub complete: fn(&Platform, &Address, &Resource, &mut Value),
    /// Adds values that lists sort and filter by, and that responses do not show.
    pub index: fn(&Platform, &Resource, &mut Map<String, Value>),
}

impl Rules {
    /// The default rules of a kind.
    pub const fn new(kind: Kind, label: &'static str, shape: Shape) -> Self {
        Self {
            kind,
            collection: "",
            label,
            shape,
            name: ARM_NAME,
            clearable: &[],
            life: &Life::NONE,
            state_at: &[],
            unfiltered: "",
            provisioning: false,
            references: &[],
            check: |_, _, _, _| Ok(()),
            created: |_, _| {},
            changed: |_, _| {},
            guard: |_, _| Ok(()),
            removed: |_, _, _| {},
            entered: |_, _, _| {},
            complete: |_, _, _, _| {},
            index: |_, _, _| {},
        }
    }
}

impl Rules {
    /// Whether an operation reads one of the kind.
    pub fn reads(&self, operation: &Operation) -> bool {
        let one = absolute(self.collection);
        operation
            .signature
            .strip_prefix("GET ")
            .and_then(|path| path.strip_prefix(one.as_str()))
            .is_some_and(|rest| matches!(rest, "/{}" | "/{}/"))
    }
}

/// What an operation does.
pub type Handler = fn(&mut Platform, &Call<'_>) -> Result<Response, ApiError>;

/// The effect of an operation: one that is the same for all kinds, or one of its own.
#[derive(Clone, Copy)]
pub enum Action {
    /// Lists a kind.
    List(&'static Rules),
    /// Reads one.
    Get(&'static Rules),
    /// Makes or replaces one.
    Put(&'static Rules),
    /// Changes one.
    Patch(&'static Rules),
    /// Deletes one.
    Delete(&'static Rules),
    /// Reads the state of one.
    State(&'static Rules),
    /// Something of its own.
    Own(Handler),
}

/// An operation that works in its own way: its method and path, in which `~` is the project and `{}` a parameter, and what it does.
pub type Route = (&'static str, Handler);

/// A path outside of all documents that requests are answered at.
pub struct Door {
    /// The method that is answered.
    pub method: http::Method,
    /// Whether it answers at a path.
    pub opens: fn(&str) -> bool,
    /// Takes bodies of any bytes up to [`Settings::blob_limit`], which are not looked into.
    pub blobs: bool,
    /// Answers.
    pub serve: fn(&mut Platform, &Request<Bytes>) -> Result<Response, ApiError>,
}

/// The entry of a file of `resources`: kinds, operations, incidents.
pub struct Entry {
    /// Rules of its kinds.
    pub kinds: &'static [&'static Rules],
    /// Operations that work in their own way.
    pub routes: &'static [Route],
    /// Paths outside of all documents.
    pub doors: &'static [Door],
    /// Applies an incident to a resource of these kinds.
    pub incident: fn(&mut Platform, &Address, &Incident) -> Result<(), String>,
}

impl Entry {
    /// An empty entry.
    pub const NONE: Self = Self {
        kinds: &[],
        routes: &[],
        doors: &[],
        incident: |_, address, _| Err(impossible(address)),
    };
}

/// The refusal of an incident that the kind does not know.
pub fn impossible(address: &Address) -> String {
    format!(
        "this cannot happen to the {} '{}'",
        address.place.kind.noun(),
        address.name
    )
}

/// A kind with the facts of its document.
struct Known {
    rules: &'static Rules,
    making: Option<&'static Operation>,
    entry: &'static Entry,
    put: Put,
    frozen: Vec<&'static str>,
}

impl Known {
    fn new(rules: &'static Rules, entry: &'static Entry) -> Self {
        let signature = format!("PUT {}/{{}}", absolute(rules.collection));
        let operations = Documents::get().operations();
        let put = operations
            .iter()
            .find(|operation| operation.signature == signature);
        let declares = |status| put.is_some_and(|put| put.response(status).is_some());
        let patch = signature.replacen("PUT", "PATCH", 1);
        let patch = operations
            .iter()
            .find(|operation| operation.signature == patch);
        let marks = [put, patch].into_iter().flatten();
        let frozen: BTreeSet<&str> = marks
            .flat_map(|operation| operation.immutable.iter().copied())
            .collect();
        Self {
            rules,
            making: put,
            entry,
            put: match (declares(StatusCode::OK), declares(StatusCode::CREATED)) {
                (true, true) => Put::Upsert,
                (true, false) => Put::Create(StatusCode::OK),
                _ => Put::Create(StatusCode::CREATED),
            },
            frozen: frozen.into_iter().collect(),
        }
    }
}

/// The entries of `resources`, and what follows from them.
pub struct Registry {
    entries: &'static [&'static Entry],
    kinds: HashMap<Kind, Known>,
    /// All states of all kinds.
    states: BTreeSet<&'static str>,
    /// In the order of [`Documents::operations`].
    actions: Vec<Option<Action>>,
}

impl Registry {
    /// A registry of these entries.
    pub fn new(entries: &'static [&'static Entry]) -> Self {
        let each = || {
            entries
                .iter()
                .flat_map(|entry| entry.kinds.iter().map(move |rules| (*rules, *entry)))
        };
        let mut known: HashMap<String, Action> = HashMap::new();
        for (rules, _) in each().filter(|(rules, _)| !rules.collection.is_empty()) {
            let all = absolute(rules.collection);
            let one = format!("{all}/{{}}");
            known.insert(format!("GET {all}"), Action::List(rules));
            known.insert(format!("GET {one}"), Action::Get(rules));
            known.insert(format!("PUT {one}"), Action::Put(rules));
            known.insert(format!("PATCH {one}"), Action::Patch(rules));
            known.insert(format!("DELETE {one}"), Action::Delete(rules));
            known.insert(format!("GET {one}/state"), Action::State(rules));
        }
        for (route, handler) in entries.iter().flat_map(|entry| entry.routes) {
            known.insert(absolute(route), Action::Own(*handler));
        }
        let operations = Documents::get().operations();
        let action = |operation: &Operation| known.get(&operation.signature).copied();
        Self {
            entries,
            kinds: each()
                .map(|(rules, entry)| (rules.kind, Known::new(rules, entry)))
                .collect(),
            states: each()
                .flat_map(|(rules, _)| rules.life.states.iter().map(|(state, _)| *state))
                .chain([DELETING, ""])
                .collect(),
            actions: operations.iter().map(action).collect(),
        }
    }

    /// The effect of an operation; none when the emulator does not serve it.
    pub fn action(&self, operation: &Operation) -> Option<Action> {
        self.actions.get(operation.index).copied().flatten()
    }

    /// The rules of all kinds.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rules> {
        self.entries
            .iter()
            .flat_map(|entry| entry.kinds.iter().copied())
    }

    /// The paths outside of all documents.
    pub fn doors(&self) -> impl Iterator<Item = &'static Door> {
        self.entries.iter().flat_map(|entry| entry.doors)
    }

    /// The kind of a name.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.kinds.keys().find(|kind| kind.name() == name).copied()
    }

    /// The operation that makes one of a kind under a name of the caller's.
    pub fn making(&self, kind: Kind) -> Option<&'static Operation> {
        self.kinds.get(&kind).and_then(|known| known.making)
    }

    /// Whether a kind belongs to projects, and not to the organization.
    pub fn in_project(&self, kind: Kind) -> bool {
        let known = self.kinds.get(&kind);
        known.is_some_and(|known| known.rules.collection.starts_with('~'))
    }

    /// The effect of PUT on a kind.
    pub fn put(&self, kind: Kind) -> Put {
        self.kinds.get(&kind).map_or(Put::Upsert, |known| known.put)
    }

    /// Pointers of the fields of a kind that cannot change once it exists, as the overlay and the document mark them.
    pub fn frozen(&self, kind: Kind) -> &[&'static str] {
        self.kinds.get(&kind).map_or(&[], |known| &known.frozen)
    }

    /// The entry of a kind.
    pub fn entry(&self, kind: Kind) -> &'static Entry {
        self.kinds
            .get(&kind)
            .map_or(&Entry::NONE, |known| known.entry)
    }
}

impl Names for Registry {
    fn kind(&self, name: &str) -> Option<Kind> {
        Self::kind(self, name)
    }

    fn state(&self, name: &str) -> Option<&'static str> {
        self.states.get(name).copied()
    }
}

fn absolute(path: &str) -> String {
    path.replace('~', "/api/v1/projects/{}")
}

/// For kinds without rules of their own.
static PLAIN: Rules = Rules::new(Kind::PROJECT, "", Shape::Bare);

/// The world, and the rules of the kinds in it. It dereferences to the world.
pub struct Platform {
    world: World,
    /// The rules.
    pub registry: &'static Registry,
    /// Its start, and its fixed parts.
    pub start: Arc<Start>,
}

impl Platform {
    /// An empty platform.
    pub fn new(
        now: DateTime<Utc>,
        settings: Settings,
        registry: &'static Registry,
        start: Arc<Start>,
    ) -> Self {
        Self::of(World::new(now, settings), registry, start)
    }

    /// The platform of an existing world.
    pub fn of(world: World, registry: &'static Registry, start: Arc<Start>) -> Self {
        Self {
            world,
            registry,
            start,
        }
    }

    /// The rules of a kind.
    pub fn rules(&self, kind: Kind) -> &'static Rules {
        self.registry
            .kinds
            .get(&kind)
            .map_or(&PLAIN, |known| known.rules)
    }

    /// Counts minutes of an activity.
    pub fn count(&mut self, project: &str, activity: Activity, minutes: f64) {
        let start = self.start.clone();
        let counting = |meter: &&Meter| meter.counts == activity;
        for meter in start.meters.iter().filter(counting) {
            self.world.meter(project, &meter.name, minutes);
        }
    }
}

impl Deref for Platform {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Platform {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}
