//! Digests, and the key that tokens are signed with.

use std::cell::OnceCell;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::RSA_PKCS1_SHA256,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::base::error::ApiError;

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
    digest_text(&digest_of(text))
}

/// The digest of bytes in hexadecimal.
pub fn hex_of(bytes: &[u8]) -> String {
    digits(digest(&SHA256, bytes).as_ref())
}

/// A digest in hexadecimal.
pub fn digest_text(digest: &Digest) -> String {
    digits(digest)
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a digest from hexadecimal text.
///
/// # Errors
/// When the text is not a digest.
pub fn digest_from_text(text: &str) -> Result<Digest, String> {
    let wrong = || "a digest has 64 hexadecimal digits".to_owned();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut out = Digest::default();
    for (at, to) in out.iter_mut().enumerate() {
        let digits = text.get(2 * at..2 * at + 2).ok_or_else(wrong)?;
        *to = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(out)
}

/// The RSA key of every emulator, which everybody can read. Making one takes seconds without
/// optimization, and no token of an emulator is worth forging: it is recognized by its digest.
const KEY: &[u8] = include_bytes!("../../data/signing-key.pk8");

/// The key that an emulator signs its tokens with, under an id of the emulator's own: a
/// verifier that looks keys up by id refuses the tokens of another emulator.
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
    fn new() -> Result<Self, ApiError> {
        let mut id = Uuid::new_v4().simple().to_string();
        id.truncate(16);
        Self::named(&id)
    }

    /// Makes a signer whose key has this id.
    ///
    /// # Errors
    /// 500 when the key that ships with the crate cannot be read.
    pub fn named(id: &str) -> Result<Self, ApiError> {
        let key = KeyPair::from_pkcs8(KEY)
            .map_err(|_| ApiError::internal("the signing key cannot be read"))?;
        Ok(Self {
            key,
            id: id.to_owned(),
        })
    }

    /// The id of its key.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The emulator's key, read at the first use.
fn signer(kept: &OnceCell<Signer>) -> Result<&Signer, ApiError> {
    if let Some(signer) = kept.get() {
        return Ok(signer);
    }
    let made = Signer::new()?;
    Ok(kept.get_or_init(|| made))
}

/// The public keys that verify tokens, as JWKS.
///
/// # Errors
/// 500 when the key cannot be read.
pub fn public_keys(kept: &OnceCell<Signer>) -> Result<Value, ApiError> {
    let signer = signer(kept)?;
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(signer.key.public());
    Ok(json!({ "keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "key_ops": ["verify"], "kid": signer.id,
        "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e),
    }] }))
}

/// A JWT with these claims.
///
/// # Errors
/// 500 when the key cannot be read.
pub fn sign(kept: &OnceCell<Signer>, claims: &Value) -> Result<String, ApiError> {
    let signer = signer(kept)?;
    let header = json!({ "alg": "RS256", "kid": signer.id, "typ": "JWT" });
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut signature = vec![0; signer.key.public().modulus_len()];
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

#[cfg(test)]
mod tests {
    use ring::signature::RSA_PKCS1_2048_8192_SHA256;

    use super::*;

    fn verifies(kept: &OnceCell<Signer>, token: &str) -> bool {
        let (message, signature) = token.rsplit_once('.').unwrap_or_default();
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let keys = public_keys(kept).unwrap_or_default();
        let part = |name: &str| {
            let text = keys
                .pointer(&format!("/keys/0/{name}"))
                .and_then(Value::as_str);
            text.unwrap_or_default()
        };
        let header = decoded(message.split('.').next().unwrap_or_default());
        let header: Value = serde_json::from_slice(&header).unwrap_or_default();
        let key = PublicKeyComponents {
            n: decoded(part("n")),
            e: decoded(part("e")),
        };
        header["kid"] == part("kid")
            && key
                .verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    message.as_bytes(),
                    &decoded(signature),
                )
                .is_ok()
    }

    #[test]
    fn a_token_verifies_with_the_key_of_its_own_emulator_alone() {
        let (own, other) = (OnceCell::new(), OnceCell::new());
        let token = sign(&own, &json!({ "jti": "x" })).unwrap_or_default();
        assert!(verifies(&own, &token));
        assert!(!verifies(&other, &token));
        assert!(!verifies(&own, &token.replacen('.', ".x", 1)));
    }
}
