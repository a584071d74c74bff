//! Configurations, their versions and tags.

use anyhow::Context;
use mkio::templates::types::*;
use serde_json::json;

use crate::common::Place;

#[tokio::test]
async fn a_tag_moves_to_the_newest_version() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let templates = place.project.templates();
    let types = templates.list_config_types().send().await?;
    let mut types = types.types().iter();
    assert!(types.any(|found| found.name() == Some("encodingLive")));

    let mut hashes: Vec<String> = Vec::new();
    for value in [1, 2] {
        let spec = ConfigPutSpec::new()
            .with_config([("value", value)])
            .with_parameters(Vec::<ConfigParameter>::new());
        let tags = ConfigPutMetadata::new().with_tags(["stable"]);
        let made = templates
            .create_or_update_config(
                "encodingLive",
                "hd",
                ConfigPut::new(spec).with_metadata(tags),
            )
            .send()
            .await?;
        hashes.push(made.metadata().hash().context("a hash")?.to_owned());
    }
    let version = |version: &str| {
        templates
            .get_config_version("encodingLive", "hd", version)
            .send()
    };
    let stable = version("stable").await?;
    assert_eq!(stable.metadata().hash(), hashes.last().map(String::as_str));
    let first = version(&hashes[0]).await?;
    assert_eq!(first.spec().config().get("value"), Some(&json!(1)));

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
