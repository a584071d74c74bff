//! Problem: progenitor ignores discriminators and tries the members of a union one after the
//! other. This pass writes down, for each union with a discriminator, tag, tag values and variant
//! names in `x-mkio-union`, from which a tagged enum is made, and takes the tag out of the
//! members: the enum writes it.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, entries, ref_name, schema_pointer},
    marks,
    names::{singular, type_name, variant_name},
    report::Changes,
    walk,
};

/// Tag values with the names of their members.
type Variants = Vec<(String, String)>;

/// A union: its name, its tag, its variants.
struct Union {
    name: String,
    tag: String,
    variants: Variants,
}

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut unions = Vec::new();
    let mut no_unions = Vec::new();
    for (name, schema) in document.schemas() {
        if schema.get("oneOf").is_none() && schema.get("anyOf").is_none() {
            continue;
        }
        let pointer = schema_pointer(name, schema);
        let tag = schema
            .pointer("/discriminator/propertyName")
            .and_then(Value::as_str);
        let variants = tag.map(|tag| variants(&document, schema, tag, &pointer, changes));
        match (tag, variants) {
            (Some(tag), Some(variants)) if !variants.is_empty() => unions.push(Union {
                name: name.to_owned(),
                tag: tag.to_owned(),
                variants,
            }),
            _ => {
                changes.warn(document.problem(
                    pointer,
                    "a union whose members are not objects with a tag, read and written as any JSON",
                    "members that are objects, each with its value of the discriminator; an overlay action that replaces the union",
                ));
                no_unions.push(name.to_owned());
            }
        }
    }
    for name in no_unions {
        let schema = &mut document.schemas_mut()[&name];
        for key in ["oneOf", "anyOf", "discriminator", "type"] {
            schema
                .as_object_mut()
                .and_then(|schema| schema.shift_remove(key));
        }
    }
    copy_members(&mut document, &mut unions, changes);
    let converting: Vec<Vec<bool>> = unions
        .iter()
        .map(|union| converting(&document, &union.variants))
        .collect();
    for (union, converting) in unions.into_iter().zip(converting) {
        let Union { name, variants, .. } = &union;
        changes.note(format!(
            "{name}: {} variants by {}",
            variants.len(),
            union.tag
        ));
        mark(&mut document, &union, &converting);
    }
    document
}

/// Marks the schema of a union, and takes the tag out of its members: the union writes it.
fn mark(document: &mut Document, union: &Union, converting: &[bool]) {
    let Union {
        name,
        tag,
        variants,
    } = union;
    for (_, member) in variants {
        if let Some(member) = document.schemas_mut().get_mut(member) {
            drop_property(member, tag);
            // A member with nothing but its tag is a type all the same.
            member[marks::KEEP] = Value::Bool(true);
        }
    }
    let names = names(document.schema(name), name, variants);
    let list: Vec<Value> = variants
        .iter()
        .zip(names)
        .zip(converting)
        .map(|(((value, member), variant), converts)| {
            json!({"value": value, "type": member, "name": variant, "converts": converts})
        })
        .collect();
    document.schemas_mut()[name][marks::UNION] = json!({"tag": tag, "variants": list});
}

/// Whether each member converts into the union: it has one tag only, or the overlay chooses one
/// (`x-mkio-tag`).
fn converting(document: &Document, variants: &Variants) -> Vec<bool> {
    let tags = |member: &str| variants.iter().filter(|(_, name)| name == member).count();
    variants
        .iter()
        .map(|(value, member)| {
            let schema = document.schema(member);
            let chosen = schema.and_then(|schema| schema.get(marks::TAG));
            tags(member) == 1 || chosen.is_some_and(|chosen| chosen == value)
        })
        .collect()
}

/// Tag values with the names of their members: those of the mapping in its order, then members
/// that it does not list, by the tag in their own schema, or by their name, as OpenAPI defines.
fn variants(
    document: &Document,
    schema: &Value,
    tag: &str,
    pointer: &str,
    changes: &mut Changes,
) -> Variants {
    let mut variants: Variants = entries(schema.pointer("/discriminator/mapping"))
        .filter_map(|(value, target)| {
            let name = target.as_str()?.rsplit('/').next()?;
            document.schema(name)?;
            Some((value.to_owned(), name.to_owned()))
        })
        .collect();
    let listed = !variants.is_empty();
    let members = ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|key| schema[key].as_array())
        .flatten();
    for name in members.filter_map(ref_name) {
        if variants.iter().any(|(_, member)| member == name) {
            continue;
        }
        // A union within a union has the same tag, or none of its members counts.
        let inner = document
            .schema(name)
            .filter(|inner| inner["discriminator"]["propertyName"] == tag);
        if let Some(inner) = inner {
            let pointer = schema_pointer(name, inner);
            variants.extend(self::variants(document, inner, tag, &pointer, changes));
            continue;
        }
        let own = own_tags(document, name, tag);
        if own.is_empty() {
            let origin = document
                .schema(name)
                .map(|schema| schema_pointer(name, schema));
            let value = origin
                .as_deref()
                .and_then(|pointer| pointer.rsplit('/').next())
                .unwrap_or(name)
                .to_owned();
            if listed {
                changes.warn(document.problem(
                    format!("{pointer}/discriminator/mapping"),
                    format!("no value for the member {value:?}; its name is taken"),
                    "a mapping that lists all members; an overlay action can add it",
                ));
            }
            variants.push((value, name.to_owned()));
        }
        variants.extend(own.into_iter().map(|value| (value, name.to_owned())));
    }
    let mut seen = HashSet::new();
    variants.retain(|(value, _)| seen.insert(value.clone()));
    if variants
        .iter()
        .all(|(_, member)| is_object(document, member))
    {
        variants
    } else {
        Variants::new()
    }
}

/// The values of the tag in a member's own schema.
fn own_tags(document: &Document, member: &str, tag: &str) -> Vec<String> {
    let property = document
        .schema(member)
        .and_then(|schema| schema["properties"].get(tag));
    let Some(property) = property else {
        return Vec::new();
    };
    let named = ref_name(&property["allOf"][0]).or(ref_name(property));
    let tag = named
        .and_then(|name| document.schema(name))
        .unwrap_or(property);
    let values = tag["enum"].as_array().into_iter().flatten();
    // A tag that may have every value of the union does not identify the member.
    let values: Vec<_> = values
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if values.len() == 1 {
        values
    } else {
        Vec::new()
    }
}

/// A member has to be an object, which can hold the tag.
fn is_object(document: &Document, name: &str) -> bool {
    document.schema(name).is_some_and(|schema| {
        let kind = schema.get("type");
        let union = schema.get("oneOf").is_some() || schema.get("anyOf").is_some();
        let other = schema.get("enum").is_some() || schema.get("items").is_some();
        kind.is_none_or(|kind| kind == "object") && !union && !other
    })
}

/// A member that is also used on its own, or under another tag, keeps its tag there: the union
/// gets a copy.
fn copy_members(document: &mut Document, unions: &mut [Union], changes: &mut Changes) {
    let mut alone = Vec::new();
    for (name, schema) in document.schemas() {
        if unions.iter().all(|union| union.name != name) {
            walk::references(schema, &mut alone);
        }
    }
    let paths = document.root.get("paths").unwrap_or(&Value::Null);
    walk::references(paths, &mut alone);
    let alone: HashSet<String> = alone.into_iter().map(str::to_owned).collect();
    let mut taken: HashMap<String, String> = HashMap::new();
    let mut copies: HashMap<(String, String), String> = HashMap::new();
    for union in unions {
        let Union {
            name,
            tag,
            variants,
        } = union;
        for (_, member) in variants {
            let other_tag = taken.get(member).is_some_and(|other| other != tag);
            if !other_tag && !alone.contains(member) {
                taken.insert(member.clone(), tag.clone());
                continue;
            }
            let key = (member.clone(), tag.clone());
            let copy = copies.entry(key).or_insert_with(|| {
                let mut copy = format!("{}{}", singular(name), type_name(member));
                while document.schema(&copy).is_some() {
                    copy.push('2');
                }
                let mut schema = document
                    .schema(member)
                    .cloned()
                    .unwrap_or_else(|| Value::Object(Map::new()));
                schema
                    .as_object_mut()
                    .and_then(|schema| schema.shift_remove(marks::TYPE_NAME));
                changes.note(format!("{copy}: {member} as a member of {name}"));
                document.schemas_mut().insert(copy.clone(), schema);
                copy
            });
            *member = copy.clone();
        }
    }
}

fn drop_property(schema: &mut Value, property: &str) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.shift_remove(property);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != property);
    }
}

/// Names of the variants: those of the overlay, or else the distinct parts of their tags.
fn names(schema: Option<&Value>, union: &str, variants: &Variants) -> Vec<String> {
    let chosen = schema.and_then(|schema| schema.get(marks::VARIANT_NAMES));
    let derived = variant_names(union, variants);
    let names = variants.iter().zip(derived).map(|((value, _), name)| {
        let chosen = chosen.and_then(|names| names.get(value)?.as_str());
        chosen.map_or(name, str::to_owned)
    });
    names.collect()
}

/// The distinct part of each variant: the tag value without the words that all share with the
/// union. `#Microsoft.Media.BuiltInStandardEncoderPreset` of `TransformPreset` is
/// `BuiltInStandardEncoder`.
fn variant_names(union: &str, variants: &[(String, String)]) -> Vec<String> {
    let values: Vec<&str> = variants.iter().map(|(value, _)| value.as_str()).collect();
    let last = |value: &str| value.rsplit('.').next().unwrap_or(value).to_owned();
    let with_namespace: Vec<String> = values
        .iter()
        .map(|value| variant_name(&last(value)))
        .collect();
    let plain: Vec<String> = with_namespace
        .iter()
        .map(|name| trim_union(union, name))
        .collect();
    let distinct = |names: &[String]| {
        let mut sorted = names.to_vec();
        sorted.sort();
        sorted.dedup();
        sorted.len() == names.len()
    };
    // `Google.Storage` and `Microsoft.Storage`: the names of the members are better.
    let members: Vec<String> = variants
        .iter()
        .map(|(_, member)| trim_words(union, member))
        .collect();
    let mut names = match [plain, members, with_namespace] {
        [names, _, _] if distinct(&names) => names,
        [_, names, _] if distinct(&names) => names,
        [_, _, names] => names,
    };
    if !distinct(&names) {
        // The same last word in two namespaces: the first keeps it, the others get their namespace.
        let mut seen = Vec::new();
        for (index, name) in names.iter_mut().enumerate() {
            *name = trim_union(union, name);
            if seen.contains(name) {
                *name = variant_name(values[index].trim_start_matches('#'));
                *name = trim_union(union, name);
            }
            seen.push(name.clone());
        }
    }
    let mut unique: Vec<String> = Vec::new();
    for mut name in names {
        if name == "Unknown" {
            name = "DeclaredUnknown".to_owned();
        }
        while unique.contains(&name) {
            name.push('_');
        }
        unique.push(name);
    }
    unique
}

/// Cuts the last words of a member's name that the union's name has, too, in any order.
fn trim_words(union: &str, member: &str) -> String {
    use heck::ToSnakeCase;
    let (union, member) = (union.to_snake_case(), member.to_snake_case());
    let union: Vec<&str> = union.split('_').collect();
    let mut own: Vec<&str> = member.split('_').collect();
    while own.len() > 1 && own.last().is_some_and(|last| union.contains(last)) {
        own.pop();
    }
    crate::names::type_name(&own.join(" "))
}

/// Cuts leading and trailing words that a variant shares with its union.
fn trim_union(union: &str, name: &str) -> String {
    let words = |name: &str| -> Vec<String> {
        use heck::ToSnakeCase;
        name.to_snake_case().split('_').map(str::to_owned).collect()
    };
    let (union, own) = (words(union), words(name));
    let lead = own.iter().zip(&union).take_while(|(a, b)| a == b).count();
    let ends = own.iter().rev().zip(union.iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    if lead + tail >= own.len() {
        return name.to_owned();
    }
    // A single shared first word is not a namespace unless the whole rest is shared, too.
    let lead = if lead >= 2 { lead } else { 0 };
    let kept = &own[lead..own.len() - tail];
    let name = crate::names::type_name(&kept.join(" "));
    if name.starts_with('V') && kept[0].starts_with(|c: char| c.is_ascii_digit()) {
        return variant_name(&own.join(" "));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    fn names(union: &str, values: &[&str]) -> Vec<String> {
        let variants: Vec<_> = values
            .iter()
            .map(|v| (v.to_string(), String::new()))
            .collect();
        variant_names(union, &variants)
    }

    #[test]
    fn variants_are_named_by_what_differs() {
        assert_eq!(
            names(
                "TransformPreset",
                &[
                    "#Microsoft.Media.BuiltInStandardEncoderPreset",
                    "#MediaKind.EncoderPreset"
                ]
            ),
            ["BuiltInStandardEncoder", "Encoder"]
        );
        assert_eq!(
            names(
                "ContentKeyPolicyRestriction",
                &[
                    "#Microsoft.Media.ContentKeyPolicyOpenRestriction",
                    "#Microsoft.Media.ContentKeyPolicyUnknownRestriction",
                ]
            ),
            ["Open", "DeclaredUnknown"]
        );
        assert_eq!(
            names(
                "TransformPreset",
                &[
                    "#MediaKind.BuiltInAssetConverterPreset",
                    "#Microsoft.Media.BuiltInAssetConverterPreset",
                ]
            ),
            [
                "BuiltInAssetConverter",
                "MicrosoftMediaBuiltInAssetConverter"
            ]
        );
        assert_eq!(
            names("Credential", &["AWS.S3", "Microsoft.Storage"]),
            ["S3", "Storage"]
        );
    }

    #[test]
    fn words_of_the_union_leave_the_names_of_members() {
        for (member, name) in [
            ("AwsS3Credential", "AwsS3"),
            ("Credential", "Credential"),
            ("Storage", "Storage"),
        ] {
            assert_eq!(trim_words("StorageCredential", member), name);
        }
        for (name, short) in [("VideoCredential", "Video"), ("Credential", "Credential")] {
            assert_eq!(trim_union("StorageCredential", name), short);
        }
    }

    #[test]
    fn the_overlay_may_name_variants() {
        let variants = vec![
            ("application/json-patch+json".to_owned(), "A".to_owned()),
            ("plain".to_owned(), "B".to_owned()),
        ];
        let schema = json!({"x-mkio-variant-names": {"application/json-patch+json": "JsonPatch"}});
        assert_eq!(
            super::names(Some(&schema), "Overrides", &variants),
            ["JsonPatch", "Plain"]
        );
    }

    #[test]
    fn the_tag_leaves_the_members() {
        let (document, _) = testing::run(
            run,
            testing::with_schemas(json!({
                "U": {"oneOf": [{"$ref": "#/components/schemas/A"}], "discriminator": {"propertyName": "t"}},
                "A": {"required": ["t", "x"], "properties": {"t": {"type": "string", "enum": ["a"]}, "x": {"type": "string"}}},
            })),
        );
        assert_eq!(
            document.schema("A").unwrap(),
            &json!({"required": ["x"], "properties": {"x": {"type": "string"}}, "x-mkio-keep": true})
        );
        assert_eq!(
            document.schema("U").unwrap()["x-mkio-union"],
            json!({"tag": "t", "variants": [{"value": "a", "type": "A", "name": "A", "converts": true}]})
        );
    }

    fn object(tag: Value) -> Value {
        json!({"properties": {"t": tag, "x": {"type": "string"}}})
    }

    fn union_of(schemas: Value) -> (Document, Vec<String>) {
        let mut changes = Changes::default();
        let document = run(testing::with_schemas(schemas), &mut changes);
        let warnings = changes.warnings().iter().map(ToString::to_string).collect();
        (document, warnings)
    }

    fn reference(name: &str) -> Value {
        crate::document::reference(name)
    }

    #[test]
    fn members_that_a_tag_cannot_stand_in_are_said() {
        for member in [
            json!({"type": "string"}),
            json!({"oneOf": [reference("A")]}),
            json!({"anyOf": [reference("A")]}),
            json!({"enum": ["a"]}),
            json!({"items": {}}),
        ] {
            let (document, warnings) = union_of(json!({
                "U": {"oneOf": [reference("A"), reference("M")], "discriminator": {"propertyName": "t"}},
                "A": object(json!({"type": "string", "enum": ["a"]})),
                "M": member,
            }));
            assert!(!warnings.is_empty(), "{member}");
            assert!(document.schema("U").unwrap().get(marks::UNION).is_none());
        }
    }

    #[test]
    fn members_that_the_mapping_does_not_list_have_variants() {
        let (document, warnings) = union_of(json!({
            "U": {"oneOf": [reference("A"), reference("B"), reference("C")], "discriminator": {
                "propertyName": "t", "mapping": {"a": "#/components/schemas/A"},
            }},
            "A": object(json!({"type": "string"})),
            "B": object(json!({"type": "string", "enum": ["b"]})),
            "C": object(json!({"type": "string"})),
        }));
        let variants = &document.schema("U").unwrap()[marks::UNION]["variants"];
        let values: Vec<&str> = variants
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|v| v["value"].as_str())
            .collect();
        assert_eq!(values, ["a", "b", "C"]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("/components/schemas/U/discriminator/mapping")
                && warnings[0].contains("\"C\"")
        );
    }

    #[test]
    fn a_member_that_is_also_used_alone_keeps_its_tag_there() {
        let (document, warnings) = union_of(json!({
            "U": {"anyOf": [reference("A")], "discriminator": {"propertyName": "t"}},
            "V": {"oneOf": [reference("A")], "discriminator": {"propertyName": "x"}},
            "S": {"properties": {"a": reference("A")}},
            "A": object(json!({"type": "string", "enum": ["a"]})),
        }));
        assert!(warnings.is_empty(), "{warnings:?}");
        let fields = |name: &str| {
            let fields = document.schema(name).unwrap()["properties"]
                .as_object()
                .unwrap();
            fields.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(fields("A"), ["t", "x"]);
        assert_eq!(fields("UA"), ["x"]);
        assert_eq!(fields("VA"), ["t"]);
    }

    #[test]
    fn a_member_behind_two_tags_converts_where_the_overlay_says() {
        let mut b = object(json!({"type": "string"}));
        let mut a = b.clone();
        a[marks::TAG] = json!("a2");
        b["properties"]["y"] = json!({"type": "string"});
        let (document, _) = union_of(json!({
            "U": {"oneOf": [reference("A"), reference("B")], "discriminator": {"propertyName": "t", "mapping": {
                "a1": "#/components/schemas/A", "a2": "#/components/schemas/A",
                "b1": "#/components/schemas/B", "b2": "#/components/schemas/B",
            }}},
            "A": a, "B": b,
        }));
        let variants = &document.schema("U").unwrap()[marks::UNION]["variants"];
        let converting: Vec<_> = (0..4).map(|n| variants[n]["converts"] == true).collect();
        assert_eq!(converting, [false, true, false, false]);
    }

    #[test]
    fn unions_without_tags_are_json_and_said_so() {
        for union in [
            json!({"oneOf": [{}]}),
            json!({"oneOf": [reference("L")], "discriminator": {"propertyName": "t"}}),
        ] {
            let (document, warnings) =
                union_of(json!({"U": union, "L": {"type": "array", "items": {}}}));
            assert!(
                warnings[0].contains("/components/schemas/U"),
                "{warnings:?}"
            );
            assert_eq!(document.schema("U").unwrap(), &json!({}));
        }
    }
}
