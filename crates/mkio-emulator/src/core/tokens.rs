//! Bearer tokens: made as signed JWTs, recognized by their digest, so that none is kept.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ApiError;
use super::family::Kind;
use super::render;
use super::store::Address;
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

struct Signer {
    key: KeyPair,
    id: String,
}

/// The key of this process. Making one takes a moment; a signature alone opens nothing, so emulators may share it.
fn signer() -> Result<&'static Signer, ApiError> {
    static SIGNER: OnceLock<Option<Signer>> = OnceLock::new();
    let made = SIGNER.get_or_init(|| {
        let key = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let modulus = key
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
            .to_vec();
        let id = hex(&URL_SAFE_NO_PAD.encode(modulus)).get(..16)?.to_owned();
        Some(Signer { key, id })
    });
    made.as_ref()
        .ok_or_else(|| ApiError::internal("no signing key could be made"))
}

/// The public keys that verify tokens, as JWKS.
pub fn public_keys() -> Result<Value, ApiError> {
    let signer = signer()?;
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
pub fn sign(claims: &Value) -> Result<String, ApiError> {
    let signer = signer()?;
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
    let id = Uuid::new_v4();
    let mut claims = json!({
        "jti": id, "sub": new.user, "org": new.organization, "type": new.kind, "iat": world.now.timestamp(), "exp": new.expires.timestamp(),
    });
    if !new.permissions.is_null() {
        super::merge::put(&mut claims, "/permissions", new.permissions.clone());
    }
    let token = match given {
        Some(token) => token.to_owned(),
        None => sign(&claims)?,
    };
    let address = Address::new("", Kind::Token, &id.to_string());
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

/// When a token expires.
pub fn expiry(world: &World, id: Uuid) -> Option<DateTime<Utc>> {
    let token = world.get(&Address::new("", Kind::Token, &id.to_string()))?;
    super::query::parse_time(token.private_text("/expires")?)
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

/// The longest a token may live.
pub const LONGEST: TimeDelta = TimeDelta::days(365);

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;

    #[test]
    fn a_token_verifies_with_the_published_key() {
        let token = sign(&json!({ "jti": "x" })).unwrap_or_default();
        let (message, signature) = token.rsplit_once('.').unwrap_or_default();
        let keys = public_keys().unwrap_or_default();
        let part = |name: &str| {
            URL_SAFE_NO_PAD
                .decode(
                    keys.pointer(&format!("/keys/0/{name}"))
                        .and_then(Value::as_str)
                        .unwrap_or_default(),
                )
                .unwrap_or_default()
        };
        let key = RsaPublicKeyComponents {
            n: part("n"),
            e: part("e"),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        assert!(
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
                .is_ok()
        );
        assert!(
            key.verify(&RSA_PKCS1_2048_8192_SHA256, b"other", &signature)
                .is_err()
        );
    }
}
