//! The same change for every asset, then a deletion, several at a time. Errors come with the name of the
//! asset they belong to, and end nothing.

use anyhow::Result;
use mkio::{bulk::Bulk, media::{fields::assets, types::*}};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let media = place.project.media();
    let prefix = place.name("bulk");
    let names: Vec<String> = (1..=30).map(|number| format!("{prefix}-{number:02}")).collect();
    let made = Bulk::each(&names)
        .at_once(16)
        .run(|name| {
            place.undo(name, media.delete_asset(name).send());
            let asset = AssetPutProperties::new(&place.storage);
            (name.clone(), media.create_or_update_asset(name, asset).send())
        })
        .await;
    place.say(format!("made {} assets", made.done));

    // Only those of this run.
    let mine = || media.list_assets().filter(assets::NAME.contains(prefix.as_str())).items();
    let changed = Bulk::list(mine())
        .at_once(8)
        .run(|asset| {
            let name = asset.name.unwrap_or_default();
            let edit = media.edit_asset(&name, |mut asset| {
                asset.properties = asset.properties.with_description("reviewed");
                asset
            });
            (name, edit.send())
        })
        .await;
    place.say(format!("changed {}, failed {}", changed.done, changed.failed.len()));

    // Deleting while reading would shift the pages: the names are read first.
    let listed: Vec<Asset> = mine().try_collect().await?;
    let deleted = Bulk::each(listed)
        .at_once(16)
        .run(|asset| {
            let name = asset.name.unwrap_or_default();
            let call = media.delete_asset(&name).send();
            (name, call)
        })
        .await;
    place.say(format!("deleted {}", deleted.done));
    for failed in changed.failed.iter().chain(&deleted.failed) {
        place.say(format!("{}: {}", failed.name, failed.error));
    }
    Ok(())
}
