//! Tokens: rights, verification, expiry.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::common::{Caller, Response};

const TOKENS: &str = "/api/v1/user/tokens";
const PAYMENT: &str = "6d6b696f-0000-4000-8000-000000000011";

/// The ids that permissions are given for.
struct Ids {
    organization: String,
    demo: String,
    acme: String,
}

async fn make_project(caller: &Caller, name: &str) -> Response {
    let body = json!({ "displayName": name, "locationName": "eastus", "paymentMethodId": PAYMENT });
    caller.put(&format!("/api/v1/projects/{name}"), body).await
}

async fn ids(caller: &Caller) -> Ids {
    let organization = caller
        .get("/api/v1/organization")
        .await
        .text("/metadata/id");
    let acme = make_project(caller, "acme").await.expect(201);
    Ids {
        organization,
        demo: caller
            .get("/api/v1/projects/demo")
            .await
            .text("/metadata/id"),
        acme: acme.text("/metadata/id"),
    }
}

async fn restricted(caller: &Caller, ids: &Ids, permissions: Value) -> Response {
    let body = json!({ "type": "restricted", "organizationId": ids.organization, "permissions": permissions });
    caller.post(TOKENS, body).await
}

/// The statuses of requests that are made with another token.
async fn statuses(caller: &mut Caller, token: String, requests: &[(Method, &str)]) -> Vec<u16> {
    let own = std::mem::replace(&mut caller.token, token);
    let mut found = Vec::new();
    for (method, path) in requests {
        let body = (*method == Method::PUT)
            .then(|| json!({ "properties": { "storageAccountName": "storage1" } }));
        found.push(caller.call(method.clone(), path, body).await.status);
    }
    caller.token = own;
    found
}

#[tokio::test]
async fn a_token_may_do_what_its_permissions_say_and_nothing_else() {
    let mut caller = Caller::with(|builder| builder.seed(1)).await;
    let ids = ids(&caller).await;
    let requests = [
        (Method::GET, "media/assets/asset-1"),
        (Method::GET, "media/assets/asset-1/state"),
        (Method::PUT, "media/assets/asset-1"),
        (Method::DELETE, "media/assets/none"),
        (Method::GET, "media/transforms"),
        (Method::GET, "/api/v1/projects/acme/media/assets"),
        (Method::GET, "/api/v1/projects/nothing/media/assets"),
        (Method::GET, "/api/v1/projects/demo"),
        (Method::GET, "/api/v1/projects"),
        (Method::GET, "/api/v1/organization"),
        (Method::GET, "/api/v1/user/profile"),
        (Method::GET, "/.well-known/revoked.json"),
    ];
    let nothing = [403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200, 200];
    let with = |changes: &[(usize, u16)]| {
        let mut expected = nothing.to_vec();
        for (at, status) in changes {
            expected[*at] = *status;
        }
        expected
    };
    let demo = |grants: Value| json!({ "core.project": { &ids.demo: grants } });
    for (permissions, expected) in [
        (json!({}), with(&[])),
        (json!({ "core.project": {} }), with(&[])),
        (demo(json!({})), with(&[])),
        (demo(json!({ "ams.asset": [] })), with(&[])),
        (
            demo(json!({ "ams.asset": ["get"] })),
            with(&[(0, 200), (1, 200)]),
        ),
        (
            demo(json!({ "ams.asset": ["update", "delete"] })),
            with(&[(2, 200), (3, 204)]),
        ),
        (demo(json!({ "ams.asset": ["create"] })), with(&[])),
        (demo(json!({ "ams.transform": ["get"] })), with(&[(4, 200)])),
        (
            json!({ "core.project": { &ids.acme: { "ams.asset": ["get"] } } }),
            with(&[(5, 200)]),
        ),
        (
            json!({ "core.project": { &ids.demo: { "core.project": ["get"] } } }),
            with(&[(7, 200), (8, 200)]),
        ),
        (
            json!({ "core.customer": { &ids.organization: { "core.project": ["get"] } } }),
            with(&[(7, 200), (8, 200)]),
        ),
        (
            json!({ "core.customer": { &ids.organization: { "core.customer": ["get"] } }, "core.project": { &ids.demo: { "ams.asset": ["get"] } } }),
            with(&[(0, 200), (1, 200), (9, 200)]),
        ),
    ] {
        let made = restricted(&caller, &ids, permissions.clone()).await;
        let token = made.expect(201).text("/metadata/JWT");
        let found = statuses(&mut caller, token, &requests).await;
        assert_eq!(found, expected, "{permissions}");
    }
}

#[tokio::test]
async fn a_list_of_projects_shows_those_that_the_token_knows() {
    let mut caller = Caller::start().await;
    let ids = ids(&caller).await;
    let one = json!({ "core.project": { &ids.acme: { "core.project": ["get"] } } });
    let all = json!({ "core.customer": { &ids.organization: { "core.project": ["get"] } } });
    for (permissions, expected) in [(one, vec!["acme"]), (all, vec!["demo", "acme"])] {
        let full = caller.token.clone();
        caller.token = restricted(&caller, &ids, permissions)
            .await
            .expect(201)
            .text("/metadata/JWT");
        let listed = caller.get("/api/v1/projects").await.expect(200);
        let names: Vec<&str> = listed.body["value"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|project| project["metadata"]["name"].as_str())
            .collect();
        assert_eq!(names, expected);
        caller.token = full;
    }
}

#[tokio::test]
async fn creating_and_replacing_are_permissions_of_their_own() {
    let mut caller = Caller::with(|builder| builder.seed(1)).await;
    let ids = ids(&caller).await;
    for (verb, expected) in [("create", [201, 403]), ("update", [403, 200])] {
        let permissions = json!({ "core.project": { &ids.demo: { "ams.asset": [verb] } } });
        let made = restricted(&caller, &ids, permissions).await.expect(201);
        let new = format!("media/assets/new-{verb}");
        let requests = [
            (Method::PUT, new.as_str()),
            (Method::PUT, "media/assets/asset-1"),
        ];
        let found = statuses(&mut caller, made.text("/metadata/JWT"), &requests).await;
        assert_eq!(found, expected, "{verb}");
    }
}

#[tokio::test]
async fn permissions_that_are_none_are_refused_and_named() {
    let caller = Caller::start().await;
    let ids = ids(&caller).await;
    let id = &ids.demo;
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (permissions, named) in [
        (json!(5), "permissions"),
        (json!(["ams.asset"]), "permissions"),
        (json!({ "core.project": ["ams.asset"] }), "core.project"),
        (json!({ "core.project": null }), "core.project"),
        (json!({ "core.everything": {} }), "core.everything"),
        (json!({ "core.project": { nobody: {} } }), nobody),
        (json!({ "core.customer": { id: {} } }), id.as_str()),
        (
            json!({ "core.project": { id: ["ams.asset"] } }),
            id.as_str(),
        ),
        (
            json!({ "core.project": { id: { "ams.asset": "get" } } }),
            "ams.asset",
        ),
        (
            json!({ "core.project": { id: { "ams.asset": [5] } } }),
            "ams.asset",
        ),
        (
            json!({ "core.project": { id: { "ams.asset": ["fly"] } } }),
            "fly",
        ),
        (
            json!({ "core.project": { id: { "ams.nothing": ["get"] } } }),
            "ams.nothing",
        ),
    ] {
        let refused = restricted(&caller, &ids, permissions.clone()).await;
        let detail = refused.expect(400).detail();
        assert!(detail.contains(named), "{permissions}: {detail}");
    }
    for (kind, more) in [
        ("full-access", json!({ "permissions": {} })),
        ("login", json!({ "permissions": {} })),
        ("ephemeral", json!({})),
        ("restricted", json!({})),
        (
            "ephemeral",
            json!({ "permissions": {}, "expireDate": "2099-01-01T00:00:00Z" }),
        ),
        (
            "restricted",
            json!({ "permissions": {}, "expireDate": "2000-01-01T00:00:00Z" }),
        ),
    ] {
        let mut body = json!({ "type": kind, "organizationId": ids.organization });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        caller.post(TOKENS, body).await.expect(400);
    }
}

fn decoded(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Whether a token's signature is that of the published key which its header names.
fn verifies(token: &str, keys: &Value) -> bool {
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let header = decoded(message.split('.').next().unwrap_or_default());
    assert_eq!(header["alg"], "RS256");
    let keys = keys["keys"].as_array().expect("keys");
    let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else {
        return false;
    };
    assert_eq!(key["kty"], "RSA");
    let part = |name: &str| {
        let text = key[name].as_str().expect("a number");
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    };
    let key = RsaPublicKeyComponents {
        n: part("n"),
        e: part("e"),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
        .is_ok()
}

/// A document that needs no token.
async fn public(caller: &Caller, name: &str) -> Value {
    let url = format!("{}/.well-known/{name}", caller.emulator.base_url());
    let response = reqwest::get(url).await.expect("a response");
    assert_eq!(response.status().as_u16(), 200);
    response.json().await.expect("JSON")
}

#[tokio::test]
async fn tokens_verify_with_the_published_keys_and_the_revoked_list_names_them() {
    let (mut caller, other) = tokio::join!(Caller::start(), Caller::start());
    let organization = caller
        .get("/api/v1/organization")
        .await
        .text("/metadata/id");
    let expires = caller.emulator.control().now() + chrono::TimeDelta::days(2);
    let body = json!({ "type": "full-access", "organizationId": organization, "expireDate": expires.to_rfc3339_opts(chrono::SecondsFormat::Micros, true), "description": "CI" });
    let made = caller.post(TOKENS, body).await.expect(201);
    let (id, token) = (made.text("/metadata/id"), made.text("/metadata/JWT"));
    let keys = public(&caller, "jwks.json").await;
    assert!(verifies(&token, &keys) && verifies(caller.emulator.token(), &keys));
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    assert!(!verifies(&format!("{message}x.{signature}"), &keys));
    // Another emulator has keys of its own, and does not know the token.
    let others = public(&other, "jwks.json").await;
    assert!(!verifies(&token, &others) && keys != others);
    let claims = decoded(message.split('.').nth(1).expect("claims"));
    assert_eq!(claims["jti"], id);
    assert_eq!(claims["exp"], expires.timestamp());
    // Later reads do not show the token.
    let shown = caller.get(&format!("{TOKENS}/{id}")).await.expect(200);
    assert!(!shown.body.to_string().contains(&token));
    assert_eq!(shown.text("/spec/description"), "CI");

    assert_eq!(
        public(&caller, "revoked.json").await["revokedTokens"],
        json!([])
    );
    caller.delete(&format!("{TOKENS}/{id}")).await.expect(200);
    assert_eq!(
        public(&caller, "revoked.json").await["revokedTokens"],
        json!([id])
    );
    let full = std::mem::replace(&mut caller.token, token);
    let refused = caller.get("media/assets").await.expect(401);
    assert!(refused.detail().contains("revoked"), "{}", refused.detail());
    // Its signature is still valid: the list of revocations exists for that.
    assert!(verifies(&caller.token, &keys));
    caller.token = full;
    let listed = async || {
        let tokens = caller.get(TOKENS).await.expect(200).body["value"].clone();
        let tokens = tokens.as_array().cloned().unwrap_or_default();
        tokens.iter().any(|token| token["metadata"]["id"] == id)
    };
    assert!(listed().await);
    caller.step(2 * 86_400);
    assert!(!listed().await, "expired tokens are left out");
}

#[tokio::test]
async fn a_token_opens_its_own_organization_alone() {
    let mut caller = Caller::with(|builder| builder.rate_limit(true)).await;
    let second = caller
        .post(
            "/api/v1/organization",
            json!({ "spec": { "name": "Second" } }),
        )
        .await
        .expect(201)
        .text("/metadata/id");
    let body = json!({ "type": "full-access", "organizationId": second });
    let token = caller
        .post(TOKENS, body)
        .await
        .expect(201)
        .text("/metadata/JWT");
    let home = std::mem::replace(&mut caller.token, token);
    assert_eq!(
        caller
            .get("/api/v1/organization")
            .await
            .text("/metadata/name"),
        "Second"
    );
    assert_eq!(
        caller.get("/api/v1/projects").await.body["value"],
        json!([])
    );
    caller.get("media/assets").await.expect(403);
    caller.get("/api/v1/projects/demo").await.expect(403);
    make_project(&caller, "theirs").await.expect(201);
    caller
        .get("/api/v1/projects/theirs/media/assets")
        .await
        .expect(200);
    // Each organization has its own share of requests.
    let used = async || {
        let mut used = 0;
        while caller.get("/api/v1/organization").await.status == 200 {
            used += 1;
        }
        used
    };
    let second_used = used().await;
    assert!((1_900..2_000).contains(&second_used), "{second_used}");
    caller.token = home;
    caller.get("/api/v1/organization").await.expect(200);
    caller
        .get("/api/v1/projects/theirs/media/assets")
        .await
        .expect(403);
    assert_eq!(
        caller.get("/api/v1/projects").await.body["value"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn the_token_of_the_start_outlives_any_platform_time() {
    let caller = Caller::with(|builder| builder.token("given")).await;
    let made_up = Caller::start().await;
    for caller in [&caller, &made_up] {
        for days in [400, 4_000_000] {
            caller.step(days * 86_400);
            caller.get("media/assets").await.expect(200);
        }
    }
    // One that is made through the API ends with its year.
    let mut caller = Caller::start().await;
    let organization = caller
        .get("/api/v1/organization")
        .await
        .text("/metadata/id");
    let body = json!({ "type": "full-access", "organizationId": organization });
    let made = caller.post(TOKENS, body).await.expect(201);
    caller.token = made.text("/metadata/JWT");
    caller.get("media/assets").await.expect(200);
    caller.step(400 * 86_400);
    caller.get("media/assets").await.expect(401);
}

#[tokio::test]
async fn a_token_with_reduced_permissions_reaches_no_token_but_itself() {
    let mut caller = Caller::start().await;
    let ids = ids(&caller).await;
    let full = caller.token.clone();
    let listed = caller.get(TOKENS).await.expect(200);
    let operators = listed.text("/value/0/metadata/id");
    let permissions = json!({ "core.project": { &ids.demo: { "ams.asset": ["get"] } } });
    for kind in ["restricted", "ephemeral"] {
        let body =
            json!({ "type": kind, "organizationId": ids.organization, "permissions": permissions });
        let made = caller.post(TOKENS, body).await.expect(201);
        let (own, other) = (made.text("/metadata/id"), format!("{TOKENS}/{operators}"));
        caller.token = made.text("/metadata/JWT");
        caller.delete(TOKENS).await.expect(403);
        caller.get(&other).await.expect(403);
        caller.delete(&other).await.expect(403);
        let unknown = format!("{TOKENS}/{}", ids.demo);
        caller.delete(&unknown).await.expect(403);
        let listed = caller.get(TOKENS).await.expect(200);
        assert_eq!(listed.body["value"].as_array().map(Vec::len), Some(1));
        assert_eq!(listed.text("/value/0/metadata/id"), own);
        let itself = format!("{TOKENS}/{own}");
        caller.get(&itself).await.expect(200);
        caller.get("media/assets/none").await.expect(404);
        caller.delete(&itself).await.expect(200);
        caller.get("media/assets/none").await.expect(401);
        caller.token.clone_from(&full);
        caller.get(&other).await.expect(200);
    }
}

#[tokio::test]
async fn permissions_are_less_than_what_the_user_may_do() {
    let caller = Caller::start().await;
    let ids = ids(&caller).await;
    let rbac = caller.get("/api/v1/user/rbac").await.expect(200);
    let mut permissions = rbac.body["rbac"].clone();
    let refused = restricted(&caller, &ids, permissions.clone())
        .await
        .expect(400);
    assert!(
        refused.detail().contains("full-access"),
        "{}",
        refused.detail()
    );
    permissions["core.project"]["another"] = json!({});
    restricted(&caller, &ids, permissions.clone())
        .await
        .expect(400);
    let projects = permissions["core.project"].as_object_mut();
    let projects = projects.expect("permissions of projects");
    projects.remove("another");
    let asset = projects
        .get_mut(&ids.demo)
        .and_then(|project| project.get_mut("ams.asset"));
    asset
        .and_then(Value::as_array_mut)
        .expect("verbs of assets")
        .pop();
    restricted(&caller, &ids, permissions).await.expect(201);
}
