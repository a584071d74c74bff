//! Every operation of the documents, once each, against a platform that has one resource of each kind.

use std::collections::BTreeMap;

use crate::common::{Caller, Response, checked, is_served, served};
use crate::samples;
use mkio_emulator::docs::{Documents, Operation};
use reqwest::Method;
use serde_json::{Value, json};

/// Path parameters that stand for something the platform named.
async fn ids(caller: &Caller) -> BTreeMap<&'static str, String> {
    let first = async |path: &str, pointer: &str| caller.get(path).await.expect(200).text(pointer);
    let invite = caller
        .post(
            "/api/v1/organization/invites",
            json!({ "spec": { "email": "new@example.com", "comment": "hello" } }),
        )
        .await
        .expect(201);
    let organization = first("/api/v1/organization", "/metadata/id").await;
    let token = json!({ "type": "full-access", "organizationId": organization });
    let token = caller
        .post("/api/v1/user/tokens", token)
        .await
        .expect(201)
        .text("/metadata/id");
    let described = json!({ "metadata": samples::shown(), "spec": { "description": "why" } });
    caller
        .post("fleet/devices/beam/supportPackages", described)
        .await
        .expect(202);
    let backup = json!({ "metadata": samples::shown(), "spec": { "backupName": "nightly" } });
    caller
        .post("fleet/devices/beam/backup", backup)
        .await
        .expect(202);
    caller.step(30);
    let credential = caller
        .get("media/storage/disk/credentials")
        .await
        .expect(200);
    BTreeMap::from([
        ("project_name", "demo".to_owned()),
        ("credential_id", credential.text("/value/0/metadata/id")),
        (
            "backup_id",
            first("fleet/backups", "/value/0/metadata/id").await,
        ),
        (
            "package_name",
            first(
                "fleet/devices/beam/supportPackages",
                "/value/0/metadata/name",
            )
            .await,
        ),
        ("version", "first".to_owned()),
        ("location_name", "eastus".to_owned()),
        ("role_name", "Reader".to_owned()),
        ("scope_name", "Organization".to_owned()),
        ("invite_id", invite.text("/metadata/id")),
        (
            "user_id",
            first("/api/v1/organization/users", "/value/1/metadata/id").await,
        ),
        ("token_id", token),
        (
            "paymentmethod_id",
            first("paymentMethod", "/metadata/id").await,
        ),
        (
            "organization_id",
            first("/api/v1/user/organizations", "/value/1/metadata/id").await,
        ),
        ("config_type", "encodingLive".to_owned()),
        ("thumbnail_id", "sdi-0".to_owned()),
    ])
}

/// The operation's path with the names of the samples in it.
fn path(
    operation: &Operation,
    samples: &[samples::Sample],
    ids: &BTreeMap<&str, String>,
) -> String {
    let project = "/api/v1/projects/demo/";
    let template: Vec<&str> = operation.path.split('/').collect();
    // The deepest sample that the template leads through names what is in it.
    let mut known: Vec<String> = Vec::new();
    for sample in samples {
        let full = if sample.path.starts_with('/') {
            sample.path.to_owned()
        } else {
            format!("{project}{}", sample.path)
        };
        let parts: Vec<&str> = full.trim_end_matches('/').split('/').collect();
        let fits = parts.len() <= template.len()
            && parts
                .iter()
                .zip(&template)
                .enumerate()
                .all(|(at, (part, wanted))| {
                    part == wanted
                        || (wanted.starts_with('{')
                            && (at > 3 || *part == "demo" || !operation.in_project()))
                });
        if fits && parts.len() > known.len() {
            known = parts.into_iter().map(str::to_owned).collect();
        }
    }
    let preset = operation.path.contains("/presets/");
    let parts = template.iter().enumerate().map(|(at, part)| {
        if let Some(name) = known.get(at) {
            return name.clone();
        }
        let Some(parameter) = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        else {
            return (*part).to_owned();
        };
        if preset && parameter == "name" {
            return "passthrough".to_owned();
        }
        match ids.get(parameter) {
            Some(value) => value.clone(),
            None => panic!("{}: nothing is known for {{{parameter}}}", operation.path),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The body that an operation needs, by the end of its path.
fn body(
    operation: &Operation,
    samples: &[samples::Sample],
    path: &str,
    ids: &BTreeMap<&str, String>,
) -> Option<Value> {
    let sample = samples.iter().find(|sample| path.ends_with(sample.path));
    let described = json!({ "metadata": samples::shown(), "spec": { "description": "why" } });
    let end = operation
        .path
        .strip_prefix("/api/v1/projects/{project_name}")
        .unwrap_or(&operation.path);
    let body = match (operation.method.as_str(), end) {
        ("PUT", "") => {
            json!({ "displayName": "Second", "locationName": "eastus", "paymentMethodId": ids["paymentmethod_id"] })
        }
        ("PUT", "/api/profile/") => {
            json!({ "spec": { "name": "New", "company": "C", "country": "SE", "jobrole": "", "phonenumber": "" } })
        }
        ("PUT", end) if end.ends_with("/liveOutputs/{output_name}") => {
            json!({ "properties": { "assetName": "spare", "archiveWindowLength": "PT4H" } })
        }
        // The device of the sample is registered already.
        ("PUT", "/fleet/devices/{name}") => {
            let mut body = sample.map(|sample| sample.body.clone())?;
            body["spec"]["shortCode"] = json!("efgh5678");
            body
        }
        ("PUT", _) => sample.map(|sample| sample.body.clone())?,
        ("PATCH", "") => json!({ "spec": { "isActive": true } }),
        ("PATCH", "/metricsEndpoint") => json!({ "spec": { "enabled": true } }),
        ("PATCH", "/fleet/backups/{backup_id}") => json!({ "metadata": { "name": "renamed" } }),
        ("PATCH", "/api/v1/organization") => json!({ "spec": { "name": "Renamed" } }),
        ("PATCH", "/api/v1/organization/paymentMethods/{paymentmethod_id}") => {
            json!([{ "op": "replace", "path": "/metadata/displayName", "value": "Renamed" }])
        }
        ("PATCH", "/api/v1/user/organizations/{organization_id}") => {
            json!({ "spec": { "invite": { "comment": "", "invitedBy": null, "state": "accepted" } } })
        }
        ("PATCH", "/api/v1/user/profile") => json!({ "spec": { "name": "New" } }),
        ("PATCH", _) => sample.and_then(|sample| sample.patch.clone())?,
        ("POST", "/media/storage/{storage_name}/credentials") => {
            json!({ "spec": { "type": "Microsoft.Storage", "credential": { "sasToken": "?sv=1&sig=y" } } })
        }
        ("POST", "/media/streamingEndpoints/{endpoint_name}/scale") => json!({ "scaleUnit": 2 }),
        ("POST", "/fleet/devices/{name}/backup") => {
            json!({ "metadata": samples::shown(), "spec": {} })
        }
        ("POST", "/fleet/devices/{name}/restore") => {
            json!({ "metadata": samples::shown(), "spec": { "restoreFilePath": format!("beam/{}/renamed.tar.gz", ids["backup_id"]) } })
        }
        (
            "POST",
            "/fleet/devices/{name}/removeServices" | "/fleet/devices/{name}/supportPackages",
        ) => described,
        ("POST", "/paymentMethod") => json!({ "paymentMethodId": ids["paymentmethod_id"] }),
        ("POST", "/api/v1/organization") => json!({ "spec": { "name": "Another" } }),
        ("POST", "/api/v1/organization/invites") => {
            json!({ "spec": { "email": "other@example.com", "comment": "hello" } })
        }
        ("POST", "/api/v1/organization/reports/usage") => {
            json!({ "startDate": "2024-01-01", "endDate": "2024-02-01" })
        }
        ("POST", "/api/v1/user/tokens") => {
            json!({ "type": "login", "organizationId": ids["organization"] })
        }
        ("POST", "/api/channel-biss/injected-ids/") => {
            json!({ "encryptedInjectedId": "00112233445566", "description": "d" })
        }
        ("POST", "/api/channel-export/") => json!({}),
        ("POST", "/api/channel-import/") => json!({ "mode": "merge", "payload": {
            "schemaVersion": "1", "exportedAt": "2024-01-01T00:00:00Z", "sourceVersion": "1.12.0.7", "channels": [],
        } }),
        _ => return None,
    };
    Some(body)
}

async fn send(caller: &Caller, operation: &Operation, path: &str, body: Option<Value>) -> Response {
    let mut request = caller
        .http
        .request(
            operation.method.clone(),
            format!("{}{path}", caller.emulator.base_url()),
        )
        .bearer_auth(&caller.token);
    let required: Vec<(&str, &str)> = operation
        .query
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| match parameter.name.as_str() {
            "channelName" => ("channelName", "one"),
            "query" => ("query", "up"),
            "start" => ("start", "2024-01-01T00:00:00Z"),
            "end" => ("end", "2024-01-01T01:00:00Z"),
            other => panic!("{}: nothing is known for {other}", operation.id),
        })
        .collect();
    request = request.query(&required);
    if let Some(body) = body {
        let kind = operation
            .bodies
            .first()
            .map_or("application/json", |body| body.content_type.as_str());
        request = request.header("content-type", kind).body(body.to_string());
    } else if path.ends_with("/uploadBackup") {
        request = request
            .header("content-type", "application/octet-stream")
            .body(vec![0x1f, 0x8b, 8, 0]);
    }
    let response = request.send().await.expect("the emulator answers");
    checked(&operation.method, response).await
}

#[tokio::test]
async fn every_operation_of_the_documents_answers_with_success() {
    let caller = Caller::start().await;
    let samples = samples::make(&caller).await;
    caller.asset("spare").await;
    caller.step(30);
    let mut ids = ids(&caller).await;
    ids.insert(
        "organization",
        caller
            .get("/api/v1/organization")
            .await
            .text("/metadata/id"),
    );
    let mut operations: Vec<&Operation> = served().collect();
    assert!(!operations.is_empty());
    // What takes things away comes last, what is below before what it is in; the caller's own token last of all.
    operations.sort_by_key(|operation| {
        let rank = ["GET", "PUT", "PATCH", "POST", "DELETE"]
            .iter()
            .position(|method| *method == operation.method.as_str());
        // What others refer to was made before them.
        let made = if operation.method == Method::DELETE {
            let path = path(operation, &samples, &ids);
            samples
                .iter()
                .position(|sample| path.ends_with(sample.path))
        } else {
            None
        };
        (
            rank,
            operation.path == "/api/v1/user/tokens",
            made.map(|made| usize::MAX - made),
        )
    });
    let mut wrong = Vec::new();
    // An operation that is not served is answered 501.
    let all = Documents::get().operations().iter();
    for operation in all.filter(|operation| !is_served(operation)) {
        let path = operation.path.replace(['{', '}'], "x");
        let response = caller.call(operation.method.clone(), &path, None).await;
        if response.status != 501 {
            wrong.push(format!(
                "{}: {} {}",
                operation.id, response.status, response.body
            ));
        }
    }
    for operation in operations {
        let path = path(operation, &samples, &ids);
        let body = body(operation, &samples, &path, &ids);
        prepare(&caller, operation, &samples).await;
        let mut target = path.clone();
        if operation.method == Method::PUT && operation.path == "/api/v1/projects/{project_name}" {
            target = "/api/v1/projects/second".to_owned();
        }
        if operation.method == Method::PUT && body.is_some() {
            // A resource that exists is made under another name.
            let once = samples
                .iter()
                .find(|sample| path.ends_with(sample.path))
                .is_some_and(|sample| sample.put.again() == 409);
            if once {
                target = format!("{path}2");
            }
        }
        let made_anew = target != path;
        let response = send(&caller, operation, &target, body).await;
        // Three actions that the platform declares and does not implement.
        let unimplemented = ["/reset", "/allocate", "/skus"]
            .iter()
            .any(|end| operation.path.ends_with(end));
        let expected = if unimplemented {
            response.status == 400
        } else {
            (200..300).contains(&response.status)
        };
        if !expected {
            wrong.push(format!(
                "{} {target}: {} {}",
                operation.method, response.status, response.body
            ));
        }
        if made_anew && operation.path != "/api/v1/projects/{project_name}" {
            caller.step(31);
            caller.delete(&target).await.expect(200);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Brings about the state that an action needs.
async fn prepare(caller: &Caller, operation: &Operation, samples: &[samples::Sample]) {
    caller.step(31);
    let path = operation.path.as_str();
    let again = async |end: &str| {
        let sample = samples
            .iter()
            .find(|sample| sample.path.ends_with(end))
            .expect("a sample");
        caller.put(sample.path, sample.body.clone()).await;
    };
    match operation.method.as_str() {
        "POST" if path.ends_with("/{event_name}/stop") => {
            caller
                .post("media/liveEvents/match/start", Value::Null)
                .await;
        }
        "POST" if path.ends_with("/{event_name}/start") => {
            caller
                .post("media/liveEvents/match/stop", Value::Null)
                .await;
        }
        "POST" if path.ends_with("/{endpoint_name}/stop") || path.ends_with("/restart") => {
            caller
                .post("media/streamingEndpoints/front/start", Value::Null)
                .await;
        }
        "POST" if path.ends_with("/{endpoint_name}/start") => {
            caller
                .post("media/streamingEndpoints/front/stop", Value::Null)
                .await;
        }
        "POST" if path.ends_with("/cancelJob") => {
            caller.delete("media/transforms/encode/jobs/job").await;
            again("/jobs/job").await;
            return;
        }
        "DELETE" if path.ends_with("/versions/{version}") => {
            // The latest version cannot go alone.
            let body = json!({ "spec": { "config": { "other": 1 }, "parameters": [] } });
            caller
                .put("templating/configs/encodingLive/cfg", body)
                .await
                .expect(200);
        }
        "DELETE" if path.contains("/live/") || path.ends_with("/liveEvents/{event_name}") => {
            caller
                .post("media/liveEvents/match/stop", Value::Null)
                .await;
        }
        "DELETE" if path.ends_with("/streamingEndpoints/{endpoint_name}") => {
            caller
                .post("media/streamingEndpoints/front/stop", Value::Null)
                .await;
        }
        _ => {}
    }
    caller.step(31);
}
