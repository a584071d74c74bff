//! Exit codes, by faults of the service and by mistakes of the caller.

use serde_json::Value;

use crate::{Service, ran};

#[test]
fn exit_codes_tell_what_went_wrong() {
    let service = Service::new();
    let get = ["asset", "get", "a", "--timeout", "3s"];
    assert_eq!(service.run(&["asset", "list"]).code, 0);
    assert_eq!(service.run(&["asset", "get", "no-such"]).code, 4);
    for (status, code) in [
        (400, 5),
        (401, 3),
        (403, 3),
        (409, 5),
        (422, 5),
        (429, 6),
        (500, 6),
        (503, 6),
    ] {
        service.fault(&format!("GET */media/assets/* status={status}"));
        let ran = service.run(&get);
        assert_eq!(ran.code, code, "{status}: {}", ran.err);
        assert!(
            ran.out.is_empty(),
            "{status}: data beside an error: {}",
            ran.out
        );
    }
    service.fault("");
    for wrong in [
        &["asset", "list", "--fitler", "x"][..],
        &["aset", "list"],
        &["asset", "list", "--top", "many"],
        &["asset", "get"],
        &["asset", "put", "x"],
        &[
            "asset",
            "put",
            "x",
            "--set",
            "properties.storageAcountName=main",
        ],
        &["asset", "put", "x", "--set", "properties.description"],
        &[
            "edit",
            "asset",
            "asset-1",
            "--set",
            "properties.description",
        ],
        &["asset", "list", "--jq", ".["],
        &["asset", "list", "--resume", "nonsense"],
        &["wait", "jbo", "a/b"],
        &["wait", "job", "a"],
        &["wait", "job", "a/b", "--for", "nonsense"],
        &["api", "GET", "no-slash"],
        &["explain", "asset.nonsense"],
        &["call", "list_asets"],
    ] {
        let ran = service.run(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{wrong:?}");
    }
    let near = service.run(&[
        "asset",
        "put",
        "x",
        "--set",
        "properties.storageAcountName=main",
    ]);
    assert!(near.err.contains("storageAccountName"), "{}", near.err);
    assert!(service.run(&["wait", "jbo", "a/b"]).err.contains("`job`"));
}

#[test]
fn without_a_token_or_a_service_it_says_so() {
    let service = Service::new();
    let ran = ran(&mut service.bare(&["asset", "list", "-p", "demo"]));
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("mkio login"), "{}", ran.err);
    let mut command = service.command(&["asset", "list", "--timeout", "2s"]);
    let ran = crate::ran(command.env("MKIO_BASE_URL", "http://127.0.0.1:1"));
    assert_eq!(ran.code, 6, "{}", ran.err);
    let mut command = service.command(&["asset", "list"]);
    let ran = crate::ran(command.env_remove("MKIO_PROJECT"));
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("-p"), "{}", ran.err);
}

#[test]
fn errors_are_json_for_scripts() {
    let service = Service::new();
    let ran = service.run(&["asset", "get", "no-such", "--error-format", "json"]);
    let told: Value = serde_json::from_str(&ran.err).expect("JSON");
    let error = &told["error"];
    assert_eq!(error["status"], 404);
    assert_eq!(error["exit"], 4);
    assert_eq!(error["operation"], "get_asset");
    assert!(error["ref"].is_string(), "{told}");
}
