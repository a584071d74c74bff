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
        .create_or_update_storage()
        .storage_name("own")
        .body(storage)
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
    let second = media
        .create_storage_credential()
        .storage_name("own")
        .body(next)
        .send()
        .await?;
    let second = second
        .into_inner()
        .metadata
        .and_then(|metadata| metadata.id);
    let second = second.context("the new credential's id")?.to_string();
    assert_ne!(first.to_string(), second);

    // The new one is in use and gives access; then the old one goes.
    let asset = AssetPut::new(AssetPutProperties::new("own"));
    media
        .create_or_update_asset()
        .asset_name("film")
        .body(asset)
        .send()
        .await?;
    quick(media.wait_for_asset("film")).await?;
    media
        .get_asset_file_access_info()
        .asset_name("film")
        .send()
        .await?;
    media
        .delete_storage_credential()
        .storage_name("own")
        .credential_id(&*first.to_string())
        .send()
        .await?;
    let left = media
        .list_storage_credentials()
        .storage_name("own")
        .send()
        .await?;
    assert_eq!(left.value.as_ref().map(Vec::len), Some(1));
    let storage = media.get_storage().storage_name("own").send().await?;
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
        .create_or_update_transform()
        .transform_name("encode")
        .body(TransformPut::new(transform))
        .send()
        .await?;
    let input = JobInputAsset::new("input").files(["intro.mp4"]);
    let job = JobPut::new(JobPutProperties::new(
        input,
        [JobOutputAsset::new("output")],
    ));
    quick(media.run_job("encode", "job", job)).await?;

    let access = media
        .get_asset_file_access_info()
        .asset_name("output")
        .send()
        .await?;
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
