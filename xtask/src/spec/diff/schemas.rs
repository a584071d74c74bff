//! Comparing schemas in the direction in which their values travel.
//!
//! A schema that has a name on both sides is compared once for each direction, at its own place,
//! however many operations use it; this also ends at schemas that contain themselves.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::change::{Changes, Direction, Level};
use super::keywords;
use super::shape::{Shape, named, wrapper};
use crate::document::escape;

/// The schemas of two documents.
pub struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
    /// Pairs of names still to compare.
    waiting: BTreeSet<(&'a str, &'a str, Direction)>,
    compared: BTreeSet<(&'a str, &'a str, Direction)>,
    /// Pairs without a name, by address.
    entered: HashSet<(*const Value, *const Value, Direction)>,
}

impl<'a> Schemas<'a> {
    pub fn new(old: &'a Value, new: &'a Value) -> Self {
        Self {
            old,
            new,
            waiting: BTreeSet::new(),
            compared: BTreeSet::new(),
            entered: HashSet::new(),
        }
    }

    /// Compares all named schemas that were met, and those met on the way.
    pub fn named(&mut self, changes: &mut Changes) {
        while let Some(pair) = self.waiting.pop_first() {
            if !self.compared.insert(pair) {
                continue;
            }
            let (old_name, new_name, way) = pair;
            let place = format!("#/components/schemas/{}", escape(new_name));
            if old_name != new_name {
                changes.add(
                    Level::Breaking,
                    &place,
                    None,
                    "type-renamed",
                    format!("type renamed from {old_name}"),
                );
            }
            let find = |root: &'a Value, name: &str| {
                root.pointer("/components/schemas")
                    .and_then(|all| all.get(name))
            };
            if let (Some(old), Some(new)) = (find(self.old, old_name), find(self.new, new_name)) {
                self.shapes(changes, &place, way, old, new);
            }
        }
    }

    /// Compares two schemas at one place.
    pub fn compare(
        &mut self,
        changes: &mut Changes,
        place: &str,
        way: Direction,
        old: &'a Value,
        new: &'a Value,
    ) {
        match (named(old), named(new)) {
            (Some(old_name), Some(new_name)) => {
                keywords::flags(changes, place, way, &wrapper(old), &wrapper(new));
                self.waiting.insert((old_name, new_name, way));
            }
            _ => {
                if self.entered.insert((old, new, way)) {
                    self.shapes(changes, place, way, old, new);
                }
            }
        }
    }

    fn shapes(
        &mut self,
        changes: &mut Changes,
        place: &str,
        way: Direction,
        old: &'a Value,
        new: &'a Value,
    ) {
        let old = Shape::of(self.old, old);
        let new = Shape::of(self.new, new);
        keywords::flags(changes, place, way, &old, &new);
        if old.types != new.types {
            changes.add(
                Level::Breaking,
                place,
                Some(way),
                "type",
                format!("type changed from {} to {}", types(&old), types(&new)),
            );
            return;
        }
        keywords::values(changes, place, way, &old, &new);
        keywords::format(changes, place, way, &old, &new);
        keywords::limits(changes, place, way, &old, &new);
        self.properties(changes, place, way, &old, &new);
        self.variants(changes, place, way, &old, &new);
        match (old.items, new.items) {
            (Some(old), Some(new)) => {
                self.compare(changes, &format!("{place}/items"), way, old, new);
            }
            (None, None) => {}
            (old, _) => {
                let what = if old.is_some() { "no longer" } else { "now" };
                let message = format!("items {what} described");
                changes.add(Level::Breaking, place, Some(way), "items", message);
            }
        }
        self.additional(changes, place, way, &old, &new);
    }

    fn properties(
        &mut self,
        changes: &mut Changes,
        place: &str,
        way: Direction,
        old: &Shape<'a>,
        new: &Shape<'a>,
    ) {
        let visible = |root: &'a Value, shape: &Shape<'a>| -> BTreeSet<&'a str> {
            shape
                .properties
                .iter()
                .filter(|(_, schema)| {
                    let shape = Shape::of(root, schema);
                    match way {
                        Direction::Request => !shape.read_only,
                        Direction::Response => !shape.write_only,
                    }
                })
                .map(|(name, _)| *name)
                .collect()
        };
        let before = visible(self.old, old);
        let after = visible(self.new, new);
        let at = |name: &str| format!("{place}/properties/{}", escape(name));
        for name in before.difference(&after) {
            let now = if new.properties.contains_key(name) {
                match way {
                    Direction::Request => "field can no longer be set (readOnly)",
                    Direction::Response => "field can no longer be read (writeOnly)",
                }
            } else {
                "field removed"
            };
            changes.add(Level::Breaking, &at(name), Some(way), "field-removed", now);
        }
        for name in after.difference(&before) {
            let needed = new.required.contains(name) && way == Direction::Request;
            changes.add(
                Level::breaking_if(needed),
                &at(name),
                Some(way),
                "field-added",
                if needed {
                    "required field added"
                } else {
                    "field added"
                },
            );
        }
        for name in before.intersection(&after) {
            match (old.required.contains(name), new.required.contains(name)) {
                (false, true) => changes.add(
                    Level::breaking_if(way == Direction::Request),
                    &at(name),
                    Some(way),
                    "now-required",
                    "now required",
                ),
                (true, false) => changes.add(
                    Level::breaking_if(way == Direction::Response),
                    &at(name),
                    Some(way),
                    "now-optional",
                    "now optional",
                ),
                _ => {}
            }
            if let (Some(one), Some(other)) = (old.properties.get(name), new.properties.get(name)) {
                self.compare(changes, &at(name), way, one, other);
            }
        }
    }

    fn variants(
        &mut self,
        changes: &mut Changes,
        place: &str,
        way: Direction,
        old: &Shape<'a>,
        new: &Shape<'a>,
    ) {
        for (tag, one) in &old.variants {
            match new.variants.get(tag) {
                Some(other) => {
                    let place = format!("{place}/oneOf/{}", escape(tag));
                    self.compare(changes, &place, way, one, other);
                }
                None => changes.add(
                    Level::Breaking,
                    place,
                    Some(way),
                    "variant-removed",
                    format!("variant {tag} removed"),
                ),
            }
        }
        for tag in new
            .variants
            .keys()
            .filter(|tag| !old.variants.contains_key(*tag))
        {
            // The first variants of a place turn its type into a union.
            changes.add(
                Level::breaking_if(old.variants.is_empty()),
                place,
                Some(way),
                "variant-added",
                format!("variant {tag} added"),
            );
        }
    }

    fn additional(
        &mut self,
        changes: &mut Changes,
        place: &str,
        way: Direction,
        old: &Shape<'a>,
        new: &Shape<'a>,
    ) {
        let closed = |shape: &Shape<'_>| shape.additional == Some(&Value::Bool(false));
        match (closed(old), closed(new)) {
            (false, true) => changes.add(
                Level::breaking_if(way == Direction::Request),
                place,
                Some(way),
                "additional-fields",
                "other fields no longer allowed",
            ),
            (true, false) => changes.add(
                Level::Compatible,
                place,
                Some(way),
                "additional-fields",
                "other fields now allowed",
            ),
            _ => {}
        }
        let schema = |shape: &Shape<'a>| shape.additional.filter(|value| value.is_object());
        match (schema(old), schema(new)) {
            (Some(old), Some(new)) => {
                let place = format!("{place}/additionalProperties");
                self.compare(changes, &place, way, old, new);
            }
            (None, None) => {}
            (old, _) => changes.add(
                Level::Breaking,
                place,
                Some(way),
                "additional-fields",
                match old {
                    Some(_) => "values of the map no longer described",
                    None => "values of the map now described",
                },
            ),
        }
    }
}

fn types(shape: &Shape<'_>) -> String {
    match shape.types.is_empty() {
        true => "anything".to_owned(),
        false => shape.types.iter().copied().collect::<Vec<_>>().join(" or "),
    }
}
