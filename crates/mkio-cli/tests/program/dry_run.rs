//! `--dry-run` sends nothing, whatever the command.

use crate::{LIVE_EVENT, Service, fed, ran};

/// Requests that change something.
fn writes(service: &Service) -> Vec<String> {
    let all = service.emulator.control().requests();
    let writes = all.iter().filter(|of| of.method != mkio::http::Method::GET);
    writes
        .map(|of| format!("{} {}", of.method, of.path))
        .collect()
}

#[test]
fn what_cannot_be_shown_is_not_carried_out() {
    let service = Service::with(1);
    let folder = service.folder.path().join("pages");
    let pages = folder.display().to_string();
    let hook = "http://127.0.0.1:9/hook";
    for task in [
        &["encode", "asset-1", "--preset", "H264SingleBitrate720p"][..],
        &["publish", "asset-1"],
        &["live", "start", "e"],
        &["live", "stop", "e"],
        &["live", "record", "e", "--for", "1s"],
        &[
            "webhooks",
            "listen",
            "--listen",
            "127.0.0.1:0",
            "--limit",
            "1",
        ],
        &["webhooks", "trigger", "JobFinished", "--forward-to", hook],
        &["webhooks", "resend", "r", "--forward-to", hook],
        &["logout"],
        &["profile", "set", "project", "other"],
        &["profile", "use", "default"],
        &["profile", "delete", "default", "--yes"],
        &["man", &pages],
        &["emulator"],
    ] {
        let told = service.run(&[task, &["--dry-run"]].concat());
        assert_eq!(told.code, 2, "{task:?}: {}{}", told.out, told.err);
        assert!(
            told.err.contains("nothing was done"),
            "{task:?}: {}",
            told.err
        );
        assert_eq!(told.out, "", "{task:?}");
    }
    let mut login = service.command(&["login", "--unchecked", "--dry-run"]);
    assert_eq!(fed(&mut login, "geheim\n").code, 2);
    let configured = service.folder.path().join("mkio/config.toml");
    assert!(!configured.exists() && !folder.exists());
    assert_eq!(writes(&service), [""; 0]);
}

const ALL: &str = "\
kind: asset
name: intro
body: {properties: {storageAccountName: storage1, description: DESCRIPTION}}
---
kind: live-event
name: show
state: running
body: LIVE_EVENT
---
kind: live-output
name: show/out
body:
  properties: {assetName: asset-1, archiveWindowLength: WINDOW}
";

#[test]
fn manifests_are_only_looked_at() {
    let service = Service::with(1);
    let file = |description: &str, window: &str| {
        let text = ALL.replace("DESCRIPTION", description);
        service.file(
            "all.yaml",
            &text
                .replace("WINDOW", window)
                .replace("LIVE_EVENT", LIVE_EVENT),
        )
    };
    let first = file("old", "PT1H");
    let dry = service.run(&["apply", "-f", &first, "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_eq!(
        dry.err.matches("not sent: would be created").count(),
        3,
        "{}",
        dry.err
    );
    assert!(
        dry.err.contains("show: not sent: would be Running"),
        "{}",
        dry.err
    );
    assert_eq!(dry.out.matches("PUT http").count(), 3, "{}", dry.out);
    assert_eq!(writes(&service), [""; 0]);
    service.ok(&["apply", "-f", &first, "--wait"]);
    service.emulator.control().clear_requests();
    let second = file("new", "PT2H");
    let dry = service.run(&["apply", "-f", &second, "--dry-run", "--replace"]);
    assert_eq!(dry.code, 0, "it asks nothing: {}", dry.err);
    for told in [
        "asset intro: not sent: would be changed",
        "live-output show/out: not sent: would be replaced",
        "live-event show: up to date",
    ] {
        assert!(dry.err.contains(told), "{told}: {}", dry.err);
    }
    assert!(dry.out.contains("DELETE http"), "{}", dry.out);
    assert_eq!(writes(&service), [""; 0]);
}

#[test]
fn a_raw_request_hides_its_secrets() {
    let service = Service::with(0);
    let secret = "canary-secret-91c2";
    let rule = "/api/v1/projects/demo/webhooks/rules/r";
    let field = format!("spec.authentication.headers.x={secret}");
    let entry = service.ok(&["ops", "create_or_update_webhook_rule", "--jq", ".[0].path"]);
    let path = entry.trim().replace("{project_name}", "demo");
    let path = path.split("/{").next().map(|path| format!("{path}/r"));
    let path = path.unwrap_or_else(|| rule.to_owned());
    let shown = service.ok(&["api", "PUT", &path, "-F", &field, "--dry-run", "-o", "json"]);
    assert!(shown.contains("***") && !shown.contains(secret), "{shown}");
    let args = [
        "api",
        "PUT",
        &path,
        "--input",
        "-",
        "--dry-run",
        "-o",
        "json",
    ];
    let body =
        format!("{{\"spec\": {{\"authentication\": {{\"headers\": {{\"x\": \"{secret}\"}}}}}}}}");
    let told = service.fed(&args, &body);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out.contains("***") && !told.out.contains(secret),
        "{}",
        told.out
    );
    // What is shown is the request that would be sent.
    let query = [
        "api",
        "GET",
        "/api/v1/x?a=1",
        "-f",
        "b=c d",
        "--dry-run",
        "-o",
        "json",
    ];
    let shown: serde_json::Value = serde_json::from_str(&service.ok(&query)).expect("JSON");
    let url = format!("{}/api/v1/x?a=1&b=c+d", service.emulator.base_url());
    assert_eq!(shown["url"], url.as_str());
    let query = ["--api-url", "live=http://10.0.0.5:8080/gw", "--api", "live"];
    let args = [&["api", "GET", "/api/v1/x", "--dry-run"], &query[..]].concat();
    let shown = service.ok(&args);
    assert!(
        shown.contains("http://10.0.0.5:8080/gw/api/v1/x"),
        "{shown}"
    );
    // No document says what is secret at this path: the variable stays one.
    let args = [
        "api",
        "PUT",
        "/api/v1/unknown",
        "-F",
        "key=${env:KEY}",
        "--dry-run",
    ];
    let told = ran(service.command(&args).env("KEY", secret));
    assert!(
        told.out.contains("${env:KEY}") && !told.out.contains(secret),
        "{}",
        told.out
    );
    assert_eq!(writes(&service), [""; 0]);
}
