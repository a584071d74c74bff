//! Keys of encrypted content are delivered to players that have a licence token.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::common::Caller;
use crate::playback::{beside, encoded, fetch, paths, publish, status, text};

/// A licence token of an issuer.
fn licence(key: &[u8], claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!(
        "{}.{}",
        part(&json!({ "alg": "HS256", "typ": "JWT" })),
        part(claims)
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    let signature = ring::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn clear_key_is_delivered_to_who_has_a_licence_token() {
    // Shops sign by their own clocks, wherever platform time is.
    let ahead = chrono::Utc::now() + chrono::TimeDelta::days(400);
    let caller = Caller::with(|builder| builder.start_time(ahead)).await;
    encoded(&caller).await;
    let secret = [7; 32];
    let option = json!({ "configuration": { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" }, "restriction": {
        "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction", "issuer": "shop", "audience": "players", "restrictionTokenType": "Jwt",
        "requiredClaims": [{ "claimType": "tier", "claimValue": "gold" }], "alternateVerificationKeys": [],
        "primaryVerificationKey": { "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", "keyValue": STANDARD.encode(secret) } } });
    caller
        .put(
            "media/contentKeyPolicies/k",
            json!({ "properties": { "options": [option] } }),
        )
        .await
        .expect(201);
    caller.step(5);
    let (hls, dash) = publish(
        &caller,
        "film",
        json!({ "streamingPolicyName": "Predefined_ClearKey", "defaultContentKeyPolicyName": "k" }),
    )
    .await;
    assert!(hls.contains("encryption=cbc"), "{hls}");
    let main = text(&caller, &hls).await;
    let track = beside(&hls, paths(&main)[0]);
    let playlist = text(&caller, &track).await;
    let line = playlist
        .lines()
        .find(|line| line.starts_with("#EXT-X-KEY"))
        .expect("a key");
    let uri = line
        .split("URI=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a path");
    let ask = async |token: Option<String>| {
        let mut request = caller
            .http
            .get(format!("{}{uri}", caller.emulator.base_url()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("a response");
        (response.status(), response.bytes().await.expect("a body"))
    };
    let good = json!({ "iss": "shop", "aud": "players", "tier": "gold" });
    let (granted, key) = ask(Some(licence(&secret, &good))).await;
    assert_eq!((granted, key.len()), (StatusCode::OK, 16));
    let listed = caller
        .post("media/streamingLocators/film/listContentKeys", Value::Null)
        .await
        .expect(200);
    assert_eq!(listed.text("/contentKeys/0/value"), STANDARD.encode(&key));
    assert_eq!(ask(None).await.0, StatusCode::UNAUTHORIZED);
    let expired = json!({ "iss": "shop", "aud": "players", "tier": "gold", "exp": 1 });
    let elsewhere = json!({ "iss": "other", "aud": "players", "tier": "gold" });
    let silver = json!({ "iss": "shop", "aud": "players", "tier": "silver" });
    let dated = |claim: &str, time: Value| {
        let mut claims = good.clone();
        claims[claim] = time;
        licence(&secret, &claims)
    };
    for token in [
        licence(&[8; 32], &good),
        licence(&secret, &expired),
        licence(&secret, &elsewhere),
        licence(&secret, &silver),
        dated("exp", json!(1.5)),
        dated("exp", json!("4000000000")),
        dated("nbf", json!(9.0e9)),
        dated("nbf", Value::Null),
        "x".to_owned(),
    ] {
        assert_eq!(ask(Some(token)).await.0, StatusCode::FORBIDDEN);
    }
    let exp = json!(chrono::Utc::now().timestamp() as f64 + 20_000.5);
    assert_eq!(ask(Some(dated("exp", exp.clone()))).await.0, StatusCode::OK);
    caller.step(20_100);
    let late = ask(Some(dated("exp", exp))).await.0;
    assert_eq!(late, StatusCode::FORBIDDEN);
    // A segment is encrypted as a whole, so it starts with no box, and its size is one of whole blocks.
    let (_, _, segment) = fetch(&caller, &beside(&track, paths(&playlist)[0])).await;
    assert!(segment.len() % 16 == 0 && &segment[4..8] != b"moof");
    assert_eq!(status(&caller, &dash).await, 501);
}
