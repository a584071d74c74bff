//! Secrets are taken and never shown.

use serde_json::{Value, json};

use crate::common::Caller;

const SECRET: &str = "c2VjcmV0LWNhbmFyeS1zZWNyZXQtY2FuYXJ5LTEyMzQ1";

#[tokio::test]
async fn secrets_never_come_back() {
    let caller = Caller::start().await;
    let secret = SECRET.get(..40).expect("forty characters");
    let policy = |configuration: Value, restriction: Value| json!({ "properties": { "options": [{ "configuration": configuration, "restriction": restriction }] } });
    let token = |key: Value| {
        json!({
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction", "issuer": "i", "audience": "a", "restrictionTokenType": "Jwt",
            "primaryVerificationKey": key, "alternateVerificationKeys": [key],
        })
    };
    let symmetric = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", "keyValue": SECRET });
    let clear = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" });
    let fair = json!({
        "@odata.type": "#Microsoft.Media.ContentKeyPolicyFairPlayConfiguration", "ask": SECRET, "fairPlayPfx": SECRET, "fairPlayPfxPassword": SECRET,
        "rentalAndLeaseKeyType": "Undefined", "rentalDuration": 0,
    });
    let open = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" });
    for (path, body) in [
        (
            "media/storage/azure",
            json!({ "spec": { "type": "Microsoft.Storage", "url": "https://a.example.com", "credential": { "sasToken": format!("?sv=1&sig={secret}") } } }),
        ),
        (
            "media/storage/aws",
            json!({ "spec": { "type": "AWS.S3", "bucketName": "bucket", "credential": { "accessKeyId": "AKIA0000000000000000", "secretAccessKey": secret } } }),
        ),
        (
            "media/storage/google",
            json!({ "spec": { "type": "Google.Storage", "bucketName": "bucket", "credential": { "gac": {
            "type": "service_account", "project_id": "p", "private_key_id": secret, "private_key": secret, "client_email": "a@example.com", "client_id": "1",
            "auth_uri": "https://a.example.com", "token_uri": "https://a.example.com", "auth_provider_x509_cert_url": "https://a.example.com",
            "client_x509_cert_url": "https://a.example.com", "universe_domain": "example.com",
        } } } }),
        ),
        (
            "media/contentKeyPolicies/clear",
            policy(clear, token(symmetric)),
        ),
        ("media/contentKeyPolicies/fair", policy(fair, open)),
        (
            "webhook/rules/hook",
            json!({ "spec": {
            "url": "http://127.0.0.1:9/hook", "enabled": false, "events": ["MediaKind.JobFinished"],
            "authentication": { "headers": { "x-secret": SECRET }, "queryParams": { "key": SECRET } },
        } }),
        ),
    ] {
        let made = caller.put(path, body.clone()).await.expect(201);
        let mut told = vec![made.body, caller.get(path).await.expect(200).body];
        let collection = path
            .rsplit_once('/')
            .map_or("", |(collection, _)| collection);
        told.push(caller.get(collection).await.expect(200).body);
        if path.starts_with("media/storage/") {
            let credentials = format!("{path}/credentials");
            let listed = caller.get(&credentials).await.expect(200);
            let one = format!("{credentials}/{}", listed.text("/value/0/metadata/id"));
            told.push(caller.get(&one).await.expect(200).body);
            told.push(listed.body);
            let more = json!({ "spec": { "type": body["spec"]["type"], "credential": body["spec"]["credential"] } });
            told.push(caller.post(&credentials, more).await.expect(201).body);
        }
        if body.get("spec").is_some() {
            told.push(caller.put(path, body).await.expect(200).body);
        }
        for body in told {
            assert!(!body.to_string().contains(secret), "{path}: {body}");
        }
    }
    // Two operations exist to show keys.
    for (policy, pointer) in [
        (
            "clear",
            "/options/0/restriction/primaryVerificationKey/keyValue",
        ),
        (
            "clear",
            "/options/0/restriction/alternateVerificationKeys/0/keyValue",
        ),
        ("fair", "/options/0/configuration/ask"),
        ("fair", "/options/0/configuration/fairPlayPfxPassword"),
    ] {
        let told = caller
            .post(
                &format!("media/contentKeyPolicies/{policy}/getPolicyPropertiesWithSecrets"),
                Value::Null,
            )
            .await
            .expect(200);
        assert_eq!(told.text(pointer), SECRET, "{policy}");
    }
}
