//! Edits: other members stay, and nothing is sent when nothing changed.

use anyhow::Context;
use mkio::Client;
use mkio::media::types::{AssetPut, AssetPutProperties};
use mkio_emulator::Emulator;

#[tokio::test]
async fn an_edit_changes_what_it_says_and_nothing_else() -> anyhow::Result<()> {
    let emulator = Emulator::builder().project("demo").start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .build()?;
    let media = client.project("demo").media();
    let storages = media.list_storages().items().try_next().await?;
    let storage = storages.context("a storage account")?;
    let storage = storage.metadata().name().context("its name")?;
    let body = AssetPut::from(AssetPutProperties::new(storage).with_description("old"))
        .with_labels([("genre", "news")]);
    media.create_or_update_asset("a", body).send().await?;
    let before = media.get_asset("a").send().await?.json();

    // Nothing changes: nothing is written, not even a time.
    media.edit_asset("a", |asset| asset).send().await?;
    assert_eq!(media.get_asset("a").send().await?.json(), before);

    media
        .edit_asset("a", |mut asset| {
            asset.properties = asset.properties.with_description("new");
            asset
        })
        .send()
        .await?;
    let after = media.get_asset("a").send().await?;
    assert_eq!(after.properties().description(), Some("new"));
    assert_eq!(after.json()["labels"], before["labels"]);
    assert_eq!(
        after.json()["properties"]["storageAccountName"],
        before["properties"]["storageAccountName"]
    );

    let gone = media.edit_asset("b", |asset| asset).send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}
