//! Looks up when a JWT expires.

use std::time::{Duration, SystemTime};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

/// Both with and without padding: some issuers pad although JWTs should not be.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Claims {
    /// Seconds since 1970; fractions are allowed.
    exp: Option<f64>,
}

/// The `exp` claim of a JWT; `None` for other tokens. The service checks the signature.
pub(super) fn expiry(token: &str) -> Option<SystemTime> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let claims: Claims = serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()?;
    let since_epoch = Duration::try_from_secs_f64(claims.exp?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", BASE64.encode(claims))
    }

    #[test]
    fn reads_exp() {
        let at = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(seconds));
        for (claims, expected) in [
            (r#"{"exp":1700000000}"#, at(1_700_000_000_000)),
            (r#"{"exp":1700000000.5,"sub":"x"}"#, at(1_700_000_000_500)),
            (r#"{"exp":-1}"#, None),
            (r#"{"exp":1e300}"#, None),
            (r#"{"exp":"soon"}"#, None),
            (r#"{}"#, None),
        ] {
            assert_eq!(expiry(&jwt(claims)), expected, "{claims}");
        }
    }

    #[test]
    fn other_tokens_have_none() {
        let unpadded = jwt(r#"{"exp":1}"#).replace('=', "");
        assert!(expiry(&unpadded).is_some());
        for token in [
            "",
            "opaque",
            "a.b",
            "a.b.c",
            "a.!.c",
            &format!("{unpadded}.x"),
        ] {
            assert_eq!(expiry(token), None, "{token}");
        }
    }
}
