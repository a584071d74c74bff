//! Users of the organization and invitations.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Place, Resource},
    },
    platform::{
        call::{Call, Response},
        identity,
        rules::{Entry, Platform, Rules, Shape},
    },
};

impl Kind {
    /// Users.
    pub const USER: Self = Self::new("user", "user");
    /// Invitations.
    pub const INVITE: Self = Self::new("invite", "invitation");
}

/// Users and invitations.
pub static ENTRY: Entry = Entry {
    kinds: &[&USERS, &INVITES],
    routes: &[
        ("GET /api/v1/organization/users", users),
        ("GET /api/v1/organization/users/{}", user),
        ("DELETE /api/v1/organization/users/{}", remove_user),
        ("GET /api/v1/organization/invites", invites),
        ("POST /api/v1/organization/invites", invite),
        ("GET /api/v1/organization/invites/{}", get_invite),
        ("DELETE /api/v1/organization/invites/{}", withdraw),
    ],
    ..Entry::NONE
};

/// Users.
pub static USERS: Rules = Rules::new(Kind::USER, "User", Shape::Bare);
/// Invitations.
pub static INVITES: Rules = Rules::new(Kind::INVITE, "Invite", Shape::Bare);

/// How long an invitation can be accepted.
const INVITE_VALID: chrono::TimeDelta = chrono::TimeDelta::days(14);

fn brief(user: &Resource) -> Value {
    json!({ "kind": "User", "metadata": { "id": user.id }, "spec": { "avatar": "", "email": user.text("/email"), "name": user.text("/name") } })
}

/// GET `…/users`.
pub fn users(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    let values: Vec<Value> = world
        .all("", Kind::USER)
        .map(|(_, user)| brief(user))
        .collect();
    Ok(Response::ok(json!({ "kind": "UserList", "value": values })))
}

fn named(kind: Kind, id: &str) -> Result<Address, ApiError> {
    let unknown = || ApiError::not_found(format!("there is no {} with id '{id}'", kind.noun()));
    Ok(Address::new(
        "",
        kind,
        &Uuid::try_parse(id).map_err(|_| unknown())?.to_string(),
    ))
}

/// GET `…/users/{user_id}`.
pub fn user(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(brief(
        world.find(&named(Kind::USER, call.parameter("user_id"))?)?,
    )))
}

/// DELETE `…/users/{user_id}`: out of every team too.
pub fn remove_user(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = named(Kind::USER, call.parameter("user_id"))?;
    world.find(&address)?;
    if address.name == call.user.to_string() {
        return Err(ApiError::bad_request(
            "the user of the token in use cannot be removed",
        ));
    }
    let place = Place::new("", Kind::TEAM);
    let teams: Vec<String> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter().map(|team| team.name.to_string()))
        .collect();
    for team in teams {
        if let Some(team) = world.get_mut(&place.at(&team)) {
            merge::take(&mut team.body, &format!("/spec/members/{}", address.name));
        }
    }
    world.remove(&address);
    Ok(Response::empty(StatusCode::OK))
}

fn invite_shown(invite: &Resource) -> Value {
    let mut out = json!({ "kind": "Invite", "metadata": { "id": invite.id, "created": format::time(invite.created) } });
    merge::overlay(&mut out, &invite.body);
    out
}

fn is_open(world: &Platform, invite: &Resource) -> bool {
    world.now - invite.created < INVITE_VALID
}

/// GET `…/invites`: open ones only.
pub fn invites(world: &mut Platform, _: &Call<'_>) -> Result<Response, ApiError> {
    let values: Vec<Value> = world
        .all("", Kind::INVITE)
        .filter(|(_, invite)| is_open(world, invite))
        .map(|(_, invite)| invite_shown(invite))
        .collect();
    Ok(Response::ok(
        json!({ "kind": "InviteList", "value": values }),
    ))
}

/// POST `…/invites`.
pub fn invite(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let email = call.body.text("/spec/email").unwrap_or_default().to_owned();
    if !email.contains('@') {
        return Err(ApiError::field("/spec/email", "is not a mail address"));
    }
    check_is_new(world, &email)?;
    check_teams(world, call.body.pointer("/spec/teams"))?;
    let mut body = call.body.clone();
    let organization = world.find(&Address::new(
        "",
        Kind::ORGANIZATION,
        &call.organization.to_string(),
    ))?;
    merge::put(
        &mut body,
        "/spec/organizationName",
        json!(organization.text("/spec/name").unwrap_or_default()),
    );
    merge::put(
        &mut body,
        "/spec/invitedByEmail",
        json!(identity::email_of(world, call.user)),
    );
    merge::put(
        &mut body,
        "/spec/invitedByName",
        json!(identity::name_of(world, call.user)),
    );
    let id = Uuid::new_v4();
    let address = Address::new("", Kind::INVITE, &id.to_string());
    world.insert(&address, body, call.user)?.id = id;
    Ok(Response::json(
        StatusCode::CREATED,
        invite_shown(world.find(&address)?),
    ))
}

/// A user of the organization, or one with an open invitation, is not invited again.
fn check_is_new(world: &Platform, email: &str) -> Result<(), ApiError> {
    if world
        .all("", Kind::USER)
        .any(|(_, user)| user.text("/email") == Some(email))
    {
        return Err(ApiError::conflict(
            "this user is in the organization already",
        ));
    }
    if world
        .all("", Kind::INVITE)
        .any(|(_, invite)| invite.text("/spec/email") == Some(email) && is_open(world, invite))
    {
        return Err(ApiError::conflict(
            "this user has a pending invitation already",
        ));
    }
    Ok(())
}

/// The teams of an invitation exist.
fn check_teams(world: &Platform, teams: Option<&Value>) -> Result<(), ApiError> {
    let teams = teams.and_then(Value::as_array);
    for (at, team) in teams.into_iter().flatten().enumerate() {
        let team = team.as_str().unwrap_or_default();
        if !world.has(&Address::new("", Kind::TEAM, team)) {
            let reason = format!("there is no team named '{team}'");
            return Err(ApiError::field(&format!("/spec/teams/{at}"), reason));
        }
    }
    Ok(())
}

/// GET `…/invites/{invite_id}`.
pub fn get_invite(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = named(Kind::INVITE, call.parameter("invite_id"))?;
    let invite = world.find(&address)?;
    if !is_open(world, invite) {
        return Err(ApiError::not_found("the invitation has lapsed"));
    }
    Ok(Response::ok(invite_shown(invite)))
}

/// DELETE `…/invites/{invite_id}`.
pub fn withdraw(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = named(Kind::INVITE, call.parameter("invite_id"))?;
    world.find(&address)?;
    world.remove(&address);
    Ok(Response::empty(StatusCode::OK))
}
