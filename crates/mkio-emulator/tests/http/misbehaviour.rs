//! Faults, over HTTP.

use crate::common::Caller;
use serde_json::{Value, json};

async fn with(faults: &str) -> Caller {
    let caller = Caller::with(|builder| builder.seed(5)).await;
    caller
        .emulator
        .control()
        .faults(faults)
        .expect("the faults parse");
    caller
}

async fn raw(caller: &Caller, path: &str) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/api/v1/projects/demo/{path}", caller.emulator.base_url());
    caller.http.get(url).bearer_auth(&caller.token).send().await
}

#[tokio::test]
async fn statuses_with_and_without_retry_after_and_html_pages() {
    let caller = with("GET */media/assets status=429 retry-after=7 times=1; GET */media/assets status=500 times=1; GET */media/assets html times=1").await;
    let first = caller.get("media/assets").await.expect(429);
    assert_eq!(first.headers["retry-after"], "7");
    caller.get("media/assets").await.expect(500);
    let page = raw(&caller, "media/assets").await.expect("an answer");
    assert_eq!(
        (
            page.status().as_u16(),
            page.headers()["content-type"].as_bytes()
        ),
        (502, &b"text/html"[..])
    );
    caller.get("media/assets").await.expect(200);
}

#[tokio::test]
async fn connections_break_before_or_after_the_write() {
    let caller =
        with("PUT */content/* reset=before nth=1; PUT */content/* reset=after nth=2").await;
    let put = async || {
        let url = format!(
            "{}/api/v1/projects/demo/media/content/c",
            caller.emulator.base_url()
        );
        caller
            .http
            .put(url)
            .bearer_auth(&caller.token)
            .json(&json!({ "metadata": { "displayName": "C" } }))
            .send()
            .await
    };
    assert!(put().await.is_err());
    caller.get("media/content/c").await.expect(404);
    assert!(put().await.is_err());
    caller.get("media/content/c").await.expect(200);
}

#[tokio::test]
async fn bodies_are_cut_off_or_slow() {
    let caller = with("GET */media/assets cut=100 nth=1; GET */media/assets slow=1 nth=2").await;
    let cut = raw(&caller, "media/assets")
        .await
        .expect("the head arrives");
    assert!(cut.bytes().await.is_err());
    let slow = raw(&caller, "media/assets")
        .await
        .expect("the head arrives");
    let body: Value = slow.json().await.expect("the whole body");
    assert_eq!(body["value"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn answers_that_do_not_fit_their_document() {
    let caller = with("GET * unknown=containerDeletionPolicy extra=more drop=supplemental null=id mistype=name link=foreign").await;
    let body: Value = raw(&caller, "media/assets?$top=1")
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let item = &body["value"][0];
    assert_eq!(
        item["properties"]["containerDeletionPolicy"],
        "SomethingNew"
    );
    assert_eq!(
        (
            item["id"].clone(),
            item["name"].clone(),
            item["more"]["added"].clone()
        ),
        (Value::Null, json!(42), json!(true))
    );
    assert_eq!(body.get("supplemental"), None);
    assert!(
        body["@odata.nextLink"]
            .as_str()
            .is_some_and(|link| link.starts_with("https://elsewhere.invalid/"))
    );
    caller.emulator.control().clear_faults();
    caller.get("media/assets").await.expect(200);
}

#[tokio::test]
async fn links_that_repeat_or_are_stale() {
    let caller =
        with("GET */media/assets link=repeat nth=1; GET */media/assets link=stale nth=2").await;
    let first: Value = raw(&caller, "media/assets?$top=2")
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let url = format!(
        "{}/api/v1/projects/demo/media/assets?$top=2",
        caller.emulator.base_url()
    );
    assert_eq!(first["@odata.nextLink"], url);
    let second: Value = raw(&caller, "media/assets?$top=2")
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let stale = second["@odata.nextLink"]
        .as_str()
        .expect("a link")
        .to_owned();
    caller.get(&stale).await.expect(400);
}
