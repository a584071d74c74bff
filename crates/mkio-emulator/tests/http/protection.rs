//! Content key policies, streaming policies and the keys of locators.

use serde_json::{Value, json};

use crate::common::Caller;

fn key_policy(secret: &str) -> Value {
    json!({ "properties": { "options": [{
        "configuration": { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
        "restriction": {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction", "issuer": "i", "audience": "a", "restrictionTokenType": "Jwt",
            "primaryVerificationKey": { "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", "keyValue": secret },
        },
    }] } })
}

#[tokio::test]
async fn content_is_protected() {
    let caller = Caller::start().await;
    caller.asset("film").await;
    let made = caller
        .put("media/contentKeyPolicies/p", key_policy("c2VjcmV0"))
        .await
        .expect(201);
    assert!(!made.body.to_string().contains("c2VjcmV0"), "{}", made.body);
    caller
        .put("media/contentKeyPolicies/p", key_policy("c2VjcmV0"))
        .await
        .expect(409);
    let secrets = caller
        .post(
            "media/contentKeyPolicies/p/getPolicyPropertiesWithSecrets",
            Value::Null,
        )
        .await
        .expect(200);
    assert_eq!(
        secrets.text("/options/0/restriction/primaryVerificationKey/keyValue"),
        "c2VjcmV0"
    );
    // A masked policy is sent back with another description: the secret stays.
    let mut shown = caller
        .get("media/contentKeyPolicies/p")
        .await
        .expect(200)
        .body;
    shown["properties"]["description"] = json!("changed");
    caller
        .patch("media/contentKeyPolicies/p", shown)
        .await
        .expect(200);
    let secrets = caller
        .post(
            "media/contentKeyPolicies/p/getPolicyPropertiesWithSecrets",
            Value::Null,
        )
        .await
        .expect(200);
    assert_eq!(
        (
            secrets.text("/description"),
            secrets.text("/options/0/restriction/primaryVerificationKey/keyValue")
        ),
        ("changed".to_owned(), "c2VjcmV0".to_owned())
    );
    let locator = |policy: &str| json!({ "properties": { "assetName": "film", "streamingPolicyName": policy, "defaultContentKeyPolicyName": "p" } });
    let refused = caller
        .put(
            "media/streamingLocators/l",
            locator("Predefined_MultiDrmCencStreaming"),
        )
        .await
        .expect(400);
    assert!(
        refused.detail().contains("playReady, widevine"),
        "{}",
        refused.detail()
    );
    caller
        .put("media/streamingLocators/l", locator("Predefined_ClearKey"))
        .await
        .expect(201);
    let paths = caller
        .post("media/streamingLocators/l/listPaths", Value::Null)
        .await
        .expect(200);
    assert!(
        paths
            .text("/drm/clearKey/licenseAcquisitionUrl")
            .starts_with(caller.emulator.base_url()),
        "{}",
        paths.body
    );
    assert!(
        paths
            .text("/streamingPaths/0/paths/0")
            .contains("encryption=cbc"),
        "{}",
        paths.body
    );
    let keys = caller
        .post("media/streamingLocators/l/listContentKeys", Value::Null)
        .await
        .expect(200);
    assert!(!keys.text("/contentKeys/0/value").is_empty());
    let shown = caller.get("media/streamingLocators/l").await.expect(200);
    assert_eq!(
        shown.body["properties"]["contentKeys"][0].get("value"),
        None
    );
    caller
        .delete("media/contentKeyPolicies/p")
        .await
        .expect(409);
    caller.delete("media/streamingLocators/l").await.expect(200);
    caller
        .delete("media/contentKeyPolicies/p")
        .await
        .expect(200);
    caller
        .delete("media/contentKeyPolicies/p")
        .await
        .expect(204);
}
