//! Bearer tokens: made as signed JWTs, recognized by their digest, so that none is kept.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clock::LAST;
use super::error::ApiError;
use super::family::Kind;
use super::render;
use super::store::{Address, Place};
use super::world::World;

/// Digest of a token.
pub type Digest = [u8; 32];

/// SHA-256 of a token.
pub fn digest_of(token: &str) -> Digest {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(digest(&SHA256, token.as_bytes()).as_ref())
    {
        *to = *from;
    }
    out
}

/// A text's digest in hexadecimal.
pub fn hex(text: &str) -> String {
    digest_of(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The key that an emulator signs its tokens with.
pub struct Signer {
    key: KeyPair,
    id: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Signer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Signer {
    fn generate() -> Result<Self, ApiError> {
        let key = KeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| ApiError::internal("no signing key could be made"))?;
        let modulus = key.public_key().modulus();
        let mut id = hex(&URL_SAFE_NO_PAD.encode(modulus.big_endian_without_leading_zero()));
        id.truncate(16);
        Ok(Self { key, id })
    }
}

/// The emulator's key. Making one takes a moment, so it is made when it is needed first.
fn signer(world: &World) -> Result<&Signer, ApiError> {
    if let Some(signer) = world.signer.get() {
        return Ok(signer);
    }
    let made = Signer::generate()?;
    Ok(world.signer.get_or_init(|| made))
}

/// The public keys that verify tokens, as JWKS.
pub fn public_keys(world: &World) -> Result<Value, ApiError> {
    let signer = signer(world)?;
    let key = signer.key.public_key();
    let number = |value: aws_lc_rs::io::Positive<'_>| {
        URL_SAFE_NO_PAD.encode(value.big_endian_without_leading_zero())
    };
    Ok(json!({ "keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "key_ops": ["verify"], "kid": signer.id,
        "n": number(key.modulus()), "e": number(key.exponent()),
    }] }))
}

/// A JWT with these claims.
pub fn sign(world: &World, claims: &Value) -> Result<String, ApiError> {
    let signer = signer(world)?;
    let header = json!({ "alg": "RS256", "kid": signer.id, "typ": "JWT" });
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut signature = vec![0; signer.key.public_modulus_len()];
    signer
        .key
        .sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )
        .map_err(|_| ApiError::internal("a token could not be signed"))?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature)))
}

/// What a new token is to be.
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
    let place = Place::new("", Kind::Token);
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
        super::merge::put(&mut claims, "/permissions", new.permissions.clone());
    }
    let token = match given {
        Some(token) => token.to_owned(),
        None => sign(world, &claims)?,
    };
    let address = place.at(&id.to_string());
    let issued = render::time(world.now);
    let expires = render::time(new.expires);
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
        super::merge::put(
            &mut resource.body,
            "/spec/permissions",
            new.permissions.clone(),
        );
    }
    if let Some(description) = new.description {
        super::merge::put(&mut resource.body, "/spec/description", json!(description));
    }
    world.token_digests.insert(digest_of(&token), id);
    Ok((id, token))
}

/// Drops the tokens that have expired: nothing lists them any more.
fn sweep(world: &mut World) {
    let expired: Vec<Uuid> = world
        .all("", Kind::Token)
        .map(|(_, token)| token.id)
        .filter(|id| is_expired(world, *id))
        .collect();
    for id in &expired {
        world.remove(&Address::new("", Kind::Token, &id.to_string()));
    }
    let gone: std::collections::HashSet<Uuid> = expired.into_iter().collect();
    world.token_digests.retain(|_, id| !gone.contains(id));
}

/// When a token expires.
fn expiry(world: &World, id: Uuid) -> Option<DateTime<Utc>> {
    let token = world.get(&Address::new("", Kind::Token, &id.to_string()))?;
    super::query::parse_time(token.private_text("/expires")?)
}

/// Whether a token's time is over. One that lasts as long as the calendar does not end with it.
pub fn is_expired(world: &World, id: Uuid) -> bool {
    expiry(world, id).is_none_or(|expires| expires <= world.now && expires < LAST)
}

/// Whether a token was revoked.
pub fn is_revoked(world: &World, id: Uuid) -> bool {
    world
        .get(&Address::new("", Kind::Token, &id.to_string()))
        .is_none_or(|token| {
            !token
                .body
                .pointer("/spec/revoked")
                .is_none_or(Value::is_null)
        })
}

/// Revokes a token.
pub fn revoke(world: &mut World, id: Uuid, by: Uuid) {
    let now = render::time(world.now);
    if let Some(token) = world.get_mut(&Address::new("", Kind::Token, &id.to_string())) {
        super::merge::put(&mut token.body, "/spec/revoked", json!(now));
        super::merge::put(&mut token.body, "/spec/revokedBy", json!(by));
    }
}

/// The longest a token may live that is made through the API.
pub const LONGEST: TimeDelta = TimeDelta::days(365);

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;
    use crate::core::settings::Settings;

    fn world(limit: usize) -> World {
        let settings = Settings {
            resource_limit: limit,
            ..Settings::default()
        };
        World::new(DateTime::UNIX_EPOCH, settings)
    }

    fn verifies(world: &World, token: &str) -> bool {
        let (message, signature) = token.rsplit_once('.').unwrap_or_default();
        let keys = public_keys(world).unwrap_or_default();
        let part = |name: &str| {
            let text = keys
                .pointer(&format!("/keys/0/{name}"))
                .and_then(Value::as_str);
            URL_SAFE_NO_PAD
                .decode(text.unwrap_or_default())
                .unwrap_or_default()
        };
        let key = RsaPublicKeyComponents {
            n: part("n"),
            e: part("e"),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
            .is_ok()
    }

    #[test]
    fn a_token_verifies_with_the_key_of_its_own_emulator_alone() {
        let (own, other) = (world(10), world(10));
        let token = sign(&own, &json!({ "jti": "x" })).unwrap_or_default();
        assert!(verifies(&own, &token));
        assert!(!verifies(&other, &token));
        assert!(!verifies(&own, &format!("x{token}")));
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
        let known = |token: &str| world.token_digests.contains_key(&digest_of(token));
        assert_eq!(["0", "1", "2", "3"].map(known), [false, true, false, true]);
    }
}
