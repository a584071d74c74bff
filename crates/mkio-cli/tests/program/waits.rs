//! Waits, and what they come to.

use crate::Service;

fn job(service: &Service, name: &str) -> Vec<String> {
    let body = "properties:\n  input: {'@odata.type': '#Microsoft.Media.JobInputAsset', assetName: in}\n  outputs:\n  - {'@odata.type': '#Microsoft.Media.JobOutputAsset', assetName: out}\n";
    let file = service.file("job.yaml", body);
    ["job", "create", "enc", name, "-f", &file]
        .map(str::to_owned)
        .to_vec()
}

fn prepared() -> Service {
    let service = Service::new();
    for name in ["in", "out"] {
        service.ok(&[
            "asset",
            "put",
            name,
            "--set",
            "properties.storageAccountName=storage1",
            "--wait",
        ]);
    }
    let body = "properties:\n  outputs:\n  - preset: {'@odata.type': '#Microsoft.Media.BuiltInStandardEncoderPreset', presetName: H264SingleBitrate720p}\n";
    let file = service.file("transform.yaml", body);
    service.ok(&["transform", "put", "enc", "-f", &file]);
    service
}

fn run(service: &Service, args: &[String], more: &[&str]) -> crate::Ran {
    let all: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    service.run(&all)
}

#[test]
fn a_call_waits_and_many_waits_end_together() {
    let service = prepared();
    let done = run(&service, &job(&service, "j1"), &["--wait", "-o", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("\"Finished\""), "{}", done.out);
    assert!(
        done.err.contains("enc/j1: "),
        "a line for each change: {}",
        done.err
    );
    for name in ["j2", "j3"] {
        assert_eq!(run(&service, &job(&service, name), &[]).code, 0);
    }
    let both = service.run(&["wait", "job", "enc/j2", "enc/j3", "-o", "name"]);
    assert_eq!(both.code, 0, "{}", both.err);
    assert_eq!(both.out.lines().count(), 2, "{}", both.out);
    let lines = service.ok(&["wait", "job", "enc/j1", "-o", "jsonl"]);
    assert!(
        lines
            .lines()
            .next()
            .expect("a line")
            .contains("\"state\":\"Finished\""),
        "{lines}"
    );
}

#[test]
fn failures_timeouts_and_missing_resources_have_their_codes() {
    let service = prepared();
    service.emulator.control().pause();
    assert_eq!(run(&service, &job(&service, "j1"), &[]).code, 0);
    let late = service.run(&["wait", "job", "enc/j1", "--timeout", "1s"]);
    assert_eq!(late.code, 7, "{}", late.err);
    service.ok(&["job", "cancel", "enc", "j1"]);
    service.emulator.control().resume();
    let canceled = service.run(&["wait", "job", "enc/j1", "--timeout", "20s"]);
    assert_eq!(canceled.code, 1, "{}", canceled.err);
    let watched = service.run(&["watch", "job", "enc/j1"]);
    assert_eq!(watched.code, 0, "{}", watched.err);
    let gone = service.run(&["job", "delete", "enc", "j1", "--wait"]);
    assert_eq!(gone.code, 0, "{}", gone.err);
    assert_eq!(service.run(&["job", "get", "enc", "j1"]).code, 4);
}

/// A read that looks on shows the end, as `watch` does.
#[test]
fn a_get_looks_on() {
    let service = prepared();
    assert_eq!(run(&service, &job(&service, "j1"), &[]).code, 0);
    let seen = service.run(&["job", "get", "enc", "j1", "-w"]);
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert!(seen.err.contains("enc/j1: Finished"), "{}", seen.err);
    assert_eq!(seen.out, "", "the changes are all that it shows");
    let lines = service.ok(&["job", "get", "enc", "j1", "--watch", "-o", "jsonl"]);
    assert!(lines.contains("\"state\":\"Finished\""), "{lines}");
    for flag in [&["-o", "yaml"][..], &["--jq", "."], &["--columns", "name"]] {
        for task in [
            &["job", "get", "enc", "j1", "-w"][..],
            &["watch", "job", "enc/j1"],
        ] {
            let refused = service.run(&[task, flag].concat());
            assert_eq!(refused.code, 2, "{task:?} {flag:?}: {}", refused.out);
        }
    }
    let none = service.run(&["transform", "get", "enc", "-w"]);
    assert_eq!(none.code, 2, "it has no state: {}", none.err);
}

/// What cannot be waited for is told with what can.
#[test]
fn goals_are_told() {
    let service = Service::new();
    for wait in [
        &["wait", "job", "t/j", "--for", "finishd"][..],
        &["endpoint", "start", "default", "--wait", "--for", "finishd"],
    ] {
        let refused = service.run(wait);
        assert_eq!(refused.code, 2, "{}", refused.err);
        assert!(refused.err.contains("--for: a"), "{}", refused.err);
        assert!(!refused.err.contains('"'), "{}", refused.err);
    }
    let near = service.run(&["wait", "job", "t/j", "--for", "finishd"]);
    assert!(
        near.err.to_lowercase().contains("`finished`?"),
        "{}",
        near.err
    );
}

#[test]
fn live_events_start_and_stop() {
    let service = Service::new();
    let skeleton = service.ok(&["live-event", "create", "e1", "--skeleton", "-o", "json"]);
    assert!(skeleton.contains("useStaticHostname"), "{skeleton}");
    let body = "properties:\n  useStaticHostname: false\n  encoding: {encodingType: PassthroughBasic}\n  input: {streamingProtocol: RTMP}\n  streamOptions: []\n";
    let file = service.file("event.yaml", body);
    service.ok(&["live-event", "create", "e1", "-f", &file]);
    let started = service.run(&["live", "start", "e1", "-o", "jsonl", "--wait"]);
    assert_eq!(started.code, 0, "{}", started.err);
    assert!(started.out.contains("ingest"), "{}", started.out);
    let state = service.ok(&["live-event", "state", "e1", "-o", "json"]);
    assert!(state.contains("Running"), "{state}");
    assert_eq!(service.run(&["live", "stop", "e1", "--wait"]).code, 0);
    service.ok(&["live-event", "restart", "e1"]);
    let state = service.ok(&["live-event", "state", "e1", "-o", "json"]);
    assert!(state.contains("Running"), "{state}");
}

#[test]
fn an_asset_is_encoded_and_published() {
    let service = prepared();
    let endpoints = service.ok(&["endpoint", "list", "-o", "name"]);
    if let Some(name) = endpoints.lines().next() {
        service.run(&["endpoint", "start", name, "--wait"]);
    }
    let done = service.run(&[
        "encode",
        "in",
        "--preset",
        "H264SingleBitrate720p",
        "--publish",
        "-o",
        "jsonl",
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    let name = "in-H264SingleBitrate720p";
    assert!(
        service
            .ok(&["asset", "list", "-o", "name", "--all"])
            .contains(name)
    );
    // A locator of another name is found by its asset.
    service.ok(&["publish", "out", "--locator", "odd one"]);
    let of_asset = service.ok(&["urls", "out", "-o", "jsonl"]);
    assert!(of_asset.contains("odd one"), "{of_asset}");
    service.ok(&[
        "asset",
        "put",
        "my film",
        "--wait",
        "--set",
        "properties.storageAccountName=storage1",
    ]);
    let none = service.run(&["urls", "my film"]);
    assert!(
        none.err.contains("mkio publish 'my film' makes one"),
        "{}",
        none.err
    );
    assert_eq!(service.run(&["urls", "nosuch"]).code, 4);
    let urls = service.ok(&["urls", name, "-o", "jsonl"]);
    assert!(endpoints.is_empty() || urls.contains("://"), "{urls}");
}
