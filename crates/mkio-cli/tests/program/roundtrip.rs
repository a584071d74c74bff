//! Every kind that apply knows: what is exported is up to date, and one field of it can change.

use std::collections::BTreeSet;

use mkio::{dynamic::Entry, http::Method};
use serde_json::{Value, json};

use crate::{LIVE_EVENT, Ran, Service};

/// A resource of a kind, and what is changed of it.
struct Case {
    kind: &'static str,
    name: &'static str,
    /// As the documents' examples have it, in YAML.
    body: String,
    /// The field that is changed and its new value; none where nothing of the kind can be.
    change: Option<(&'static str, Value)>,
    /// A field that cannot be, with another value.
    fixed: Option<(&'static str, Value)>,
}

fn case(kind: &'static str, name: &'static str, body: impl Into<String>) -> Case {
    Case {
        kind,
        name,
        body: body.into(),
        change: None,
        fixed: None,
    }
}

impl Case {
    fn changes(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.change = Some((field, value.into()));
        self
    }

    fn fixes(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.fixed = Some((field, value.into()));
        self
    }
}

const METADATA: &str = "{displayName: one, labels: {a: b}}";

fn cases() -> Vec<Case> {
    [places(), media(), keys(), live(), rest()]
        .into_iter()
        .flatten()
        .collect()
}

fn places() -> Vec<Case> {
    let described = format!("metadata: {METADATA}");
    vec![
        case("project", "studio", "{displayName: one, locationName: LOCATION, paymentMethodId: PAYMENT}")
            .changes("displayName", "two")
            .fixes("locationName", "elsewhere"),
        case("team", "ops", "spec: {description: first, members: {}, scopes: {}}")
            .changes("spec/description", "second"),
        case("network", "lan", format!("{{{described}, spec: {{}}}}"))
            .changes("metadata/displayName", "two"),
        case("site", "studio", format!("{{{described}, spec: {{routes: [{{networkName: lan}}]}}}}"))
            .changes("metadata/displayName", "two"),
        case(
            "device",
            "beam",
            format!(
                "{{{described}, spec: {{shortCode: '${{env:SHORTCODE}}', siteName: studio, availableNetworks: [{{networkName: lan, interfaceName: eth0}}]}}}}"
            ),
        )
        .changes("metadata/displayName", "two"),
        case("content", "news", described.clone()).changes("metadata/displayName", "two"),
        case(
            "source",
            "camera",
            format!("{{{described}, spec: {{contentName: news, networkName: lan, transport: {{type: SRTListener, port: 5000}}}}}}"),
        )
        .changes("metadata/displayName", "two")
        .fixes("spec/transport/port", 5001),
        case(
            "destination",
            "target",
            format!("{{{described}, spec: {{networkName: lan, transport: {{type: SRTCaller, url: 'srt://127.0.0.1:1'}}}}}}"),
        )
        .changes("metadata/displayName", "two")
        .fixes("spec/transport/url", "srt://127.0.0.1:2"),
        case(
            "storage",
            "disk",
            "spec: {type: Microsoft.Storage, url: 'https://disk.example.com', description: first, credential: {sasToken: '${env:SAS}'}}",
        )
        .changes("spec/description", "second")
        .fixes("spec/url", "https://other.example.com"),
    ]
}

fn media() -> Vec<Case> {
    let filter = "properties: {firstQuality: {bitrate: 128000}, tracks: [{trackSelections: [{property: Type, operation: Equal, value: Audio}]}]}";
    let bitrate = "properties/firstQuality/bitrate";
    vec![
        case("account-filter", "low", filter).changes(bitrate, 64000),
        case(
            "transform",
            "house",
            "properties: {description: first, outputs: [{relativePriority: High, preset: {'@odata.type': '#Microsoft.Media.BuiltInStandardEncoderPreset', presetName: H264SingleBitrate720p}}]}",
        )
        .changes("properties/description", "second"),
        case(
            "asset",
            "film",
            "{labels: {a: b}, properties: {storageAccountName: disk, container: film, subPath: sub/path, description: first}}",
        )
        .changes("properties/description", "second")
        .fixes("properties/storageAccountName", "storage1"),
        case("asset-filter", "film/sound", filter).changes(bitrate, 64000),
        case("live-event", "show", LIVE_EVENT).fixes("properties/useStaticHostname", true),
        case("live-output", "show/out", "properties: {assetName: film, archiveWindowLength: PT1H}")
            .fixes("properties/archiveWindowLength", "PT2H"),
        case("endpoint", "front", "{location: eastus, tags: {a: b}, properties: {scaleUnits: 1, description: first}}")
            .changes("properties/description", "second"),
        case(
            "job",
            "house/one",
            "properties: {description: first, priority: Low, correlationData: {order: '7'}, input: {'@odata.type': '#Microsoft.Media.JobInputAsset', assetName: film}, outputs: [{'@odata.type': '#Microsoft.Media.JobOutputAsset', assetName: film}]}",
        )
        .changes("properties/description", "second")
        .fixes("properties/input/assetName", "asset-1"),
    ]
}

fn keys() -> Vec<Case> {
    vec![
        case(
            "key-policy",
            "drm",
            "properties:
  description: first
  options:
  - name: token
    configuration: {'@odata.type': '#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration'}
    restriction:
      '@odata.type': '#Microsoft.Media.ContentKeyPolicyTokenRestriction'
      audience: us
      issuer: we
      restrictionTokenType: Jwt
      primaryVerificationKey: {'@odata.type': '#Microsoft.Media.ContentKeyPolicySymmetricTokenKey', keyValue: '${env:KEY}'}
      alternateVerificationKeys:
      - {'@odata.type': '#Microsoft.Media.ContentKeyPolicySymmetricTokenKey', keyValue: '${env:KEY}'}
",
        )
        .changes("properties/description", "second"),
        case(
            "policy",
            "open",
            "properties: {noEncryption: {enabledProtocols: {dash: true, hls: true, smoothStreaming: false, download: false}}}",
        )
        .changes("properties/noEncryption/enabledProtocols/download", true),
        case(
            "locator",
            "play",
            "properties: {assetName: film, streamingPolicyName: open, startTime: '2024-01-01T00:00:00Z', endTime: '2999-01-01T00:00:00Z'}",
        )
        .changes("properties/endTime", "2998-01-01T00:00:00Z")
        .fixes("properties/streamingPolicyName", "Predefined_ClearStreamingOnly"),
    ]
}

fn live() -> Vec<Case> {
    let mut all = vec![
        case(
            "config",
            "encodingLive/cfg",
            "{metadata: {labels: {a: b}, tags: [first]}, spec: {config: {a: {b: [1, null, x], c: null}, d: 1}, parameters: []}}",
        )
        .changes("spec/config/d", 2),
    ];
    for (kind, schedule, name, of) in [
        ("channel", "channel-schedule", "flow1", "LiveChannel"),
        ("event", "event-schedule", "flow2", "LiveEvent"),
        (
            "multiview-channel",
            "multiview-channel-schedule",
            "flow3",
            "StaticMultiviewChannel",
        ),
        (
            "multiview-event",
            "multiview-event-schedule",
            "flow4",
            "StaticMultiviewEvent",
        ),
    ] {
        let body = format!(
            "{{metadata: {METADATA}, spec: {{state: Stopped, siteName: studio, inputs: [{{contentName: news, transformInput: main}}], outputs: [{{destinationName: target}}], transform: {{type: {of}, assetName: film, encodingLive: {{configRef: {{name: cfg, version: latest}}}}}}}}}}"
        );
        all.push(case(kind, name, body).changes("metadata/displayName", "two"));
        let operation: &'static str = match name {
            "flow1" => "flow1/op",
            "flow2" => "flow2/op",
            "flow3" => "flow3/op",
            _ => "flow4/op",
        };
        let body = "spec: {type: MediaKind.ScheduledOperation.StartStop, startTime: '2097-01-01T00:00:00Z', endTime: '2097-01-01T01:00:00Z', correlationData: {order: '7'}}";
        all.push(case(schedule, operation, body).changes("spec/correlationData/order", "8"));
    }
    all
}

fn rest() -> Vec<Case> {
    vec![
        case(
            "webhook-rule",
            "hook",
            "spec: {url: 'http://127.0.0.1:9/hook', enabled: false, events: [MediaKind.JobFinished], authentication: {headers: {x-key: '${env:KEY}'}}}",
        )
        .changes("spec/url", "http://127.0.0.1:9/other"),
        case(
            "beam-channel",
            "one",
            "{kind: BeamChannel, metadata: {name: one, displayName: first}, spec: {type: EncodingDistribution, state: Stopped, outputs: [], inputs: [{type: SDI, name: input_1, transport: {url: 'sdi://localhost/1/0'}}]}}",
        )
        .changes("metadata/displayName", "second"),
    ]
}

/// The program with all variables that the manifests name.
fn run(service: &Service, args: &[&str], manifest: &str) -> Ran {
    let channels = format!("channels={}", service.emulator.base_url());
    let mut command = service.command(&[args, &["--api-url", &channels]].concat());
    for rest in manifest.split("${env:").skip(1) {
        let name = rest.split('}').next().unwrap_or_default();
        let value = match name {
            name if name.contains("SAS") => "?sv=1&sig=x",
            name if name.contains("SHORTCODE") => "abcd1234",
            _ => "P2ZpbGxlZC1pbg==",
        };
        command.env(name, value);
    }
    crate::ran(&mut command)
}

fn writes(service: &Service) -> usize {
    let requests = service.emulator.control().requests();
    requests
        .iter()
        .filter(|request| ["PUT", "PATCH", "DELETE"].contains(&request.method.as_str()))
        .count()
}

/// The manifest with another value at a place.
fn with(exported: &str, place: &str, value: &Value) -> String {
    let documents = exported.trim_start_matches("---\n");
    let mut manifest: Value = serde_norway::from_str(documents).expect("YAML");
    let steps: Vec<&str> = place.split('/').collect();
    let at = steps
        .iter()
        .fold(&mut manifest["body"], |at, step| &mut at[*step]);
    *at = value.clone();
    manifest.to_string()
}

fn changed_fields(differs: &Ran) -> Vec<String> {
    let rows: Value = serde_json::from_str(&differs.out).unwrap_or_default();
    let rows = rows.as_array().cloned().unwrap_or_default();
    rows.iter()
        .map(|row| row["field"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What is odd about a kind, in the order in which it is seen.
fn odd(service: &Service, case: &Case) -> Result<(), String> {
    let label = format!("{} {}", case.kind, case.name);
    let file = |text: &str| service.file("one.yaml", text);
    let body = body(service, &case.body);
    let made: Value = json!({"kind": case.kind, "name": case.name, "body": body});
    let made = made.to_string();
    expect(
        &label,
        0,
        &run(service, &["apply", "-f", &file(&made), "--wait"], &made),
    )?;
    let exported = run(service, &["export", case.kind, case.name], "");
    expect(&label, 0, &exported)?;
    let exported = exported.out;
    for text in [&made, &exported] {
        let same = run(service, &["diff", "-f", &file(text)], text);
        expect(&label, 0, &same)?;
        check(&label, same.out.is_empty(), &same)?;
        let before = writes(service);
        let again = run(service, &["apply", "-f", &file(text)], text);
        expect(&label, 0, &again)?;
        check(&label, before == writes(service), &again)?;
    }
    if let Some((field, value)) = &case.change {
        let changed = with(&exported, field, value);
        let differs = run(
            service,
            &["diff", "-f", &file(&changed), "-o", "json"],
            &changed,
        );
        expect(&label, 1, &differs)?;
        check(&label, changed_fields(&differs) == [*field], &differs)?;
        let before = writes(service);
        let applied = run(service, &["apply", "-f", &file(&changed)], &changed);
        expect(&label, 0, &applied)?;
        check(&label, before + 1 == writes(service), &applied)?;
        let again = run(service, &["apply", "-f", &file(&changed)], &changed);
        expect(&label, 0, &again)?;
        check(&label, before + 1 == writes(service), &again)?;
        let same = run(service, &["diff", "-f", &file(&changed)], &changed);
        expect(&label, 0, &same)?;
        check(&label, same.out.is_empty(), &same)?;
    }
    if let Some((field, value)) = &case.fixed {
        let current = run(service, &["export", case.kind, case.name], "").out;
        let changed = with(&current, field, value);
        let differs = run(
            service,
            &["diff", "-f", &file(&changed), "-o", "json"],
            &changed,
        );
        expect(&label, 1, &differs)?;
        let told = changed_fields(&differs);
        // Where a field cannot change, nothing below it can.
        check(
            &label,
            told.len() == 1 && field.starts_with(told[0].as_str()),
            &differs,
        )?;
        check(&label, differs.out.contains("\"replace\""), &differs)?;
        let before = writes(service);
        let refused = run(service, &["apply", "-f", &file(&changed)], &changed);
        expect(&label, 5, &refused)?;
        check(
            &label,
            refused.err.contains("--replace") && refused.err.contains(&told[0]),
            &refused,
        )?;
        check(&label, before == writes(service), &refused)?;
    }
    Ok(())
}

/// The body with what the emulator calls places and ways to pay.
fn body(service: &Service, text: &str) -> Value {
    let project = service.ok(&["project", "get", service.emulator.project(), "-o", "json"]);
    let project: Value = serde_json::from_str(&project).expect("JSON");
    let spec = &project["spec"];
    let text = text
        .replace(
            "LOCATION",
            spec["locationName"].as_str().unwrap_or_default(),
        )
        .replace(
            "PAYMENT",
            spec["assignedPaymentMethodId"].as_str().unwrap_or_default(),
        );
    serde_norway::from_str(&text).expect("YAML")
}

#[track_caller]
fn expect(label: &str, code: i32, ran: &Ran) -> Result<(), String> {
    check(label, ran.code == code, ran)
}

#[track_caller]
fn check(label: &str, is_fine: bool, ran: &Ran) -> Result<(), String> {
    let line = std::panic::Location::caller().line();
    let told = format!(
        "{label} (line {line}): {}\n{}{}",
        ran.code, ran.out, ran.err
    );
    is_fine.then_some(()).ok_or(told)
}

/// The kinds that apply takes: a PUT at the path of a GET whose last part is a name.
fn declarative() -> BTreeSet<String> {
    let named = |entry: &&Entry| {
        let reads = entry.operation.method == Method::GET && entry.command.last() == Some(&"get");
        reads && entry.path_parameters().last().is_some()
    };
    let mut found = BTreeSet::new();
    for catalog in mkio::CATALOGS {
        for get in catalog.entries.iter().filter(named) {
            let puts = |entry: &Entry| {
                entry.operation.method == Method::PUT && entry.operation.path == get.operation.path
            };
            if catalog.entries.iter().any(puts) {
                found.insert(get.command[..get.command.len() - 1].join("-"));
            }
        }
    }
    found
}

#[test]
fn every_kind_is_exported_compared_changed_and_applied() {
    let cases = cases();
    let tried: BTreeSet<String> = cases.iter().map(|case| case.kind.to_owned()).collect();
    assert_eq!(tried, declarative(), "each kind has a case");
    let service = Service::with(4);
    let odd: Vec<String> = cases
        .iter()
        .filter_map(|case| odd(&service, case).err())
        .collect();
    assert!(
        odd.is_empty(),
        "{} of {}:\n{}",
        odd.len(),
        cases.len(),
        odd.join("\n")
    );
}
