//! Rules for all documents, one file each: from what the service publishes to what progenitor
//! can turn into good code.
//!
//! Corrections of a single document are not passes; they are actions in `spec/overlays`.

mod aliases;
mod check;
mod deprecation;
mod direction;
mod extract_types;
mod limits;
mod openapi31;
mod operation_docs;
mod operation_names;
mod optionality;
pub mod parameters;
mod ref_siblings;
mod request_bodies;
mod responses;
mod type_names;
mod unions;

use crate::{
    document::{Document, Problem},
    report::{Changes, Report},
};

/// A pass: from a document to a changed document, noting what it changed.
type Pass = fn(Document, &mut Changes) -> Result<Document, Problem>;

/// Marks the path of an operation that shares method and path with another one, which OpenAPI
/// cannot say. Removed again from the generated code.
pub const TWIN: &str = "/x-mkio-twin-";

/// All passes in the order in which they run; later ones rely on earlier ones.
const PASSES: [(&str, Pass); 16] = [
    ("check", check::run),
    ("openapi31", openapi31::run),
    ("parameters", parameters::run),
    ("operation names", operation_names::run),
    ("operation docs", operation_docs::run),
    ("request bodies", request_bodies::run),
    ("responses", responses::run),
    ("deprecation", deprecation::run),
    ("ref siblings", ref_siblings::run),
    ("limits", limits::run),
    ("type names", type_names::run),
    ("extract types", extract_types::run),
    ("unions", unions::run),
    ("aliases", aliases::run),
    ("direction", direction::run),
    ("optionality", optionality::run),
];

/// Runs all passes.
pub fn run(mut document: Document, report: &mut Report) -> Result<Document, Problem> {
    for (name, pass) in PASSES {
        document = report.step(name, |changes| pass(document, changes))?;
    }
    Ok(document)
}

#[cfg(test)]
pub mod testing {
    //! What the passes' tests share.

    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::apis::Api;

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

    /// Runs a pass that must succeed, and gives the document and the number of its changes.
    pub fn run(pass: Pass, document: Document) -> (Document, usize) {
        let mut changes = Changes::default();
        let document = pass(document, &mut changes).unwrap();
        (document, changes.len())
    }
}
