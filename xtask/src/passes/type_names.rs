//! Problem: schema names have suffixes of the framework that made them. This pass names types
//! as a Rust user would: `AssetSchema` is `Asset`, `AssetListResponseSchema` `AssetList`,
//! `StorageSchemaPut` `StoragePut`, nothing ends in `_v1`. When two would get the same name, both
//! keep the longer one. `x-mkio-type-name` in the overlay decides otherwise.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{
    document::{Document, ref_name, schema_pointer},
    marks,
    names::{RESERVED_TYPES, type_name},
    report::Changes,
    walk,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let names = choose(&document, changes);
    let old = std::mem::take(document.schemas_mut());
    for (name, mut schema) in old {
        if let Some(schema) = schema.as_object_mut() {
            schema.shift_remove(marks::TYPE_NAME);
        }
        let new = &names[&name];
        if *new != name {
            changes.note(format!("{name} -> {new}"));
        }
        document.schemas_mut().insert(new.clone(), schema);
    }
    walk::all_schemas_mut(&mut document, |_, schema| {
        if let Some(new) = ref_name(&Value::Object(schema.clone())).and_then(|n| names.get(n)) {
            schema.insert("$ref".to_owned(), target(new));
        }
        let mapping = schema
            .get_mut("discriminator")
            .and_then(|d| d.get_mut("mapping"))
            .and_then(Value::as_object_mut);
        for (_, to) in mapping.into_iter().flatten() {
            let name = to.as_str().and_then(|to| to.rsplit('/').next());
            if let Some(new) = name.and_then(|name| names.get(name)) {
                *to = target(new);
            }
        }
    });
    document
}

fn target(name: &str) -> Value {
    Value::String(format!("#/components/schemas/{name}"))
}

fn choose(document: &Document, changes: &mut Changes) -> HashMap<String, String> {
    let pinned = |schema: &Value| {
        let name = schema.get(marks::TYPE_NAME).and_then(Value::as_str);
        name.map(str::to_owned)
    };
    let mut wanted: HashMap<String, usize> = HashMap::new();
    let mut pins = HashSet::new();
    for (name, schema) in document.schemas() {
        pins.extend(pinned(schema));
        let short = pinned(schema).unwrap_or_else(|| shorten(name));
        *wanted.entry(short).or_default() += 1;
    }
    let mut names = HashMap::new();
    let mut taken: HashMap<String, &str> = HashMap::new();
    for (name, schema) in document.schemas() {
        let pin = pinned(schema);
        let mut new = pin.clone().unwrap_or_else(|| {
            let short = shorten(name);
            if wanted[&short] > 1 {
                type_name(name)
            } else {
                short
            }
        });
        if let Some(pin) = &pin
            && (*pin != type_name(pin) || RESERVED_TYPES.contains(&pin.as_str()))
        {
            changes.refuse(document.problem(
                schema_pointer(name, schema),
                format!(
                    "{} {pin:?}, which is not a name of a type, or one that generated code uses",
                    marks::TYPE_NAME
                ),
                "a name in CamelCase that is not taken",
            ));
        }
        // Generated code uses these names itself.
        if pin.is_none() && RESERVED_TYPES.contains(&new.as_str()) {
            new.push_str("Type");
        }
        let first = taken.get(&new).copied();
        if let Some(first) = first {
            let wish = new.clone();
            new = numbered(&wish, |new| taken.contains_key(new) || pins.contains(new));
            let problem = document.problem(
                schema_pointer(name, schema),
                format!("the type name {wish:?}, which {first} has, too"),
                format!(
                    "unique names; give one of the two an `{}` in the overlay",
                    marks::TYPE_NAME
                ),
            );
            if pin.is_some() {
                changes.refuse(problem);
            } else {
                changes.warn(problem);
            }
        }
        taken.insert(new.clone(), name);
        names.insert(name.to_owned(), new);
    }
    names
}

/// The first of `wish2`, `wish3`, … that is not taken.
fn numbered(wish: &str, taken: impl Fn(&String) -> bool) -> String {
    let mut number = 2;
    loop {
        let name = format!("{wish}{number}");
        if !taken(&name) {
            return name;
        }
        number += 1;
    }
}

fn shorten(name: &str) -> String {
    let mut name = name.trim_end_matches("_v1").to_owned();
    for (suffix, short) in [
        ("ListResponseSchema", "List"),
        ("ListResponse", "List"),
        ("GetSchema", ""),
        ("SchemaGet", ""),
        ("PatchBody", "Patch"),
        ("JsonFragment", ""),
        ("Fragment", ""),
    ] {
        if let Some(stem) = name.strip_suffix(suffix).filter(|stem| !stem.is_empty()) {
            name = format!("{stem}{short}");
            break;
        }
    }
    let bare = name.replace("Schema", "");
    type_name(if bare.is_empty() { &name } else { &bare })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::passes::testing;

    #[test]
    fn names_get_shorter() {
        for (long, short) in [
            ("AssetSchema", "Asset"),
            ("AssetListResponseSchema", "AssetList"),
            ("StorageSchemaPut", "StoragePut"),
            ("StorageListSchema_v1", "StorageList"),
            ("FlowGetSchema", "Flow"),
            ("SitePatchBody", "SitePatch"),
            ("IPRange", "IpRange"),
            ("ODataPage_Channel_", "ODataPageChannel"),
        ] {
            assert_eq!(shorten(long), short);
        }
    }

    #[test]
    fn collisions_keep_the_longer_names_and_references_follow() {
        let mut changes = Changes::default();
        let document = run(
            testing::with_schemas(json!({
                "ProfileGetSchema": {"properties": {"x": {"$ref": "#/components/schemas/ProfileSchema"}}},
                "ProfileSchema": {"type": "object"},
                "Other_v1": {"type": "object", "x-mkio-type-name": "Chosen"},
            })),
            &mut changes,
        );
        assert_eq!(changes.notes(), ["Other_v1 -> Chosen"]);
        let names: Vec<_> = document.schemas().map(|(name, _)| name).collect();
        assert_eq!(names, ["ProfileGetSchema", "ProfileSchema", "Chosen"]);
        let field = &document.schema("ProfileGetSchema").unwrap()["properties"]["x"];
        assert_eq!(ref_name(field), Some("ProfileSchema"));
    }

    #[test]
    fn a_pinned_name_that_is_taken_is_an_error() {
        let mut changes = Changes::default();
        run(
            testing::with_schemas(json!({
                "A": {}, "B": {"x-mkio-type-name": "A"}, "C": {"x-mkio-type-name": "Vec"}, "D": {"x-mkio-type-name": "no name"},
            })),
            &mut changes,
        );
        let found: Vec<_> = changes
            .problems()
            .iter()
            .map(|p| p.found.as_str())
            .collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("\"A\""), "{found:?}");
    }

    #[test]
    fn a_name_that_the_overlay_gives_later_is_taken() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "foo_bar": {}, "FooBar": {}, "Other": {"x-mkio-type-name": "FooBar2"},
            })),
        );
        let names: Vec<_> = document.schemas().map(|(name, _)| name).collect();
        assert_eq!(names, ["FooBar", "FooBar3", "FooBar2"]);
    }

    #[test]
    fn names_are_distinct_and_leave_those_of_the_code_around_alone() {
        let schemas: Map<String, Value> = RESERVED_TYPES
            .iter()
            .map(|name| ((*name).to_owned(), json!({"type": "object"})))
            .chain([
                ("foo_bar".to_owned(), json!({})),
                ("FooBar".to_owned(), json!({})),
            ])
            .collect();
        let mut changes = Changes::default();
        let document = run(testing::with_schemas(Value::Object(schemas)), &mut changes);
        let names: Vec<&str> = document.schemas().map(|(name, _)| name).collect();
        assert!(
            names.contains(&"OptionType") && names.contains(&"ValueType"),
            "{names:?}"
        );
        assert!(
            !names.iter().any(|name| RESERVED_TYPES.contains(name)),
            "{names:?}"
        );
        assert!(
            names.contains(&"FooBar") && names.contains(&"FooBar2"),
            "{names:?}"
        );
        let warned: Vec<&str> = changes
            .warnings()
            .iter()
            .map(|w| w.pointer.as_str())
            .collect();
        assert_eq!(warned, ["/components/schemas/FooBar"]);
    }
}
