//! Tasks beside operations: usage, live events, completion, pages.

use std::{fs, process::Command};

use mkio::chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::{LIVE_EVENT, Service};

/// With the live event `show`, which stands.
fn with_a_live_event() -> Service {
    let service = Service::with(0);
    let file = service.file("event.yaml", LIVE_EVENT);
    service.ok(&["live-event", "create", "show", "-f", &file]);
    service
}

#[test]
fn usage_is_a_table_of_csv() {
    let service = Service::with(1);
    service.ok(&["encode", "asset-1", "--preset", "H264SingleBitrate720p"]);
    let day = |offset: i64| {
        let day = Utc::now() + TimeDelta::days(offset);
        day.format("%Y-%m-%d").to_string()
    };
    let (from, to) = (day(-20), day(300));
    let usage = ["usage", "--from", &from, "--to", &to, "--by", "day", "-o"];
    let json = service.ok(&[&usage[..], &["json"]].concat());
    let rows: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    let csv = service.ok(&[&usage[..], &["csv"]].concat());
    let mut lines = csv.lines();
    let head = lines.next().unwrap_or_default();
    assert_eq!(lines.count(), rows.len(), "{csv}");
    assert!(!rows.is_empty() && head.split(',').count() > 3, "{csv}");
    for name in rows
        .iter()
        .flat_map(|row| row.as_object().expect("an object").keys())
    {
        assert!(head.contains(name.as_str()), "{name} is lost: {head}");
    }
}

/// Whatever ends the command, nothing is recorded any more.
#[test]
fn a_recording_that_fails_is_ended() {
    let service = with_a_live_event();
    service.ok(&["live", "start", "show"]);
    let record = [
        "live",
        "record",
        "show",
        "--for",
        "1h",
        "--storage",
        "storage1",
    ];
    service.fault("GET */liveOutputs/* status=400 times=1");
    let failed = service.run(&[&record[..], &["--live-output", "one"]].concat());
    assert_eq!(failed.code, 5, "{}", failed.err);
    service.fault("");
    let outputs = || service.ok(&["live-output", "list", "show", "-o", "name"]);
    assert_eq!(outputs(), "", "it is not left");
    service.fault("GET */liveOutputs/* status=400 times=1\nDELETE */liveOutputs/* status=400");
    let left = service.run(&[&record[..], &["--live-output", "two"]].concat());
    assert!(
        left.code == 5 && left.err.contains("mkio live-output delete show two"),
        "{}",
        left.err
    );
    service.fault("");
    assert_eq!(outputs().trim(), "two");
}

/// Reads the log up to a response with 503. The number alone may be a part of a time or a port.
#[cfg(unix)]
fn read_until_503(err: &mut impl std::io::BufRead) -> String {
    let mut told = String::new();
    while !told.contains("status_code=503") {
        let read = err.read_line(&mut told).expect("a line");
        assert!(read > 0, "{told}");
    }
    told
}

/// Ctrl-C before the recording has begun ends it, too.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_recording() {
    let service = with_a_live_event();
    service.ok(&["live", "start", "show"]);
    // No look at the output tells that it is there: the wait goes on.
    service.fault("GET */liveOutputs/* status=503");
    let (mut child, mut err) = service.begun(&[
        "live",
        "record",
        "show",
        "--for",
        "1h",
        "--storage",
        "storage1",
        "--live-output",
        "out",
        "-v",
    ]);
    read_until_503(&mut err);
    service.fault("");
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert_eq!(
        service.ok(&["live-output", "list", "show", "-o", "name"]),
        ""
    );
}

#[test]
fn a_live_event_is_recorded() {
    let service = with_a_live_event();
    let started = service.run(&["live", "start", "show", "-o", "json"]);
    assert_eq!(started.code, 0, "{}", started.err);
    let places: Vec<Value> = serde_json::from_str(&started.out).expect("JSON");
    let is = |what: &str| {
        places
            .iter()
            .any(|of| of["what"] == what && of["url"] != "")
    };
    assert!(is("ingest") && is("preview"), "{}", started.out);
    let record = [
        "live",
        "record",
        "show",
        "--for",
        "100ms",
        "--to",
        "recording",
    ];
    let more = [
        "--live-output",
        "out",
        "--storage",
        "storage1",
        "-o",
        "json",
    ];
    let done = service.run(&[&record[..], &more[..]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let told: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(told["asset"], "recording");
    assert_eq!(service.run(&["asset", "get", "recording"]).code, 0);
    assert_eq!(
        service.run(&["live-output", "get", "show", "out"]).code,
        4,
        "it has ended"
    );
    assert_eq!(service.run(&["live", "stop", "show"]).code, 0);
    let state = service.ok(&["live-event", "state", "show", "-o", "json"]);
    assert!(state.contains("Stopped"), "{state}");
    assert_eq!(service.run(&["live", "start", "none"]).code, 4);
}

/// An endpoint is started by its name alone; what is recorded plays there.
#[test]
fn a_live_event_plays_where_an_endpoint_runs() {
    let service = with_a_live_event();
    let endpoint = service.ok(&["endpoint", "list", "-o", "name"]);
    let endpoint = endpoint.lines().next().expect("an endpoint");
    service.ok(&["endpoint", "stop", endpoint, "--wait"]);
    let asset = ["asset", "put", "recording", "--wait", "--set"];
    let storage = "properties.storageAccountName=storage1";
    service.ok(&[&asset[..], &[storage]].concat());
    service.ok(&["publish", "recording"]);
    let output = "properties: {assetName: recording, archiveWindowLength: PT1H}";
    let output = service.file("output.yaml", output);
    service.ok(&["live-output", "create", "show", "out", "-f", &output]);
    let start = ["live", "start", "show", "-o", "json"];
    let without = service.run(&start);
    assert_eq!(without.code, 0, "{}", without.err);
    assert!(
        without.err.contains("no streaming endpoint runs"),
        "{}",
        without.err
    );
    assert!(!without.out.contains("playback"), "{}", without.out);
    let nothing = service.run(&[&start[..], &["--endpoint", "nosuch"]].concat());
    assert_eq!(nothing.code, 4, "{}", nothing.err);
    let with = service.run(&[&start[..], &["--endpoint", endpoint]].concat());
    assert_eq!(with.code, 0, "{}", with.err);
    let places: Vec<Value> = serde_json::from_str(&with.out).expect("JSON");
    let plays = |of: &&Value| of["what"] == "playback";
    let plays = places.iter().find(plays).expect(&with.out);
    let url = plays["url"].as_str().expect("an address");
    assert!(url.contains("manifest"), "{url}");
}

/// Scripts name all commands; a shell that is here reads them without a complaint.
#[test]
fn scripts_of_three_shells_know_the_commands() {
    let service = Service::with(0);
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = service.ok(&["completion", shell]);
        for word in ["upload", "live-event", "multiview-channel", "dry-run"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        let file = service.file(&format!("complete.{shell}"), &script);
        // A machine without the shell has no complaint to make.
        if let Ok(ended) = Command::new(shell).args([check, &file]).output() {
            let told = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(ended.status.success(), "{shell}: {told}");
        }
    }
    assert_eq!(service.run(&["completion", "cmd"]).code, 2);
}

#[test]
fn there_is_a_page_for_every_command() {
    let service = Service::with(0);
    let folder = service.folder.path().join("man");
    service.ok(&["man", &folder.display().to_string()]);
    let page = |name: &str| fs::read_to_string(folder.join(name)).expect(name);
    assert!(page("mkio.1").contains("MK.IO"));
    assert!(page("mkio-upload.1").contains("MKIO_STORAGE_SAS"));
    assert!(page("mkio-asset-get.1").contains("get_asset"));
    let pages = fs::read_dir(&folder).expect("a folder").count();
    assert!(pages > 259, "{pages}");
}

/// Kinds below others are exported for all of these.
#[test]
fn an_export_walks_the_parents() {
    let service = Service::with(2);
    let filter = "properties: {presentationTimeRange: {startTimestamp: 0}}";
    let body = service.file("filter.yaml", filter);
    for (asset, name) in [
        ("asset-1", "short"),
        ("asset-2", "long"),
        ("asset-2", "short"),
    ] {
        service.ok(&["asset", "filter", "put", asset, name, "-f", &body]);
    }
    let json = service.ok(&["export", "asset-filter", "-o", "json"]);
    let all: Vec<Value> = serde_json::from_str(&json).expect("one document");
    let names: Vec<&str> = all.iter().filter_map(|of| of["name"].as_str()).collect();
    assert_eq!(names.len(), 3, "{json}");
    for name in ["asset-1/short", "asset-2/long", "asset-2/short"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let file = service.file("filters.json", &json);
    let differs = service.run(&["diff", "-f", &file]);
    assert_eq!(differs.code, 0, "{}{}", differs.out, differs.err);
    let yaml = service.ok(&["export", "asset-filter"]);
    assert_eq!(yaml.matches("---\n").count(), 3, "{yaml}");
    // What the list itself cannot leave out is refused, not ignored.
    let labelled = service.run(&["export", "asset-filter", "-l", "a=b"]);
    assert_eq!(labelled.code, 2, "{}", labelled.err);
    let odd = service.run(&[
        "export",
        "transform",
        "--filter",
        "name eq 'none'",
        "-o",
        "json",
    ]);
    assert_eq!(odd.out.trim(), "[]", "{}", odd.err);
}

/// Ctrl-C once a request has been refused for now, while the program tries again.
#[cfg(unix)]
fn interrupted_at_503(service: &Service, args: &[&str]) -> (String, String) {
    use std::io::Read;

    let (mut child, mut err) = service.begun(args);
    let mut told = read_until_503(&mut err);
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    err.read_to_string(&mut told).expect("text");
    let mut out = String::new();
    let mut pipe = child.stdout.take().expect("standard output");
    pipe.read_to_string(&mut out).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{told}");
    (out, told)
}

#[cfg(unix)]
#[test]
fn an_interrupted_export_tells_how_to_go_on() {
    let service = Service::with(3);
    service.fault("GET */assets/asset-2 status=503");
    let export = ["export", "asset", "asset-1", "asset-2", "asset-3"];
    let (out, told) = interrupted_at_503(&service, &[&export[..], &["-v"]].concat());
    assert!(
        out.contains("name: asset-1") && !out.contains("asset-2"),
        "{out}"
    );
    assert!(told.contains("--after asset-1"), "{told}");
    service.fault("");
    let rest = service.ok(&[&export[..], &["--after", "asset-1"]].concat());
    assert_eq!(rest.matches("kind: asset").count(), 2, "{rest}");
    assert!(!rest.contains("name: asset-1\n"), "{rest}");
    let odd = service.run(&[&export[..], &["--after", "asset-9"]].concat());
    assert_eq!(odd.code, 2, "{}", odd.err);
}

#[cfg(unix)]
#[test]
fn an_interrupted_copy_goes_on_by_the_same_command() {
    let service = Service::with(3);
    service.fault("GET */assets/asset-2 status=503");
    let copy = [
        "copy",
        "asset",
        "asset-1",
        "asset-2",
        "--to-project",
        "other",
        "-v",
    ];
    let (_, told) = interrupted_at_503(&service, &copy);
    assert!(told.contains("run the same command again"), "{told}");
}

#[cfg(unix)]
#[test]
fn interrupted_pages_tell_where_to_go_on() {
    let service = Service::with(5);
    let first = "/api/v1/projects/demo/media/assets?$top=2";
    let page = service.ok(&["api", "GET", first]);
    let page: Value = serde_json::from_str(&page).expect("JSON");
    assert!(page["@odata.nextLink"].is_string(), "{page}");
    // The first page comes, and none after it.
    let rules = (2..20).map(|n| format!("GET */assets status=503 nth={n}"));
    service.fault(&rules.collect::<Vec<_>>().join(";"));
    let pages = ["api", "GET", first, "--paginate", "-o", "name", "-v"];
    let (out, told) = interrupted_at_503(&service, &pages);
    assert_eq!(out.lines().count(), 2, "{out}");
    let command = told.split("go on with: mkio ").nth(1).expect("the command");
    let path = command.split('\'').nth(1).expect("its path");
    service.fault("");
    let rest = service.ok(&["api", "GET", path, "--paginate", "-o", "name"]);
    assert_eq!(rest.lines().count(), 3, "{rest}");
}
