//! No token and no secret comes out, in any stream.

use serde_json::Value;

use crate::{LIVE_EVENT, Ran, Service, TOKEN, ran};

const SECRET: &str = "canary-secret-91c2";

fn hidden(ran: &Ran, what: &str) {
    for canary in [TOKEN, SECRET] {
        assert!(!ran.out.contains(canary), "{what}: {}", ran.out);
        assert!(!ran.err.contains(canary), "{what}: {}", ran.err);
    }
}

#[test]
fn secrets_are_hidden_in_every_stream() {
    let service = Service::new();
    let rule = format!(
        "spec:\n  enabled: true\n  url: {}/hook\n  events: [MediaKind.JobFinished]\n  authentication:\n    headers:\n      x-secret: {SECRET}\n",
        service.emulator.base_url()
    );
    let file = service.file("rule.yaml", &rule);
    let put = ["webhook", "rule", "put", "r", "-f", &file];
    for format in ["table", "json", "jsonl", "yaml", "csv", "name"] {
        hidden(
            &service.run(&[&put[..], &["--dry-run", "-o", format]].concat()),
            "--dry-run",
        );
    }
    let made = service.run(&[&put[..], &["-vvv", "-o", "json"]].concat());
    assert_eq!(made.code, 0, "{}", made.err);
    hidden(&made, "put");
    for more in [
        &["webhook", "rule", "get", "r"][..],
        &["export", "webhook-rule", "r"],
        &["webhook", "rule", "list"],
        &[
            "edit",
            "webhook-rule",
            "r",
            "--set",
            "spec.enabled=false",
            "--dry-run",
        ],
        &["api", "GET", "/api/v1/projects/demo/webhook/rules/r"],
    ] {
        for format in ["table", "json", "jsonl", "yaml", "csv", "name"] {
            let told = service.run(&[more, &["-vvv", "-o", format]].concat());
            hidden(&told, &format!("{more:?} -o {format}"));
        }
    }
    let wrong = service.file(
        "wrong.yaml",
        &rule.replace("enabled: true", "enabled: perhaps"),
    );
    hidden(
        &service.run(&["webhook", "rule", "put", "r", "-f", &wrong]),
        "a body that does not fit",
    );
    for status in [400, 401, 500] {
        service.fault(&format!("PUT */rules/* status={status}"));
        let args = [
            &put[..],
            &["-vvv", "--timeout", "1s", "--error-format", "json"],
        ]
        .concat();
        let failed = service.run(&args);
        assert_ne!(failed.code, 0);
        hidden(&failed, "an error");
    }
}

/// A new token is shown to who asks for it, and to nobody else.
#[test]
fn a_new_token_is_shown_when_it_is_asked_for() {
    let service = Service::new();
    let skeleton = service.ok(&["token", "create", "--skeleton", "-o", "json"]);
    let mut body: Value = serde_json::from_str(&skeleton).expect("JSON");
    fill(&mut body);
    let organization = service.ok(&["user", "profile", "--jq", ".spec.activeOrganizationId"]);
    body["organizationId"] = organization.trim().into();
    let file = service.file("token.json", &body.to_string());
    let made = service.run(&["token", "create", "-f", &file, "-o", "json"]);
    assert_eq!(made.code, 0, "{}{}", made.err, body);
    assert!(made.out.contains("***"), "{}", made.out);
    assert!(made.err.contains("--show-secrets"), "{}", made.err);
    let shown = service.ok(&[
        "token",
        "create",
        "-f",
        &file,
        "-o",
        "json",
        "--show-secrets",
    ]);
    assert!(!shown.contains("\"***\""), "{shown}");
}

fn fill(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(fill),
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::String(text) if text.contains("time") => *text = "2030-01-01T00:00:00Z".to_owned(),
        Value::String(text) if text.starts_with('<') => *text = "x".to_owned(),
        Value::String(text) if text.contains('|') => {
            *text = text.split('|').next().unwrap_or_default().to_owned();
        }
        _ => {}
    }
}

#[test]
fn the_environment_is_in_no_help() {
    let service = Service::new();
    for args in [
        &["--help"][..],
        &["asset", "--help"],
        &["login", "--help"],
        &["nonsense"],
    ] {
        let ran = ran(&mut service.command(args));
        hidden(&ran, args[0]);
    }
}

/// Raw requests hide what the documents call a secret, page by page.
#[test]
fn raw_lists_hide_secrets() {
    let service = Service::new();
    let body = format!(
        "properties:\n  useStaticHostname: false\n  encoding: {{encodingType: PassthroughBasic}}\n  input: {{streamingProtocol: RTMP, accessToken: {SECRET}}}\n  streamOptions: []\n"
    );
    let file = service.file("event.yaml", &body);
    let made = service.run(&["live-event", "create", "e1", "-f", &file, "-o", "json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    hidden(&made, "create");
    let path = "/api/v1/projects/demo/media/liveEvents";
    for args in [
        &["api", "GET", path][..],
        &["api", "GET", path, "--paginate"],
    ] {
        let shown = service.run(&[args, &["-o", "json"]].concat());
        assert!(shown.out.contains("\"***\""), "{}{}", shown.out, shown.err);
        hidden(&shown, "api");
        let asked = service.run(&[args, &["-o", "json", "--show-secrets"]].concat());
        assert!(asked.out.contains(SECRET), "{}{}", asked.out, asked.err);
    }
}

/// An ingest address repeats the event's token.
#[test]
fn a_secret_within_another_text_is_hidden() {
    let service = Service::new();
    let body = LIVE_EVENT.replace("RTMP", "RTMP, accessToken: canarytoken");
    let file = service.file("event.yaml", &body);
    service.ok(&["live-event", "create", "show", "-f", &file]);
    for command in [
        &["live", "start", "show"][..],
        &["live-event", "get", "show", "-o", "json"],
        &["live-event", "list", "-o", "yaml"],
        &["api", "GET", "/api/v1/projects/demo/media/liveEvents/show"],
    ] {
        let told = service.run(command);
        assert_eq!(told.code, 0, "{command:?}: {}", told.err);
        assert!(
            !(told.out + &told.err).contains("canarytoken"),
            "{command:?}"
        );
    }
    let shown = service.ok(&["live", "start", "show", "--show-secrets"]);
    assert!(shown.contains("canarytoken"), "{shown}");
}
