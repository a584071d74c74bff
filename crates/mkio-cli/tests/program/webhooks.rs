//! Events on this machine.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc,
};

use serde_json::Value;

use crate::Service;

/// Takes one request, and answers 204: its head and its body.
fn receiver() -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/events",
        listener.local_addr().expect("an address")
    );
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            // Before the response: who sees the program end finds the request here.
            let body = serde_json::from_slice(&body).expect("JSON");
            if sender.send((head, body)).is_err() {
                return;
            }
            let response =
                "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            reader
                .get_mut()
                .write_all(response.as_bytes())
                .expect("it reads");
        }
    });
    (url, requests)
}

#[test]
fn an_event_is_made_without_the_service() {
    let service = Service::new();
    let (url, requests) = receiver();
    let mut command = service.bare(&[
        "webhooks",
        "trigger",
        "JobFinished",
        "--forward-to",
        &url,
        "--secret-env",
        "HOOK",
        "-o",
        "json",
    ]);
    let ran = crate::ran(
        command
            .env("HOOK", "geheim")
            // It is for other machines: nothing that is meant for this one goes there.
            .env("http_proxy", "http://127.0.0.1:9")
            .env("MKIO_TOKEN", crate::TOKEN),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (head, event) = requests.recv().expect("a request");
    assert_eq!(event["type"], "MediaKind.JobFinished");
    assert_eq!(event["data"]["state"], "Finished");
    assert!(head.contains("x-mkio-secret: geheim"), "{head}");
    assert!(!head.contains(crate::TOKEN), "the token stays here: {head}");
    assert!(!ran.out.contains("geheim"), "{}", ran.out);
    let wrong = service.run(&["webhooks", "trigger", "JobFinsihed"]);
    assert!(
        wrong.code == 2 && wrong.err.contains("JobFinished"),
        "{}",
        wrong.err
    );
}

/// A rule of its own brings events, and is gone afterwards.
#[test]
fn events_are_received_and_the_rule_is_removed() {
    let service = Service::new();
    let (child, mut err) = service.begun(&[
        "webhooks",
        "listen",
        "--listen",
        "127.0.0.1:0",
        "--limit",
        "1",
        "-o",
        "jsonl",
    ]);
    let mut told = String::new();
    err.read_line(&mut told).expect("a line");
    assert!(told.contains("mkio-listen-"), "{told}");
    assert!(
        service
            .ok(&["webhook", "rule", "list", "-o", "name"])
            .contains("mkio-listen-")
    );
    service.ok(&[
        "asset",
        "put",
        "a",
        "--set",
        "properties.storageAccountName=storage1",
        "--wait",
    ]);
    service.ok(&[
        "locator",
        "put",
        "l",
        "--set",
        "properties.assetName=a",
        "--set",
        "properties.streamingPolicyName=Predefined_ClearStreamingOnly",
        "--wait",
    ]);
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("MediaKind.StreamingLocatorCreated"), "{text}");
    assert_eq!(service.ok(&["webhook", "rule", "list", "-o", "name"]), "");
    let (url, requests) = receiver();
    let rule = format!("spec.url={url}");
    service.ok(&[
        "webhook",
        "rule",
        "put",
        "r",
        "--set",
        &rule,
        "--set",
        "spec.enabled=true",
        "--set",
        "spec.events=[\"MediaKind.StreamingLocatorCreated\"]",
    ]);
    service.ok(&[
        "locator",
        "put",
        "m",
        "--set",
        "properties.assetName=a",
        "--set",
        "properties.streamingPolicyName=Predefined_ClearStreamingOnly",
        "--wait",
    ]);
    let (_, first) = requests.recv().expect("the service's own delivery");
    let again = service.run(&["webhooks", "resend", "r", "--forward-to", &url]);
    assert_eq!(again.code, 0, "{}", again.err);
    let (_, rebuilt) = requests.recv().expect("the delivery again");
    assert_eq!(rebuilt["type"], first["type"]);
    assert_eq!(rebuilt["source"], first["source"]);
    assert_eq!(rebuilt["mkiorebuilt"], true);
}

const LOCATOR: [&str; 5] = [
    "--set",
    "properties.assetName=asset-1",
    "--set",
    "properties.streamingPolicyName=Predefined_ClearStreamingOnly",
    "--wait",
];

fn locator(service: &Service, name: &str) {
    service.ok(&[&["locator", "put", name], &LOCATOR[..]].concat());
}

/// A rule of all events whose own target is not there.
fn rule(service: &Service, events: &str) {
    let events = format!("spec.events={events}");
    service.ok(&[
        "webhook",
        "rule",
        "put",
        "r",
        "--set",
        "spec.url=http://127.0.0.1:9/",
        "--set",
        "spec.enabled=true",
        "--set",
        &events,
    ]);
}

/// What stands on standard error until a line has this.
fn expect(err: &mut impl BufRead, text: &str) -> String {
    let mut told = String::new();
    while !told.contains(text) {
        let read = err.read_line(&mut told).expect("a line");
        assert!(read > 0, "no {text:?} in {told}");
    }
    told
}

/// Each new delivery of the wanted type is forwarded once, and a failed look ends nothing.
#[test]
fn deliveries_are_followed() {
    let service = Service::with(1);
    rule(
        &service,
        "[\"MediaKind.StreamingLocatorCreated\", \"MediaKind.JobStarted\", \"MediaKind.JobFinished\"]",
    );
    locator(&service, "before");
    let (url, requests) = receiver();
    let (child, mut err) = service.begun(&[
        "webhooks",
        "listen",
        "--from-history",
        "r",
        "--every",
        "50ms",
        "--event",
        "StreamingLocatorCreated",
        "--limit",
        "2",
        "--forward-to",
        &url,
        "-o",
        "jsonl",
    ]);
    expect(&mut err, "following");
    service.fault("GET */rules/*/events status=400");
    expect(&mut err, "400");
    service.fault("");
    let encode = ["encode", "asset-1", "--preset", "H264SingleBitrate720p"];
    service.ok(&encode);
    for name in ["one", "two", "three"] {
        locator(&service, name);
    }
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    let shown: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let sources: Vec<&str> = shown
        .iter()
        .filter_map(|of| of["source"].as_str())
        .collect();
    assert_eq!(sources.len(), 2, "{text}");
    assert!(
        sources[0].ends_with("/one") && sources[1].ends_with("/two"),
        "{sources:?}"
    );
    let posted: Vec<Value> = requests.try_iter().map(|(_, event)| event).collect();
    assert_eq!(posted, shown, "each once");
    let unknown = service.run(&["webhooks", "listen", "--from-history", "none"]);
    assert_eq!(unknown.code, 4, "{}", unknown.err);
}

/// Ctrl-C removes the rule, also while a target keeps an event waiting.
#[cfg(unix)]
#[test]
fn an_interrupt_removes_the_rule() {
    let service = Service::with(1);
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", deaf.local_addr().expect("an address"));
    let (mut child, mut err) = service.begun(&[
        "webhooks",
        "listen",
        "--listen",
        "127.0.0.1:0",
        "--forward-to",
        &url,
        "-o",
        "jsonl",
    ]);
    expect(&mut err, "mkio-listen-");
    locator(&service, "one");
    let mut shown = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("standard output"));
    out.read_line(&mut shown).expect("an event");
    assert!(shown.contains("StreamingLocatorCreated"), "{shown}");
    let posted = deaf.accept();
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    let status = child.wait().expect("it ends");
    assert!(status.success() && posted.is_ok(), "{status}");
    assert_eq!(service.ok(&["webhook", "rule", "list", "-o", "name"]), "");
}
