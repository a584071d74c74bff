//! One operation of a document: its request and its responses.

use std::sync::OnceLock;

use http::{Method, StatusCode};
use jsonschema::Validator;
use serde_json::Value;

use crate::docs::{
    api::{Api, Side},
    schemas::{Schemas, findings},
};

/// A query parameter as the document declares it.
#[derive(Debug)]
pub struct QueryParameter {
    /// Name as it travels, `$top`.
    pub name: String,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Its schema.
    pub schema: Value,
    validator: OnceLock<Result<Validator, String>>,
}

/// A declared request body.
#[derive(Debug)]
pub struct Body {
    /// Content type, `application/json`.
    pub content_type: String,
    /// Its schema.
    pub schema: Value,
    validator: OnceLock<Result<Validator, String>>,
}

/// A declared response with a body.
#[derive(Debug)]
pub struct Response {
    /// Status of the response.
    pub status: StatusCode,
    /// Content type, when the document declares a body.
    pub content_type: Option<String>,
    /// Schema of the body, when the document declares one.
    pub schema: Option<Value>,
    validator: OnceLock<Result<Validator, String>>,
}

/// An operation of one of the documents.
#[derive(Debug)]
pub struct Operation {
    /// Its place among all operations.
    pub index: usize,
    /// The API it belongs to.
    pub api: Api,
    /// Its method.
    pub method: Method,
    /// Its path template, `/api/v1/projects/{project_name}/media/assets`.
    pub path: String,
    /// Method and path, whatever its parameters are called: `GET /api/v1/projects/{}/media/assets/{}`.
    pub signature: String,
    /// The document's operation id.
    pub id: String,
    /// The name that it has in Rust: `list_assets`.
    pub name: &'static str,
    /// Pointers of the fields of its body that cannot change once the resource exists.
    pub immutable: Vec<&'static str>,
    /// Declared query parameters.
    pub query: Vec<QueryParameter>,
    /// Declared request bodies; more than one when several content types are taken.
    pub bodies: Vec<Body>,
    /// Whether the document demands a body.
    pub body_required: bool,
    /// Declared responses.
    pub responses: Vec<Response>,
    /// Capabilities of which the caller needs one (`ams.asset.get`); empty when any signed-in user may call it.
    pub capabilities: Vec<String>,
    /// Fields that `$orderby` may name; empty when the document names none.
    pub sortable: Vec<String>,
    /// Fields that `$filter` may name; empty when the document names none.
    pub filterable: Vec<String>,
    /// The document's summary.
    pub summary: String,
}

impl Operation {
    /// Whether the document declares this query parameter.
    pub fn takes(&self, name: &str) -> bool {
        self.query.iter().any(|parameter| parameter.name == name)
    }

    /// The path below the project or the prefix of the API: `assets/{asset_name}`.
    pub fn tail(&self) -> &str {
        let path = self
            .path
            .strip_prefix("/api/v1/projects/{project_name}/")
            .unwrap_or(&self.path);
        path.split_once('/').map_or(path, |(_, tail)| tail)
    }

    /// Whether the path lies in a project.
    pub fn in_project(&self) -> bool {
        self.path.starts_with("/api/v1/projects/{project_name}")
    }

    /// The declared response for a status.
    pub fn response(&self, status: StatusCode) -> Option<&Response> {
        self.responses
            .iter()
            .find(|response| response.status == status)
    }

    /// Checks a response against the document: the status has to be declared and the body has to satisfy its schema.
    ///
    /// # Errors
    /// The mismatches, one line each.
    pub fn check_response(&self, status: StatusCode, body: Option<&Value>) -> Result<(), String> {
        let response = self
            .response(status)
            .ok_or_else(|| format!("{}: status {status} is not declared", self.id))?;
        let (Some(validator), Some(body)) = (response.validator(self.api)?, body) else {
            return Ok(());
        };
        let findings = findings(validator, body, 10);
        if findings.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = findings
            .into_iter()
            .map(|(at, what)| format!("{} {status} at '{at}': {what}", self.id))
            .collect();
        Err(lines.join("\n"))
    }
}

impl QueryParameter {
    /// Why a value is refused; none when the schema takes it. Booleans are left to the handler.
    pub(crate) fn refuses(&self, api: Api, text: &str) -> Result<Option<String>, String> {
        let value = match self.schema.get("type").and_then(Value::as_str) {
            Some("boolean") => return Ok(None),
            Some("integer") => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
            _ => Value::from(text),
        };
        let validator = self
            .validator
            .get_or_init(|| Schemas::get().compile(api, &self.schema, Side::Request))
            .as_ref()
            .map_err(Clone::clone)?;
        let found = findings(validator, &value, 1).into_iter().next();
        Ok(found.map(|(_, reason)| reason))
    }
}

impl Body {
    /// The compiled schema of this body.
    pub(crate) fn validator(&self, api: Api) -> Result<&Validator, String> {
        self.validator
            .get_or_init(|| Schemas::get().compile(api, &self.schema, Side::Request))
            .as_ref()
            .map_err(Clone::clone)
    }
}

impl Response {
    /// The compiled schema of this response, when it has one.
    pub(crate) fn validator(&self, api: Api) -> Result<Option<&Validator>, String> {
        match &self.schema {
            None => Ok(None),
            Some(schema) => self
                .validator
                .get_or_init(|| Schemas::get().compile(api, schema, Side::Response))
                .as_ref()
                .map(Some)
                .map_err(Clone::clone),
        }
    }
}

/// Adds the operations of a document.
pub(super) fn collect(
    api: Api,
    document: &Value,
    operations: &mut Vec<Operation>,
) -> Result<(), String> {
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .ok_or_else(|| format!("{}: no paths", api.name()))?;
    let mut notes = api.notes();
    for (path, item) in paths {
        let methods = item
            .as_object()
            .ok_or_else(|| format!("{}: {path} is not an object", api.name()))?;
        for (method, operation) in methods {
            let method = match method.as_str() {
                "get" => Method::GET,
                "put" => Method::PUT,
                "post" => Method::POST,
                "patch" => Method::PATCH,
                "delete" => Method::DELETE,
                _ => continue,
            };
            let index = operations.len();
            let mut operation = read((index, api), method, path, operation)?;
            if let Some(notes) = notes.remove(operation.signature.as_str()) {
                operation.name = notes.name;
                operation.immutable = notes.immutable;
            }
            operations.push(operation);
        }
    }
    Ok(())
}

fn read(
    (index, api): (usize, Api),
    method: Method,
    path: &str,
    operation: &Value,
) -> Result<Operation, String> {
    let list = |key: &str| -> Vec<String> {
        let items = operation.get(key).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let text = |key: &str| {
        let text = operation.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Ok(Operation {
        index,
        api,
        signature: signature(&method, path),
        method,
        path: path.to_owned(),
        id: text("operationId"),
        name: "",
        immutable: Vec::new(),
        query: query(operation),
        bodies: bodies(operation),
        body_required: operation.pointer("/requestBody/required") == Some(&Value::Bool(true)),
        responses: responses(api, path, operation)?,
        capabilities: list("x-mkio-capability"),
        sortable: list("x-mkio-sort"),
        filterable: list("x-mkio-filter"),
        summary: text("summary"),
    })
}

fn signature(method: &Method, path: &str) -> String {
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| {
            if segment.starts_with('{') {
                "{}"
            } else {
                segment
            }
        })
        .collect();
    format!("{method} {}", segments.join("/"))
}

fn query(operation: &Value) -> Vec<QueryParameter> {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters
        .into_iter()
        .flatten()
        .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"))
        .filter_map(|parameter| {
            Some(QueryParameter {
                name: parameter.get("name")?.as_str()?.to_owned(),
                required: parameter
                    .get("required")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
                schema: schema(parameter),
                validator: OnceLock::new(),
            })
        })
        .collect()
}

fn bodies(operation: &Value) -> Vec<Body> {
    let content = operation
        .pointer("/requestBody/content")
        .and_then(Value::as_object);
    content
        .into_iter()
        .flatten()
        .map(|(content_type, media)| Body {
            content_type: content_type.clone(),
            schema: schema(media),
            validator: OnceLock::new(),
        })
        .collect()
}

/// The schema of a parameter or a body; one that takes anything where there is none.
fn schema(of: &Value) -> Value {
    of.get("schema").cloned().unwrap_or(Value::Bool(true))
}

fn responses(api: Api, path: &str, operation: &Value) -> Result<Vec<Response>, String> {
    let mut responses = Vec::new();
    for (status, response) in operation
        .get("responses")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let status = status
            .parse::<u16>()
            .ok()
            .and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or_else(|| {
            format!(
                "{}: {path} declares a status that is not a number",
                api.name()
            )
        })?;
        let content = response.get("content").and_then(Value::as_object);
        // JSON is what the emulator answers where a document offers several types.
        let media = content.and_then(|content| {
            content
                .get_key_value("application/json")
                .or_else(|| content.iter().next())
        });
        responses.push(Response {
            status,
            content_type: media.map(|(content_type, _)| content_type.clone()),
            schema: media.and_then(|(_, media)| media.get("schema")).cloned(),
            validator: OnceLock::new(),
        });
    }
    Ok(responses)
}
