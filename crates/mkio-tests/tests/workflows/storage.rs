//! Storage accounts, their credentials, and downloads.

use anyhow::Context;
use mkio::media::types::*;
use serde_json::json;

use crate::common::{Place, quick};

#[tokio::test]
async fn a_credential_is_rotated() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    let token = AzureCredentialPost::new("?sv=1&se=2999-01-01T00:00:00Z&sig=first");
    let storage = AzureStorageSpecPut::new("https://own.example.com").with_credential(token);
    assert!(!format!("{storage:?}").contains("sig="));
    let made = media
        .create_or_update_storage("own", storage)
        .send()
        .await?;
    let first = made.status().active_credential_id();
    let first = first.context("an active credential")?;

    let next = AzureCredentialPost::new("?sv=1&se=2999-06-01T00:00:00Z&sig=second");
    let second = media.create_storage_credential("own", next).send().await?;
    let second = second.metadata().id().context("the new credential's id")?;
    assert_ne!(first, second);

    // The new one is in use and gives access; then the old one goes.
    let asset = AssetPutProperties::new("own");
    media.create_or_update_asset("film", asset).send().await?;
    quick(media.wait_for_asset("film")).await?;
    media.get_asset_file_access_info("film").send().await?;
    media.delete_storage_credential("own", first).send().await?;
    let left = media.list_storage_credentials("own").send().await?;
    assert_eq!(left.value().len(), 1);
    let storage = media.get_storage("own").send().await?;
    assert_eq!(storage.status().active_credential_id(), Some(second));
    Ok(())
}

#[tokio::test]
async fn a_file_of_an_asset_is_downloaded() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    for asset in ["input", "output"] {
        place.asset(asset).await?;
    }
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    media
        .create_or_update_transform("encode", TransformPutProperties::new([preset]))
        .send()
        .await?;
    let input = JobInputAsset::new("input").with_files(["intro.mp4"]);
    let job = JobPutProperties::new(input, [JobOutputAsset::new("output")]);
    quick(media.run_job("encode", "job", job)).await?;

    let access = media.get_asset_file_access_info("output").send().await?;
    let token = access.jwt().context("a token")?;
    assert!(!format!("{access:?}").contains(token.expose().as_str()));
    let url = access.url().context("an address")?.as_str();
    let sub_path = access.sub_path().filter(|path| !path.is_empty());
    let file = match sub_path {
        Some(path) => format!("{}/intro.ism", path.trim_end_matches('/')),
        None => "intro.ism".to_owned(),
    };
    let downloaded = reqwest::Client::new()
        .post(format!("{url}downloadBlob"))
        .bearer_auth(token.expose())
        .json(&json!({
            "storageAccountName": access.storage_account_name(),
            "containerName": access.container_name(),
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
    let key = AwsCredential::new()
        .access_key_id("AKIA0000000000000000")
        .secret_access_key(secret);
    let aws = AwsStorageSpecPut::new("media-bucket").with_credential(key);
    let made = media.create_or_update_storage("aws", aws).send().await?;
    // The region is found out, the secret is kept back.
    let spec = made.spec().and_then(StorageSpec::as_aws);
    assert_eq!(spec.context("S3")?.region(), Some("us-east-1"));
    assert!(!made.json().to_string().contains(secret));
    let google = GoogleStorageSpecPut::new("other-bucket").with_description("archive");
    media
        .create_or_update_storage("google", google)
        .send()
        .await?;
    let wrong = AzureStorageSpecPut::new("https://own.example.com/");
    let refused = media.create_or_update_storage("slash", wrong).send().await;
    let refused = refused.err().context("a final slash")?;
    assert!(refused.to_string().contains("url"), "{refused}");

    let found: Vec<_> = media
        .list_storages()
        .filter("type eq 'AWS.S3'")
        .items()
        .try_collect()
        .await?;
    assert_eq!(found.len(), 1);
    let asset = AssetPutProperties::new("aws");
    media.create_or_update_asset("film", asset).send().await?;
    let delete = || media.delete_storage("aws").send();
    assert!(delete().await.is_err_and(|error| error.is_conflict()));
    quick(media.delete_asset_and_wait("film")).await?;
    delete().await?;
    Ok(())
}
