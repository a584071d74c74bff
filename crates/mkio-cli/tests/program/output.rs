//! What comes out, in each format.

use serde_json::Value;

use crate::Service;

#[test]
fn lists_come_in_every_format() {
    let service = Service::with(3);
    let table = service.ok(&["asset", "list", "--orderby", "name"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].starts_with("NAME"), "{table}");
    let names = service.ok(&["asset", "list", "-o", "name", "--orderby", "name"]);
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(names.len(), 3);
    assert!(lines[1].starts_with(names[0]), "{table}");
    let json = service.ok(&["asset", "list", "-o", "json"]);
    let json: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json.len(), 3);
    let lines = service.ok(&["asset", "list", "-o", "jsonl"]);
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    let yaml = service.ok(&["asset", "list", "-o", "yaml"]);
    assert!(yaml.matches("- ").count() >= 3, "{yaml}");
    let csv = service.ok(&[
        "asset",
        "list",
        "-o",
        "csv",
        "--columns",
        "name,properties/storageAccountName",
    ]);
    assert!(
        csv.starts_with("name,properties/storageAccountName\n"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 4);
    let jq = service.ok(&["asset", "list", "--jq", "map(.name) | sort | .[0]"]);
    assert_eq!(jq.trim(), names[0]);
    let none = service.ok(&["asset", "list", "--filter", "name eq 'none'", "-o", "json"]);
    assert_eq!(none.trim(), "[]");
}

#[test]
fn a_list_stops_and_goes_on() {
    let service = Service::with(7);
    let first = service.run(&["asset", "list", "-o", "name", "--limit", "3"]);
    assert_eq!(first.out.lines().count(), 3);
    let word = first
        .err
        .split("--resume ")
        .nth(1)
        .expect(&first.err)
        .trim()
        .to_owned();
    let rest = service.ok(&["asset", "list", "-o", "name", "--all", "--resume", &word]);
    assert_eq!(rest.lines().count(), 4, "{rest}");
    assert!(rest.lines().all(|name| !first.out.contains(name)));
    let all = service.run(&["asset", "list", "-o", "name", "--all", "-q"]);
    assert_eq!(all.out.lines().count(), 7);
    assert!(all.err.is_empty(), "{}", all.err);
}

/// A list that breaks off tells where it goes on, and its JSON is not whole.
#[test]
fn what_has_arrived_of_a_broken_list_comes_out() {
    let service = Service::with(7);
    service.fault("GET */media/assets status=403 nth=2");
    let ran = service.run(&["asset", "list", "--all", "--top", "3", "-o", "json"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("--resume "), "{}", ran.err);
    assert!(
        ran.out.contains("\"name\"") && !ran.out.trim_end().ends_with(']'),
        "{}",
        ran.out
    );
    service.fault("GET */media/assets status=403 nth=2");
    let filtered = service.run(&["asset", "list", "--all", "--top", "3", "--jq", ".[].name"]);
    assert_eq!((filtered.code, filtered.out.as_str()), (3, ""));
    assert!(
        !filtered.err.contains("--resume"),
        "what was not shown is not skipped: {}",
        filtered.err
    );
    service.fault("");
    let word = ran
        .err
        .split("--resume ")
        .nth(1)
        .expect("a token")
        .trim()
        .to_owned();
    let rest = service.ok(&["asset", "list", "--all", "-o", "name", "--resume", &word]);
    assert_eq!(rest.lines().count(), 4);
}

#[test]
fn single_resources_are_cards_and_requests_can_be_seen() {
    let service = Service::with(1);
    let name = service
        .ok(&["asset", "list", "-o", "name"])
        .trim()
        .to_owned();
    let card = service.ok(&["asset", "get", &name]);
    assert!(card.contains("properties/storageAccountName"), "{card}");
    let shown = service.ok(&[
        "asset",
        "put",
        "new",
        "--set",
        "properties.storageAccountName=storage1",
        "--dry-run",
    ]);
    assert!(
        shown.starts_with("PUT http://") && shown.contains("storage1"),
        "{shown}"
    );
    assert_eq!(
        service.run(&["asset", "get", "new"]).code,
        4,
        "nothing was sent"
    );
    let raw = service.ok(&[
        "api",
        "GET",
        &format!("/api/v1/projects/demo/media/assets/{name}"),
    ]);
    let raw: Value = serde_json::from_str(&raw).expect("JSON");
    assert_eq!(raw["name"], name.as_str());
    let called = service.ok(&[
        "call",
        "get_asset",
        "--args",
        &format!("{{\"asset_name\": \"{name}\"}}"),
        "-o",
        "json",
    ]);
    assert!(called.contains(&name));
    let found = service.ok(&["ops", "cancel", "job", "-o", "name"]);
    assert!(found.lines().any(|name| name == "cancel_job"), "{found}");
    assert!(service.ok(&["ops", "cancel", "job"]).contains("cancel_job"));
}

/// What a list of all parents names is taken by other commands; people are told that a list is empty.
#[test]
fn names_are_whole_and_empty_lists_are_told() {
    let service = Service::with(2);
    let none = service.run(&["job", "list"]);
    assert_eq!((none.out.as_str(), none.err.trim()), ("", "there are none"));
    let script = service.run(&["job", "list", "-o", "csv"]);
    assert_eq!(script.err, "", "a format tells it by itself");
    let words = service.run(&["ops", "nosuchword"]);
    assert!(words.err.contains("fewer words"), "{}", words.err);
    let preset = ["--preset", "H264SingleBitrate720p"];
    service.ok(&[&["encode", "asset-1"], &preset[..]].concat());
    let name = service.ok(&["job", "list", "-o", "name"]);
    let name = name.trim();
    assert!(name.starts_with("H264SingleBitrate720p/"), "{name}");
    service.ok(&["wait", "job", name]);
    let below = service.ok(&["transform", "jobs", "H264SingleBitrate720p", "-o", "name"]);
    assert!(!below.contains('/'), "the parent is named already: {below}");
    let day = service.run(&["usage", "--from", "yesterday"]);
    assert_eq!(day.code, 2, "{}", day.err);
    let zero = service.run(&["asset", "list", "--limit", "0"]);
    assert!(zero.err.contains("a whole number from 1"), "{}", zero.err);
}

#[test]
fn what_is_sent_is_told_when_it_is_wanted() {
    let service = Service::with(1);
    let get = ["asset", "get", "asset-1", "-o", "name"];
    assert_eq!(service.run(&get).err, "");
    let told = service.run(&[&get[..], &["-v"]].concat());
    assert_eq!(told.out, "asset-1\n");
    for part in [
        "http.request.method=GET",
        "/media/assets/",
        "status_code=200",
    ] {
        assert!(told.err.contains(part), "{part}: {}", told.err);
    }
    assert!(!told.err.contains(crate::TOKEN), "{}", told.err);
}

#[test]
fn fields_are_explained() {
    let service = Service::with(1);
    let job = service.ok(&["explain", "job.properties"]);
    for word in ["input:", "outputs:", "[required"] {
        assert!(job.contains(word), "{word}: {job}");
    }
    assert!(
        service
            .ok(&["explain", "live-event.properties"])
            .contains("immutable")
    );
    assert!(
        service
            .ok(&["explain", "job.properties.input"])
            .contains("one of these, by its `@odata.type`:")
    );
    let ran = service.run(&["explain", "job.properties.inptu"]);
    assert!(ran.err.contains("`input`"), "{}", ran.err);
    let skeleton = service.ok(&["asset", "put", "x", "--skeleton"]);
    assert!(
        skeleton.starts_with("properties:\n") && skeleton.contains("  storageAccountName: "),
        "{skeleton}"
    );
    let table = service.ok(&["asset", "put", "x", "--skeleton", "-o", "table"]);
    assert!(table.contains("properties/storageAccountName"), "{table}");
}

/// The run of a command whose reader has seen enough after a byte, and closes the pipe.
fn read_no_further(args: &[&str]) -> crate::Ran {
    use std::{io::Read, process::Stdio};
    let service = Service::with(900);
    let mut command = service.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut out = child.stdout.take().expect("standard output");
    out.read_exact(&mut [0; 1]).expect("a byte");
    drop(out);
    crate::ended(child.wait_with_output().expect("it ends"))
}

#[test]
fn a_closed_pipe_is_no_error() {
    // More than a pipe holds: the rest is written when nobody reads. CSV's writer has errors of its own.
    let columns = ["id"; 40].join(",");
    for format in [&["json"][..], &["csv", "--columns", &columns]] {
        let args = [&["asset", "list", "--all", "-o"][..], format].concat();
        let ended = read_no_further(&args);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
    }
}
