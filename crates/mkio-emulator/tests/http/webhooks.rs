//! Webhook delivery.

use std::time::Duration;

use crate::common::Caller;
use futures::StreamExt;
use serde_json::{Value, json};

/// A receiver that answers each delivery with the next of a list of statuses (and headers), and hands the request on.
async fn receiver(
    statuses: Vec<String>,
) -> (String, impl futures::Stream<Item = (String, Value)> + Unpin) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!(
        "http://{}/hook?fixed=1",
        listener.local_addr().expect("an address")
    );
    let (sender, received) = futures::channel::mpsc::unbounded();
    tokio::spawn(async move {
        let taken = std::iter::repeat("200 OK".to_owned());
        for status in statuses.into_iter().chain(taken) {
            let Ok((mut stream, _)) = listener.accept().await else {
                return;
            };
            let mut seen = Vec::new();
            let mut buffer = [0_u8; 4_096];
            let (head, body) = loop {
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                seen.extend_from_slice(buffer.get(..read).unwrap_or_default());
                let text = String::from_utf8_lossy(&seen).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str::<Value>(body)
                {
                    break (head.to_owned(), body);
                }
                if read == 0 {
                    return;
                }
            };
            let response =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            if stream.write_all(response.as_bytes()).await.is_err()
                || sender.unbounded_send((head, body)).is_err()
            {
                return;
            }
        }
    });
    (url, received)
}

/// Waits until the history of rule `r` begins with this status: it is written after the receiver has seen the try.
async fn outcome(caller: &Caller, wanted: &str) {
    let seen = async {
        while caller
            .get("webhook/rules/r/events")
            .await
            .expect(200)
            .text("/value/0/status")
            != wanted
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen)
        .await
        .unwrap_or_else(|_| panic!("it never becomes {wanted}"));
}

/// A rule that wants new locators.
fn rule(url: &str) -> Value {
    json!({ "spec": { "url": url, "enabled": true, "events": ["MediaKind.StreamingLocatorCreated"] } })
}

/// Makes a locator, which two seconds of platform time later is `Created`.
async fn publish(caller: &Caller) {
    caller.asset("film").await;
    let locator = json!({ "properties": { "assetName": "film", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
    caller
        .put("media/streamingLocators/l", locator)
        .await
        .expect(201);
    caller.step(2);
}

#[tokio::test]
async fn redirects_are_a_failure_and_not_followed() {
    let caller = Caller::start().await;
    let (elsewhere, mut misled) = receiver(vec![]).await;
    let redirect = format!("307 Temporary Redirect\r\nlocation: {elsewhere}");
    let (url, mut received) = receiver(vec![redirect]).await;
    caller.put("webhook/rules/r", rule(&url)).await.expect(201);
    publish(&caller).await;
    received.next().await.expect("a delivery");
    outcome(&caller, "Retrying").await;
    caller.step(10);
    received.next().await.expect("the delivery again");
    outcome(&caller, "Sent").await;
    assert!(futures::FutureExt::now_or_never(misled.next()).is_none());
}

#[tokio::test]
async fn names_of_this_machine_need_no_name_server() {
    let caller = Caller::start().await;
    let (url, mut received) = receiver(vec![]).await;
    let named = url.replace("127.0.0.1", "hooks.localhost");
    caller
        .put("webhook/rules/r", rule(&named))
        .await
        .expect(201);
    publish(&caller).await;
    let (head, _) = received.next().await.expect("a delivery");
    assert!(head.contains("host: hooks.localhost:"), "{head}");
    outcome(&caller, "Sent").await;
}

#[tokio::test]
async fn a_receiver_that_never_takes_it_is_given_up_and_a_disabled_rule_hears_nothing() {
    let caller =
        Caller::with(|builder| builder.settings(|settings| settings.webhook_attempts = 2)).await;
    let (url, mut received) = receiver(vec!["500 Broken".to_owned(), "404 Gone".to_owned()]).await;
    caller.put("webhook/rules/r", rule(&url)).await.expect(201);
    let (silent, mut unheard) = receiver(vec![]).await;
    let mut disabled = rule(&silent);
    disabled["spec"]["enabled"] = json!(false);
    caller
        .put("webhook/rules/disabled", disabled)
        .await
        .expect(201);
    let mut other = rule(&silent);
    other["spec"]["events"] = json!(["MediaKind.JobFinished"]);
    caller.put("webhook/rules/other", other).await.expect(201);
    publish(&caller).await;
    received.next().await.expect("a delivery");
    outcome(&caller, "Retrying").await;
    caller.step(10);
    received.next().await.expect("the delivery again");
    outcome(&caller, "Failed").await;
    assert!(futures::FutureExt::now_or_never(unheard.next()).is_none());
    let history = caller.get("webhook/rules/other/events").await.expect(200);
    assert_eq!(history.body["value"], json!([]));
}

#[tokio::test]
async fn headers_that_cannot_be_sent_are_refused_and_the_content_type_can_be_chosen() {
    let caller = Caller::start().await;
    let (url, mut received) = receiver(vec![]).await;
    for (section, name) in [("headers", "x y"), ("headers", "Content-Length")] {
        let mut refused = rule(&url);
        refused["spec"][section] = json!({ name: "1" });
        let response = caller.put("webhook/rules/r", refused).await.expect(400);
        assert!(response.detail().contains(name), "{}", response.detail());
    }
    let mut refused = rule(&url);
    refused["spec"]["authentication"] = json!({ "headers": { "x-key": "hu\nsh" } });
    let response = caller.put("webhook/rules/r", refused).await.expect(400);
    assert!(
        !response.body.to_string().contains("sh\""),
        "{}",
        response.body
    );
    let mut chosen = rule(&url);
    chosen["spec"]["headers"] = json!({ "Content-Type": "application/json" });
    caller.put("webhook/rules/r", chosen).await.expect(201);
    publish(&caller).await;
    let (head, _) = received.next().await.expect("a delivery");
    assert_eq!(head.matches("content-type:").count(), 1, "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
}

#[tokio::test]
async fn webhooks_are_delivered_retried_and_remembered() {
    let caller = Caller::start().await;
    let (url, mut received) = receiver(vec!["503 Busy".to_owned()]).await;
    let rule = |url: &str| {
        json!({ "spec": {
        "url": url, "enabled": true, "events": ["MediaKind.StreamingLocatorCreated"], "headers": { "x-plain": "1" },
        "authentication": { "headers": { "x-key": "hush" }, "queryParams": { "sig": "s" } },
    } })
    };
    caller
        .put("webhook/rules/r", rule("https://example.com/"))
        .await
        .expect(400);
    let made = caller.put("webhook/rules/r", rule(&url)).await.expect(201);
    assert!(!made.body.to_string().contains("hush"), "{}", made.body);
    publish(&caller).await;
    let (head, first) = received.next().await.expect("a delivery");
    assert!(
        head.contains("x-plain: 1")
            && head.contains("x-key: hush")
            && head.contains("content-type: application/cloudevents+json")
            && head.contains("fixed=1&sig=s"),
        "{head}"
    );
    assert_eq!(first["data"]["previousState"], "Creating");
    assert_eq!(
        first["source"],
        "/api/v1/projects/demo/media/streamingLocators/l"
    );
    assert_eq!(first["data"]["resource"]["name"], "l");
    outcome(&caller, "Retrying").await;
    caller.step(10);
    let (_, second) = received.next().await.expect("the delivery again");
    assert_eq!(first["id"], second["id"]);
    outcome(&caller, "Sent").await;
    caller.delete("webhook/rules/r").await.expect(200);
    caller.get("webhook/rules/r/events").await.expect(404);
}
