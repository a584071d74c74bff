//! Reads all assets into a local file, and goes on where the last run stopped: the place is a token in
//! a file, good in any later process.
//!
//! The token keeps the request of its list, filter and order included. Delete the file to use another.

use std::{env, fs, io::Write, path::Path};

use anyhow::{Context, Result};
use mkio::{ResumeToken, media::{fields::assets, types::AssetPutProperties}, serde_json};

use crate::place::Place;

/// Runs the example: two runs, the first of which stops in the middle.
pub async fn run(place: &Place) -> Result<()> {
    if place.emulator.is_some() {
        for number in 1..=25 {
            let name = place.name(&format!("asset-{number:02}"));
            let media = place.project.media();
            place.undo(&name, media.delete_asset(&name).send());
            let asset = AssetPutProperties::new(&place.storage);
            media.create_or_update_asset(&name, asset).send().await?;
        }
    }
    let folder = env::temp_dir().join(place.name("sync"));
    fs::create_dir_all(&folder)?;
    let synced = async {
        let first = sync(place, &folder, 10).await?;
        let second = sync(place, &folder, u64::MAX).await?;
        place.say(format!("the first run read {first} assets, the second {second}"));
        Ok(())
    };
    let outcome = synced.await;
    fs::remove_dir_all(&folder)?;
    outcome
}

/// Appends at most `most` names to `assets.txt`, and keeps the place in `place.json`.
async fn sync(place: &Place, folder: &Path, most: u64) -> Result<u64> {
    let media = place.project.media();
    let kept = folder.join("place.json");
    let mut items = media.list_assets().orderby(assets::CREATED.asc()).top(7).items().limit(most);
    if kept.exists() {
        let token: ResumeToken = serde_json::from_slice(&fs::read(&kept)?)
            .with_context(|| format!("{} holds no place", kept.display()))?;
        items = items.resume(&token).limit(most);
    }
    let mut file = fs::File::options().create(true).append(true).open(folder.join("assets.txt"))?;
    let mut read = 0;
    while let Some(asset) = items.try_next().await? {
        // An item that was written before its place was kept comes again after a crash; no item is
        // lost.
        writeln!(file, "{}", asset.name().unwrap_or_default())?;
        let new = folder.join("place.new");
        fs::write(&new, serde_json::to_vec(&items.resume_token())?)?;
        fs::rename(&new, &kept)?;
        read += 1;
    }
    Ok(read)
}
