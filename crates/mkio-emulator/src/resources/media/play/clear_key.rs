//! ClearKey: HLS segments encrypted as a whole (AES-128), and the delivery of their key to callers with a licence token.

use aes::Aes128;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use http::{HeaderMap, Request};
use ring::{
    hmac,
    signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents},
};
use serde_json::Value;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        read::Read,
        store::{Address, Resource},
    },
    platform::{call::Response, identity, rules::Platform},
    query::Query,
    resources::media::policies::KEY_DELIVERY,
};

/// The name of this system in paths.
pub const SYSTEM: &str = "clearKey";
/// The scheme whose keys are delivered.
const SCHEME: &str = "EnvelopeEncryption";

/// The key of a locator: its id and its value.
pub fn key_of(locator: &Resource) -> Option<(String, [u8; 16])> {
    let keys = locator
        .body
        .pointer("/properties/contentKeys")?
        .as_array()?;
    let key = keys.iter().find(|key| key["type"] == SCHEME)?;
    let value = STANDARD.decode(key.get("value")?.as_str()?).ok()?;
    Some((key.get("id")?.as_str()?.to_owned(), value.try_into().ok()?))
}

/// Encrypts a segment.
pub fn encrypt(segment: &[u8], key: &[u8; 16], vector: &[u8; 16]) -> Bytes {
    cbc::Encryptor::<Aes128>::new(key.into(), vector.into())
        .encrypt_padded_vec::<Pkcs7>(segment)
        .into()
}

/// GET of a key.
pub fn serve(world: &mut Platform, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let world: &Platform = world;
    let path = request.uri().path();
    let rest = path.strip_prefix(KEY_DELIVERY).unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    let nothing = || ApiError::not_found(format!("there is no key at {path}"));
    let [project, system, id] = parts.as_slice() else {
        return Err(nothing());
    };
    if *system != SYSTEM {
        return Err(ApiError::not_implemented(format!(
            "this emulator delivers keys of ClearKey only, not of '{system}'"
        )));
    }
    let locator = world
        .all(project, Kind::STREAMING_LOCATOR)
        .map(|(_, locator)| locator)
        .find(|locator| {
            locator
                .text("/properties/streamingLocatorId")
                .is_some_and(|own| own.eq_ignore_ascii_case(id))
        })
        .ok_or_else(nothing)?;
    let (key_id, key) = key_of(locator).ok_or_else(nothing)?;
    let policy = locator
        .text("/properties/defaultContentKeyPolicyName")
        .and_then(|name| world.get(&Address::new(project, Kind::CONTENT_KEY_POLICY, name)))
        .ok_or_else(|| {
            ApiError::forbidden("the locator has no content key policy, so nobody gets its key")
        })?;
    let token = token(request.headers(), request.uri().query())?;
    // Licence tokens carry real time: their signer does not know platform time.
    let now = world.real.timestamp_micros() as f64 / 1.0e6;
    let options = policy.body.pointer("/properties/options");
    let mut reasons = Vec::new();
    for option in options.and_then(Value::as_array).into_iter().flatten() {
        match granted(option, token.as_deref(), &key_id, now) {
            Ok(()) => return Ok(Response::bytes("application/octet-stream", key.to_vec())),
            Err(reason) => reasons.push(reason),
        }
    }
    let reason = format!(
        "no option of the content key policy grants the key: {}",
        reasons.join("; ")
    );
    Err(match token {
        None => ApiError::unauthorized(reason),
        Some(_) => ApiError::forbidden(reason),
    })
}

/// The licence token: a bearer token, or the parameter `token` of players that set no headers.
fn token(headers: &HeaderMap, query: Option<&str>) -> Result<Option<String>, ApiError> {
    if headers.contains_key(http::header::AUTHORIZATION) {
        return identity::bearer(headers).map(|token| Some(token.to_owned()));
    }
    let query = Query::parse(query.unwrap_or_default())?;
    Ok(query.one("token")?.map(|token| {
        let bare = token
            .strip_prefix("Bearer")
            .map(|bare| bare.trim_start_matches(['=', ' ']));
        bare.unwrap_or(token).to_owned()
    }))
}

/// Whether an option of a policy grants a key.
fn granted(option: &Value, token: Option<&str>, key_id: &str, now: f64) -> Result<(), String> {
    let kind = |pointer: &str| {
        let kind = option.text(pointer);
        kind.unwrap_or_default()
            .rsplit('.')
            .next()
            .unwrap_or_default()
    };
    if kind("/configuration/@odata.type") != "ContentKeyPolicyClearKeyConfiguration" {
        return Err("an option is not for ClearKey".to_owned());
    }
    match kind("/restriction/@odata.type") {
        "ContentKeyPolicyOpenRestriction" => Ok(()),
        "ContentKeyPolicyTokenRestriction" => {
            let token = token.ok_or("send the licence token as bearer token")?;
            let restriction = option.get("restriction").unwrap_or(&Value::Null);
            let claims = verified(restriction, token)?;
            check(restriction, &claims, key_id, now)
        }
        other => Err(format!("the restriction '{other}' lets no token through")),
    }
}

/// The claims of a token that one of the restriction's keys has signed.
fn verified(restriction: &Value, token: &str) -> Result<Value, String> {
    let (message, signature) = token.rsplit_once('.').ok_or("the token is not a JWT")?;
    let decoded = |text: &str| {
        URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| "the token is not a JWT".to_owned())
    };
    let signature = decoded(signature)?;
    let first = restriction.get("primaryVerificationKey").into_iter();
    let others = restriction.items("/alternateVerificationKeys");
    let mut keys = first.chain(others);
    if !keys.any(|key| signed(key, message, &signature)) {
        return Err("the token is signed with none of the policy's keys".to_owned());
    }
    let claims = message.split('.').nth(1).ok_or("the token is not a JWT")?;
    serde_json::from_slice(&decoded(claims)?).map_err(|_| "the token is not a JWT".to_owned())
}

fn signed(key: &Value, message: &str, signature: &[u8]) -> bool {
    let bytes = |name: &str| STANDARD.decode(key.get(name)?.as_str()?).ok();
    if let Some(secret) = bytes("keyValue") {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        return hmac::verify(&secret, message.as_bytes(), signature).is_ok();
    }
    let Some((n, e)) = bytes("modulus").zip(bytes("exponent")) else {
        return false;
    };
    RsaPublicKeyComponents { n, e }
        .verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), signature)
        .is_ok()
}

/// The claim that pins one key.
const PINNED: &str = "urn:microsoft:azure:mediaservices:contentkeyidentifier";

fn check(restriction: &Value, claims: &Value, key_id: &str, now: f64) -> Result<(), String> {
    for (claim, wanted) in [("iss", "issuer"), ("aud", "audience")] {
        if claims.get(claim) != restriction.get(wanted) {
            return Err(format!(
                "'{claim}' of the token is not the {wanted} of the policy"
            ));
        }
    }
    let time = |claim: &str| match claims.get(claim).map(Value::as_f64) {
        None => Ok(None),
        Some(Some(time)) => Ok(Some(time)),
        Some(None) => Err(format!(
            "'{claim}' of the token must be a number of seconds"
        )),
    };
    if time("exp")?.is_some_and(|end| end <= now) {
        return Err("the token has expired".to_owned());
    }
    if time("nbf")?.is_some_and(|start| start > now) {
        return Err("the token is not valid yet".to_owned());
    }
    let required = restriction.items("/requiredClaims");
    for claim in required {
        let name = claim.text("/claimType").unwrap_or_default();
        let own = claims.get(name).and_then(Value::as_str);
        let wanted = claim.text("/claimValue").unwrap_or(key_id);
        if !own.is_some_and(|own| own.eq_ignore_ascii_case(wanted)) {
            return Err(format!(
                "the token lacks the claim '{name}' that the policy requires"
            ));
        }
    }
    match claims.get(PINNED).and_then(Value::as_str) {
        Some(pinned) if !pinned.eq_ignore_ascii_case(key_id) => {
            Err("the token is for another key".to_owned())
        }
        _ => Ok(()),
    }
}
