//! Secrets are sent, but they do not show.

use mkio::management::types::{UserToken, WebhookAuthentication, WebhookRule};
use mkio::media::types::{AwsCredential, Storage};
use mkio_httpmock::{
    httpmock::MockServer, management::MockServerExt as _, media::MockServerExt as _,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::mocked;

/// Reads it, prints it in both ways, and writes it back to the same.
fn hidden<T: DeserializeOwned + Serialize + std::fmt::Debug>(json: Value) -> T {
    let value: T = serde_json::from_value(json.clone()).expect("readable");
    let text = format!("{value:?} {value:#?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("[redacted]"), "{text}");
    assert_eq!(serde_json::to_value(&value).expect("writable"), json);
    value
}

#[test]
fn debug_output_of_models_shows_no_secret() {
    hidden::<UserToken>(json!({"metadata": {"id": "t", "JWT": "hunter2"}}));
    hidden::<WebhookAuthentication>(json!({
        "headers": {"X-Key": "hunter2"}, "queryParams": {"key": "hunter2"}
    }));
    hidden::<WebhookRule>(json!({"spec": {"authentication": {"headers": {"k": "hunter2"}}}}));
    hidden::<AwsCredential>(json!({"accessKeyId": "id", "secretAccessKey": "hunter2"}));
    hidden::<Storage>(json!({"spec": {
        "type": "AWS.S3", "credential": {"accessKeyId": "id", "secretAccessKey": "hunter2"}
    }}));
}

/// Unknown content is kept as it is, and may hold secrets.
#[test]
fn debug_output_of_unknown_content_shows_nothing_of_it() {
    for spec in [
        json!({"type": "Storage.Of.Tomorrow", "credential": {"key": "hunter2"}}),
        json!({"type": "AWS.S3", "bucketName": 5, "credential": {"secretAccessKey": "hunter2"}}),
    ] {
        let storage = json!({"spec": spec});
        let value: Storage = serde_json::from_value(storage.clone()).expect("readable");
        let text = format!("{value:?} {value:#?}");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(serde_json::to_value(&value).expect("writable"), storage);
    }
}

#[tokio::test]
async fn debug_output_of_whole_responses_shows_no_secret() {
    let server = MockServer::start_async().await;
    let read = |json: Value| serde_json::from_value(json);
    server.create_user_token(|_, then| {
        let token: UserToken = read(json!({"metadata": {"JWT": "hunter2"}})).expect("a token");
        then.success(201, &token);
    });
    server.list_storages(|_, then| {
        let list = json!({"value": [{"spec": {
            "type": "Microsoft.Storage", "credential": {"sasToken": "hunter2"}
        }}]});
        then.success(200, &serde_json::from_value(list).expect("a list"));
    });
    let client = mocked(&server);
    let management = client.management();
    let body: mkio::management::types::UserTokenPost =
        serde_json::from_value(json!({"organizationId": "o", "type": "user"})).expect("a body");
    let call = management.create_user_token(body).send();
    let token = call.await.expect("a response");
    let list = client.project("acme").media().list_storages().send().await;
    let text = format!("{token:?} {token:#?} {list:?} {list:#?} {client:?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!text.contains("no-real-token"), "{text}");
    assert_eq!(text.matches("[redacted]").count(), 4, "{text}");
    // Code that needs it gets it.
    let jwt = token
        .into_inner()
        .metadata
        .and_then(|metadata| metadata.jwt);
    assert_eq!(jwt.map(|jwt| jwt.into_inner()).as_deref(), Some("hunter2"));
}

/// A response that does not decode is an error that quotes nothing of it.
#[tokio::test]
async fn a_response_that_does_not_decode_does_not_show_its_secrets() {
    let server = MockServer::start_async().await;
    server.create_user_token(|_, then| {
        then.into_inner()
            .status(201)
            .header("content-type", "application/json")
            .body(r#"{"metadata": {"JWT": {"value": "hunter2"}, "id": "hunter2"}}"#);
    });
    let management = mocked(&server).management();
    let body: mkio::management::types::UserTokenPost =
        serde_json::from_value(json!({"organizationId": "o", "type": "user"})).expect("a body");
    let call = management.create_user_token(body).send();
    let error = call.await.expect_err("no text");
    assert_eq!(error.kind(), mkio::ErrorKind::Decode);
    let text = format!("{error} {error:?} {error:#?}");
    assert!(text.contains("metadata.JWT"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}
