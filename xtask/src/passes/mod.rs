//! Passes: rules for all documents, one file each. Together they turn a published document into one
//! that progenitor can generate good code from.
//!
//! Corrections of a single document are not passes; they are actions in `spec/overlays`.

mod aliases;
mod all_of;
mod arguments;
mod deprecation;
mod direction;
mod extract_types;
pub mod idents;
mod limits;
mod operation_docs;
pub mod operation_names;
mod optionality;
pub mod parameters;
mod patch_bodies;
mod ref_siblings;
mod references;
mod request_bodies;
mod responses;
pub mod secrets;
mod shapes;
mod supported;
mod type_names;
mod unions;

pub use idents::EXTRA;

use crate::{
    document::Document,
    report::{Changes, Report},
};

/// A pass: from a document to a changed document, noting each change. It reports problems and
/// warnings to `Changes` and leaves their parts out, so that later passes have a valid document.
type Pass = fn(Document, &mut Changes) -> Document;

/// The passes of one document by itself, in the order in which they run.
const PASSES: [(&str, Pass); 20] = [
    // needs: a document that the check has found nothing wrong with
    ("references", references::run),
    // needs: parameters and bodies in their place (references)
    ("supported", supported::run),
    // needs: references to named schemas only (references)
    ("all of", all_of::run),
    // needs: fields of compositions, to tell members apart (all of)
    ("shapes", shapes::run),
    // needs: parameters in their place (references)
    ("parameters", parameters::run),
    // needs: methods that get code only (supported)
    ("operation names", operation_names::run),
    // needs: operations where they stay (references)
    ("operation docs", operation_docs::run),
    // needs: names, which twins make theirs of (operation names); media types that can be sent (supported)
    ("request bodies", request_bodies::run),
    // needs: names (operation names); the fields of compositions, to find the richest (all of)
    ("responses", responses::run),
    // needs: one description for each field (all of, shapes)
    ("deprecation", deprecation::run),
    // needs: properties at their published places, for messages
    ("secrets", secrets::run),
    // needs: unions with null as `nullable` (shapes)
    ("ref siblings", ref_siblings::run),
    // needs: one type for each schema (shapes)
    ("limits", limits::run),
    // needs: references in the form that renaming knows (ref siblings)
    ("type names", type_names::run),
    // needs: final names, which those of parts are made of (type names), one response each (responses)
    ("extract types", extract_types::run),
    // needs: unions and their members with names (extract types)
    ("unions", unions::run),
    // needs: what keeps its type is marked (unions)
    ("aliases", aliases::run),
    // needs: parameters without references to text (aliases)
    ("arguments", arguments::run),
    // needs: references that stay (aliases)
    ("patch bodies", patch_bodies::run),
    // needs: all bodies (patch bodies)
    ("direction", direction::run),
];

/// The passes that run once it is known how other documents use the shared types.
const LAST: [(&str, Pass); 2] = [
    // needs: what is read and what is written (direction)
    ("optionality", optionality::run),
    // needs: all fields and parameters that get code (optionality)
    ("idents", idents::run),
];

/// Names of the passes, in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    PASSES.iter().chain(&LAST).map(|(name, _)| *name)
}

/// Runs the passes of one document by itself; `seen` is given the document after each.
pub fn run(
    document: Document,
    report: &mut Report,
    seen: &mut dyn FnMut(&str, &Document),
) -> Document {
    steps(&PASSES, document, report, seen)
}

/// Runs the passes that are left; `seen` is given the document after each.
pub fn finish(
    document: Document,
    report: &mut Report,
    seen: &mut dyn FnMut(&str, &Document),
) -> Document {
    steps(&LAST, document, report, seen)
}

fn steps(
    passes: &[(&'static str, Pass)],
    mut document: Document,
    report: &mut Report,
    seen: &mut dyn FnMut(&str, &Document),
) -> Document {
    for (name, pass) in passes {
        document = report.step(name, |changes| pass(document, changes));
        seen(name, &document);
    }
    document
}

#[cfg(test)]
pub mod testing {
    //! Shared by the tests of the passes.

    use std::sync::Arc;

    use serde_json::{Map, Value, json};

    use super::*;
    use crate::{apis::Api, document::reference};

    /// The API that the tests' documents describe.
    pub fn api() -> Arc<Api> {
        let mut api = Api::unlisted("media", "Media").unwrap();
        api.prefix = "projects/{}/media".to_owned();
        Arc::new(api)
    }

    /// A document around `root`.
    pub fn document(root: Value) -> Document {
        Document::new(api(), root)
    }

    /// A document with only these named schemas.
    pub fn with_schemas(schemas: Value) -> Document {
        document(
            json!({"openapi": "3.0.2", "info": {"title": "t", "version": "1"}, "paths": {}, "components": {"schemas": schemas}}),
        )
    }

    /// A document with only these paths.
    pub fn with_paths(paths: Value) -> Document {
        document(
            json!({"openapi": "3.0.2", "info": {"title": "t", "version": "1"}, "paths": paths, "components": {"schemas": {}}}),
        )
    }

    /// Thirty schemas, `T0` to `T29`, that all refer to each other: there are more ways through them
    /// than can be walked. Each has `more` as well.
    pub fn tangled(more: &Value) -> Map<String, Value> {
        let names = (0..30).map(|n| format!("T{n}"));
        let mut all: Map<String, Value> = names
            .clone()
            .map(|name| (name.clone(), reference(&name)))
            .collect();
        all.insert("more".to_owned(), more.clone());
        names
            .map(|name| (name, json!({"properties": all})))
            .collect()
    }

    /// Runs a pass that must succeed, and gives the document and the number of its changes.
    pub fn run(pass: Pass, document: Document) -> (Document, usize) {
        let mut changes = Changes::default();
        let document = pass(document, &mut changes);
        assert_eq!(changes.problems(), []);
        (document, changes.len())
    }
}
