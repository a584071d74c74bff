//! Webhook delivery.

use std::time::Duration;

use crate::common::Caller;
use futures::StreamExt;
use serde_json::{Value, json};

/// A receiver that answers each delivery with the next status of a list, and hands the request on.
async fn receiver(
    statuses: Vec<u16>,
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
        for status in statuses.into_iter().chain(std::iter::repeat(200)) {
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
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            if stream.write_all(answer.as_bytes()).await.is_err()
                || sender.unbounded_send((head, body)).is_err()
            {
                return;
            }
        }
    });
    (url, received)
}

#[tokio::test]
async fn webhooks_are_delivered_retried_and_remembered() {
    let caller = Caller::start().await;
    let (url, mut received) = receiver(vec![503]).await;
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
    caller.asset("film").await;
    let locator = json!({ "properties": { "assetName": "film", "streamingPolicyName": "Predefined_ClearStreamingOnly" } });
    caller
        .put("media/streamingLocators/l", locator)
        .await
        .expect(201);
    caller.step(2);
    let (head, first) = received.next().await.expect("a delivery");
    assert!(
        head.contains("x-plain: 1")
            && head.contains("x-key: hush")
            && head.contains("fixed=1&sig=s"),
        "{head}"
    );
    assert_eq!(first["data"]["previousState"], "Creating");
    assert_eq!(
        first["source"],
        "/api/v1/projects/demo/media/streamingLocators/l"
    );
    assert_eq!(first["data"]["resource"]["name"], "l");
    // The outcome of the try is written after the receiver has seen it.
    let status = async |wanted: &str| {
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
    tokio::time::timeout(Duration::from_secs(20), status("Retrying"))
        .await
        .expect("it is going to be tried again");
    caller.step(10);
    let (_, second) = received.next().await.expect("the delivery again");
    assert_eq!(first["id"], second["id"]);
    tokio::time::timeout(Duration::from_secs(20), status("Sent"))
        .await
        .expect("it is sent");
    caller.delete("webhook/rules/r").await.expect(200);
    caller.get("webhook/rules/r/events").await.expect(404);
}
