//! Bearer tokens: made as signed JWTs, recognized by their digest, so that none is kept.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::base::{
    clock::LAST,
    error::ApiError,
    format, keys,
    kind::Kind,
    merge,
    store::{Address, Place},
    world::World,
};

/// The properties of a new token.
#[derive(Debug)]
pub struct NewToken<'a> {
    /// `login`, `full-access`, `restricted` or `ephemeral`.
    pub kind: &'a str,
    /// Whose it is.
    pub user: Uuid,
    /// The organization it opens.
    pub organization: Uuid,
    /// When it expires.
    pub expires: DateTime<Utc>,
    /// What it may do; null when everything its user may.
    pub permissions: Value,
    /// The user's note.
    pub description: Option<&'a str>,
}

/// Makes a token; `given` is used as the token itself where the operator chose one.
pub fn issue(
    world: &mut World,
    new: &NewToken<'_>,
    given: Option<&str>,
) -> Result<(Uuid, String), ApiError> {
    let place = Place::new("", Kind::TOKEN);
    if world
        .table(&place)
        .is_some_and(|table| table.len() >= world.settings.resource_limit)
    {
        sweep(world);
    }
    let id = Uuid::new_v4();
    let mut claims = json!({
        "jti": id, "sub": new.user, "org": new.organization, "type": new.kind, "iat": world.now.timestamp(), "exp": new.expires.timestamp(),
    });
    if !new.permissions.is_null() {
        merge::put(&mut claims, "/permissions", new.permissions.clone());
    }
    let token = match given {
        Some(token) => token.to_owned(),
        None => keys::sign(&world.signer, &claims)?,
    };
    let address = place.at(&id.to_string());
    let issued = format::time(world.now);
    let expires = format::time(new.expires);
    let resource = world.insert(
        &address,
        json!({
            "kind": "UserToken",
            "metadata": { "id": id, "type": new.kind },
            "spec": { "user": new.user, "issued": issued, "expires": expires, "lastUsed": null, "revoked": null, "organizationId": new.organization },
        }),
        new.user,
    )?;
    resource.id = id;
    resource.private = json!({ "expires": expires });
    if !new.permissions.is_null() {
        merge::put(
            &mut resource.body,
            "/spec/permissions",
            new.permissions.clone(),
        );
    }
    if let Some(description) = new.description {
        merge::put(&mut resource.body, "/spec/description", json!(description));
    }
    world.token_digests.insert(keys::digest_of(&token), id);
    Ok((id, token))
}

/// Drops the tokens that have expired: nothing lists them any more.
fn sweep(world: &mut World) {
    let expired: Vec<Uuid> = world
        .all("", Kind::TOKEN)
        .map(|(_, token)| token.id)
        .filter(|id| is_expired(world, *id))
        .collect();
    for id in &expired {
        world.remove(&Address::new("", Kind::TOKEN, &id.to_string()));
    }
    let gone: std::collections::HashSet<Uuid> = expired.into_iter().collect();
    world.token_digests.retain(|_, id| !gone.contains(id));
}

/// When a token expires.
fn expiry(world: &World, id: Uuid) -> Option<DateTime<Utc>> {
    let token = world.get(&Address::new("", Kind::TOKEN, &id.to_string()))?;
    format::parse_time(token.private_text("/expires")?)
}

/// Whether a token has expired. A token that lasts until the end of the calendar never does.
pub fn is_expired(world: &World, id: Uuid) -> bool {
    expiry(world, id).is_none_or(|expires| expires <= world.now && expires < LAST)
}

/// Whether a token was revoked.
pub fn is_revoked(world: &World, id: Uuid) -> bool {
    world
        .get(&Address::new("", Kind::TOKEN, &id.to_string()))
        .is_none_or(|token| {
            !token
                .body
                .pointer("/spec/revoked")
                .is_none_or(Value::is_null)
        })
}

/// Revokes a token.
pub fn revoke(world: &mut World, id: Uuid, by: Uuid) {
    let now = format::time(world.now);
    if let Some(token) = world.get_mut(&Address::new("", Kind::TOKEN, &id.to_string())) {
        merge::put(&mut token.body, "/spec/revoked", json!(now));
        merge::put(&mut token.body, "/spec/revokedBy", json!(by));
    }
}

/// The longest a token may live that is made through the API.
pub const LONGEST: TimeDelta = TimeDelta::days(365);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::settings::Settings;

    fn world(limit: usize) -> World {
        let settings = Settings {
            resource_limit: limit,
            ..Settings::default()
        };
        World::new(DateTime::UNIX_EPOCH, settings)
    }

    #[test]
    fn expired_tokens_make_room() {
        let mut world = world(3);
        let new = |hours| NewToken {
            kind: "full-access",
            user: Uuid::nil(),
            organization: Uuid::nil(),
            expires: DateTime::UNIX_EPOCH + TimeDelta::hours(hours),
            permissions: Value::Null,
            description: None,
        };
        for (at, hours) in [1, 9, 1].into_iter().enumerate() {
            assert!(issue(&mut world, &new(hours), Some(&at.to_string())).is_ok());
        }
        assert!(issue(&mut world, &new(9), Some("3")).is_err());
        world.now += TimeDelta::hours(2);
        assert!(issue(&mut world, &new(9), Some("3")).is_ok());
        assert_eq!(world.token_digests.len(), 2);
        let known = |token: &str| world.token_digests.contains_key(&keys::digest_of(token));
        assert_eq!(["0", "1", "2", "3"].map(known), [false, true, false, true]);
    }
}
