//! Storage accounts, their credentials, and downloads.

use anyhow::Context;
use mkio::media::types::*;
use serde_json::json;

use crate::common::{Place, body, quick};

#[tokio::test]
async fn a_credential_is_rotated() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    let storage: StoragePut = body(json!({ "spec": {
        "type": "Microsoft.Storage", "url": "https://own.example.com",
        "credential": { "sasToken": "?sv=1&se=2999-01-01T00:00:00Z&sig=first" },
    } }))?;
    assert!(!format!("{storage:?}").contains("sig="));
    let made = media
        .create_or_update_storage("own", storage)
        .send()
        .await?;
    let first = made
        .into_inner()
        .status
        .and_then(|status| status.active_credential_id);
    let first = first.context("an active credential")?;

    let next: StorageCredentialPost = body(json!({ "spec": {
        "type": "Microsoft.Storage",
        "credential": { "sasToken": "?sv=1&se=2999-06-01T00:00:00Z&sig=second" },
    } }))?;
    let second = media.create_storage_credential("own", next).send().await?;
    let second = second
        .into_inner()
        .metadata
        .and_then(|metadata| metadata.id);
    let second = second.context("the new credential's id")?.to_string();
    assert_ne!(first.to_string(), second);

    // The new one is in use and gives access; then the old one goes.
    let asset = AssetPut::new(AssetPutProperties::new("own"));
    media.create_or_update_asset("film", asset).send().await?;
    quick(media.wait_for_asset("film")).await?;
    media.get_asset_file_access_info("film").send().await?;
    media
        .delete_storage_credential("own", &*first.to_string())
        .send()
        .await?;
    let left = media.list_storage_credentials("own").send().await?;
    assert_eq!(left.value.as_ref().map(Vec::len), Some(1));
    let storage = media.get_storage("own").send().await?;
    let active = storage
        .into_inner()
        .status
        .and_then(|status| status.active_credential_id);
    assert_eq!(active.map(|id| id.to_string()), Some(second));
    Ok(())
}

#[tokio::test]
async fn a_file_of_an_asset_is_downloaded() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    for asset in ["input", "output"] {
        place.asset(asset).await?;
    }
    let transform = TransformPutProperties::new([TransformOutput::new(
        BuiltInStandardEncoderPreset::new("H264SingleBitrate720p"),
    )]);
    media
        .create_or_update_transform("encode", TransformPut::new(transform))
        .send()
        .await?;
    let input = JobInputAsset::new("input").with_files(["intro.mp4"]);
    let job = JobPut::new(JobPutProperties::new(
        input,
        [JobOutputAsset::new("output")],
    ));
    quick(media.run_job("encode", "job", job)).await?;

    let access = media.get_asset_file_access_info("output").send().await?;
    let access = access.into_inner();
    let token = access.jwt.as_ref().context("a token")?;
    assert!(!format!("{access:?}").contains(token.expose().as_str()));
    let url = access.url.as_deref().context("an address")?;
    let sub_path = access.sub_path.as_deref().filter(|path| !path.is_empty());
    let file = match sub_path {
        Some(path) => format!("{}/intro.ism", path.trim_end_matches('/')),
        None => "intro.ism".to_owned(),
    };
    let downloaded = reqwest::Client::new()
        .post(format!("{url}downloadBlob"))
        .bearer_auth(token.expose())
        .json(&json!({
            "storageAccountName": access.storage_account_name,
            "containerName": access.container_name,
            "fileName": file,
        }))
        .send()
        .await?
        .error_for_status()?;
    assert!(!downloaded.bytes().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn buckets_are_registered_and_stay_while_they_are_used() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    let secret = "c2VjcmV0LWtleS1zZWNyZXQta2V5LXNlY3JldC1r";
    let put = |name: &'static str, spec: serde_json::Value| {
        let storage = body::<StoragePut>(json!({ "spec": spec }));
        storage.map(|storage| media.create_or_update_storage(name, storage).send())
    };
    let aws = json!({
        "type": "AWS.S3", "bucketName": "media-bucket",
        "credential": { "accessKeyId": "AKIA0000000000000000", "secretAccessKey": secret },
    });
    let made = put("aws", aws)?.await?.into_inner();
    // The region is found out, the secret is kept back.
    let made = serde_json::to_value(made)?;
    assert_eq!(made["spec"]["region"], "us-east-1");
    assert!(!made.to_string().contains(secret), "{made}");
    let google =
        json!({ "type": "Google.Storage", "bucketName": "other-bucket", "description": "archive" });
    put("google", google)?.await?;
    let wrong = json!({ "type": "Microsoft.Storage", "url": "https://own.example.com/" });
    let refused = put("slash", wrong)?.await;
    let refused = refused.err().context("a final slash")?;
    assert!(refused.to_string().contains("url"), "{refused}");

    let found: Vec<_> = media
        .list_storages()
        .filter("type eq 'AWS.S3'")
        .items()
        .try_collect()
        .await?;
    assert_eq!(found.len(), 1);
    let asset = AssetPut::new(AssetPutProperties::new("aws"));
    media.create_or_update_asset("film", asset).send().await?;
    let delete = || media.delete_storage("aws").send();
    assert!(delete().await.is_err_and(|error| error.is_conflict()));
    quick(media.delete_asset_and_wait("film")).await?;
    delete().await?;
    Ok(())
}
