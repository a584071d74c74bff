//! The operations of an API, as data.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Ty, Type, Types, nearest::hint};
use crate::{Error, ErrorKind, Operation, Response, Result, edit, glue, json, wait::Resource};

/// The operations and types of an API.
#[derive(Debug)]
pub struct Catalog {
    /// Short name of the API, as [`Operation::api`] has it.
    pub api: &'static str,
    /// Every operation, sorted by id.
    pub entries: &'static [Entry],
    /// Every type, sorted by name.
    pub types: Types,
    /// Resources with a state, for [`Wait::new`](crate::Wait::new).
    pub resources: &'static [&'static Resource],
    /// Calls that act and wait.
    pub actions: &'static [Action],
}

/// An operation, with its parameters, bodies and effect.
#[derive(Debug)]
pub struct Entry {
    /// Its id, method and path.
    pub operation: &'static Operation,
    /// Words of its command, nouns first: `["job", "cancel"]`. Unique among all APIs.
    pub command: &'static [&'static str],
    /// Its description in the document.
    pub docs: &'static str,
    /// Its parameters, those of the path first and in its order.
    pub parameters: &'static [Parameter],
    /// The body that it sends, if it sends one.
    pub body: Option<Body>,
    /// The body of its response.
    pub response: ResponseBody,
    /// For a list: the type of its items.
    pub item: Option<Ty>,
    /// Fields that the list can be sorted by.
    pub sort: &'static [&'static str],
    /// Fields that the list can be filtered by.
    pub filter: &'static [&'static str],
    /// Capabilities that the caller needs.
    pub capability: &'static [&'static str],
    /// Members of a response, or of a list's items, to show in a table: paths such as
    /// `properties/state`.
    pub columns: &'static [&'static str],
    /// How it writes; `None` for everything but PUT and PATCH.
    pub write: Option<Write>,
    /// The wait that can follow the call.
    pub waiting: Option<Waiting>,
    /// The types of its API.
    pub types: Types,
}

/// A parameter of an operation.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in the document, for example `$top`; arguments go by it.
    pub name: &'static str,
    /// Its name in Rust, for example `top`.
    pub ident: &'static str,
    /// Where it is sent.
    pub place: Place,
    /// The type of its value; a list may be given several times.
    pub ty: Ty,
    /// Its description in the document.
    pub docs: &'static str,
    /// A call requires it.
    pub required: bool,
}

/// Where a parameter is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// As a header.
    Header,
}

/// The body that an operation sends.
#[derive(Debug)]
pub struct Body {
    /// Its type; `None` for bytes.
    pub ty: Option<Ty>,
    /// A call requires it.
    pub required: bool,
    pub(super) check: fn(Value) -> Result<Value>,
    pub(super) read: fn(&Value) -> Result<Value, String>,
}

/// The body of a response.
#[derive(Debug)]
pub enum ResponseBody {
    /// Nothing that matters.
    Empty,
    /// Bytes of this media type.
    Bytes(&'static str),
    /// JSON.
    Json(Ty, Retype),
}

/// Through the type of a response, and back to JSON.
#[doc(hidden)]
pub type Retype = fn(Response<Bytes>, &'static Operation) -> Result<Response<Value>>;

/// How an operation writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Write {
    /// Creates the resource, or replaces it.
    Upsert,
    /// Creates it and refuses when it exists.
    CreateOnly,
    /// Changes the fields in the body and keeps the rest.
    Patch,
}

/// The wait that can follow a call.
#[derive(Debug)]
pub struct Waiting {
    /// The resource that the call is about.
    pub resource: &'static Resource,
    /// The effect of the call on it.
    pub effect: Effect,
    /// The goal; empty when it depends on more than the call.
    pub goal: &'static str,
}

/// The effect of a call on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Makes it; it must not exist before.
    Creates,
    /// Brings it to the goal.
    Reaches,
    /// Removes it.
    Deletes,
}

/// Calls that bring a resource to a goal, with bodies that are known beforehand.
#[derive(Debug)]
pub struct Action {
    /// Words of its command.
    pub command: &'static [&'static str],
    /// The resource.
    pub resource: &'static Resource,
    /// The calls, each made when the one before has reached its goal.
    pub steps: &'static [Step],
}

/// A call of an action.
#[derive(Debug)]
pub struct Step {
    /// Id of the operation.
    pub operation: &'static str,
    /// The goal that it is for.
    pub goal: &'static str,
    /// Its body as JSON text; empty for none.
    pub body: &'static str,
}

impl Catalog {
    /// The operation with this id.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when there is none; the message names the
    /// nearest one.
    pub fn entry(&self, id: &str) -> Result<&'static Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.operation.id.cmp(id));
        at.map(|at| &self.entries[at]).map_err(|_| {
            let known: Vec<_> = self.entries.iter().map(|entry| entry.id()).collect();
            let near = super::nearest(id, known.iter().copied());
            let hint = near.map_or_else(
                || "; `operations::ALL` has their names".to_owned(),
                |near| hint(id, &[near]),
            );
            let message = format!("the {} API has no operation {id:?}{hint}", self.api);
            Error::new(ErrorKind::InvalidRequest, message)
        })
    }

    /// The type of this name.
    pub fn type_of(&self, name: &str) -> Option<&'static Type> {
        Type::find(self.types, name)
    }
}

impl Entry {
    /// Nothing known; for filling in.
    #[doc(hidden)]
    pub const fn new(
        operation: &'static Operation,
        command: &'static [&'static str],
        docs: &'static str,
        types: Types,
    ) -> Self {
        Self {
            operation,
            command,
            docs,
            parameters: &[],
            body: None,
            response: ResponseBody::Empty,
            item: None,
            sort: &[],
            filter: &[],
            capability: &[],
            columns: &[],
            write: None,
            waiting: None,
            types,
        }
    }

    /// Its name, for example `get_asset`.
    pub fn id(&self) -> &'static str {
        self.operation.id
    }

    /// First line of its description in the document.
    pub fn summary(&self) -> &'static str {
        self.docs.lines().next().unwrap_or_default()
    }

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    /// Parameters of the path, in its order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        let all = self.parameters.iter();
        all.filter(|parameter| parameter.place == Place::Path)
    }
}

impl Parameter {
    /// A parameter of the path. For generated code.
    #[doc(hidden)]
    pub const fn path(name: &'static str, ident: &'static str, docs: &'static str) -> Self {
        Self::new(Place::Path, name, ident, Ty::Text, docs, true)
    }

    /// A parameter. For generated code.
    #[doc(hidden)]
    pub const fn new(
        place: Place,
        name: &'static str,
        ident: &'static str,
        ty: Ty,
        docs: &'static str,
        required: bool,
    ) -> Self {
        Self {
            name,
            ident,
            place,
            ty,
            docs,
            required,
        }
    }
}

impl Body {
    /// A body of the type `T`. For generated code.
    #[doc(hidden)]
    pub const fn of<T: DeserializeOwned + Serialize>(ty: Ty, required: bool) -> Self {
        Self {
            ty: Some(ty),
            required,
            check: check::<T>,
            read: edit::through::<T>,
        }
    }

    /// Bytes. For generated code.
    #[doc(hidden)]
    pub const fn bytes(required: bool) -> Self {
        Self {
            ty: None,
            required,
            check: check::<String>,
            read: edit::through::<String>,
        }
    }
}

impl ResponseBody {
    /// JSON of the type `T`. For generated code.
    #[doc(hidden)]
    pub const fn json<T: DeserializeOwned + Serialize>(ty: Ty) -> Self {
        Self::Json(ty, glue::reencode::<T>)
    }
}

/// The body as its type writes it. Members that the type would lose are refused.
fn check<T: DeserializeOwned + Serialize>(value: Value) -> Result<Value> {
    let typed: T = glue::strict_json(value)?;
    json::value_of(&typed).map_err(|error| {
        Error::new(ErrorKind::InvalidRequest, "the body cannot be written").with_source(error)
    })
}
