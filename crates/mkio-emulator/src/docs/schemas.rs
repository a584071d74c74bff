//! The documents' schemas: compiled into validators, and for pruning values.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jsonschema::{Registry, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Value, json};

use crate::docs::{
    api::{Api, Side},
    prune::{self, Keep},
    view,
};

/// The documents and their schemas, read once per process.
pub(crate) struct Schemas {
    documents: Vec<(Api, Value)>,
    registry: Registry<'static>,
}

impl Schemas {
    /// The schemas of the documents that this crate was built with.
    ///
    /// # Panics
    /// When a document that ships with the crate is not the OpenAPI document it has to be; a test of this crate reads them all.
    pub(crate) fn get() -> &'static Self {
        static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
        SCHEMAS.get_or_init(|| {
            Self::load().unwrap_or_else(|problem| {
                panic!("a document that ships with the crate cannot be read: {problem}")
            })
        })
    }

    fn load() -> Result<Self, String> {
        let mut documents = Vec::new();
        let mut registry = Registry::new();
        for api in Api::all() {
            let document: Value = serde_json::from_str(api.text())
                .map_err(|error| format!("{}: {error}", api.name()))?;
            for side in [Side::Request, Side::Response] {
                registry = registry
                    .add(address(api, side), view::schemas(&document, side))
                    .map_err(|error| format!("{}: {error}", api.name()))?;
            }
            documents.push((api, document));
        }
        let registry = registry.prepare().map_err(|error| error.to_string())?;
        Ok(Self {
            documents,
            registry,
        })
    }

    /// The documents.
    pub(crate) fn documents(&self) -> &[(Api, Value)] {
        &self.documents
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

    /// Keeps the fields of a value that a schema declares; see [`Keep`].
    pub(crate) fn prune(&self, api: Api, schema: &Value, value: Value, keep: Keep) -> Value {
        match self
            .documents
            .iter()
            .find(|(candidate, _)| *candidate == api)
        {
            Some((_, document)) => prune::prune(document, schema, value, keep),
            None => value,
        }
    }
}

/// The address of a document's schemas in the registry.
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

/// The findings of a validator, as `(JSON pointer, message)`. Messages have no values, which may be secrets.
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

/// The errors with their places. For a union without a tag, the errors of its nearest arm.
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
