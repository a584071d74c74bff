//! The candidates of a list: values as responses show them, and resources, which are rendered only as far as the choice needs it.

use std::cell::OnceCell;

use serde_json::{Map, Value, json};

use crate::{
    base::{
        format,
        store::{Address, Place, Resource},
    },
    platform::{
        render,
        rules::{Platform, Shape},
    },
    query::{Fields, Indexed, indexed, shown},
};

/// Something that may come into a page.
pub trait Candidate: Fields {
    /// Its place in the order of creation.
    fn sequence(&self) -> u64;
    /// Whether filters leave it in whatever they say.
    fn is_unfiltered(&self) -> bool {
        false
    }
    /// Itself, as responses show it.
    fn document(&self) -> &Value;
    /// Drops what can be made again: many candidates are kept, and few are shown.
    fn shrink(&mut self);
    /// The value in the response.
    fn shown(self) -> Value;
}

/// A value with the other values that it can be found by.
#[derive(Debug)]
pub struct Ready {
    /// As responses show it.
    pub value: Value,
    /// The other values that it can be found by.
    pub hidden: Map<String, Value>,
    /// Its place in the list.
    pub sequence: u64,
}

impl Fields for Ready {
    fn values(&self, path: &str) -> Vec<Value> {
        let item = Indexed {
            document: &self.value,
            hidden: Some(&self.hidden),
        };
        item.values(path)
    }
}

impl Candidate for Ready {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn document(&self) -> &Value {
        &self.value
    }

    fn shrink(&mut self) {}

    fn shown(self) -> Value {
        self.value
    }
}

/// A resource in a table.
pub struct Kept<'a> {
    world: &'a Platform,
    place: &'a Place,
    resource: &'a Resource,
    // Boxed, since a hundred thousand of these are sorted.
    index: OnceCell<Box<Map<String, Value>>>,
    document: OnceCell<Box<Value>>,
}

impl<'a> Kept<'a> {
    /// A resource, nothing of it rendered.
    pub fn new(world: &'a Platform, place: &'a Place, resource: &'a Resource) -> Self {
        Self {
            world,
            place,
            resource,
            index: OnceCell::new(),
            document: OnceCell::new(),
        }
    }

    fn address(&self) -> Address {
        self.place.at(&self.resource.name)
    }

    /// The value of a field that most lists are sorted by, where it can be told without rendering.
    fn quick(&self, path: &str) -> Option<Value> {
        let resource = self.resource;
        match path {
            "created" => Some(json!(format::time(resource.created))),
            "updated" => Some(json!(format::time(resource.updated))),
            "name" => {
                let named = matches!(
                    self.world.rules(self.place.kind).shape,
                    Shape::Arm { .. } | Shape::Spec { name: true }
                );
                let other = resource.hidden.contains_key(path)
                    || [&resource.body, &resource.server].iter().any(|said| {
                        let metadata = said.get("metadata");
                        said.get("name").is_some()
                            || metadata.is_some_and(|metadata| metadata.get("name").is_some())
                    });
                (named && !other).then(|| json!(&*resource.name))
            }
            _ => None,
        }
    }
}

impl Fields for Kept<'_> {
    fn values(&self, path: &str) -> Vec<Value> {
        if let Some(value) = self.quick(path) {
            return vec![value];
        }
        let index = self
            .index
            .get_or_init(|| Box::new(render::index(self.world, &self.address(), self.resource)));
        indexed(index, path).unwrap_or_else(|| shown(self.document(), path))
    }
}

impl Candidate for Kept<'_> {
    fn sequence(&self) -> u64 {
        self.resource.sequence
    }

    fn is_unfiltered(&self) -> bool {
        let prefix = self.world.rules(self.place.kind).unfiltered;
        !prefix.is_empty() && self.resource.name.starts_with(prefix)
    }

    fn document(&self) -> &Value {
        self.document
            .get_or_init(|| Box::new(render::resource(self.world, &self.address(), self.resource)))
    }

    fn shrink(&mut self) {
        self.index.take();
        self.document.take();
    }

    fn shown(mut self) -> Value {
        match self.document.take() {
            Some(document) => *document,
            None => render::resource(self.world, &self.address(), self.resource),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{kind::Kind, settings::Settings},
        engine::Engine,
        registry, seed,
    };

    #[test]
    fn what_is_told_without_rendering_is_what_rendering_tells() {
        let engine = Engine::new(Settings::default(), chrono::Utc::now(), 1.0);
        assert!(seed::start(&engine, "demo", 3, Some("T")).is_ok());
        let world = engine.world();
        let mut compared = Vec::new();
        for kind in registry::get().rules().map(|rules| rules.kind) {
            for project in ["", "demo"] {
                for (place, resource) in world.all(project, kind) {
                    let kept = Kept::new(&world, place, resource);
                    for path in ["name", "created", "updated", "id"] {
                        let Some(quick) = kept.quick(path) else {
                            continue;
                        };
                        let rendered = Indexed {
                            document: kept.document(),
                            hidden: Some(&render::index(&world, &kept.address(), resource)),
                        };
                        assert_eq!(rendered.values(path), [quick], "{kind:?} {path}");
                        compared.push((kind, path));
                    }
                }
            }
        }
        for kind in [Kind::ASSET, Kind::STORAGE, Kind::NETWORK] {
            for path in ["name", "created", "updated"] {
                assert!(compared.contains(&(kind, path)), "{kind:?} {path}");
            }
        }
    }
}
