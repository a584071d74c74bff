//! Secrets appear nowhere: not in any `Debug`, `Display`, trace or error.

use std::fmt::{Debug, Display};

use http::Method;
use mkio_core::{
    CallInfo, CallOptions, Error, RateBudget, RetryPolicy, Token, TokenCommand, TokenFile,
    Transport, token_fn,
};
use serde_json::{Value, json};

use crate::support::*;

/// Every secret of these tests holds this word.
const CANARY: &str = "hush-hush-canary";
const TOKEN: &str = "hush-hush-canary-token";
const PASSWORD: &str = "hush-hush-canary-passphrase";

/// Everything that is ever shown.
#[derive(Default)]
struct Shown(Vec<String>);

impl Shown {
    fn debug(&mut self, value: &impl Debug) {
        self.0.push(format!("{value:?}"));
        self.0.push(format!("{value:#?}"));
    }

    fn error(&mut self, error: &Error) {
        self.debug(error);
        self.display(error);
        self.0
            .push(String::from_utf8_lossy(error.body()).into_owned());
        self.debug(&error.extra_detail());
        let mut cause = std::error::Error::source(error);
        while let Some(next) = cause {
            self.0.push(format!("{next} {next:?}"));
            cause = next.source();
        }
    }

    fn display(&mut self, value: &impl Display) {
        self.0.push(value.to_string());
    }

    fn check(&self) {
        assert!(self.0.len() > 2);
        for text in &self.0 {
            assert!(!text.contains(CANARY), "{text}");
        }
    }
}

/// A service that repeats the request's secrets in its responses.
fn echo(status: u16, json: bool) -> Script {
    Script::rule(move |seen| {
        let token = seen.headers["authorization"].to_str().unwrap().to_owned();
        let text = format!("you sent {token} and {}", seen.body);
        let body = if json {
            json!({
                "error": {"code": "E", "detail": text, "extraDetail": {"seen": [text]}},
                "status": status,
                "ref": token,
            })
            .to_string()
        } else {
            format!("<html>{text}</html>")
        };
        Scripted::Response(status, vec![("x-echo", token)], body)
    })
}

fn secret_transport(script: &Script) -> Transport {
    Transport::builder()
        .token(TOKEN)
        .rate_budget(RateBudget::off())
        .retry(RetryPolicy::default().max_attempts(2))
        .dispatch(script.clone())
        .build()
        .unwrap()
}

async fn put(transport: &Transport) -> mkio_core::Result<mkio_core::Response<Value>> {
    transport
        .request(Method::PUT, format!("{PATH}?sig={CANARY}"))
        .query("sas", CANARY)
        .header("x-key", CANARY)
        .json(&json!({"spec": {"transport": {"passPhrase": PASSWORD}, "name": "n"}}))
        .send()
        .await
}

#[tokio::test(start_paused = true)]
async fn responses_that_echo_secrets() {
    let capture = Capture::start();
    let mut shown = Shown::default();
    for (status, json) in [
        (400, true),
        (400, false),
        (500, true),
        (502, false),
        (401, true),
    ] {
        let script = echo(status, json);
        let error = put(&secret_transport(&script)).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert!(error.to_string().contains("[redacted]"), "{error}");
        assert!(error.headers().get("x-echo").is_none());
        shown.error(&error);
    }
    shown.0.push(capture.text());
    shown.check();
}

#[tokio::test(start_paused = true)]
async fn failures_of_every_other_kind() {
    let capture = Capture::start();
    let mut shown = Shown::default();
    let elsewhere = Scripted::Response(
        307,
        vec![(
            "location",
            format!("https://evil.example/{CANARY}?t={CANARY}"),
        )],
        String::new(),
    );
    for scripted in [
        Scripted::NotSent,
        Scripted::Broken,
        Scripted::Silence,
        Scripted::Half(200, CANARY.to_owned()),
        elsewhere,
    ] {
        let script = Script::new([scripted]);
        shown.error(&put(&secret_transport(&script)).await.unwrap_err());
    }
    let script = Script::new([]);
    let transport = secret_transport(&script);
    for link in [
        format!("https://evil.example/x?sig={CANARY}"),
        format!("nonsense?sig={CANARY}"),
    ] {
        let error = transport.fetch::<Value>(&GET, &link).await.unwrap_err();
        shown.error(&error);
    }
    let provider = token_fn(|| async { Ok(Token::new(format!("{CANARY}\u{7f}"))) });
    let bad = Transport::builder()
        .token_provider(provider)
        .dispatch(script.clone())
        .build()
        .unwrap();
    shown.error(&call(&bad, &GET).await.unwrap_err());
    shown.error(
        &Transport::builder()
            .token(format!("{CANARY}\n{CANARY}"))
            .build()
            .unwrap_err(),
    );
    let url = format!("https://{CANARY}:{CANARY}@h/?{CANARY}");
    shown.error(&Transport::builder().base_url(url).build().unwrap_err());
    shown.0.push(capture.text());
    shown.check();
}

#[tokio::test(start_paused = true)]
async fn bodies_that_do_not_decode() {
    let mut shown = Shown::default();
    let body = json!({"value": [{"sasToken": CANARY}]}).to_string();
    let script = Script::new([Scripted::json(200, &body)]);
    let transport = secret_transport(&script);
    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        sas_token: u32,
    }
    #[derive(Debug, serde::Deserialize)]
    struct List {
        value: Vec<Item>,
    }
    let error = transport.fetch::<List>(&GET, PATH).await.unwrap_err();
    assert_eq!(error.json_path(), Some("value[0].sasToken"));
    // The raw bytes are there for those who ask.
    assert_eq!(error.body(), body.as_bytes());
    shown.debug(&error);
    shown.display(&error);
    shown.check();
    let fine: List = serde_json::from_str(r#"{"value":[{"sasToken":1}]}"#).unwrap();
    assert_eq!(fine.value[0].sas_token, 1);
}

#[tokio::test(start_paused = true)]
async fn successful_calls_and_everything_printable() {
    let capture = Capture::start();
    let mut shown = Shown::default();
    let body = json!({"keyValue": CANARY}).to_string();
    let script = Script::new([Scripted::json(200, &body).with("x-key", CANARY)]);
    let builder = Transport::builder()
        .token(TOKEN)
        .api_base_url("channels", "https://device.example")
        .api_token("channels", CANARY)
        .dispatch(script.clone());
    shown.debug(&builder);
    let transport = builder.build().unwrap();
    shown.debug(&transport);
    let request = transport
        .request(Method::GET, format!("/x?{CANARY}"))
        .header("x", CANARY);
    shown.debug(&request);
    let response = put(&transport).await.unwrap();
    shown.debug(&response.map(drop));
    let stream = request.send_stream().await.unwrap();
    shown.debug(&stream);
    shown.debug(&Token::new(TOKEN));
    shown.debug(&TokenFile::new("/run/token"));
    shown.debug(&TokenCommand::new("vault", [CANARY]));
    shown.debug(&(
        CallOptions::new(),
        CallInfo::default(),
        RateBudget::default(),
    ));
    shown.0.push(capture.text());
    shown.check();
}

/// Over real connections, so that the HTTP client below is heard as well; what it tells the `log`
/// crate is taken down too.
#[tokio::test]
async fn the_layers_below() {
    let _ = tracing_log::LogTracer::init();
    let capture = Capture::start();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        while !request.contains("\r\n\r\n") || !request.contains(PASSWORD) {
            let mut buffer = [0; 4096];
            let count = socket.read(&mut buffer).await.unwrap();
            request.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        socket.write_all(response).await.unwrap();
        request
    });
    let transport = Transport::builder()
        .token(TOKEN)
        .base_url(address)
        .build()
        .unwrap();
    put(&transport).await.unwrap();
    assert!(service.await.unwrap().contains(TOKEN));
    let text = capture.text();
    assert!(text.contains("TRACE") || text.contains("DEBUG"), "{text}");
    let shown = Shown(vec![text.clone(), text.clone(), text]);
    shown.check();
}

/// An excerpt must not keep a part of a token that would be recognised as a whole.
#[tokio::test(start_paused = true)]
async fn a_token_at_the_edge_of_the_excerpt() {
    let script = Script::rule(|seen| {
        let token = seen.headers["authorization"].to_str().unwrap();
        Scripted::Response(502, vec![], format!("{}{token}", "x".repeat(1010)))
    });
    let error = put(&secret_transport(&script)).await.unwrap_err();
    let shown = String::from_utf8_lossy(error.body()).into_owned();
    assert!(!shown.contains(&TOKEN[..4]), "{shown}");
    assert_eq!(shown.len(), 1024);
}

#[tokio::test(start_paused = true)]
async fn headers_of_the_caller_are_as_secret_as_the_token() {
    let script = Script::rule(|seen| {
        let header = |name: &str| seen.headers[name].to_str().unwrap().to_owned();
        let (own, bearer) = (header("x-key"), header("authorization"));
        let bearer = bearer.strip_prefix("Bearer ").unwrap();
        Scripted::Response(400, vec![], format!("you sent {own} and {bearer}"))
    });
    let request = secret_transport(&script)
        .request(Method::POST, PATH)
        .header("authorization", "Bearer hush-hush-canary-of-mine")
        .header("x-key", "hush-hush-canary-key");
    let error = request.send().await.unwrap_err();
    let mut shown = Shown::default();
    shown.error(&error);
    shown.check();
    assert_eq!(error.body(), "you sent [redacted] and [redacted]");
}
