//! The published API documents, and what the emulator reads out of them: routes, parameters, bodies, schemas.
//!
//! Nothing here knows a resource. A newer document changes what is accepted and answered without a change in code, as long
//! as its operations have a handler.

mod operation;
mod prune;
mod routes;
mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::Method;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Registry, ValidationError, Validator};
use serde_json::{Value, json};

pub use operation::{Body, Operation, QueryParameter, Reply};
pub use prune::Keep;
pub use routes::{Parameters, RouteError, Routes};

/// One of the seven APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// Media API, `/api/v1/projects/{project_name}/media/`.
    Media,
    /// Live API, `/api/v1/projects/{project_name}/live/`.
    Live,
    /// Templates API, `/api/v1/projects/{project_name}/templating/`.
    Templates,
    /// Fleets API, `/api/v1/projects/{project_name}/fleet/`.
    Fleets,
    /// Infrastructure API, `/api/v1/projects/{project_name}/infra/`.
    Infrastructure,
    /// Management API, `/api/v1/` and `/.well-known/`.
    Management,
    /// Channels API of a Beam device, `/api/channel…`.
    Channels,
}

impl Api {
    /// All of them, in the order of their documents.
    pub const ALL: [Self; 7] = [
        Self::Media,
        Self::Live,
        Self::Templates,
        Self::Fleets,
        Self::Infrastructure,
        Self::Management,
        Self::Channels,
    ];

    /// The document's name: `media` for `spec/media.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Live => "live",
            Self::Templates => "templates",
            Self::Fleets => "fleets",
            Self::Infrastructure => "infrastructure",
            Self::Management => "management",
            Self::Channels => "channels",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Media => include_str!("../../../../spec/media.json"),
            Self::Live => include_str!("../../../../spec/live.json"),
            Self::Templates => include_str!("../../../../spec/templates.json"),
            Self::Fleets => include_str!("../../../../spec/fleets.json"),
            Self::Infrastructure => include_str!("../../../../spec/infrastructure.json"),
            Self::Management => include_str!("../../../../spec/management.json"),
            Self::Channels => include_str!("../../../../spec/channels.json"),
        }
    }
}

/// Which side of the wire a schema is read for: read-only fields are ignored in requests, write-only ones in replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What a caller sends.
    Request,
    /// What the emulator answers.
    Response,
}

/// The seven documents, read once per process.
pub struct Documents {
    schemas: Vec<(Api, Value)>,
    registry: Registry<'static>,
    operations: Vec<Operation>,
    routes: Routes,
}

impl Documents {
    /// The documents this crate was built with.
    ///
    /// # Panics
    /// When a document that ships with the crate is not the OpenAPI document it has to be; a test of this crate reads them all.
    pub fn get() -> &'static Self {
        static DOCUMENTS: OnceLock<Documents> = OnceLock::new();
        DOCUMENTS.get_or_init(|| {
            Self::load().unwrap_or_else(|problem| {
                panic!("a document that ships with the crate cannot be read: {problem}")
            })
        })
    }

    fn load() -> Result<Self, String> {
        let mut schemas = Vec::new();
        let mut operations = Vec::new();
        let mut registry = Registry::new();
        for api in Api::ALL {
            let document: Value = serde_json::from_str(api.text())
                .map_err(|error| format!("{}: {error}", api.name()))?;
            operation::collect(api, &document, &mut operations)?;
            for side in [Side::Request, Side::Response] {
                registry = registry
                    .add(address(api, side), view::schemas(&document, side))
                    .map_err(|error| format!("{}: {error}", api.name()))?;
            }
            schemas.push((api, document));
        }
        let registry = registry.prepare().map_err(|error| error.to_string())?;
        let routes = Routes::new(&operations);
        Ok(Self {
            schemas,
            registry,
            operations,
            routes,
        })
    }

    /// Every operation of the seven documents, in document order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation that a method and a raw (still escaped) path name, with its decoded path parameters.
    ///
    /// # Errors
    /// When no document has that path, or has it under other methods only, or an escape does not decode to UTF-8.
    pub fn route(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(&Operation, Parameters<'_>), RouteError> {
        let (index, parameters) = self.routes.find(method, path)?;
        match self.operations.get(index) {
            Some(operation) => Ok((operation, parameters)),
            None => Err(RouteError::NotFound { hint: None }),
        }
    }

    /// A validator for an inline or referenced schema of a document.
    pub(crate) fn compile(
        &self,
        api: Api,
        schema: &Value,
        side: Side,
    ) -> Result<Validator, String> {
        let mut schema = view::schema(schema, side);
        absolute(&mut schema, &address(api, side));
        jsonschema::options()
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .offline()
            .build(&schema)
            .map_err(|error| error.to_string())
    }

    /// Keeps of a value what a schema declares; see [`Keep`].
    pub fn prune(&self, api: Api, schema: &Value, value: Value, keep: Keep) -> Value {
        match self.schemas.iter().find(|(candidate, _)| *candidate == api) {
            Some((_, document)) => prune::prune(document, schema, value, keep),
            None => value,
        }
    }
}

/// Where a document's schemas live in the registry.
fn address(api: Api, side: Side) -> String {
    let side = match side {
        Side::Request => "request",
        Side::Response => "response",
    };
    format!("mkio:///{}/{side}", api.name())
}

/// Makes `#/components/…` references point into the registry.
fn absolute(schema: &mut Value, address: &str) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get_mut("$ref")
                && target.starts_with('#')
            {
                *target = format!("{address}{target}");
            }
            for field in fields.values_mut() {
                absolute(field, address);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| absolute(item, address)),
        _ => {}
    }
}

/// What a validator found, as `(JSON pointer, message)`; values are left out of the messages, they may be secrets.
pub(crate) fn findings(
    validator: &Validator,
    value: &Value,
    limit: usize,
) -> Vec<(String, String)> {
    validator
        .iter_errors(value)
        .flat_map(|error| blame(&error))
        .take(limit)
        .collect()
}

/// What is wrong, and where. Of a union without a tag, what its nearest arm has against an object or a list.
fn blame(error: &ValidationError<'_>) -> Vec<(String, String)> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        return vec![told(error)];
    };
    let inside = error.instance().is_object() || error.instance().is_array();
    match context.iter().min_by_key(|arm| arm.len()) {
        Some(arm) if inside => arm.iter().flat_map(blame).collect(),
        _ => vec![told(error)],
    }
}

fn told(error: &ValidationError<'_>) -> (String, String) {
    (
        error.instance_path().to_string(),
        error.masked_with("the value").to_string(),
    )
}

/// Whether a name fits a pattern and bounds that the documents give for names.
pub(crate) fn name_fits(
    pattern: &'static str,
    min: usize,
    max: usize,
    name: &str,
) -> Result<bool, String> {
    type Known = BTreeMap<(&'static str, usize, usize), Arc<Validator>>;
    static VALIDATORS: Mutex<Known> = Mutex::new(BTreeMap::new());
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = match known.get(&(pattern, min, max)) {
        Some(validator) => validator.clone(),
        None => {
            let schema = json!({ "type": "string", "pattern": view::pattern(pattern), "minLength": min, "maxLength": max });
            let validator = Arc::new(
                jsonschema::options()
                    .build(&schema)
                    .map_err(|error| error.to_string())?,
            );
            known.insert((pattern, min, max), validator.clone());
            validator
        }
    };
    drop(known);
    Ok(validator.is_valid(&json!(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_read_and_every_schema_compiles() {
        let documents = Documents::get();
        let cloud = documents
            .operations()
            .iter()
            .filter(|operation| operation.api != Api::Channels)
            .count();
        assert_eq!((cloud, documents.operations().len() - cloud), (238, 21));
        for operation in documents.operations() {
            for body in &operation.bodies {
                body.validator(operation.api)
                    .unwrap_or_else(|problem| panic!("{}: {problem}", operation.id));
            }
            for reply in &operation.replies {
                reply.validator(operation.api).unwrap_or_else(|problem| {
                    panic!("{} {}: {problem}", operation.id, reply.status)
                });
            }
        }
    }
}
