//! Problem: schemas that several documents have in common become as many Rust types, which clash
//! when two APIs are used side by side. This step finds the schemas that are identical in several
//! documents, descriptions aside; their types are generated once, into the runtime.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Map, Value, json};
use syn::Item;

use crate::{
    document::{Document, append_description},
    marks,
    model::Model,
    passes, refine,
    report::Report,
    states::States,
    walk,
};

/// Marks of a schema's use; identical schemas may be used differently.
const MARKS: [&str; 3] = [marks::READ, marks::WRITTEN, marks::PATCH];

/// Names of shared schemas, with the documents that share them, by their place in the list.
#[derive(Debug)]
pub struct Shared {
    /// Names of the documents' APIs.
    apis: Vec<String>,
    types: BTreeMap<String, BTreeSet<usize>>,
    /// Names that several documents have, but not identically in all of them.
    differing: Vec<String>,
}

impl Shared {
    /// Compares the documents after all passes but the last, and gives schemas that are shared the
    /// marks of all their uses: a schema that one API reads and another one writes has both.
    pub fn find(documents: &mut [Document]) -> Self {
        let mut types = identical(documents);
        while drop_one(&mut types, documents) {}
        for (name, members) in &types {
            for mark in MARKS {
                let marked = |member: &usize| {
                    let schema = documents[*member].schema(name);
                    schema.is_some_and(|schema| schema.get(mark).is_some())
                };
                if members.iter().any(marked) {
                    for member in members {
                        documents[*member].schemas_mut()[name][mark] = json!(true);
                    }
                }
            }
        }
        let apis = documents.iter().map(|document| document.api.name.clone());
        let mut shared = Self {
            apis: apis.collect(),
            types,
            differing: Vec::new(),
        };
        shared.differing = shared.differing(documents);
        shared
    }

    /// Names of the types that a document shares with others.
    pub fn of(&self, document: usize) -> Vec<&str> {
        let members = self.types.iter();
        members
            .filter(|(_, members)| members.contains(&document))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The shared types, each from the first document that has it.
    pub fn code(&self, documents: Vec<Document>) -> Result<Vec<Item>> {
        let mut schemas = Map::new();
        for (name, members) in &self.types {
            let first = members
                .first()
                .and_then(|first| documents[*first].schema(name));
            let Some(mut schema) = first.cloned() else {
                continue;
            };
            if let Some(schema) = schema.as_object_mut() {
                let apis = self.apis(members);
                append_description(schema, &format!("Used by the APIs {apis}."));
            }
            schemas.insert(name.clone(), schema);
        }
        let Some(first) = documents.into_iter().next() else {
            return Ok(Vec::new());
        };
        let root = json!({"paths": {}, "components": {"schemas": schemas}});
        let mut report = Report::default();
        let document = Document::new(first.api, root);
        let document = passes::finish(document, &mut report, &mut |_, _| {});
        report.check()?;
        let (model, states) = (Model::new(&document), States::default());
        let types = refine::types(&document, &model, &states, &mut report)?;
        Ok(types.into_iter().flat_map(|(_, items)| items).collect())
    }

    /// The report of `generate`: the number of shared types, types that are not shared although
    /// several documents have the name, and with `verbose` the APIs that share each.
    pub fn text(&self, verbose: bool) -> String {
        let mut text = format!("shared\n  {} types\n", self.types.len());
        if verbose {
            for (name, members) in &self.types {
                text.push_str(&format!("      {name}: {}\n", self.apis(members)));
            }
        }
        for line in &self.differing {
            text.push_str(&format!("  {line}\n"));
        }
        text
    }

    /// `fleets, live and media`.
    fn apis<'a>(&self, members: impl IntoIterator<Item = &'a usize>) -> String {
        let names = members
            .into_iter()
            .map(|member| self.apis[*member].as_str());
        match &names.collect::<Vec<_>>()[..] {
            [before @ .., last] if !before.is_empty() => {
                format!("{} and {last}", before.join(", "))
            }
            names => names.concat(),
        }
    }

    /// Names that several documents have, of which some have a type of their own.
    fn differing(&self, documents: &[Document]) -> Vec<String> {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (member, document) in documents.iter().enumerate() {
            for (name, _) in document.schemas() {
                places.entry(name).or_default().push(member);
            }
        }
        places.retain(|_, members| members.len() > 1);
        let differing = places.into_iter().filter_map(|(name, members)| {
            let shared = self.types.get(name);
            let alone = |member: &&usize| shared.is_none_or(|shared| !shared.contains(*member));
            let own: Vec<_> = members.iter().filter(alone).collect();
            if own.is_empty() {
                return None;
            }
            let own = format!("{name}: of its own in {}", self.apis(own));
            Some(match shared {
                Some(shared) => format!("{own}, shared by {}", self.apis(shared)),
                None => own,
            })
        });
        differing.collect()
    }
}

/// Names with the largest group of documents that have the same schema under it.
fn identical(documents: &[Document]) -> BTreeMap<String, BTreeSet<usize>> {
    let mut forms: BTreeMap<&str, Vec<(Value, BTreeSet<usize>)>> = BTreeMap::new();
    let schemas = documents.iter().flat_map(Document::schemas);
    let written: BTreeSet<&str> = schemas
        .filter(|(_, schema)| schema.get(marks::WRITTEN).is_some())
        .map(|(name, _)| name)
        .collect();
    for (member, document) in documents.iter().enumerate() {
        for (name, schema) in document.schemas() {
            let form = form(schema, written.contains(name));
            let groups = forms.entry(name).or_default();
            match groups.iter_mut().find(|(known, _)| *known == form) {
                Some((_, members)) => {
                    members.insert(member);
                }
                None => groups.push((form, BTreeSet::from([member]))),
            }
        }
    }
    forms
        .into_iter()
        .filter_map(|(name, groups)| {
            let members = groups.into_iter().map(|(_, members)| members);
            // The first of the largest.
            let largest = members.rev().max_by_key(BTreeSet::len)?;
            (largest.len() > 1).then(|| (name.to_owned(), largest))
        })
        .collect()
}

/// A schema without the keywords that may differ between documents that mean the same.
fn form(schema: &Value, written: bool) -> Value {
    let mut schema = schema.clone();
    walk::schema_mut(&mut schema, "", &mut |_, schema| {
        for silent in MARKS.iter().chain(&["description", marks::ORIGIN]) {
            schema.shift_remove(*silent);
        }
        if !written {
            // `readOnly` is only about sending.
            schema.shift_remove("readOnly");
        }
        // A reference that had a description.
        let only = (schema.len() == 1).then(|| schema.get("allOf")).flatten();
        if let Some([only]) = only.and_then(Value::as_array).map(Vec::as_slice)
            && let Value::Object(reference) = only.clone()
        {
            *schema = reference;
        }
    });
    schema
}

/// Takes out one document whose schema refers to one that it does not share.
fn drop_one(types: &mut BTreeMap<String, BTreeSet<usize>>, documents: &[Document]) -> bool {
    let out = types.iter().find_map(|(name, members)| {
        let alone = |member: &&usize| {
            let mut references = Vec::new();
            if let Some(schema) = documents[**member].schema(name) {
                walk::references(schema, &mut references);
            }
            let shared = |held: &&str| types.get(*held).is_some_and(|with| with.contains(*member));
            !references.iter().all(shared)
        };
        Some((name.clone(), *members.iter().find(alone)?))
    });
    let Some((name, member)) = out else {
        return false;
    };
    if let Some(members) = types.get_mut(&name) {
        members.remove(&member);
        if members.len() < 2 {
            types.remove(&name);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        document::reference,
        passes::testing::{api, with_schemas},
    };

    fn documents(schemas: &[Value]) -> Vec<Document> {
        let mut documents: Vec<_> = schemas.iter().cloned().map(with_schemas).collect();
        for (n, document) in documents.iter_mut().enumerate() {
            let mut named = (*api()).clone();
            named.name = format!("api{n}");
            document.api = named.into();
        }
        documents
    }

    #[test]
    fn identical_schemas_are_shared_with_what_they_hold() {
        let part = json!({"properties": {"x": {"type": "string", "description": "One."}}});
        let holder = json!({"properties": {"part": reference("Part"), "description": {"type": "string"}}, "x-mkio-written": true});
        let mut other = holder.clone();
        other["x-mkio-read"] = json!(true);
        other["description"] = json!("Said otherwise.");
        let mut documents = documents(&[
            json!({"Part": part, "Holder": holder, "Alone": part}),
            json!({"Part": {"properties": {"x": {"type": "string", "description": "Two."}}}, "Holder": other}),
            json!({"Part": {"properties": {"x": {"type": "integer"}}}, "Holder": holder}),
        ]);
        let shared = Shared::find(&mut documents);
        assert_eq!(shared.of(0), ["Holder", "Part"]);
        assert_eq!(shared.of(1), ["Holder", "Part"]);
        // What it holds differs, so it is another type.
        assert!(shared.of(2).is_empty());
        assert_eq!(
            shared.differing,
            [
                "Holder: of its own in api2, shared by api0 and api1",
                "Part: of its own in api2, shared by api0 and api1"
            ]
        );
        assert_eq!(
            shared.text(true),
            format!(
                "shared\n  2 types\n      Holder: api0 and api1\n      Part: api0 and api1\n  {}\n",
                shared.differing.join("\n  ")
            )
        );
        // Used both ways, whichever API does.
        for document in &documents[..2] {
            let holder = document.schema("Holder").unwrap();
            assert!(holder["x-mkio-read"] == true && holder["x-mkio-written"] == true);
        }
        let code = shared.code(documents).unwrap();
        let text = prettyplease::unparse(&crate::code::file(code));
        for line in [
            "pub struct Holder",
            "pub struct Part",
            "Used by the APIs api0 and api1.",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
    }

    #[test]
    fn nothing_is_shared_that_holds_types_of_its_own() {
        let holder = json!({"properties": {"part": reference("Part")}});
        let part = |kind: &str| json!({"properties": {"x": {"type": kind}}});
        let mut documents = documents(&[
            json!({"Part": part("string"), "Holder": holder}),
            json!({"Part": part("integer"), "Holder": holder}),
        ]);
        let shared = Shared::find(&mut documents);
        assert!(shared.types.is_empty(), "{}", shared.text(true));
    }

    #[test]
    fn a_field_more_ends_the_sharing() {
        let schema = json!({"properties": {"x": {"type": "string"}}});
        let mut more = schema.clone();
        more["properties"]["y"] = json!({"type": "string"});
        let mut drifted = documents(&[json!({"A": schema}), json!({"A": more})]);
        let shared = Shared::find(&mut drifted);
        assert!(shared.of(0).is_empty());
        assert_eq!(shared.differing, ["A: of its own in api0 and api1"]);
    }
}
