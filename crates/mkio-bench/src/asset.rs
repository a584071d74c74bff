//! An asset as the Media API answers it.

use serde_json::{Value, json};

/// One asset with all members that the service usually sends.
pub fn asset(number: usize) -> Value {
    json!({
        "id": format!("/projects/acme/media/assets/asset-{number:07}"),
        "name": format!("asset-{number:07}"),
        "type": "Microsoft.Media/mediaservices/assets",
        "labels": {"team": "news", "season": "2026"},
        "properties": {
            "assetId": format!("0c6c1b61-3c0e-4a2b-8a3b-{number:012x}"),
            "container": format!("asset-0c6c1b61-3c0e-4a2b-8a3b-{number:012x}"),
            "containerDeletionPolicy": "Retain",
            "created": "2026-01-31T12:34:56.789012Z",
            "lastModified": "2026-02-01T12:34:56.789012Z",
            "description": "Evening news, first edition",
            "storageAccountName": "storage1",
            "storageEncryptionFormat": "None"
        },
        "systemData": {
            "createdBy": "editor@example.org",
            "createdByType": "User",
            "createdAt": "2026-01-31T12:34:56.789012Z",
            "lastModifiedBy": "editor@example.org",
            "lastModifiedByType": "User",
            "lastModifiedAt": "2026-02-01T12:34:56.789012Z"
        }
    })
}
