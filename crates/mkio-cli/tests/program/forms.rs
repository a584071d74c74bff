//! Formats, filters and columns, everywhere alike.

use serde_json::Value;

use crate::{LIVE_EVENT, Service, ran};

#[test]
fn a_skeleton_is_a_body() {
    let service = Service::new();
    let skeleton = service.ok(&["live-event", "create", "e1", "--skeleton"]);
    let file = service.file("event.yaml", &skeleton);
    let shown = service.ok(&["live-event", "create", "e1", "-f", &file, "--dry-run"]);
    assert!(shown.contains("useStaticHostname"), "{shown}");
}

#[test]
fn a_filter_is_applied_everywhere() {
    let service = Service::with(1);
    let created = [
        "asset",
        "put",
        "x",
        "--set",
        "properties.storageAccountName=storage1",
        "--dry-run",
        "--jq",
        ".method",
    ];
    assert_eq!(service.ok(&created), "PUT\n");
    let name = ["export", "asset", "asset-1", "--jq", ".[].name"];
    assert_eq!(service.ok(&name), "asset-1\n");
    let fields = ["explain", "asset", "--jq", ".operation"];
    assert_eq!(service.ok(&fields).trim().lines().count(), 1);
    let event = ["webhooks", "trigger", "JobFinished", "--jq", ".type"];
    assert_eq!(service.ok(&event), "MediaKind.JobFinished\n");
}

#[test]
fn events_come_in_every_format() {
    let service = Service::new();
    let event = |format: &str| service.ok(&["webhooks", "trigger", "JobFinished", "-o", format]);
    let yaml = event("yaml");
    assert!(yaml.contains("type: MediaKind.JobFinished\n"), "{yaml}");
    let csv = event("csv");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("time,type,source,data/state"));
    assert!(lines.next().is_some_and(|line| line.ends_with(",Finished")));
    let json: Value = serde_json::from_str(&event("json")).expect("JSON");
    assert_eq!(json["type"], "MediaKind.JobFinished");
}

#[test]
fn an_event_is_of_the_project_in_use() {
    let service = Service::new();
    let mut command = service.command(&["webhooks", "trigger", "JobFinished", "-o", "json"]);
    let made = ran(command.env("MKIO_PROJECT", "acme"));
    assert!(made.out.contains("/projects/acme/"), "{}", made.out);
    let near = service.run(&["webhooks", "trigger", "JobFinishd"]);
    assert!(
        near.err.contains("did you mean `JobFinished`?"),
        "{}",
        near.err
    );
}

#[test]
fn columns_that_there_are_not_are_refused() {
    let service = Service::with(1);
    for columns in ["nmae", "name,properties/storageAcountName"] {
        for args in [
            &["asset", "list"][..],
            &["asset", "get", "asset-1"],
            &["wait", "asset", "asset-1"],
        ] {
            let ran = service.run(&[args, &["--columns", columns]].concat());
            assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains("did you mean `"), "{}", ran.err);
        }
    }
    for args in [
        &["ops", "job", "--columns", "nmae"][..],
        &["doctor", "--columns", "oks"],
        &["usage", "--from", "2026-10-01", "--columns", "quantty"],
        &["diff", "-f", "no-such-file", "--columns", "feild"],
        &[
            "api",
            "GET",
            "/api/v1/locations",
            "--paginate",
            "--columns",
            "nmae",
        ],
        &["export", "asset", "--columns", "name"],
        &["apply", "-f", "no-such-file", "--columns", "name"],
        &["copy", "asset", "--to-project", "x", "--jq", ".name"],
        &["profile", "use", "x", "-o", "json"],
        &["watch", "asset", "--jq", "."],
    ] {
        let ran = service.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(
            ran.err.contains("--columns") || ran.err.contains("does not use"),
            "{}",
            ran.err
        );
    }
    let asked = service.emulator.control().requests();
    assert!(
        asked
            .iter()
            .all(|request| !request.path.contains("locations")),
        "nothing was sent"
    );
    let known = "name,properties/storageAccountName,labels/any";
    service.ok(&["asset", "list", "--columns", known]);
    service.ok(&[
        "job",
        "list",
        "--columns",
        "properties/outputs/*/state,properties/outputs/0/assetName",
    ]);
}

#[test]
fn csv_of_nothing_has_its_names() {
    let service = Service::with(0);
    let list = ["asset", "list", "-o", "csv"];
    let usual = service.ok(&list);
    assert_eq!(usual.lines().count(), 1, "{usual}");
    assert!(usual.starts_with("name"), "{usual}");
    let chosen = service.ok(&[&list[..], &["--columns", "name,id"]].concat());
    assert_eq!(chosen, "name,id\n");
}

#[test]
fn an_empty_variable_says_nothing() {
    let service = Service::with(1);
    let mut command = service.command(&["asset", "list"]);
    let ran = ran(command.env("MKIO_OUTPUT", "").env("MKIO_CONFIG", ""));
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{}", ran.err);
    let mut command = service.command(&["asset", "list"]);
    let csv = crate::ran(command.env("MKIO_OUTPUT", "csv"));
    assert!(csv.out.starts_with("name,"), "{}", csv.out);
    let mut command = service.command(&["asset", "list"]);
    let wrong = crate::ran(command.env("MKIO_OUTPUT", "xml"));
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("MKIO_OUTPUT"), "{}", wrong.err);
}

/// Exit code 2 says that nothing was sent.
#[test]
fn what_cannot_be_written_is_refused_before_it_is_done() {
    let service = Service::new();
    let event = service.file("event.yaml", LIVE_EVENT);
    service.ok(&["live-event", "create", "e1", "-f", &event]);
    let ran = service.run(&["live", "start", "e1", "-o", "name"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let state = service.ok(&["live-event", "state", "e1", "-o", "json"]);
    assert!(!state.contains("Running"), "{state}");
    let made = [
        "asset",
        "put",
        "x",
        "--set",
        "properties.storageAccountName=storage1",
        "--jq",
        ".name | error",
    ];
    assert_eq!(service.run(&made).code, 8, "it was done");
    service.ok(&["asset", "get", "x"]);
}

#[test]
fn mistakes_of_the_command_line_are_json_for_scripts() {
    let service = Service::new();
    for args in [
        &["asset", "list", "--fitler", "x"][..],
        &["aset", "list"],
        &["asset", "get"],
    ] {
        for form in [&["--error-format", "json"][..], &["--error-format=json"]] {
            let ran = service.run(&[form, args].concat());
            assert_eq!(ran.code, 2);
            let told: Value = serde_json::from_str(&ran.err).expect(&ran.err);
            assert_eq!(told["error"]["exit"], 2);
            let message = told["error"]["message"].as_str().expect("a message");
            assert!(
                !message.is_empty() && !message.starts_with("error"),
                "{message}"
            );
        }
    }
    let help = service.run(&["--error-format", "json", "--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
}

/// Two waits fail, one gets there: it comes out, and scripts are told of both failures.
#[test]
fn what_has_got_there_comes_out_beside_what_has_failed() {
    let service = Service::with(1);
    let wait = ["wait", "asset", "asset-1", "no-1", "no-2", "-o", "name"];
    let ran = service.run(&[&wait[..], &["--error-format", "json", "-q"]].concat());
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (4, "asset-1\n"),
        "{}",
        ran.err
    );
    let told: Value = serde_json::from_str(&ran.err).expect(&ran.err);
    let error = &told["error"];
    assert!(error["kind"].is_string(), "{told}");
    assert_eq!(error["others"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(error["others"][0]["exit"], 4, "{told}");
    let text = service.run(&wait);
    assert!(text.err.contains("2 of 3 waits failed"), "{}", text.err);
    assert!(
        text.err.contains("no-1") && text.err.contains("no-2"),
        "{}",
        text.err
    );
}

#[test]
fn a_response_that_is_no_list_is_no_success_of_a_list() {
    let service = Service::with(1);
    let path = "/api/v1/projects/demo/media/assets";
    let one = format!("{path}/asset-1");
    let ran = service.run(&["api", "GET", &one, "--paginate"]);
    assert_eq!(ran.code, 8, "{}", ran.err);
    assert!(ran.out.contains("\"asset-1\""), "{}", ran.out);
    let list = service.ok(&["api", "GET", path, "--paginate", "-o", "name"]);
    assert_eq!(list, "asset-1\n");
}

#[test]
fn a_token_is_of_one_list() {
    let service = Service::with(7);
    let first = service.run(&["asset", "list", "-o", "name", "--limit", "3"]);
    let word = first
        .err
        .split("--resume ")
        .nth(1)
        .expect(&first.err)
        .trim();
    let other = service.run(&["transform", "list", "--resume", word]);
    assert_eq!(other.code, 2, "{}", other.err);
    assert!(!other.err.contains("go on with"), "{}", other.err);
    let filtered = ["asset", "list", "--filter", "name eq 'x'"];
    let both = service.run(&[&filtered[..], &["--resume", word]].concat());
    assert_eq!(both.code, 2, "{}{}", both.out, both.err);
    for status in ["400", "401", "404"] {
        service.fault(&format!("GET */media/assets status={status}"));
        let refused = service.run(&["asset", "list"]);
        assert!(!refused.err.contains("--resume"), "{}", refused.err);
    }
    service.fault("GET */media/assets status=503");
    let later = service.run(&["asset", "list", "--timeout", "2s"]);
    assert!(later.err.contains("--resume"), "{}", later.err);
    let wait = service.run(&["wait", "--resume", word, "--for", "gone"]);
    assert_eq!(wait.code, 2);
    assert!(wait.err.contains("--for"), "{}", wait.err);
}
