//! Tokens of users and of the organization, keys, revocations.

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format,
        keys::public_keys,
        kind::Kind,
        merge,
        store::{Address, Place, Resource},
    },
    platform::{
        call::{Call, Response},
        identity,
        rules::{Entry, Platform, Rules, Shape},
        tokens::{LONGEST, NewToken, issue, revoke},
    },
};

impl Kind {
    /// Tokens.
    pub const TOKEN: Self = Self::new("token", "token");
}

/// Tokens, keys, revocations.
pub static ENTRY: Entry = Entry {
    kinds: &[&TOKENS],
    routes: &[
        ("GET /.well-known/jwks.json", keys),
        ("GET /.well-known/revoked.json", revoked),
        ("GET /api/v1/organization/tokens", list_all),
        ("DELETE /api/v1/organization/tokens/{}", revoke_any),
        ("GET /api/v1/user/rbac", rbac),
        ("GET /api/v1/user/tokens", list_own),
        ("POST /api/v1/user/tokens", create),
        ("DELETE /api/v1/user/tokens", revoke_all),
        ("GET /api/v1/user/tokens/{}", get),
        ("DELETE /api/v1/user/tokens/{}", revoke_own),
    ],
    ..Entry::NONE
};

/// Tokens.
pub static TOKENS: Rules = Rules::new(Kind::TOKEN, "UserToken", Shape::Bare);

/// How long a short-lived token lives; the platform publishes no figure.
const SHORT: TimeDelta = TimeDelta::hours(1);

/// GET `/.well-known/jwks.json`.
pub fn keys(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(public_keys(&world.signer)?))
}

/// GET `/.well-known/revoked.json`.
pub fn revoked(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    let ids: Vec<String> = all(world)
        .filter(|token| is_revoked(token))
        .map(|token| token.id.to_string())
        .collect();
    Ok(Response::ok(json!({ "revokedTokens": ids })))
}

fn all(world: &Platform) -> impl Iterator<Item = &Resource> {
    world.all("", Kind::TOKEN).map(|(_, token)| token)
}

fn is_revoked(token: &Resource) -> bool {
    token
        .body
        .pointer("/spec/revoked")
        .is_some_and(|revoked| !revoked.is_null())
}

fn is_live(token: &Resource, now: DateTime<Utc>) -> bool {
    token
        .private_text("/expires")
        .and_then(format::parse_time)
        .is_some_and(|expires| expires > now)
}

fn listed(tokens: Vec<Value>) -> Response {
    Response::ok(json!({ "kind": "UserTokenList", "value": tokens }))
}

/// GET `/api/v1/user/tokens`.
pub fn list_own(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let now = world.now;
    Ok(listed(
        all(world)
            .filter(|token| token.created_by == call.user && is_live(token, now))
            .filter(|token| reaches(call, token.id))
            .map(|token| token.body.clone())
            .collect(),
    ))
}

/// GET `/api/v1/organization/tokens`.
pub fn list_all(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let now = world.now;
    Ok(listed(
        all(world)
            .filter(|token| of_organization(call, token))
            .filter(|token| is_live(token, now))
            .map(|token| token.body.clone())
            .collect(),
    ))
}

/// POST `/api/v1/user/tokens`.
pub fn create(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    if call.restricted {
        return Err(ApiError::forbidden(
            "a token with reduced permissions cannot make tokens",
        ));
    }
    let text = |name: &str| call.body.get(name).and_then(Value::as_str);
    let kind = text("type").unwrap_or_default();
    let organization = text("organizationId")
        .and_then(|id| Uuid::try_parse(id).ok())
        .unwrap_or_default();
    if !world.has(&Address::new(
        "",
        Kind::ORGANIZATION,
        &organization.to_string(),
    )) {
        return Err(refuse("organizationId", "is not an organization of yours"));
    }
    if identity::is_invited(world, organization) {
        let reason = "is one whose invitation is pending; accept it first";
        return Err(refuse("organizationId", reason));
    }
    let given = text("expireDate").and_then(format::parse_time);
    let new = NewToken {
        kind,
        user: call.user,
        organization,
        expires: expires(kind, given, world.now)?,
        permissions: permissions(world, kind, organization, call.body.get("permissions"))?,
        description: text("description"),
    };
    let (id, token) = issue(world, &new, None)?;
    let mut body = world.find(&address(id))?.body.clone();
    merge::put(&mut body, "/metadata/JWT", json!(token));
    Ok(Response::json(StatusCode::CREATED, body))
}

fn refuse(field: &str, reason: &str) -> ApiError {
    ApiError::field(&format!("/{field}"), reason)
}

/// When a new token of this kind expires.
fn expires(
    kind: &str,
    given: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, ApiError> {
    let short = matches!(kind, "login" | "ephemeral");
    let reason = match given {
        Some(_) if short => "is for full-access and restricted tokens only",
        Some(expires) if expires <= now => "is in the past",
        Some(expires) if expires > now + LONGEST => "is more than a year ahead",
        Some(expires) => return Ok(expires),
        None if short => return Ok(now + SHORT),
        None => return Ok(now + LONGEST),
    };
    Err(refuse("expireDate", reason))
}

/// The permissions of a new token of this kind: less than those of its user, or none of its own.
fn permissions(
    world: &Platform,
    kind: &str,
    organization: Uuid,
    given: Option<&Value>,
) -> Result<Value, ApiError> {
    let reduced = matches!(kind, "restricted" | "ephemeral");
    let reason = match given {
        Some(_) if !reduced => "is for restricted and ephemeral tokens only",
        None if reduced => "is required for restricted and ephemeral tokens",
        Some(permissions) => {
            let rbac = identity::rbac(world, organization);
            if let Some(problem) = identity::outside(permissions, &rbac) {
                return Err(refuse("permissions", &problem));
            }
            if identity::outside(&rbac, permissions).is_some() {
                return Ok(permissions.clone());
            }
            "grants everything that its user may do; leave some of it out, or make a full-access token"
        }
        None => return Ok(Value::Null),
    };
    Err(refuse("permissions", reason))
}

fn address(id: Uuid) -> Address {
    Address::new("", Kind::TOKEN, &id.to_string())
}

/// The token that the path names, if it is one of those.
fn named(
    world: &Platform,
    call: &Call<'_>,
    is_one: impl Fn(&Resource) -> bool,
) -> Result<Uuid, ApiError> {
    let id = call.parameter("token_id");
    let unknown = || ApiError::not_found(format!("there is no token with id '{id}'"));
    let id = Uuid::try_parse(id).map_err(|_| unknown())?;
    let token = world.get(&address(id)).filter(|token| is_one(token));
    token.map(|_| id).ok_or_else(unknown)
}

/// Whether a token is for the caller's organization.
fn of_organization(call: &Call<'_>, token: &Resource) -> bool {
    token.text("/spec/organizationId") == Some(&call.organization.to_string())
}

/// Whether the caller's token may be used on a token: with reduced permissions on itself alone.
fn reaches(call: &Call<'_>, id: Uuid) -> bool {
    !call.restricted || call.caller.token == id
}

/// The token of the caller's user that the path names.
fn own(world: &Platform, call: &Call<'_>) -> Result<Uuid, ApiError> {
    // The id alone decides, so that a reduced token does not learn which others there are.
    let itself = Uuid::try_parse(call.parameter("token_id")).is_ok_and(|id| reaches(call, id));
    if call.restricted && !itself {
        return Err(ApiError::forbidden(
            "a token with reduced permissions can read and revoke only itself",
        ));
    }
    named(world, call, |token| token.created_by == call.user)
}

/// GET `/api/v1/user/tokens/{token_id}`.
pub fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let id = own(world, call)?;
    Ok(Response::ok(world.find(&address(id))?.body.clone()))
}

/// DELETE `/api/v1/user/tokens/{token_id}`.
pub fn revoke_own(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let id = own(world, call)?;
    revoke(world, id, call.user);
    Ok(Response::empty(StatusCode::OK))
}

/// DELETE `/api/v1/user/tokens`: logout everywhere.
pub fn revoke_all(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    if call.restricted {
        return Err(ApiError::forbidden(
            "a token with reduced permissions cannot revoke other tokens of its user",
        ));
    }
    let ids: Vec<Uuid> = all(world)
        .filter(|token| token.created_by == call.user && !is_revoked(token))
        .map(|token| token.id)
        .collect();
    for id in ids {
        revoke(world, id, call.user);
    }
    Ok(Response::empty(StatusCode::OK))
}

/// DELETE `/api/v1/organization/tokens/{token_id}`.
pub fn revoke_any(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let id = named(world, call, |token| of_organization(call, token))?;
    revoke(world, id, call.user);
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

/// GET `/api/v1/user/rbac`.
pub fn rbac(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = Place::new("", Kind::TEAM);
    let user = call.user.to_string();
    let teams: Vec<Value> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter())
        .filter(|team| team.body.pointer("/spec/members").and_then(|members| members.get(&user)).is_some())
        .map(|team| json!({ "id": team.id, "name": &*team.name, "scopes": team.body.pointer("/spec/scopes") }))
        .collect();
    Ok(Response::ok(
        json!({ "rbac": identity::rbac(world, call.organization), "teams": teams }),
    ))
}
