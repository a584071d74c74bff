//! Configurations, their versions and tags.

use anyhow::Context;
use mkio::templates::types::*;
use serde_json::json;

use crate::common::{Place, body};

#[tokio::test]
async fn a_tag_moves_to_the_newest_version() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let templates = place.project.templates();
    let types = templates.list_config_types().send().await?;
    let mut types = types.types.iter().flatten();
    assert!(types.any(|found| found.name.as_deref() == Some("encodingLive")));

    let mut hashes = Vec::new();
    for value in [1, 2] {
        let config: ConfigPut = body(json!({
            "metadata": { "tags": ["stable"] },
            "spec": { "config": { "value": value }, "parameters": [] },
        }))?;
        let made = templates
            .create_or_update_config("encodingLive", "hd", config)
            .send()
            .await?;
        let hash = made
            .into_inner()
            .metadata
            .and_then(|metadata| metadata.hash);
        hashes.push(hash.context("a hash")?);
    }
    let version = |version: &str| {
        templates
            .get_config_version("encodingLive", "hd", version)
            .send()
    };
    let stable = version("stable").await?.into_inner();
    assert_eq!(
        stable.metadata.and_then(|metadata| metadata.hash).as_ref(),
        hashes.last()
    );
    let first = version(&hashes[0]).await?.into_inner();
    let config = first
        .spec
        .and_then(|spec| spec.config)
        .context("a configuration")?;
    assert_eq!(config.get("value"), Some(&json!(1)));

    let versions: Vec<_> = templates
        .list_config_versions("encodingLive", "hd")
        .items()
        .try_collect()
        .await?;
    assert_eq!(versions.len(), 2);
    // Without a version all of them go.
    templates.delete_config("encodingLive", "hd").send().await?;
    let gone = version("stable").await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}
