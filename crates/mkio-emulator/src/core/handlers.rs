//! Which operation does what.

use std::sync::OnceLock;

use http::Method;

use super::call::{Answer, Call, Handler};
use super::error::ApiError;
use super::family::{Family, Kind};
use super::world::World;
use super::{generic, list, media};
use crate::docs::{Api, Documents, Operation};

/// What an operation does.
#[derive(Clone, Copy)]
pub enum Action {
    /// Lists a family.
    List(Kind),
    /// Reads one.
    Get(Kind),
    /// Makes or replaces one.
    Put(Kind),
    /// Changes one.
    Patch(Kind),
    /// Deletes one.
    Delete(Kind),
    /// Reads the state of one.
    State(Kind),
    /// Something of its own.
    Own(Handler),
}

impl Action {
    /// Does it.
    ///
    /// # Errors
    /// What the platform answers instead.
    pub fn run(self, world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
        match self {
            Self::List(kind) => list::list(world, call, Family::of(kind)),
            Self::Get(kind) => generic::get(world, call, Family::of(kind)),
            Self::Put(kind) => generic::put(world, call, Family::of(kind)),
            Self::Patch(kind) => generic::patch(world, call, Family::of(kind)),
            Self::Delete(kind) => generic::delete(world, call, Family::of(kind)),
            Self::State(kind) => generic::state(world, call, Family::of(kind)),
            Self::Own(handler) => handler(world, call),
        }
    }
}

/// The action of each operation, in the order of [`Documents::operations`].
pub fn actions() -> &'static [Option<Action>] {
    static ACTIONS: OnceLock<Vec<Option<Action>>> = OnceLock::new();
    ACTIONS.get_or_init(|| Documents::get().operations().iter().map(action).collect())
}

fn action(operation: &Operation) -> Option<Action> {
    match operation.api {
        Api::Media => media_action(&operation.method, operation.tail()),
        _ => None,
    }
}

/// The generic action for a method on `collection` or `collection/{name}`.
fn generic_action(method: &Method, tail: &str, families: &[(&str, Kind)]) -> Option<Action> {
    for (collection, kind) in families {
        let Some(rest) = tail.strip_prefix(collection) else {
            continue;
        };
        let one = rest.starts_with("/{") && rest.ends_with('}') && !rest[1..].contains('/');
        match (method.as_str(), rest) {
            ("GET", "") => return Some(Action::List(*kind)),
            ("GET", _) if one => return Some(Action::Get(*kind)),
            ("PUT", _) if one => return Some(Action::Put(*kind)),
            ("PATCH", _) if one => return Some(Action::Patch(*kind)),
            ("DELETE", _) if one => return Some(Action::Delete(*kind)),
            ("GET", rest)
                if rest
                    .strip_suffix("/state")
                    .is_some_and(|name| name.starts_with("/{") && !name[1..].contains('/')) =>
            {
                return Some(Action::State(*kind));
            }
            _ => {}
        }
    }
    None
}

const MEDIA: &[(&str, Kind)] = &[
    ("assets", Kind::Asset),
    ("storage", Kind::Storage),
    ("streamingEndpoints", Kind::StreamingEndpoint),
    ("streamingLocators", Kind::StreamingLocator),
    ("streamingPolicies", Kind::StreamingPolicy),
    ("transforms", Kind::Transform),
    ("transforms/{transform_name}/jobs", Kind::Job),
];

fn media_action(method: &Method, tail: &str) -> Option<Action> {
    let own: Handler = match (method.as_str(), tail) {
        ("GET", "assets/{asset_name}/storage/") => media::assets::storage,
        ("POST", "assets/{asset_name}/listStreamingLocators") => media::assets::locators,
        ("GET", "jobs") => media::jobs::list_all,
        ("POST", "transforms/{transform_name}/jobs/{job_name}/cancelJob") => media::jobs::cancel,
        ("DELETE", "storage/{storage_name}") => media::storage::delete,
        ("GET", "storage/{storage_name}/credentials") => media::storage::list_credentials,
        ("POST", "storage/{storage_name}/credentials") => media::storage::add_credential,
        ("GET", "storage/{storage_name}/credentials/{credential_id}") => {
            media::storage::get_credential
        }
        ("DELETE", "storage/{storage_name}/credentials/{credential_id}") => {
            media::storage::delete_credential
        }
        ("POST", "streamingEndpoints/{endpoint_name}/start") => media::endpoints::start,
        ("POST", "streamingEndpoints/{endpoint_name}/stop") => media::endpoints::stop,
        ("POST", "streamingEndpoints/{endpoint_name}/restart") => media::endpoints::restart,
        ("POST", "streamingEndpoints/{endpoint_name}/scale") => media::endpoints::scale,
        ("GET", "streamingEndpoints/{endpoint_name}/skus") => media::endpoints::skus,
        ("POST", "streamingLocators/{locator_name}/listPaths") => media::locators::paths,
        ("POST", "streamingLocators/{locator_name}/listContentKeys") => {
            media::locators::content_keys
        }
        _ => return generic_action(method, tail, MEDIA),
    };
    Some(Action::Own(own))
}
