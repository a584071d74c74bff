//! Conversions into a type: into a body from its only required field, into a PATCH from its only
//! field, into a union from its members, through any number of levels up to a limit.

use std::collections::BTreeMap;

use crate::{
    document::ref_name,
    model::{Model, Shape, Type},
};

/// Longest chain of envelopes; types that contain themselves end here.
const DEPTH: usize = 8;

/// Names of the types that convert into a structure which holds nothing but one of them, or requires
/// nothing else.
pub fn into_envelope(model: &Model, name: &str) -> Vec<String> {
    sources(model, name, DEPTH)
}

/// Names of the types that convert into a union because they make one of its members and no
/// other, with the variant.
pub fn through_members(model: &Model, name: &str) -> Vec<(String, String)> {
    through(model, name, DEPTH)
}

/// Everything that `impl Into<…>` of a named type accepts, the type itself included.
pub fn accepted(model: &Model, name: &str) -> Vec<String> {
    let mut all = sources(model, name, DEPTH);
    all.push(name.to_owned());
    all
}

fn sources(model: &Model, name: &str, depth: usize) -> Vec<String> {
    let Some(of) = model.types.get(name).filter(|_| depth > 0) else {
        return Vec::new();
    };
    let mut all = match &of.shape {
        Shape::Struct(_) => match held(model, of) {
            Some(held) => {
                let mut all = sources(model, held, depth - 1);
                all.push(held.to_owned());
                all
            }
            None => Vec::new(),
        },
        Shape::Union { variants, .. } => {
            let members = variants.iter().filter(|variant| variant.converts);
            let mut all: Vec<_> = members.map(|variant| variant.member.clone()).collect();
            all.extend(
                through(model, name, depth)
                    .into_iter()
                    .map(|(source, _)| source),
            );
            all
        }
        Shape::Enum(_) | Shape::Secret => Vec::new(),
    };
    all.retain(|source| source != name);
    all.sort();
    all.dedup();
    all
}

fn through(model: &Model, name: &str, depth: usize) -> Vec<(String, String)> {
    let Some(Shape::Union { variants, .. }) = model.types.get(name).map(|of| &of.shape) else {
        return Vec::new();
    };
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for variant in variants.iter().filter(|variant| variant.converts) {
        for source in sources(model, &variant.member, depth.saturating_sub(1)) {
            found.entry(source).or_default().push(&variant.name);
        }
    }
    let member = |source: &str| variants.iter().any(|variant| variant.member == source);
    found
        .into_iter()
        .filter(|(source, _)| source != name && !member(source))
        .filter_map(|(source, variants)| match variants[..] {
            [one] => Some((source, one.to_owned())),
            _ => None,
        })
        .collect()
}

/// The structure or union that a structure is an envelope of.
fn held<'a>(model: &Model, of: &'a Type) -> Option<&'a str> {
    let field = &of.fields()?.get(content(of)?)?;
    let name = ref_name(&field.schema).or_else(|| ref_name(&field.schema["allOf"][0]))?;
    let shape = &model.types.get(name)?.shape;
    matches!(shape, Shape::Struct(_) | Shape::Union { .. }).then_some(name)
}

/// Name of the one field that a structure requires, or of the one that a PATCH can change.
fn content(of: &Type) -> Option<&str> {
    let fields = of.fields().filter(|_| of.written)?;
    match &of.required[..] {
        [required] => Some(required),
        [] if of.patch && fields.len() == 1 => {
            let (name, field) = fields.first()?;
            (!field.nullable && !field.read_only).then_some(name)
        }
        _ => None,
    }
}

/// The field that a value is put into, where the constructor does not ask for it.
pub fn optional_content(of: &Type) -> Option<&str> {
    content(of).filter(|_| of.required.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{document::reference, passes::testing::with_schemas};

    fn model() -> Model {
        let envelope = |held: Value| json!({"x-mkio-written": true, "x-mkio-required": ["p"], "properties": {"p": held, "q": {}}});
        let variant = |name: &str, member: &str| json!({"value": name, "name": name, "type": member, "converts": true});
        Model::new(&with_schemas(json!({
            "Put": envelope(reference("Properties")),
            "Properties": envelope(json!({"allOf": [reference("Preset")]})),
            "Preset": {"x-mkio-union": {"tag": "t", "variants": [
                variant("A", "EnvelopeA"), variant("B", "EnvelopeB"), variant("C", "EnvelopeC"),
            ]}},
            "EnvelopeA": envelope(reference("Core")),
            "EnvelopeB": envelope(reference("Both")),
            "EnvelopeC": envelope(reference("Both")),
            "Core": envelope(json!({"type": "string"})),
            "Both": {"x-mkio-written": true, "properties": {}},
            "Loop": envelope(reference("Loop")),
            "Wide": {"x-mkio-union": {"tag": "t", "variants": [
                variant("A", "EnvelopeA"), variant("C", "Core"),
            ]}},
        })))
    }

    #[test]
    fn a_patch_of_one_thing_is_an_envelope_of_it() {
        let patch = |properties: Value| json!({"x-mkio-written": true, "x-mkio-patch": true, "properties": properties});
        let model = Model::new(&with_schemas(json!({
            "OnePatch": patch(json!({"spec": reference("SpecPatch")})),
            "TwoPatch": patch(json!({"spec": reference("SpecPatch"), "metadata": reference("SpecPatch")})),
            "SpecPatch": patch(json!({"invite": reference("Invite")})),
            "Invite": patch(json!({"state": {"type": "string"}})),
            "Optional": {"x-mkio-written": true, "properties": {"spec": reference("SpecPatch")}},
            "NullPatch": patch(json!({"spec": {"allOf": [reference("SpecPatch")], "nullable": true, "x-mkio-nullable": true}})),
            "ReadPatch": patch(json!({"spec": {"allOf": [reference("SpecPatch")], "readOnly": true}})),
        })));
        assert_eq!(into_envelope(&model, "OnePatch"), ["Invite", "SpecPatch"]);
        assert_eq!(optional_content(&model.types["OnePatch"]), Some("spec"));
        for name in ["TwoPatch", "Invite", "Optional", "NullPatch", "ReadPatch"] {
            assert!(into_envelope(&model, name).is_empty(), "{name}");
        }
    }

    #[test]
    fn envelopes_convert_as_deep_as_one_required_field_leads() {
        let model = model();
        assert_eq!(
            into_envelope(&model, "Put"),
            [
                "Core",
                "EnvelopeA",
                "EnvelopeB",
                "EnvelopeC",
                "Preset",
                "Properties"
            ]
        );
        assert_eq!(
            through_members(&model, "Preset"),
            [("Core".to_owned(), "A".to_owned())]
        );
        // A member is one already.
        assert!(through_members(&model, "Wide").is_empty());
        // Text and other plain values make no structure by themselves.
        assert!(into_envelope(&model, "Core").is_empty());
        assert!(into_envelope(&model, "Loop").is_empty());
    }
}
