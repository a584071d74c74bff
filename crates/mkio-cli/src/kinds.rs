//! Kinds of resources: reading, writing and waiting under one noun.

use mkio::{
    dynamic::{Catalog, Entry, Write, nearest},
    http::Method,
    wait::Resource,
};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    output::path,
    session::{Arguments, catalog},
    tree::{self, PROJECT},
};

/// A kind of resource.
#[derive(Clone)]
pub struct Kind {
    /// Its word: `job`, `storage-credential`.
    pub name: String,
    pub get: &'static Entry,
    pub list: Option<&'static Entry>,
    pub put: Option<&'static Entry>,
    pub patch: Option<&'static Entry>,
    pub delete: Option<&'static Entry>,
}

/// All kinds, in the order in which one may need another.
pub fn all() -> Vec<Kind> {
    let mut found = Vec::new();
    for catalog in mkio::CATALOGS {
        for get in catalog.entries {
            let reads = get.operation.method == Method::GET;
            if reads && get.command.last() == Some(&"get") {
                found.extend(kind(catalog, get));
            }
        }
    }
    found.sort_by_key(|kind| {
        ORDER
            .iter()
            .position(|name| *name == kind.name)
            .unwrap_or(ORDER.len())
    });
    found
}

/// Kinds in the order of their references: earlier ones do not need later ones.
const ORDER: &[&str] = &[
    "project",
    "team",
    "storage",
    "network",
    "site",
    "device",
    "content",
    "source",
    "destination",
    "config",
    "key-policy",
    "policy",
    "account-filter",
    "transform",
    "asset",
    "asset-filter",
    "live-event",
    "live-output",
    "endpoint",
    "locator",
    "channel",
    "event",
    "multiview-channel",
    "multiview-event",
    "channel-schedule",
    "event-schedule",
    "multiview-channel-schedule",
    "multiview-event-schedule",
    "beam-channel",
    "webhook-rule",
];

/// The kind whose resources have versions and tags.
pub const CONFIG: &str = "config";

/// A field that the PUT has in another place than responses and the PATCH.
struct Moved {
    kind: &'static str,
    /// Member of the PUT's body.
    body: &'static str,
    /// JSON pointer into responses.
    response: &'static str,
    /// Place in the PATCH's body, if that takes it.
    patch: Option<&'static str>,
}

const MOVED: &[Moved] = &[
    Moved {
        kind: "project",
        body: "displayName",
        response: "/spec/displayName",
        patch: Some("metadata/displayName"),
    },
    Moved {
        kind: "project",
        body: "locationName",
        response: "/spec/locationName",
        patch: None,
    },
    Moved {
        kind: "project",
        body: "paymentMethodId",
        response: "/spec/assignedPaymentMethodId",
        patch: None,
    },
];

fn kind(catalog: &'static Catalog, get: &'static Entry) -> Option<Kind> {
    let same = |method: Method| {
        catalog.entries.iter().find(move |entry| {
            let operation = entry.operation;
            let json = operation
                .request_body
                .is_none_or(|of| of == "application/json");
            operation.path == get.operation.path && operation.method == method && json
        })
    };
    let noun = &get.command[..get.command.len() - 1];
    let list = catalog
        .entries
        .iter()
        .find(|entry| entry.command.split_last() == Some((&"list", noun)) && entry.item.is_some());
    let named = get.path_parameters().last().is_some();
    named.then(|| Kind {
        name: noun.join("-"),
        get,
        list,
        put: same(Method::PUT),
        patch: same(Method::PATCH),
        delete: same(Method::DELETE),
    })
}

/// The kind of this name.
pub fn find(name: &str) -> Result<Kind> {
    let all = all();
    let singular = name.strip_suffix('s').unwrap_or(name);
    let found = all
        .iter()
        .find(|kind| kind.name == name)
        .or_else(|| all.iter().find(|kind| kind.name == singular));
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|kind| kind.name.as_str()).collect();
        unknown(name, &names)
    })
}

/// The kind of the resources below which this one is.
pub fn parent(kind: &Kind) -> Option<Kind> {
    let path = kind.list?.operation.path;
    let above = &path[..=path.rfind('}')?];
    let is_parent = |other: &Kind| {
        let get = other.get.operation;
        get.path == above && get.api == kind.get.operation.api
    };
    let own = kind.parents() > 0;
    all().into_iter().find(is_parent).filter(|_| own)
}

fn unknown(name: &str, names: &[&str]) -> Failure {
    let failure = Failure::usage(format!("there is no kind `{name}`"));
    match nearest(name, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("kinds are {}", names.join(", "))),
    }
}

impl Kind {
    /// The arguments that name a resource; parents come before it: `h264/job-1`.
    pub fn arguments(&self, project: &str, name: &str) -> Result<Arguments> {
        let own: Vec<_> = self
            .get
            .path_parameters()
            .filter(|parameter| parameter.ident != PROJECT || self.name == "project")
            .collect();
        let parts: Vec<&str> = name.splitn(own.len(), '/').collect();
        if parts.len() != own.len() || parts.iter().any(|part| part.is_empty()) {
            let wanted = own.iter().map(|parameter| parameter.ident);
            return Err(misnamed(&self.name, name, wanted));
        }
        let mut all = Arguments::new();
        if self.get.parameter(PROJECT).is_some() {
            all.insert(PROJECT.to_owned(), json!(project));
        }
        for (parameter, part) in own.into_iter().zip(parts) {
            all.insert(parameter.name.to_owned(), json!(part));
        }
        Ok(all)
    }

    /// Names of the parents, without the project.
    pub fn parents(&self) -> usize {
        let own = self.get.path_parameters().filter(|p| p.ident != PROJECT);
        own.count().saturating_sub(1)
    }

    /// The operation that writes it: its PUT if that replaces, or else its PATCH.
    pub fn write(&self) -> Option<&'static Entry> {
        let upserts = |entry: &&'static Entry| entry.write == Some(Write::Upsert);
        self.put.filter(upserts).or(self.patch)
    }

    /// The body of its PUT, made from a resource that was read.
    pub fn body_of(&self, told: &Value) -> Result<Value> {
        let put = self
            .put
            .ok_or_else(|| Failure::usage(format!("a {} cannot be applied", self.name)))?;
        if self.moved().next().is_none() {
            let mut body = put.body_of(told)?;
            self.leave_out_latest(&mut body);
            return Ok(body);
        }
        let mut body = json!({});
        for moved in self.moved() {
            let value = told
                .pointer(moved.response)
                .filter(|value| !value.is_null());
            if let (Some(value), Value::Object(members)) = (value, &mut body) {
                members.insert(moved.body.to_owned(), value.clone());
            }
        }
        Ok(body)
    }

    /// Leaves out the tag that the service gives to the newest version of a config by itself.
    pub fn leave_out_latest(&self, body: &mut Value) {
        if self.name == CONFIG
            && let Some(Value::Array(tags)) = body.pointer_mut("/metadata/tags")
        {
            tags.retain(|tag| tag != "latest");
        }
    }

    /// The part of a body for the PUT that a write takes.
    pub fn fitting(&self, write: &'static Entry, body: &Value) -> Result<Value> {
        if write.write != Some(Write::Patch) {
            return Ok(body.clone());
        }
        if self.moved().next().is_none() {
            return write.body_of(body).map_err(Failure::from);
        }
        let mut patch = json!({});
        for moved in self.moved() {
            if let (Some(value), Some(place)) = (body.get(moved.body), moved.patch) {
                path::put(&mut patch, place, value.clone()).map_err(Failure::usage)?;
            }
        }
        Ok(patch)
    }

    /// The first of these fields of the PUT that a write does not take; `taken` are the fields that it changes.
    pub fn left<'f>(&self, fields: &'f [String], taken: &[String]) -> Option<&'f String> {
        let is_taken = |field: &String| match self.moved().find(|moved| moved.body == field) {
            Some(moved) => moved.patch.is_some(),
            None => taken.contains(field),
        };
        fields.iter().find(|field| !is_taken(field))
    }

    fn moved(&self) -> impl Iterator<Item = &'static Moved> {
        MOVED.iter().filter(|moved| moved.kind == self.name)
    }

    /// The resource whose state can be waited for.
    pub fn resource(&self) -> Option<&'static Resource> {
        tree::read_by(self.get)
    }
}

/// `job` of `media.job`.
fn short(resource: &Resource) -> &'static str {
    resource.name.split('.').next_back().unwrap_or_default()
}

/// Everything that can be waited for, with its word.
pub fn waitable() -> Vec<(String, &'static Resource)> {
    let mut found = Vec::new();
    for catalog in mkio::CATALOGS {
        for resource in catalog.resources {
            let entry = resource.item.and_then(|item| catalog.entry(item.id).ok());
            let own = |entry: &&Entry| entry.id().trim_start_matches("get_") == short(resource);
            let name = match entry.filter(own) {
                Some(entry) => entry.command[..entry.command.len() - 1].join("-"),
                None => short(resource).replace('_', "-"),
            };
            found.push((name, *resource));
        }
    }
    found
}

/// The word of a resource that can be waited for.
pub fn word(resource: &Resource) -> String {
    let all = waitable().into_iter();
    let mut own = all.filter(|(_, known)| known.name == resource.name);
    own.next().map_or_else(String::new, |(word, _)| word)
}

/// The resource that can be waited for under this name.
pub fn find_waitable(name: &str) -> Result<&'static Resource> {
    let all = waitable();
    let singular = name.strip_suffix('s').unwrap_or(name);
    let found = all
        .iter()
        .find(|(known, resource)| known == name || known == singular || resource.name == name);
    found.map(|(_, resource)| *resource).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(known, _)| known.as_str()).collect();
        unknown(name, &names)
    })
}

/// The operation that reads a resource, and whether it reads a list.
pub fn reader(resource: &Resource) -> Option<(&'static Entry, bool)> {
    let listed = || resource.list.as_ref().map(|list| (list.operation, true));
    let (operation, lists) = resource.item.map(|item| (item, false)).or_else(listed)?;
    let entry = catalog(operation.api)?.entry(operation.id).ok()?;
    Some((entry, lists))
}

/// Hides the secrets of a resource that a wait has ended with.
pub fn mask(resource: &Resource, value: &mut Value) {
    match reader(resource) {
        Some((entry, true)) => entry.mask_item(value),
        Some((entry, false)) => entry.mask(value),
        None => {}
    }
}

/// The columns of such resources.
pub fn columns(resource: &Resource) -> &'static [&'static str] {
    reader(resource).map_or(&[], |(entry, _)| entry.columns)
}

/// A name with too few parts, or empty ones.
fn misnamed(kind: &str, name: &str, wanted: impl Iterator<Item = &'static str>) -> Failure {
    let word = |ident: &str| ident.trim_end_matches("_name").to_uppercase();
    let wanted: Vec<String> = wanted.map(word).collect();
    let wanted = wanted.join("/");
    Failure::usage(format!("`{name}`: a {kind} is named {wanted}"))
}

/// Values of a resource's parameters; parents come before the name: `h264/job-1`.
pub fn values(resource: &'static Resource, project: &str, name: &str) -> Result<Vec<String>> {
    let own = resource.params.iter().filter(|name| **name != PROJECT);
    let wanted = own.count();
    let mut parts = name.splitn(wanted, '/').map(str::to_owned);
    let mut all = Vec::new();
    for param in resource.params {
        let value = match *param {
            PROJECT => Some(project.to_owned()),
            _ => parts.next().filter(|part| !part.is_empty()),
        };
        all.push(value.ok_or_else(|| {
            let wanted = resource.params.iter().copied();
            let wanted = wanted.filter(|name| *name != PROJECT);
            misnamed(short(resource), name, wanted)
        })?);
    }
    Ok(all)
}
