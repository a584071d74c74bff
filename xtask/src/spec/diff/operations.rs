//! Comparing operations: parameters, bodies, responses, and what the document says about them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::change::{Changes, Direction, Level};
use super::lookup::{
    Operation, media_types, operations, parameters, required, resolve, schema_of, text,
};
use super::schemas::Schemas;
use crate::document::entries;

const NO_DIRECTION: Option<Direction> = None;

/// Compares two whole documents.
pub fn compare<'a>(old: &'a Value, new: &'a Value, changes: &mut Changes) {
    compare_servers(old, new, changes);
    let (before, after) = (operations(old), operations(new));
    let mut comparison = Comparison {
        old,
        new,
        changes,
        schemas: Schemas::new(old, new),
    };
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let name = |operation: &Operation<'_>| format!("{} {}", key.1, operation.path);
        match (before.get(key), after.get(key)) {
            (Some(one), None) => comparison.changes.add(
                Level::Breaking,
                &name(one),
                NO_DIRECTION,
                "operation-removed",
                "operation removed",
            ),
            (None, Some(one)) => comparison.changes.add(
                Level::Compatible,
                &name(one),
                NO_DIRECTION,
                "operation-added",
                "operation added",
            ),
            (Some(one), Some(other)) => comparison.operation(&name(other), one, other),
            (None, None) => {}
        }
    }
    comparison.schemas.named(comparison.changes);
}

fn compare_servers(old: &Value, new: &Value, changes: &mut Changes) {
    let urls = |root: &Value| -> BTreeSet<String> {
        let servers = root.get("servers").and_then(Value::as_array);
        servers
            .into_iter()
            .flatten()
            .filter_map(|server| Some(server.get("url")?.as_str()?.to_owned()))
            .collect()
    };
    let (before, after) = (urls(old), urls(new));
    for url in before.difference(&after) {
        changes.add(
            Level::Breaking,
            "servers",
            NO_DIRECTION,
            "server-removed",
            format!("server {url} removed"),
        );
    }
    for url in after.difference(&before) {
        changes.add(
            Level::Compatible,
            "servers",
            NO_DIRECTION,
            "server-added",
            format!("server {url} added"),
        );
    }
}

struct Comparison<'a, 'c> {
    old: &'a Value,
    new: &'a Value,
    changes: &'c mut Changes,
    schemas: Schemas<'a>,
}

impl<'a> Comparison<'a, '_> {
    fn add(&mut self, level: Level, place: &str, kind: &'static str, message: impl Into<String>) {
        self.changes.add(level, place, NO_DIRECTION, kind, message);
    }

    fn operation(&mut self, place: &str, old: &Operation<'a>, new: &Operation<'a>) {
        self.deprecation(place, old.value, new.value);
        self.lists(place, old.value, new.value);
        self.security(place, old.value, new.value);
        self.parameters(place, old, new);
        self.body(
            place,
            old.value.get("requestBody"),
            new.value.get("requestBody"),
        );
        self.responses(
            place,
            old.value.get("responses"),
            new.value.get("responses"),
        );
    }

    fn deprecation(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let [before, after] =
            [old, new].map(|map| map.get("deprecated") == Some(&Value::Bool(true)));
        if before != after {
            let message = if after {
                "deprecated"
            } else {
                "no longer deprecated"
            };
            self.add(Level::Compatible, place, "deprecation", message);
        }
    }

    /// Sortable and filterable fields, and capabilities.
    fn lists(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        for (key, kind, what) in [
            ("x-mkio-sort", "sort-field", "sortable field"),
            ("x-mkio-filter", "filter-field", "filterable field"),
            ("x-mkio-capability", "capability", "required capability"),
        ] {
            let names = |map: &Map<String, Value>| -> BTreeSet<String> {
                let list = map.get(key).and_then(Value::as_array);
                list.into_iter()
                    .flatten()
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect()
            };
            let (before, after) = (names(old), names(new));
            let needed = key == "x-mkio-capability";
            for name in before.difference(&after) {
                let level = Level::breaking_if(!needed);
                self.add(level, place, kind, format!("{what} {name} removed"));
            }
            for name in after.difference(&before) {
                let level = Level::breaking_if(needed);
                self.add(level, place, kind, format!("{what} {name} added"));
            }
        }
    }

    fn security(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let ways = |root: &Value, operation: &Map<String, Value>| -> BTreeSet<String> {
            let list = operation.get("security").or_else(|| root.get("security"));
            let ways: BTreeSet<_> = list
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(Value::to_string)
                .collect();
            // No requirement and an empty one are the same.
            if ways.is_empty() {
                BTreeSet::from(["{}".to_owned()])
            } else {
                ways
            }
        };
        let (before, after) = (ways(self.old, old), ways(self.new, new));
        if before != after {
            let list = |ways: BTreeSet<String>| ways.into_iter().collect::<Vec<_>>().join(" or ");
            self.add(
                Level::breaking_if(!before.is_subset(&after)),
                place,
                "security",
                format!("security changed from {} to {}", list(before), list(after)),
            );
        }
    }

    fn parameters(&mut self, place: &str, old: &Operation<'a>, new: &Operation<'a>) {
        let before = parameters(self.old, old);
        let after = parameters(self.new, new);
        for (key, one) in &before {
            let name = text(one, "name");
            let Some(other) = after.get(key) else {
                self.add(
                    Level::Breaking,
                    place,
                    "parameter-removed",
                    format!("{} parameter {name} removed", key.0),
                );
                continue;
            };
            let new_name = text(other, "name");
            if name != new_name {
                self.add(
                    Level::Breaking,
                    place,
                    "parameter-renamed",
                    format!("{} parameter {name} renamed to {new_name}", key.0),
                );
            }
            let place = format!("{place} {} parameter {new_name}", key.0);
            match (required(one), required(other)) {
                (false, true) => {
                    self.add(Level::Breaking, &place, "now-required", "now required");
                }
                (true, false) => {
                    self.add(Level::Compatible, &place, "now-optional", "now optional");
                }
                _ => {}
            }
            if let (Some(one), Some(other)) = (one.as_object(), other.as_object()) {
                self.deprecation(&place, one, other);
            }
            self.schema(&place, Direction::Request, schema_of(one), schema_of(other));
        }
        for (key, other) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            let needed = required(other);
            self.add(
                Level::breaking_if(needed),
                place,
                "parameter-added",
                format!(
                    "{} {} parameter {} added",
                    if needed { "required" } else { "optional" },
                    key.0,
                    text(other, "name")
                ),
            );
        }
    }

    fn body(&mut self, place: &str, old: Option<&'a Value>, new: Option<&'a Value>) {
        let old = old.and_then(|body| resolve(self.old, body));
        let new = new.and_then(|body| resolve(self.new, body));
        match (old, new) {
            (None, Some(new)) => {
                let needed = required(new);
                self.add(
                    Level::breaking_if(needed),
                    place,
                    "body-added",
                    format!(
                        "{} body added",
                        if needed { "required" } else { "optional" }
                    ),
                );
            }
            (Some(_), None) => self.add(Level::Breaking, place, "body-removed", "body removed"),
            (Some(old), Some(new)) => {
                let place = format!("{place} body");
                match (required(old), required(new)) {
                    (false, true) => {
                        self.add(Level::Breaking, &place, "now-required", "now required");
                    }
                    (true, false) => {
                        self.add(Level::Compatible, &place, "now-optional", "now optional");
                    }
                    _ => {}
                }
                self.content(&place, Direction::Request, old, new);
            }
            (None, None) => {}
        }
    }

    fn responses(&mut self, place: &str, old: Option<&'a Value>, new: Option<&'a Value>) {
        let keys: BTreeSet<&str> = entries(old)
            .chain(entries(new))
            .map(|(key, _)| key)
            .collect();
        for status in keys.into_iter().filter(|key| !key.starts_with("x-")) {
            let one = old
                .and_then(|all| all.get(status))
                .and_then(|one| resolve(self.old, one));
            let other = new
                .and_then(|all| all.get(status))
                .and_then(|other| resolve(self.new, other));
            match (one, other) {
                (Some(_), None) => self.add(
                    Level::breaking_if(status.starts_with('2')),
                    place,
                    "response-removed",
                    format!("response {status} removed"),
                ),
                (None, Some(_)) => self.add(
                    Level::Compatible,
                    place,
                    "response-added",
                    format!("response {status} added"),
                ),
                (Some(one), Some(other)) => {
                    let place = format!("{place} response {status}");
                    self.content(&place, Direction::Response, one, other);
                    self.headers(&place, one, other);
                }
                (None, None) => {}
            }
        }
    }

    fn content(&mut self, place: &str, way: Direction, old: &'a Value, new: &'a Value) {
        let (before, after) = (media_types(old), media_types(new));
        for (media, one) in &before {
            match after.get(media) {
                None => self.add(
                    Level::Breaking,
                    place,
                    "media-type-removed",
                    format!("media type {media} removed"),
                ),
                Some(other) => {
                    let place = format!("{place} {media}#");
                    self.schema(&place, way, one.get("schema"), other.get("schema"));
                }
            }
        }
        for media in after.keys().filter(|media| !before.contains_key(*media)) {
            self.add(
                Level::Compatible,
                place,
                "media-type-added",
                format!("media type {media} added"),
            );
        }
    }

    fn headers(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let names = |response: &Value| -> BTreeSet<String> {
            entries(response.get("headers"))
                .map(|(name, _)| name.to_lowercase())
                .collect()
        };
        let (before, after) = (names(old), names(new));
        for name in before.difference(&after) {
            let message = format!("header {name} removed");
            self.add(Level::Breaking, place, "header-removed", message);
        }
        for name in after.difference(&before) {
            let message = format!("header {name} added");
            self.add(Level::Compatible, place, "header-added", message);
        }
    }

    fn schema(
        &mut self,
        place: &str,
        way: Direction,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
    ) {
        match (old, new) {
            (Some(old), Some(new)) => self.schemas.compare(self.changes, place, way, old, new),
            (None, None) => {}
            (old, _) => self.add(
                Level::Breaking,
                place,
                "schema",
                if old.is_some() {
                    "schema removed"
                } else {
                    "schema added"
                },
            ),
        }
    }
}
