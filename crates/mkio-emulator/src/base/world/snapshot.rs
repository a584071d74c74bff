//! The world as data, to be saved and loaded.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Due, FileAccess, Usage, World};
use crate::base::{
    blobs::Container,
    keys::{self, Digest, Signer},
    kind::Kind,
    outbox::{Outbox, SavedEnvelope},
    settings::Settings,
    store::{Address, Event, Place, Resource, Step, Table},
    weight,
};

/// Everything that a world knows. It holds tokens as digests, and all other secrets as the callers sent them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Snapshot {
    home: Uuid,
    key_id: Option<String>,
    counter: u64,
    tables: Vec<SavedTable>,
    spent_names: Vec<(String, String)>,
    containers: Vec<(String, String, String)>,
    #[serde(default)]
    retained: Vec<(Container, Value)>,
    tokens: BTreeMap<String, Uuid>,
    file_tokens: BTreeMap<String, SavedAccess>,
    usage: Vec<SavedUsage>,
    deliveries: Vec<SavedEnvelope>,
    files: Vec<SavedFile>,
}

/// A file that was stored; its bytes in Base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedFile {
    container: Container,
    path: String,
    bytes: String,
    #[serde(default)]
    written: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedTable {
    project: String,
    kind: String,
    parent: String,
    resources: Vec<SavedResource>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SavedResource {
    name: String,
    id: Uuid,
    sequence: u64,
    created: DateTime<Utc>,
    created_by: Uuid,
    updated: DateTime<Utc>,
    updated_by: Uuid,
    body: Value,
    server: Value,
    hidden: Map<String, Value>,
    private: Value,
    state: String,
    plan: Vec<SavedStep>,
    /// When the first step of the plan is due, and its place among those of the same time.
    due: Option<(DateTime<Utc>, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedStep {
    after: Duration,
    /// The state that is entered; none when the resource goes.
    enter: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedAccess {
    project: String,
    asset: String,
    expires: Duration,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedUsage {
    project: String,
    meter: String,
    hour: DateTime<Utc>,
    quantity: f64,
}

/// The largest counter that a snapshot may hold: no emulator reaches it, and counters can still grow.
const MOST_COUNTED: u64 = 1 << 53;

/// The meaning of the names in a snapshot.
pub trait Names {
    /// The kind of a name.
    fn kind(&self, name: &str) -> Option<Kind>;
    /// A state, as the platform keeps it.
    fn state(&self, name: &str) -> Option<&'static str>;
}

impl World {
    /// Writes everything down.
    pub fn save(&self) -> Snapshot {
        let due: HashMap<&Address, (DateTime<Utc>, u64)> = self
            .queue
            .iter()
            .filter(|Reverse(due)| self.is_current(due))
            .map(|Reverse(due)| (&due.address, (due.time, due.order)))
            .collect();
        let table = |(place, table): (&Place, &Table)| SavedTable {
            project: place.project.clone(),
            kind: place.kind.name().to_owned(),
            parent: place.parent.clone(),
            resources: table
                .iter()
                .map(|resource| saved(resource, due.get(&place.at(&resource.name)).copied()))
                .collect(),
        };
        let usage = |(usage, quantity): (&Usage, &f64)| SavedUsage {
            project: usage.project.clone(),
            meter: usage.meter.clone(),
            hour: usage.hour,
            quantity: *quantity,
        };
        let access = |(digest, access): (&Digest, &FileAccess)| {
            let saved = SavedAccess {
                project: access.project.clone(),
                asset: access.asset.clone(),
                expires: access.expires,
            };
            (keys::digest_text(digest), saved)
        };
        let token = |(digest, id): (&Digest, &Uuid)| (keys::digest_text(digest), *id);
        let file = |(container, path, bytes): (&Container, &String, &Bytes)| SavedFile {
            container: container.clone(),
            path: path.clone(),
            bytes: STANDARD.encode(bytes),
            written: self.blobs.written(&(container.clone(), path.clone())),
        };
        Snapshot {
            home: self.home,
            key_id: self.signer.get().map(|signer| signer.id().to_owned()),
            counter: self.counter,
            tables: self
                .tables
                .iter()
                .filter(|(_, table)| !table.is_empty())
                .map(table)
                .collect(),
            spent_names: self.spent_names.iter().cloned().collect(),
            containers: self.containers.iter().cloned().collect(),
            retained: self.retained.clone().into_iter().collect(),
            tokens: self.token_digests.iter().map(token).collect(),
            file_tokens: self.file_tokens.iter().map(access).collect(),
            usage: self.usage.iter().map(usage).collect(),
            deliveries: self.outbox.save(),
            files: self.blobs.all().map(file).collect(),
        }
    }

    /// The world that was written down, at a time.
    ///
    /// # Errors
    /// When the snapshot names an unknown kind or state, or contradicts itself.
    pub fn load(
        snapshot: Snapshot,
        now: DateTime<Utc>,
        settings: Settings,
        names: &impl Names,
    ) -> Result<Self, String> {
        if snapshot.counter > MOST_COUNTED {
            return Err(format!("its counter is over {MOST_COUNTED}"));
        }
        let mut world = Self::new(now, settings);
        world.home = snapshot.home;
        world.counter = snapshot.counter;
        if let Some(id) = &snapshot.key_id {
            let signer = Signer::named(id).map_err(|error| error.detail)?;
            // A new world has none yet.
            let _ = world.signer.set(signer);
        }
        world.spent_names.extend(snapshot.spent_names);
        world.containers.extend(snapshot.containers);
        world.retained.extend(snapshot.retained);
        for table in snapshot.tables {
            world.take_table(table, names)?;
        }
        for (digest, id) in &snapshot.tokens {
            world
                .token_digests
                .insert(keys::digest_from_text(digest)?, *id);
        }
        for (digest, saved) in snapshot.file_tokens {
            let access = FileAccess {
                project: saved.project,
                asset: saved.asset,
                expires: saved.expires,
            };
            world
                .file_tokens
                .insert(keys::digest_from_text(&digest)?, access);
        }
        for saved in snapshot.usage {
            let usage = Usage {
                project: saved.project,
                meter: saved.meter,
                hour: saved.hour,
            };
            world.usage.insert(usage, saved.quantity);
        }
        world.outbox = Outbox::load(snapshot.deliveries, now);
        for saved in snapshot.files {
            world.take_file(saved)?;
        }
        Ok(world)
    }

    fn take_file(&mut self, saved: SavedFile) -> Result<(), String> {
        let bytes = STANDARD
            .decode(&saved.bytes)
            .map_err(|_| format!("the bytes of the file '{}' are not Base64", saved.path))?;
        let spot = (saved.container, saved.path.clone());
        if let Some(written) = saved.written {
            self.blobs.note(spot.clone(), written);
        }
        if self.blobs.put(spot, bytes.into()) {
            return Ok(());
        }
        Err(format!("the file '{}' cannot be written", saved.path))
    }

    fn take_table(&mut self, saved: SavedTable, names: &impl Names) -> Result<(), String> {
        let kind = names
            .kind(&saved.kind)
            .ok_or_else(|| format!("there is no kind of resource named '{}'", saved.kind))?;
        let place = Place::under(&saved.project, kind, &saved.parent);
        if self.tables.contains_key(&place) {
            let (kind, project) = (kind.noun(), &place.project);
            return Err(format!(
                "the {kind}s of the project '{project}' are there twice"
            ));
        }
        let mut last = 0;
        self.kinds.insert(kind);
        let mut table = Table::default();
        for saved in saved.resources {
            let at = |problem: &str| format!("the {} '{}' {problem}", kind.noun(), saved.name);
            if saved.sequence <= last || saved.sequence > self.counter {
                return Err(at("has a sequence that is out of order"));
            }
            if table.get(&saved.name).is_some() {
                return Err(at("is there twice"));
            }
            let parts = [&saved.body, &saved.server, &saved.private];
            if !parts.into_iter().all(Value::is_object) {
                return Err(at("is not a JSON object"));
            }
            last = saved.sequence;
            let address = place.at(&saved.name);
            let due = saved.due;
            let mut resource = taken(saved, names)?;
            resource.weight = weight::of(&resource);
            self.scales.reweigh(0, resource.weight);
            if let Some((time, order)) = due {
                self.queue.push(Reverse(Due {
                    time,
                    order,
                    address,
                    id: resource.id,
                    generation: resource.generation,
                }));
            }
            table.insert(resource);
        }
        self.tables.insert(place, table);
        Ok(())
    }
}

fn saved(resource: &Resource, due: Option<(DateTime<Utc>, u64)>) -> SavedResource {
    let step = |step: &Step| SavedStep {
        after: step.after,
        enter: match step.event {
            Event::Enter(state) => Some(state.to_owned()),
            Event::Remove => None,
        },
    };
    SavedResource {
        name: resource.name.to_string(),
        id: resource.id,
        sequence: resource.sequence,
        created: resource.created,
        created_by: resource.created_by,
        updated: resource.updated,
        updated_by: resource.updated_by,
        body: resource.body.clone(),
        server: resource.server.clone(),
        hidden: resource.hidden.clone(),
        private: resource.private.clone(),
        state: resource.state.to_owned(),
        plan: resource.plan.iter().map(step).collect(),
        due,
    }
}

fn taken(saved: SavedResource, names: &impl Names) -> Result<Resource, String> {
    let state = |state: &str| {
        names
            .state(state)
            .ok_or_else(|| format!("there is no state named '{state}'"))
    };
    let step = |step: SavedStep| {
        let event = match step.enter {
            Some(entered) => Event::Enter(state(&entered)?),
            None => Event::Remove,
        };
        Ok(Step {
            after: step.after,
            event,
        })
    };
    Ok(Resource {
        name: saved.name.as_str().into(),
        id: saved.id,
        sequence: saved.sequence,
        created: saved.created,
        created_by: saved.created_by,
        updated: saved.updated,
        updated_by: saved.updated_by,
        body: saved.body,
        server: saved.server,
        hidden: saved.hidden,
        private: saved.private,
        state: state(&saved.state)?,
        plan: saved
            .plan
            .into_iter()
            .map(step)
            .collect::<Result<_, String>>()?,
        weight: 0,
        generation: 0,
    })
}
