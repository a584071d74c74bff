//! Checks before the operations: foreign hosts and origins, HEAD, OPTIONS, times and numbers.

use http::Method;
use serde_json::{Value, json};

use crate::common::Caller;

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let caller = Caller::with(|builder| builder.allow_host("platform.test")).await;
    let url = format!(
        "{}/api/v1/projects/demo/media/assets",
        caller.emulator.base_url()
    );
    let status = async |name: &str, value: &str| {
        let request = caller.http.get(&url).bearer_auth(&caller.token);
        let response = request.header(name, value).send().await;
        response.expect("a response").status().as_u16()
    };
    for (name, value, wanted) in [
        ("host", "attacker.example", 403),
        ("host", "127.0.0.1.attacker.example:80", 403),
        ("host", "localhost:1", 200),
        ("host", "[::1]:7000", 200),
        ("host", "platform.test", 200),
        ("origin", "https://attacker.example", 403),
        ("origin", "null", 403),
        ("origin", "http://localhost:3000", 200),
        ("origin", "http://127.0.0.1", 200),
        ("origin", "https://platform.test:8443", 200),
    ] {
        assert_eq!(status(name, value).await, wanted, "{name}: {value}");
    }
}

#[tokio::test]
async fn browsers_of_this_machine_may_ask() {
    let caller = Caller::start().await;
    let url = format!(
        "{}/api/v1/projects/demo/media/assets/a",
        caller.emulator.base_url()
    );
    let preflight = caller
        .http
        .request(Method::OPTIONS, &url)
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "PUT")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
        .send()
        .await
        .expect("a response");
    assert_eq!(preflight.status(), 204);
    let header = |name: &str| {
        let value = preflight.headers().get(name);
        value
            .map(|value| value.to_str().expect("text").to_owned())
            .unwrap_or_default()
    };
    assert_eq!(
        header("access-control-allow-origin"),
        "http://localhost:3000"
    );
    assert!(header("access-control-allow-methods").contains("PUT"));
    assert!(header("allow").contains("DELETE"));
    let response = caller
        .http
        .get(&url)
        .header("origin", "http://localhost:3000")
        .bearer_auth(&caller.token)
        .send()
        .await
        .expect("a response");
    assert_eq!(
        response.headers()["access-control-allow-origin"],
        "http://localhost:3000"
    );
    let head = caller
        .http
        .head(&url)
        .bearer_auth(&caller.token)
        .send()
        .await
        .expect("a response");
    assert_eq!(head.status(), 404);
    caller.asset("a").await;
    let head = caller
        .http
        .head(&url)
        .bearer_auth(&caller.token)
        .send()
        .await
        .expect("a response");
    assert_eq!(
        (head.status().as_u16(), head.text().await.expect("no body")),
        (200, String::new())
    );
}

#[tokio::test]
async fn times_have_at_most_six_fractional_digits_and_numbers_have_their_whole_range() {
    let caller = Caller::start().await;
    caller.asset("film").await;
    let locator = |end: &str| json!({ "properties": { "assetName": "film", "streamingPolicyName": "Predefined_ClearStreamingOnly", "endTime": end } });
    let refused = caller
        .put(
            "media/streamingLocators/l",
            locator("2999-01-01T00:00:00.1234567Z"),
        )
        .await
        .expect(400);
    assert!(refused.detail().contains("six"), "{}", refused.detail());
    caller
        .put(
            "media/streamingLocators/l",
            locator("2999-01-01T00:00:00.123456Z"),
        )
        .await
        .expect(201);
    let refused = caller
        .get("media/assets?$filter=properties/created%20gt%202020-01-01T00:00:00.1234567Z")
        .await
        .expect(400);
    assert!(refused.detail().contains("six"), "{}", refused.detail());
    let filter = |end: Value| json!({ "properties": { "presentationTimeRange": { "timescale": 1, "endTimestamp": end } } });
    caller
        .put("media/accountFilters/f", filter(json!(i64::MAX)))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_name_is_found_by_filter() {
    let caller = Caller::start().await;
    for name in ["a", "b"] {
        caller.asset(name).await;
    }
    for (filter, count) in [
        ("name%20eq%20'a'", 1),
        ("'b'%20eq%20name", 1),
        ("name%20eq%20'c'", 0),
        ("name%20eq%20'a'%20and%20name%20eq%20'b'", 0),
        ("name%20eq%20'a'%20or%20name%20eq%20'b'", 2),
        ("not%20name%20eq%20'a'", 1),
    ] {
        let found = caller
            .get(&format!("media/assets?$filter={filter}"))
            .await
            .expect(200);
        assert_eq!(found.body["supplemental"]["count"], count, "{filter}");
        assert_eq!(
            found.body["supplemental"]["pagination"]["total"], 2,
            "{filter}"
        );
    }
}
