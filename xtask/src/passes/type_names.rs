//! Problem: schema names carry the habits of the framework that made them. This pass names types
//! as a Rust user would: `AssetSchema` is `Asset`, `AssetListResponseSchema` `AssetList`,
//! `StorageSchemaPut` `StoragePut`, nothing ends in `_v1`. When two would get the same name, both
//! keep the longer one. `x-mkio-type-name` in the overlay decides otherwise.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    document::{Document, Problem, ref_name},
    names::type_name,
    report::Changes,
    walk,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Result<Document, Problem> {
    let names = choose(&document)?;
    let old = std::mem::take(document.schemas_mut());
    for (name, mut schema) in old {
        if let Some(schema) = schema.as_object_mut() {
            schema.shift_remove("x-mkio-type-name");
        }
        let new = &names[&name];
        if *new != name {
            changes.note(format!("{name} -> {new}"));
        }
        document.schemas_mut().insert(new.clone(), schema);
    }
    walk::all_schemas_mut(&mut document, |schema| {
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
    Ok(document)
}

fn target(name: &str) -> Value {
    Value::String(format!("#/components/schemas/{name}"))
}

fn choose(document: &Document) -> Result<HashMap<String, String>, Problem> {
    let pinned = |schema: &Value| {
        let name = schema.get("x-mkio-type-name").and_then(Value::as_str);
        name.map(str::to_owned)
    };
    let mut wanted: HashMap<String, usize> = HashMap::new();
    for (name, schema) in document.schemas() {
        let short = pinned(schema).unwrap_or_else(|| shorten(name));
        *wanted.entry(short).or_default() += 1;
    }
    let mut names = HashMap::new();
    let mut taken: HashMap<String, &str> = HashMap::new();
    for (name, schema) in document.schemas() {
        let new = pinned(schema).unwrap_or_else(|| {
            let short = shorten(name);
            if wanted[&short] > 1 {
                type_name(name)
            } else {
                short
            }
        });
        if let Some(first) = taken.insert(new.clone(), name) {
            return Err(document.problem(
                format!("/components/schemas/{name}"),
                format!("the type name {new:?}, which {first} has, too"),
                "unique names; give one of the two an `x-mkio-type-name` in the overlay",
            ));
        }
        names.insert(name.to_owned(), new);
    }
    Ok(names)
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
    use serde_json::json;

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
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "ProfileGetSchema": {"properties": {"x": {"$ref": "#/components/schemas/ProfileSchema"}}},
                "ProfileSchema": {"type": "object"},
                "Other_v1": {"type": "object", "x-mkio-type-name": "Chosen"},
            })),
        );
        let names: Vec<_> = document.schemas().map(|(name, _)| name).collect();
        assert_eq!(names, ["ProfileGetSchema", "ProfileSchema", "Chosen"]);
        let field = &document.schema("ProfileGetSchema").unwrap()["properties"]["x"];
        assert_eq!(ref_name(field), Some("ProfileSchema"));
    }

    #[test]
    fn a_pinned_name_that_is_taken_is_an_error() {
        let problem = run(
            testing::with_schemas(json!({"A": {}, "B": {"x-mkio-type-name": "A"}})),
            &mut Changes::default(),
        )
        .unwrap_err();
        assert!(problem.found.contains("\"A\""), "{problem}");
    }
}
