//! Problem: progenitor ignores discriminators and tries the members of a union one after the
//! other. This pass writes down, for each union with a discriminator, tag, tag values and variant
//! names in `x-mkio-union`, from which a tagged enum is made, and takes the tag out of the
//! members: the enum writes it. A union without a discriminator is refused; an overlay has to say
//! what it means.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    document::{Document, Problem, entries, escape, ref_name},
    names::variant_name,
    report::Changes,
    walk,
};

/// Tag values with the names of their members.
type Variants = Vec<(String, String)>;

pub fn run(mut document: Document, changes: &mut Changes) -> Result<Document, Problem> {
    let mut unions = Vec::new();
    for (name, schema) in document.schemas() {
        if schema.get("oneOf").is_none() && schema.get("anyOf").is_none() {
            continue;
        }
        let pointer = format!("/components/schemas/{}", escape(name));
        let Some(tag) = schema
            .pointer("/discriminator/propertyName")
            .and_then(Value::as_str)
        else {
            return Err(document.problem(
                pointer,
                "a union without a discriminator",
                "a discriminator, or an overlay action that replaces the union",
            ));
        };
        let variants = variants(&document, schema, tag);
        if variants.is_empty() {
            return Err(document.problem(
                pointer,
                "a discriminator without mapping whose members do not say their tag",
                "a mapping, or members with a one-value enum as the tag",
            ));
        }
        unions.push((name.to_owned(), tag.to_owned(), variants));
    }
    check_members(&document, &unions)?;
    for (name, tag, variants) in unions {
        changes.note(format!("{name}: {} variants by {tag}", variants.len()));
        for (_, member) in &variants {
            if let Some(member) = document.schemas_mut().get_mut(member) {
                drop_property(member, &tag);
                // A member with nothing but its tag is a type all the same.
                member["x-mkio-keep"] = Value::Bool(true);
            }
        }
        let names = variant_names(&name, &variants);
        let list: Vec<Value> = variants
            .iter()
            .zip(names)
            .map(|((value, member), variant)| json!({"value": value, "type": member, "name": variant}))
            .collect();
        document.schemas_mut()[&name]["x-mkio-union"] = json!({"tag": tag, "variants": list});
    }
    Ok(document)
}

/// Tag values with the names of their members, in the mapping's order.
fn variants(document: &Document, schema: &Value, tag: &str) -> Variants {
    let mapped: Vec<_> = entries(schema.pointer("/discriminator/mapping"))
        .filter_map(|(value, target)| {
            let name = target.as_str()?.rsplit('/').next()?;
            Some((value.to_owned(), name.to_owned()))
        })
        .collect();
    if !mapped.is_empty() {
        return mapped;
    }
    let members = schema["oneOf"].as_array().into_iter().flatten();
    members
        .filter_map(ref_name)
        .filter_map(|name| {
            let tag = document
                .schema(name)?
                .pointer(&format!("/properties/{}", escape(tag)))?;
            let tag = match ref_name(&tag["allOf"][0]).or(ref_name(tag)) {
                Some(named) => document.schema(named)?,
                None => tag,
            };
            let value = tag["enum"][0].as_str()?;
            Some((value.to_owned(), name.to_owned()))
        })
        .collect()
}

/// A member that is also used on its own would lose its tag there.
fn check_members(
    document: &Document,
    unions: &[(String, String, Variants)],
) -> Result<(), Problem> {
    let mut tags: HashMap<&str, &str> = HashMap::new();
    for (name, tag, variants) in unions {
        for (_, member) in variants {
            if let Some(other) = tags.insert(member, tag)
                && other != tag
            {
                return Err(document.problem(
                    format!("/components/schemas/{}", escape(name)),
                    format!("member {member:?} with the tags {other:?} and {tag:?}"),
                    "one tag for each member",
                ));
            }
        }
    }
    let mut alone = Vec::new();
    for (name, schema) in document.schemas() {
        if unions.iter().all(|(union, ..)| union != name) {
            walk::references(schema, &mut alone);
        }
    }
    let paths = document.root.get("paths").unwrap_or(&Value::Null);
    walk::references(paths, &mut alone);
    match alone.iter().find(|name| tags.contains_key(**name)) {
        Some(member) => Err(document.problem(
            format!("/components/schemas/{}", escape(member)),
            "a member of a tagged union that is also used on its own",
            "use in unions only; let the overlay copy the schema",
        )),
        None => Ok(()),
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

/// What tells the variants apart: the tag value without what all of them share with the union.
/// `#Microsoft.Media.BuiltInStandardEncoderPreset` of `TransformPreset` is `BuiltInStandardEncoder`.
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
    // `Google.Storage` and `Microsoft.Storage`: the members say it better.
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
        // The same last word in two namespaces: the first keeps it, the others say theirs.
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
    for name in &mut names {
        if name == "Unknown" {
            *name = "DeclaredUnknown".to_owned();
        }
    }
    names
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
    let mut tail = 0;
    while tail < own.len()
        && tail < union.len()
        && own[own.len() - 1 - tail] == union[union.len() - 1 - tail]
    {
        tail += 1;
    }
    if lead + tail >= own.len() {
        return name.to_owned();
    }
    // A single shared first word is no namespace unless the whole rest is shared, too.
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
            json!({"tag": "t", "variants": [{"value": "a", "type": "A", "name": "A"}]})
        );
    }

    #[test]
    fn untagged_unions_are_refused() {
        let problem = run(
            testing::with_schemas(json!({"U": {"oneOf": [{}]}})),
            &mut Changes::default(),
        )
        .unwrap_err();
        assert_eq!(problem.pointer, "/components/schemas/U");
        assert!(problem.accepted.contains("overlay"), "{problem}");
    }
}
