//! Resources as they are meant to be.

use crate::{LIVE_EVENT, Service};

const ALL: &str = "\
kind: transform
name: house
body:
  properties:
    description: ours
    outputs:
    - preset:
        '@odata.type': '#Microsoft.Media.BuiltInStandardEncoderPreset'
        presetName: H264SingleBitrate720p
---
kind: asset
name: intro
body:
  properties:
    storageAccountName: storage1
    description: first
---
kind: locator
name: intro-clear
body:
  properties:
    assetName: intro
    streamingPolicyName: Predefined_ClearStreamingOnly
";

#[test]
fn a_second_apply_sends_no_write() {
    let service = Service::new();
    let file = service.file("all.yaml", ALL);
    let differs = service.run(&["diff", "-f", &file]);
    assert_eq!(differs.code, 1, "{}{}", differs.out, differs.err);
    assert_eq!(differs.out.matches("create").count(), 3, "{}", differs.out);
    let dry = service.run(&["apply", "-f", &file, "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_eq!(
        service.run(&["asset", "get", "intro"]).code,
        4,
        "nothing was sent"
    );
    let made = service.run(&["apply", "-f", &file, "--wait"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(made.err.matches("created").count(), 3, "{}", made.err);
    service.fault("PUT * status=500;PATCH * status=500;POST * status=500;DELETE * status=500");
    let again = service.run(&["apply", "-f", &file]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(again.err.matches("up to date").count(), 3, "{}", again.err);
    assert_eq!(service.run(&["diff", "-f", &file]).code, 0);
}

#[test]
fn only_what_differs_is_written() {
    let service = Service::new();
    let file = service.file("all.yaml", ALL);
    service.ok(&["apply", "-f", &file, "--wait"]);
    let file = service.file(
        "all.yaml",
        &ALL.replace("description: first", "description: second"),
    );
    let differs = service.run(&["diff", "-f", &file, "-o", "json"]);
    assert_eq!(differs.code, 1, "{}", differs.err);
    assert!(
        differs.out.contains("properties/description") && differs.out.contains("second"),
        "{}",
        differs.out
    );
    service.fault("PUT */transforms/* status=500;PUT */streamingLocators/* status=500");
    let changed = service.run(&["apply", "-f", &file]);
    assert_eq!(changed.code, 0, "{}", changed.err);
    assert_eq!(changed.err.matches("changed").count(), 1, "{}", changed.err);
}

/// A live event that runs, and its output.
fn live() -> String {
    let text = "\
kind: live-output
name: show/out
body:
  properties: {assetName: asset-1, archiveWindowLength: PT1H}
---
kind: live-event
name: show
state: running
body: LIVE_EVENT
";
    text.replace("LIVE_EVENT", LIVE_EVENT)
}

#[test]
fn what_runs_is_started_and_what_cannot_change_is_replaced() {
    let service = Service::new();
    let apply = |text: &str, more: &[&str]| {
        let file = service.file("live.yaml", text);
        service.run(&[&["apply", "-f", &file], more].concat())
    };
    let made = apply(&live(), &[]);
    assert_eq!(made.code, 0, "{}", made.err);
    let state = service.ok(&["live-event", "state", "show", "-o", "json"]);
    assert!(state.contains("Running"), "{state}");
    let again = apply(&live(), &[]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(again.err.matches("up to date").count(), 2, "{}", again.err);
    let diff = |text: &str| service.run(&["diff", "-f", &service.file("state.yaml", text)]);
    assert_eq!(diff(&live()).code, 0);
    let other = diff(&live().replace("state: running", "state: stopped"));
    assert_eq!(other.code, 1, "{}", other.err);
    for state in ["Running", "Stopped"] {
        assert!(other.out.contains(state), "{}", other.out);
    }
    let fixed = apply(&live().replace("PassthroughBasic", "Standard"), &[]);
    assert_eq!(fixed.code, 5, "{}", fixed.err);
    assert!(
        fixed.err.contains("properties/encoding") && fixed.err.contains("--replace"),
        "{}",
        fixed.err
    );
    let longer = live().replace("PT1H", "PT2H");
    let asks = apply(&longer, &["--replace"]);
    assert_eq!(asks.code, 2, "{}", asks.err);
    let replaced = apply(&longer, &["--replace", "--yes"]);
    assert_eq!(replaced.code, 0, "{}", replaced.err);
    let output = service.ok(&["live-output", "get", "show", "out", "-o", "json"]);
    assert!(output.contains("PT2H"), "{output}");
}

#[test]
fn an_export_applies_without_a_difference() {
    let service = Service::with(4);
    service.ok(&["apply", "-f", &service.file("all.yaml", ALL), "--wait"]);
    for kind in [
        "asset",
        "transform",
        "locator",
        "policy",
        "endpoint",
        "storage",
    ] {
        let text = service.ok(&["export", kind]);
        let file = service.file(&format!("{kind}.yaml"), &text);
        let differs = with_secrets(&service, &["diff", "-f", &file], &text);
        assert_eq!(
            differs.code, 0,
            "{kind}: {}{}\n{text}",
            differs.out, differs.err
        );
    }
}

/// The program with all variables that the manifests name.
fn with_secrets(service: &Service, args: &[&str], manifests: &str) -> crate::Ran {
    let mut command = service.command(args);
    for rest in manifests.split("${env:").skip(1) {
        command.env(
            rest.split('}').next().unwrap_or_default(),
            "filled-in-value",
        );
    }
    crate::ran(&mut command)
}

#[test]
fn secrets_stand_elsewhere() {
    let service = Service::new();
    let rule = format!(
        "kind: webhook-rule\nname: r\nbody:\n  spec:\n    enabled: true\n    url: {}/hook\n    events: [MediaKind.JobFinished]\n    authentication:\n      headers: SECRET\n",
        service.emulator.base_url()
    );
    let literal = service.file("r.yaml", &rule.replace("SECRET", "{x-secret: geheim}"));
    let ran = service.run(&["apply", "-f", &literal]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err.contains("${env:NAME}") && !ran.err.contains("geheim"),
        "{}",
        ran.err
    );
    let elsewhere = rule.replace("SECRET", "{x-secret: '${env:HOOK}'}");
    let file = service.file("r.yaml", &elsewhere);
    let missing = service.run(&["apply", "-f", &file]);
    assert_eq!(missing.code, 2, "{}", missing.err);
    let mut command = service.command(&["apply", "-f", &file]);
    let made = crate::ran(command.env("HOOK", "geheim"));
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(!made.err.contains("geheim"), "{}", made.err);
    service.fault("PUT * status=500");
    let mut command = service.command(&["apply", "-f", &file]);
    let same = crate::ran(command.env("HOOK", "geheim"));
    assert_eq!(same.code, 0, "{}", same.err);
}

/// What a manifest cannot mean is found before anything is sent.
#[test]
fn states_are_checked_first() {
    let service = Service::new();
    for (kind, state) in [("live-event", "sideways"), ("asset", "running")] {
        let odd = format!("{ALL}---\nkind: {kind}\nname: x\nstate: {state}\n");
        let file = service.file("odd.yaml", &odd);
        for task in ["apply", "diff"] {
            let refused = service.run(&[task, "-f", &file]);
            assert_eq!(refused.code, 2, "{}", refused.err);
            assert!(refused.err.contains("state"), "{}", refused.err);
        }
    }
    let missing = ALL.replace("ours", "${env:NO_SUCH_VARIABLE}");
    let missing = format!("{missing}---\nkind: asset\nname: z\nbody: {{properties: {{}}}}\n");
    let refused = service.run(&["apply", "-f", &service.file("odd.yaml", &missing)]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(service.emulator.control().requests().is_empty());
}

/// A body is made once: a source that can be read once is enough, also to replace a resource.
#[cfg(unix)]
#[test]
fn a_body_is_made_once() {
    let service = Service::new();
    service.ok(&["apply", "-f", &service.file("live.yaml", &live())]);
    let piped = live().replace("PT1H", "'${file:/dev/stdin}'");
    let file = service.file("live.yaml", &piped);
    let replaced = service.fed(&["apply", "-f", &file, "--replace", "--yes"], "PT2H\n");
    assert_eq!(replaced.code, 0, "{}", replaced.err);
    let output = service.ok(&["live-output", "get", "show", "out", "-o", "json"]);
    assert!(output.contains("PT2H"), "{output}");
}

#[test]
fn a_misspelt_field_is_told_before_anything_is_sent() {
    let service = Service::new();
    let text = "\
kind: asset
name: first
body: {properties: {storageAccountName: storage1}}
---
kind: asset
name: second
body: {properties: {storageAcountName: storage1}}
";
    let file = service.file("assets.yaml", text);
    let refused = service.run(&["apply", "-f", &file]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(
        refused.err.contains("storageAccountName"),
        "{}",
        refused.err
    );
    assert_eq!(service.run(&["asset", "get", "first"]).code, 4);
    assert_eq!(service.run(&["diff", "-f", &file]).code, 2);
}

/// The secret of a live event is in no PATCH.
#[test]
fn a_secret_that_cannot_be_written_is_told() {
    let service = Service::new();
    let text = live().replace("input: {", "input: {accessToken: '${env:TOKEN}', ");
    let file = service.file("live.yaml", &text);
    let made = with_secrets(&service, &["apply", "-f", &file], &text);
    assert_eq!(made.code, 0, "{}", made.err);
    let again = with_secrets(&service, &["apply", "-f", &file], &text);
    assert_eq!(again.code, 0, "{}", again.err);
    let refused = with_secrets(&service, &["apply", "-f", &file, "--write-secrets"], &text);
    assert_eq!(refused.code, 5, "{}", refused.err);
    for told in [
        "properties/input/accessToken",
        "PATCH",
        "--replace",
        "without --write-secrets",
    ] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
}

#[test]
fn null_removes_or_is_refused() {
    let service = Service::new();
    let source = "kind: content\nname: news\nbody: {metadata: {displayName: one}}\n---\nkind: source\nname: camera\nbody: {metadata: {displayName: one}, spec: {contentName: CONTENT, networkName: NETWORK, transport: {type: SRTListener, port: 5000}}}\n---\nkind: network\nname: lan\nbody: {metadata: {displayName: one}, spec: {}}\n";
    let source = source.replace("NETWORK", "lan");
    let apply = |text: &str| service.run(&["apply", "-f", &service.file("one.yaml", text)]);
    let made = apply(&source.replace("CONTENT", "news"));
    assert_eq!(made.code, 0, "{}", made.err);
    let none = source.replace("CONTENT", "null");
    let removed = apply(&none);
    assert_eq!(removed.code, 0, "{}", removed.err);
    assert!(
        removed.err.contains("source camera: changed"),
        "{}",
        removed.err
    );
    let now = service.ok(&["source", "get", "camera", "-o", "json"]);
    assert!(!now.contains("news"), "{now}");
    let again = apply(&none);
    assert!(
        again.err.contains("source camera: up to date"),
        "{}",
        again.err
    );
    let requests = service.emulator.control().requests().len();
    let refused = apply("kind: asset\nname: asset-1\nbody: {properties: {description: null}}\n");
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(
        refused.err.contains("properties/description"),
        "{}",
        refused.err
    );
    assert_eq!(
        service.emulator.control().requests().len(),
        requests,
        "nothing was sent"
    );
}

/// Reads show what a configuration has taken from its preset.
#[test]
fn a_configuration_of_a_preset_is_compared_with_it() {
    let service = Service::new();
    let all = service.ok(&["preset", "list", "-o", "json"]);
    let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    let preset = &all[0]["metadata"];
    let (kind, name) = (preset["type"].as_str(), preset["name"].as_str());
    let text = format!(
        "kind: config\nname: {}/own\nbody: {{spec: {{presetName: {}}}}}\n",
        kind.unwrap_or_default(),
        name.unwrap_or_default()
    );
    let file = service.file("config.yaml", &text);
    service.ok(&["apply", "-f", &file]);
    assert_eq!(service.ok(&["diff", "-f", &file]), "");
    service.fault("PUT * status=500");
    service.ok(&["apply", "-f", &file]);
}

#[test]
fn delete_takes_what_apply_made() {
    let service = Service::new();
    let file = service.file("all.yaml", ALL);
    service.ok(&["apply", "-f", &file, "--wait"]);
    let asks = service.run(&["delete", "-f", &file]);
    assert_eq!(asks.code, 2, "{}", asks.err);
    assert!(asks.err.contains("delete 3 resources"), "{}", asks.err);
    let dry = service.ok(&["delete", "-f", &file, "--dry-run"]);
    let place = |word: &str| dry.find(word).unwrap_or_else(|| panic!("{word}: {dry}"));
    assert!(place("/streamingLocators/") < place("/assets/"), "{dry}");
    assert!(place("/assets/") < place("/transforms/"), "{dry}");
    service.ok(&["asset", "get", "intro"]);
    let gone = service.run(&["delete", "-f", &file, "--yes"]);
    assert_eq!(gone.code, 0, "{}", gone.err);
    assert_eq!(gone.err.matches(": deleted").count(), 3, "{}", gone.err);
    let again = service.run(&["delete", "-f", &file, "--yes"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(again.err.matches(": not there").count(), 3, "{}", again.err);
}

#[test]
fn copies_are_alike_and_take_secrets_from_variables() {
    let service = Service::new();
    service.ok(&["apply", "-f", &service.file("all.yaml", ALL), "--wait"]);
    let own = service.ok(&["project", "get", service.emulator.project(), "-o", "json"]);
    let own: serde_json::Value = serde_json::from_str(&own).expect("JSON");
    let sets = ["locationName", "assignedPaymentMethodId"]
        .map(|field| own["spec"][field].as_str().unwrap_or_default());
    let project = format!(
        "{{displayName: other, locationName: {}, paymentMethodId: {}}}",
        sets[0], sets[1]
    );
    let project = service.file("project.yaml", &project);
    service.ok(&["project", "create", "other", "-f", &project]);
    let copy = ["copy", "transform", "house", "--to-project", "other"];
    service.ok(&copy);
    let there = service.ok(&[
        "transform",
        "get",
        "house",
        "--project",
        "other",
        "-o",
        "json",
    ]);
    assert!(there.contains("H264SingleBitrate720p"), "{there}");
    let again = service.run(&copy);
    assert!(again.err.contains("up to date"), "{}", again.err);
    // Those that a filter leaves, and no others.
    let filter = [
        "copy",
        "transform",
        "--filter",
        "name eq 'house'",
        "--to-project",
        "other",
    ];
    let filtered = service.run(&filter);
    let lines: Vec<&str> = filtered.err.lines().collect();
    assert_eq!(lines, ["transform house: up to date"], "{}", filtered.err);
    let none = [
        "copy",
        "transform",
        "--filter",
        "name eq 'none'",
        "--to-project",
        "other",
    ];
    assert_eq!(service.ok(&none), "");
    labelled_ones_are_copied(&service);
    let rule = "kind: webhook-rule\nname: hook\nbody: {spec: {url: 'http://127.0.0.1:9/hook', enabled: false, events: [MediaKind.JobFinished], authentication: {headers: {x-key: '${env:KEY}'}}}}\n";
    let file = service.file("rule.yaml", rule);
    let made = with_secrets(&service, &["apply", "-f", &file], rule);
    assert_eq!(made.code, 0, "{}", made.err);
    let copy = ["copy", "webhook-rule", "hook", "--to-project", "other"];
    let unset = service.run(&copy);
    assert_eq!(unset.code, 2, "{}", unset.err);
    let variable = "WEBHOOK_RULE_HOOK_HEADERS_X_KEY";
    for told in [variable, "nothing was sent"] {
        assert!(unset.err.contains(told), "{told}: {}", unset.err);
    }
    let read = ["webhook", "rule", "get", "hook", "--project", "other"];
    let gone = service.run(&read);
    assert_eq!(gone.code, 4, "{}", gone.err);
    let copied = with_secrets(&service, &copy, &format!("${{env:{variable}}}"));
    assert_eq!(copied.code, 0, "{}", copied.err);
    service.ok(&read);
    let same = service.run(&["copy", "asset", "--to-project", service.emulator.project()]);
    assert_eq!(same.code, 2, "{}", same.err);
    let none = service.run(&["copy", "team", "--to-project", "other"]);
    assert_eq!(none.code, 2, "{}", none.err);
}

/// Those that have the label, and no others.
fn labelled_ones_are_copied(service: &Service) {
    for (name, label) in [("with", "gold"), ("without", "tin")] {
        let body = format!(
            "{{metadata: {{displayName: {name}, labels: {{stage: {label}}}}}, spec: {{}}}}"
        );
        let file = service.file("network.yaml", &body);
        service.ok(&["network", "create", name, "-f", &file]);
    }
    let copy = ["copy", "network", "-l", "stage=gold"];
    let copied = service.run(&[&copy[..], &["--to-project", "other"]].concat());
    assert_eq!(copied.code, 0, "{}", copied.err);
    assert_eq!(copied.err.trim(), "network with: created");
    let exported = service.ok(&["export", "network", "-l", "stage=tin"]);
    let names: Vec<&str> = exported
        .lines()
        .filter(|line| line.starts_with("name:"))
        .collect();
    assert_eq!(names, ["name: without"], "{exported}");
    // A kind whose list takes no labels.
    let none = service.run(&["export", "transform", "-l", "stage=gold"]);
    assert_eq!(none.code, 2, "{}", none.err);
    assert!(
        none.err.contains("--label: the list of a transform"),
        "{}",
        none.err
    );
}

/// Whoever may write a description would else read the variables of who copies it.
#[test]
fn a_text_that_names_a_variable_is_not_exported() {
    let service = Service::with(2);
    let body = r#"{"properties": {"storageAccountName": "storage1", "description": "see ${env:MKIO_TOKEN}"}}"#;
    let file = service.file("asset.json", body);
    service.ok(&["asset", "put", "trap", "-f", &file]);
    for task in [
        &["export", "asset", "trap"][..],
        &["copy", "asset", "trap", "--to-project", "other"],
    ] {
        let refused = service.run(task);
        assert_eq!(refused.code, 8, "{}", refused.err);
        assert!(
            refused.err.contains("properties/description"),
            "{}",
            refused.err
        );
        assert_eq!(refused.out, "");
        assert!(!refused.err.contains(crate::TOKEN), "{}", refused.err);
    }
}
