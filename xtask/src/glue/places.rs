//! Places of fields in a body: JSON pointers with `*` for any item of a list or entry of a map.

use std::collections::{BTreeSet, HashSet};

use indexmap::IndexMap;
use serde_json::Value;

use crate::{
    document::escape,
    model::{Field, Model, Shape},
    types, walk,
};

/// The most fields of one body that are visited. Types that all refer to each other have more ways
/// through them than can be walked.
const MOST: usize = 20_000;

/// Whether a field is wanted. The second one is the field of that name in the type that is read.
type Wanted = fn(&Field, Option<&Field>) -> bool;

/// Finds the places of wanted fields.
pub struct Finder<'a> {
    model: &'a Model,
    wanted: Wanted,
    /// Types from which such a field is reached. No others are searched.
    leading: HashSet<&'a str>,
}

impl<'a> Finder<'a> {
    pub fn new(model: &'a Model, wanted: Wanted) -> Self {
        let types = model.types.iter().map(|(name, of)| {
            let own = of.fields().into_iter().flat_map(IndexMap::values);
            let has = own.clone().any(|field| wanted(field, None));
            let mut held: Vec<_> = own.flat_map(|field| held(&field.schema, None)).collect();
            held.extend(members(&of.shape).map(|member| Held::whole(member, None)));
            let names = held.iter().map(|held| held.name).collect();
            (name.as_str(), names, has)
        });
        let leading = walk::leading(types.collect());
        Self {
            model,
            wanted,
            leading,
        }
    }

    /// The places in a body, whose resource is read as `read`. `None` when there are too many ways
    /// through its types.
    pub fn places(&self, body: &'a str, read: Option<&'a str>) -> Option<BTreeSet<String>> {
        let mut search = Search {
            finder: self,
            above: Vec::new(),
            found: BTreeSet::new(),
            left: MOST,
        };
        search.run(body, read, "")?;
        Some(search.found)
    }
}

struct Search<'a, 'f> {
    finder: &'f Finder<'a>,
    /// The types around this one: one that holds itself is searched once.
    above: Vec<&'a str>,
    found: BTreeSet<String>,
    /// Fields that may still be visited.
    left: usize,
}

impl<'a> Search<'a, '_> {
    fn run(&mut self, name: &'a str, read: Option<&'a str>, pointer: &str) -> Option<()> {
        if self.above.contains(&name) || !self.finder.leading.contains(name) {
            return Some(());
        }
        let model = self.finder.model;
        self.above.push(name);
        match &model.types.get(name)?.shape {
            Shape::Struct(fields) => {
                let shown = read.and_then(|read| model.types.get(read)?.fields());
                for (member, field) in fields {
                    let other = shown.and_then(|fields| fields.get(member));
                    self.field(field, other, format!("{pointer}/{}", escape(member)))?;
                }
            }
            Shape::Union { variants, .. } => {
                let others = read.and_then(|read| match &model.types.get(read)?.shape {
                    Shape::Union { variants, .. } => Some(variants),
                    _ => None,
                });
                for variant in variants {
                    let same = others.and_then(|all| all.iter().find(|o| o.value == variant.value));
                    let other = same.map(|other| other.member.as_str());
                    self.run(&variant.member, other, pointer)?;
                }
            }
            Shape::Enum(_) | Shape::Secret => {}
        }
        self.above.pop();
        Some(())
    }

    fn field(&mut self, field: &'a Field, other: Option<&'a Field>, place: String) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        if (self.finder.wanted)(field, other) {
            self.found.insert(place);
            return Some(());
        }
        for held in held(&field.schema, other.map(|other| &other.schema)) {
            self.run(held.name, held.read, &format!("{place}{}", held.steps))?;
        }
        Some(())
    }
}

/// A type that a field holds: itself, or in lists and maps.
struct Held<'a> {
    name: &'a str,
    /// The type that the field of the resource has there.
    read: Option<&'a str>,
    /// Lists and maps around it.
    steps: String,
}

impl<'a> Held<'a> {
    fn whole(name: &'a str, read: Option<&'a str>) -> Self {
        Self {
            name,
            read,
            steps: String::new(),
        }
    }
}

fn held<'a>(schema: &'a Value, read: Option<&'a Value>) -> Vec<Held<'a>> {
    if let Some(name) = types::named_type(schema) {
        return vec![Held::whole(name, read.and_then(types::named_type))];
    }
    let inner = ["items", "additionalProperties"].into_iter();
    let inner =
        inner.filter_map(|key| Some((schema.get(key)?, read.and_then(|read| read.get(key)))));
    inner
        .flat_map(|(schema, read)| held(schema, read))
        .map(|held| Held {
            steps: format!("/*{}", held.steps),
            ..held
        })
        .collect()
}

fn members(shape: &Shape) -> impl Iterator<Item = &str> {
    let variants = match shape {
        Shape::Union { variants, .. } => variants.as_slice(),
        _ => &[],
    };
    variants.iter().map(|variant| variant.member.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{document::reference, passes::testing};

    fn model(schemas: &Value) -> Model {
        let mut document = testing::with_paths(json!({}));
        document.root["components"]["schemas"] = schemas.clone();
        Model::new(&document)
    }

    fn read_only(schemas: &Value, body: &str) -> Option<Vec<String>> {
        let model = model(schemas);
        let finder = Finder::new(&model, |field, _| field.read_only);
        let places = finder.places(body, None)?;
        Some(places.into_iter().collect())
    }

    #[test]
    fn fields_are_found_in_lists_and_maps_at_any_depth() {
        let item = reference("Item");
        let list = json!({"type": "array", "items": {"type": "array", "items": item}});
        let map = json!({"type": "object", "additionalProperties": item});
        let schemas = json!({
            "Body": {"properties": {"one": item, "lists": list, "a/b": map}},
            "Item": {"properties": {
                "id~": {"type": "string", "readOnly": true}, "name": {"type": "string"},
                "body": reference("Body"),
            }},
        });
        assert_eq!(
            read_only(&schemas, "Body").unwrap(),
            ["/a~1b/*/id~0", "/lists/*/*/id~0", "/one/id~0"]
        );
    }

    #[test]
    fn the_type_that_is_read_is_followed_beside_the_body() {
        let list = |of: &str| json!({"type": "array", "items": reference(of)});
        let text = json!({"type": "string"});
        let model = model(&json!({
            "Body": {"properties": {"list": list("Item"), "map": list("Item")}},
            "Item": {"properties": {"key": text}},
            "Read": {"properties": {"list": list("Shown"), "map": {"type": "object", "additionalProperties": reference("Shown")}}},
            "Shown": {"properties": {"key": text}},
        }));
        let finder = Finder::new(&model, |field, read| field.ident == "key" && read.is_none());
        let places = |read| {
            finder
                .places("Body", read)
                .unwrap()
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(places(None), ["/list/*/key", "/map/*/key"]);
        // A map of the resource does not show what a list of the body holds.
        assert_eq!(places(Some("Read")), ["/map/*/key"]);
    }

    #[test]
    fn types_that_refer_to_each_other_are_searched_only_for_what_they_have() {
        let found = |more: Value| {
            let mut schemas = testing::tangled(&more);
            let id = json!({"type": "string", "readOnly": true});
            let body = json!({"properties": {"tangle": reference("T0"), "id": id}});
            schemas.insert("Body".to_owned(), body);
            read_only(&schemas.into(), "Body")
        };
        let text = json!({"type": "string"});
        assert_eq!(found(text).unwrap(), ["/id"]);
        assert_eq!(found(json!({"type": "string", "readOnly": true})), None);
    }
}
