//! The callers and their permissions.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, header};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        keys,
        kind::Kind,
        merge,
        store::{Address, Resource},
        world::{PLATFORM_USER, World},
    },
    docs::{Documents, Operation},
    platform::tokens,
};

/// Who a request comes from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: Uuid,
    /// The organization the token opens.
    pub organization: Uuid,
    /// The token's id.
    pub token: Uuid,
    /// What a restricted token may do; none when everything its user may.
    pub permissions: Option<Value>,
}

impl Caller {
    /// The caller of operations that need no token.
    pub fn anonymous() -> Self {
        Self {
            user: PLATFORM_USER,
            organization: Uuid::nil(),
            token: Uuid::nil(),
            permissions: None,
        }
    }

    /// The operator of the emulator.
    pub fn operator(world: &World) -> Self {
        Self {
            organization: world.home,
            ..Self::anonymous()
        }
    }

    /// Whether this caller may use a capability such as `ams.asset.get` in a scope.
    fn has(&self, scope: &str, id: Option<Uuid>, capability: &str) -> bool {
        let Some(permissions) = &self.permissions else {
            return true;
        };
        let Some((name, verb)) = capability.rsplit_once('.') else {
            return false;
        };
        let scopes = permissions.get(scope).and_then(Value::as_object);
        scopes
            .into_iter()
            .flatten()
            .filter(|(given, _)| id.is_none_or(|id| **given == id.to_string()))
            .any(|(_, granted)| {
                let verbs = granted.get(name).and_then(Value::as_array);
                verbs
                    .into_iter()
                    .flatten()
                    .any(|granted| granted.as_str() == Some(verb))
            })
    }

    /// Whether this caller may see a project.
    pub fn sees(&self, project: &Resource) -> bool {
        owner(project) == Some(self.organization)
            && (self.has("core.customer", Some(self.organization), "core.project.get")
                || self.has("core.project", Some(project.id), "core.project.get"))
    }

    /// Checks the capabilities of an operation; one of them is enough.
    ///
    /// # Errors
    /// 403 when the token has none of them.
    pub fn may(&self, operation: &Operation, project: Option<Uuid>) -> Result<(), ApiError> {
        if self.permissions.is_none() || operation.capabilities.is_empty() {
            return Ok(());
        }
        // A list of projects shows those that the token knows.
        let any_project = operation.path == "/api/v1/projects";
        let granted = operation.capabilities.iter().any(|capability| {
            self.may_use(capability, project)
                || (any_project && self.has("core.project", None, capability))
        });
        if granted {
            return Ok(());
        }
        Err(lacks(&operation.capabilities.join(" or ")))
    }

    /// Checks which of an operation's capabilities a write needs, once it is known whether there is something to replace.
    ///
    /// # Errors
    /// 403 when the token lacks that one.
    pub fn may_write(
        &self,
        operation: &Operation,
        project: Option<Uuid>,
        replaces: bool,
    ) -> Result<(), ApiError> {
        let verb = if replaces { ".update" } else { ".create" };
        let needed = operation
            .capabilities
            .iter()
            .find(|capability| capability.ends_with(verb));
        match needed {
            Some(capability) if !self.may_use(capability, project) => Err(lacks(capability)),
            _ => Ok(()),
        }
    }

    fn may_use(&self, capability: &str, project: Option<Uuid>) -> bool {
        self.has("core.customer", Some(self.organization), capability)
            || project.is_some_and(|project| self.has("core.project", Some(project), capability))
    }
}

fn lacks(capability: &str) -> ApiError {
    ApiError::forbidden(format!("the token lacks the capability {capability}"))
}

/// The organization that a project belongs to.
pub fn owner(project: &Resource) -> Option<Uuid> {
    Uuid::try_parse(project.private_text("/organization")?).ok()
}

/// Whether the user is invited to an organization and has not accepted.
pub fn is_invited(world: &World, organization: Uuid) -> bool {
    let address = Address::new("", Kind::ORGANIZATION, &organization.to_string());
    let found = world.get(&address);
    found.is_some_and(|found| found.private_text("/invite/state") == Some("pending"))
}

/// Gives a new project to an organization.
pub fn give(project: &mut Resource, organization: Uuid) {
    merge::put(&mut project.private, "/organization", json!(organization));
}

/// Whether an operation needs no token.
pub fn is_open(operation: &Operation) -> bool {
    operation.path.starts_with("/.well-known/")
        || operation.path == "/api/ready"
        || (operation.api.is_device() && operation.path != "/api/channel-me/")
}

/// The bearer token of a request.
pub fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let given = headers
        .get(header::AUTHORIZATION)
        .ok_or_else(|| ApiError::unauthorized("send 'Authorization: Bearer <token>'"))?;
    let token = given.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.ok_or_else(|| ApiError::unauthorized("the Authorization header is not 'Bearer <token>'"))
}

/// Who a token stands for.
///
/// # Errors
/// 401 when it is unknown, expired or revoked, or its user is gone.
pub fn caller(world: &mut World, token: &str) -> Result<Caller, ApiError> {
    let id = *world
        .token_digests
        .get(&keys::digest_of(token))
        .ok_or_else(|| ApiError::unauthorized("the bearer token is not valid"))?;
    if tokens::is_expired(world, id) {
        return Err(ApiError::unauthorized("the bearer token has expired"));
    }
    if tokens::is_revoked(world, id) {
        return Err(ApiError::unauthorized("the bearer token was revoked"));
    }
    let today = world.now.format("%Y-%m-%d").to_string();
    let address = Address::new("", Kind::TOKEN, &id.to_string());
    let token = world
        .get_mut(&address)
        .ok_or_else(|| ApiError::unauthorized("the bearer token is not valid"))?;
    merge::put(&mut token.body, "/spec/lastUsed", json!(today));
    let uuid = |pointer: &str| {
        token
            .text(pointer)
            .and_then(|text| Uuid::try_parse(text).ok())
            .unwrap_or_default()
    };
    let caller = Caller {
        user: uuid("/spec/user"),
        organization: uuid("/spec/organizationId"),
        token: id,
        permissions: token.body.pointer("/spec/permissions").cloned(),
    };
    if !world.has(&Address::new("", Kind::USER, &caller.user.to_string())) {
        return Err(ApiError::unauthorized("the token's user is gone"));
    }
    Ok(caller)
}

/// A user's mail address.
pub fn email_of(world: &World, user: Uuid) -> String {
    user_text(world, user, "/email").unwrap_or_else(|| format!("{user}@example.com"))
}

/// A user's name.
pub fn name_of(world: &World, user: Uuid) -> String {
    user_text(world, user, "/name").unwrap_or_else(|| "Removed user".to_owned())
}

fn user_text(world: &World, user: Uuid, pointer: &str) -> Option<String> {
    world
        .get(&Address::new("", Kind::USER, &user.to_string()))?
        .text(pointer)
        .map(str::to_owned)
}

/// Every capability the documents name, with its verbs: of projects, or of organizations.
pub fn capabilities(in_projects: bool) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in Documents::get().operations() {
        let project = operation.in_project() && operation.path != "/api/v1/projects/{project_name}";
        for capability in operation.capabilities.iter().filter(|_| {
            project == in_projects || operation.path == "/api/v1/projects/{project_name}"
        }) {
            if let Some((name, verb)) = capability.rsplit_once('.') {
                found
                    .entry(name.to_owned())
                    .or_default()
                    .insert(verb.to_owned());
            }
        }
    }
    found
}

/// The permissions of the user, in the form of those of tokens.
pub fn rbac(world: &World, organization: Uuid) -> Value {
    let grants = |in_projects| -> Value {
        capabilities(in_projects)
            .into_iter()
            .map(|(name, verbs)| (name, json!(verbs)))
            .collect::<Map<_, _>>()
            .into()
    };
    let mut projects = Map::new();
    let own = world
        .all("", Kind::PROJECT)
        .filter(|(_, project)| owner(project) == Some(organization));
    for (_, project) in own {
        projects.insert(project.id.to_string(), grants(true));
    }
    json!({ "core.customer": { organization.to_string(): grants(false) }, "core.project": projects })
}

/// The first permission that lies outside of what a user may do, or that is none at all.
pub fn outside(permissions: &Value, rbac: &Value) -> Option<String> {
    const SHAPE: &str =
        r#"permissions look like {"core.project": {"<id>": {"ams.asset": ["get"]}}}"#;
    let Some(scopes) = permissions.as_object() else {
        return Some(SHAPE.to_owned());
    };
    for (scope, ids) in scopes {
        let Some(ids) = ids.as_object() else {
            return Some(format!("{scope} is not an object; {SHAPE}"));
        };
        let Some(known) = rbac.get(scope) else {
            return Some(format!(
                "{scope} is not a scope; there are core.customer and core.project"
            ));
        };
        for (id, grants) in ids {
            let Some(grants) = grants.as_object() else {
                return Some(format!("{scope}.{id} is not an object; {SHAPE}"));
            };
            let Some(known) = known.get(id) else {
                return Some(format!("{scope}.{id} is not yours"));
            };
            for (capability, verbs) in grants {
                let Some(verbs) = verbs.as_array() else {
                    return Some(format!("{scope}.{id}.{capability} is not a list of verbs"));
                };
                let owned = known.get(capability).and_then(Value::as_array);
                for verb in verbs {
                    if !owned.is_some_and(|owned| owned.contains(verb)) {
                        return Some(format!("{scope}.{id}.{capability} does not offer {verb}"));
                    }
                }
            }
        }
    }
    None
}
