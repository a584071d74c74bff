//! Problem: documents compose an object of several (`allOf`), and describe a family of types by a base
//! with a discriminator that its members compose. A structure has one list of fields. This pass
//! writes compositions out as one object, and bases with members as unions of them. An `allOf`
//! around one reference stays: it holds the description of a place of use.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, ref_name, reference},
    marks,
    report::Changes,
    walk,
};

/// Keywords that may stand next to a reference without changing its type.
const ABOUT_THE_PLACE: [&str; 12] = [
    "description",
    "title",
    "nullable",
    "readOnly",
    "writeOnly",
    "deprecated",
    "default",
    "example",
    "examples",
    "externalDocs",
    "$comment",
    "xml",
];

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut bases = HashMap::new();
    families(&mut document, &mut bases, changes);
    let mut named: HashMap<String, Value> = document
        .schemas()
        .map(|(name, schema)| (name.to_owned(), schema.clone()))
        .collect();
    named.extend(bases);
    let merge = Merge { named: &named };
    let mut found = Vec::new();
    walk::all_schemas_mut(&mut document, |pointer, schema| {
        if is_composed(schema) {
            let (merged, problems) = merge.flat(schema, &mut HashSet::new());
            found.push(pointer.to_owned());
            for (what, way) in problems {
                found.push(format!("{pointer}\n{what}\n{way}"));
            }
            *schema = merged;
        }
    });
    for line in found {
        match line.split('\n').collect::<Vec<_>>()[..] {
            [pointer, what, way] => changes.warn(document.problem(pointer, what, way)),
            _ => changes.note(format!("{line}: composed")),
        }
    }
    document
}

/// A base with a discriminator and no list of members: its members are those that compose it.
fn families(document: &mut Document, bases: &mut HashMap<String, Value>, changes: &mut Changes) {
    let mut members: HashMap<String, Vec<String>> = HashMap::new();
    for (name, schema) in document.schemas() {
        let parts = schema.get("allOf").and_then(Value::as_array);
        for base in parts.into_iter().flatten().filter_map(ref_name) {
            members
                .entry(base.to_owned())
                .or_default()
                .push(name.to_owned());
        }
    }
    let names: Vec<String> = document
        .schemas()
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        let Some(list) = members.get(&name) else {
            continue;
        };
        let schema = &mut document.schemas_mut()[&name];
        let is_base = schema.get("discriminator").is_some_and(Value::is_object)
            && schema.get("oneOf").is_none()
            && schema.get("anyOf").is_none();
        if !is_base {
            continue;
        }
        let mut base = schema.clone();
        let discriminator = base
            .as_object_mut()
            .and_then(|base| base.shift_remove("discriminator"));
        let mut union = json!({
            "oneOf": list.iter().map(|member| reference(member)).collect::<Vec<_>>(),
            "discriminator": discriminator,
        });
        for key in ["description", marks::ORIGIN, marks::TYPE_NAME, "nullable"] {
            if let Some(value) = schema.get(key) {
                union[key] = value.clone();
            }
        }
        *schema = union;
        bases.insert(name.clone(), base.clone());
        changes.note(format!("{name}: a union of {}", list.join(", ")));
        let itself = reference(&name)["$ref"].clone();
        let union = &mut document.schemas_mut()[&name];
        let mapping = union["discriminator"]
            .get_mut("mapping")
            .and_then(Value::as_object_mut);
        let tags: Vec<&mut Value> = mapping
            .into_iter()
            .flatten()
            .filter(|(_, target)| **target == itself)
            .map(|(_, target)| target)
            .collect();
        if !tags.is_empty() {
            let own = format!("{name}Base");
            for tag in tags {
                *tag = reference(&own)["$ref"].clone();
            }
            document.schemas_mut().insert(own, base);
        }
    }
}

/// An `allOf` that is more than a reference with keywords about the place.
fn is_composed(schema: &Map<String, Value>) -> bool {
    let beside = schema
        .iter()
        .any(|(key, value)| key != "allOf" && is_structure(key, value));
    if schema.contains_key("$ref") {
        // OpenAPI 3.1 lets a reference have structure of its own beside it.
        let beside = schema
            .iter()
            .any(|(key, value)| key != "$ref" && is_structure(key, value));
        return beside;
    }
    let Some(members) = schema.get("allOf").and_then(Value::as_array) else {
        return false;
    };
    beside
        || !matches!(&members[..], [one] if one.get("$ref").is_some() && one.as_object().is_some_and(|one| one.len() == 1))
}

fn is_structure(key: &str, value: &Value) -> bool {
    // `type: object` next to the composition adds nothing.
    let known = key == "type" && value == "object";
    !known && !key.starts_with("x-") && !ABOUT_THE_PLACE.contains(&key)
}

struct Merge<'a> {
    named: &'a HashMap<String, Value>,
}

type Losses = Vec<(String, &'static str)>;

const DIFFERENT: &str =
    "one schema for each property; an overlay action that removes one of the two";
const WITH_UNION: &str = "an overlay action that writes the fields into the members of the union";

impl Merge<'_> {
    /// One schema with the keywords of all members, and the losses.
    fn flat(
        &self,
        schema: &Map<String, Value>,
        open: &mut HashSet<String>,
    ) -> (Map<String, Value>, Losses) {
        let mut own = schema.clone();
        let members = match own.shift_remove("allOf") {
            Some(Value::Array(members)) => members,
            _ => Vec::new(),
        };
        let reference = own
            .shift_remove("$ref")
            .map(|target| json!({ "$ref": target }));
        let mut losses = Losses::new();
        // The one reference, if the other members are about the place only.
        let references: Vec<&Value> = reference
            .iter()
            .chain(&members)
            .filter(|m| m.get("$ref").is_some())
            .collect();
        let rest = reference
            .iter()
            .chain(&members)
            .filter(|m| m.get("$ref").is_none());
        let plain = |value: &Value| {
            let mut entries = value.as_object().into_iter().flatten();
            entries.all(|(key, value)| !is_structure(key, value))
        };
        if let [one] = references[..]
            && plain(&Value::Object(own.clone()))
            && rest.clone().all(plain)
        {
            let mut merged = own;
            for member in rest {
                for (key, value) in member.as_object().into_iter().flatten() {
                    merged.entry(key).or_insert_with(|| value.clone());
                }
            }
            if merged.get("type").is_some_and(|kind| kind == "object") {
                merged.shift_remove("type");
            }
            merged.insert("allOf".to_owned(), json!([one]));
            return (merged, losses);
        }
        let mut merged = Map::new();
        for member in reference.iter().chain(&members) {
            let content = self.content(member, open, &mut losses);
            join(&mut merged, content, &mut losses);
        }
        join(&mut merged, own, &mut losses);
        for union in ["oneOf", "anyOf"] {
            let fields = merged.get("properties").and_then(Value::as_object);
            if merged.contains_key(union) && fields.is_some_and(|fields| !fields.is_empty()) {
                losses.push((
                    format!("fields composed with a union (`{union}`), read as any JSON"),
                    WITH_UNION,
                ));
                merged.retain(|key, value| !is_structure(key, value) && key != "type");
            }
        }
        (merged, losses)
    }

    /// The content of a member, with references resolved.
    fn content(
        &self,
        member: &Value,
        open: &mut HashSet<String>,
        losses: &mut Losses,
    ) -> Map<String, Value> {
        let (schema, entered) = match ref_name(member) {
            Some(name) => {
                if !open.insert(name.to_owned()) {
                    return Map::new();
                }
                (self.named.get(name), Some(name.to_owned()))
            }
            None => (Some(member), None),
        };
        let mut schema = schema
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        if entered.is_some() {
            // Descriptions of the named type are not about its composition.
            for key in [
                "description",
                "title",
                "example",
                "nullable",
                marks::ORIGIN,
                marks::TYPE_NAME,
            ] {
                schema.shift_remove(key);
            }
        }
        let composed = schema.contains_key("allOf") || schema.contains_key("$ref");
        let content = if composed {
            let (content, mut lost) = self.flat(&schema, open);
            losses.append(&mut lost);
            // A reference in an `allOf` about the place is resolved as well.
            match content.get("allOf").and_then(|all| all.get(0)).cloned() {
                Some(one) => {
                    let mut inner = self.content(&one, open, losses);
                    for (key, value) in content {
                        if key != "allOf" {
                            inner.insert(key, value);
                        }
                    }
                    inner
                }
                None => content,
            }
        } else {
            schema
        };
        if let Some(name) = entered {
            open.remove(&name);
        }
        content
    }
}

/// Adds the keywords of another member; a later one takes precedence.
fn join(merged: &mut Map<String, Value>, other: Map<String, Value>, losses: &mut Losses) {
    for (key, value) in other {
        match (merged.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(new)) if key == "properties" => {
                for (name, schema) in new {
                    let same = known.get(&name).is_none_or(|old| alike(old, &schema));
                    if !same {
                        losses.push((format!("the property {name:?} with two different schemas; the last one counts"), DIFFERENT));
                    }
                    known.insert(name, schema);
                }
            }
            (Some(Value::Array(known)), Value::Array(new)) if key == "required" => {
                for name in new {
                    if !known.contains(&name) {
                        known.push(name);
                    }
                }
            }
            (_, value) => {
                merged.insert(key, value);
            }
        }
    }
}

/// Equal apart from descriptions and limits.
fn alike(old: &Value, new: &Value) -> bool {
    let kind = |schema: &Value| {
        ["type", "$ref", "format", "items", "allOf"].map(|key| schema.get(key).cloned())
    };
    let open = |schema: &Value| kind(schema).iter().all(Option::is_none);
    kind(old) == kind(new) || open(old) || open(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document::Problem, passes::testing};

    fn at(name: &str) -> String {
        format!("/components/schemas/{name}")
    }

    #[test]
    fn several_objects_are_one() {
        let (document, composed) = testing::run(
            run,
            testing::with_schemas(json!({
                "Pet": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}, "description": "A pet."},
                "Cat": {"description": "A cat.", "allOf": [
                    reference("Pet"),
                    {"required": ["claws"], "properties": {"claws": {"type": "boolean"}}},
                ]},
                "Kitten": {"allOf": [reference("Cat")], "properties": {"age": {"type": "integer"}}},
                "Place": {"properties": {
                    "pet": {"allOf": [reference("Pet"), {"description": "Mine."}]},
                    "known": {"type": "object", "allOf": [reference("Pet"), {"description": "Mine."}]},
                    "plain": {"type": "object", "allOf": [reference("Pet")]},
                    "text": {"type": "string", "allOf": [reference("Text")]},
                }},
                "Text": {"type": "string", "maxLength": 3},
                "Alias": {"deprecated": true, "allOf": [reference("Pet")]},
                "Tiger": {"allOf": [reference("Alias"), {"properties": {"stripes": {"type": "integer"}}}]},
            })),
        );
        // All but the reference with words of its own, and the alias.
        assert_eq!(composed, 6);
        let cat = document.schema("Cat").unwrap();
        assert_eq!(cat["required"], json!(["id", "claws"]));
        assert_eq!(cat["description"], "A cat.");
        let fields = |name: &str| {
            let fields = document.schema(name).unwrap()["properties"]
                .as_object()
                .unwrap();
            fields.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(fields("Cat"), ["id", "claws"]);
        assert_eq!(fields("Kitten"), ["id", "claws", "age"]);
        let mine = json!({"description": "Mine.", "allOf": [reference("Pet")]});
        assert_eq!(
            document.schema("Place").unwrap()["properties"],
            json!({
                "pet": mine,
                "known": mine,
                "plain": {"type": "object", "allOf": [reference("Pet")]},
                "text": {"type": "string", "maxLength": 3},
            })
        );
        assert_eq!(fields("Tiger"), ["id", "stripes"]);
        let tiger = document.schema("Tiger").unwrap();
        assert!(
            tiger["deprecated"] == true && tiger.get("allOf").is_none(),
            "{tiger}"
        );
    }

    #[test]
    fn a_base_with_a_discriminator_is_a_union_of_those_that_compose_it() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "Pet": {
                    "discriminator": {"propertyName": "kind"}, "required": ["kind"],
                    "properties": {"kind": {"type": "string"}, "name": {"type": "string"}},
                },
                "Dog": {"allOf": [reference("Pet"), {"properties": {"bark": {"type": "string"}}}]},
            })),
        );
        assert_eq!(
            document.schema("Pet").unwrap()["oneOf"],
            json!([reference("Dog")])
        );
        let dog = document.schema("Dog").unwrap()["properties"]
            .as_object()
            .unwrap();
        assert_eq!(dog.keys().collect::<Vec<_>>(), ["kind", "name", "bark"]);
        assert!(document.schema("PetBase").is_none());
    }

    #[test]
    fn a_base_with_a_tag_of_its_own_is_a_member_too() {
        let dog = reference("Dog")["$ref"].clone();
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "Pet": {
                    "discriminator": {"propertyName": "kind", "mapping": {
                        "any": reference("Pet")["$ref"], "dog": dog,
                    }},
                    "properties": {"kind": {"type": "string"}},
                },
                "Dog": {"allOf": [reference("Pet"), {"properties": {"bark": {"type": "string"}}}]},
            })),
        );
        assert_eq!(
            document.schema("Pet").unwrap()["discriminator"]["mapping"],
            json!({"any": reference("PetBase")["$ref"], "dog": dog})
        );
        assert!(
            document
                .schema("PetBase")
                .unwrap()
                .get("properties")
                .is_some()
        );
    }

    /// Only fields and required names add up.
    #[test]
    fn the_last_word_of_several_counts() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({"A": {"allOf": [
                {"additionalProperties": {"type": "string", "maxLength": 3}, "enum": ["a"]},
                {"additionalProperties": {"type": "integer"}, "enum": ["b"]},
            ]}})),
        );
        assert_eq!(
            document.schema("A").unwrap(),
            &json!({"additionalProperties": {"type": "integer"}, "enum": ["b"]})
        );
    }

    #[test]
    fn properties_that_differ_in_limits_or_say_nothing_are_alike() {
        let schemas = [
            json!({"type": "string", "maxLength": 3}),
            json!({"type": "string"}),
            json!({"description": "any"}),
        ];
        for one in &schemas {
            for other in &schemas {
                let mut changes = Changes::default();
                let of = |schema: &Value| json!({"properties": {"x": schema}});
                run(
                    testing::with_schemas(json!({"A": {"allOf": [of(one), of(other)]}})),
                    &mut changes,
                );
                assert_eq!(changes.warnings(), [], "{one} and {other}");
            }
        }
    }

    #[test]
    fn what_is_lost_is_said_with_its_place() {
        let mut changes = Changes::default();
        let document = run(
            testing::with_schemas(json!({
                "A": {"allOf": [
                    {"properties": {"x": {"type": "string"}}},
                    {"properties": {"x": {"type": "integer"}}},
                ]},
                "B": {"type": "object", "description": "Both.", "allOf": [
                    {"properties": {"x": {"type": "string"}}},
                    {"oneOf": [{"type": "object"}, {"type": "string"}]},
                ]},
            })),
            &mut changes,
        );
        let found: Vec<(&str, &str)> = changes
            .warnings()
            .iter()
            .map(|warning: &Problem| (warning.pointer.as_str(), warning.found.as_str()))
            .collect();
        assert_eq!(found[0].0, at("A"));
        assert!(found[0].1.contains("\"x\""), "{found:?}");
        assert_eq!(found[1].0, at("B"));
        assert!(found[1].1.contains("union"), "{found:?}");
        assert_eq!(
            document.schema("B").unwrap(),
            &json!({"description": "Both."})
        );
    }
}
