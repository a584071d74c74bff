//! Digests, and the key that tokens are signed with.

use std::cell::OnceCell;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

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
fn signer(kept: &OnceCell<Signer>) -> Result<&Signer, ApiError> {
    if let Some(signer) = kept.get() {
        return Ok(signer);
    }
    let made = Signer::generate()?;
    Ok(kept.get_or_init(|| made))
}

/// The public keys that verify tokens, as JWKS.
pub fn public_keys(kept: &OnceCell<Signer>) -> Result<Value, ApiError> {
    let signer = signer(kept)?;
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
pub fn sign(kept: &OnceCell<Signer>, claims: &Value) -> Result<String, ApiError> {
    let signer = signer(kept)?;
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

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;

    fn verifies(kept: &OnceCell<Signer>, token: &str) -> bool {
        let (message, signature) = token.rsplit_once('.').unwrap_or_default();
        let keys = public_keys(kept).unwrap_or_default();
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
        let (own, other) = (OnceCell::new(), OnceCell::new());
        let token = sign(&own, &json!({ "jti": "x" })).unwrap_or_default();
        assert!(verifies(&own, &token));
        assert!(!verifies(&other, &token));
        assert!(!verifies(&own, &format!("x{token}")));
    }
}
