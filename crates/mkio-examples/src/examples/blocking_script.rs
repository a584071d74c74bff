//! A script without async: makes an asset, waits for it, lists assets, cleans up.
//!
//! The script is [`script`]; the code around it runs it on a thread of its own, as a program
//! without a runtime would.

use anyhow::{Context, Result};
use mkio::{blocking, media::types::AssetPutProperties};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let name = place.name("blocking");
    place.undo(&name, place.project.media().delete_asset(&name).send());
    let client = place.client.clone();
    // The blocking client refuses to stop a runtime's other tasks: it wants a thread of its own.
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || tell.send(script(client, &name)));
    let lines = told.await??;
    lines.into_iter().for_each(|line| place.say(line));
    Ok(())
}

/// The script. `mkio::blocking::Client::from_env()` makes a client where there is none.
fn script(client: mkio::Client, name: &str) -> Result<Vec<String>> {
    let mkio = blocking::Client::new(client)?;
    let media = mkio.default_project()?.media();
    let mut lines = Vec::new();

    let storage = mkio.iter(media.list_storages().items()).next();
    let storage = storage.context("register a storage account: assets need it")??;
    let storage = storage.metadata().name().context("its name")?.to_owned();
    let asset = AssetPutProperties::new(storage).with_description("mkio example");
    mkio.run(media.create_or_update_asset(name, asset).send())?;

    let mut wait = media.wait_for_asset(name);
    for change in mkio.iter(&mut wait) {
        lines.push(format!("{name} is {}", change?.state));
    }
    mkio.run(wait)?;
    for asset in mkio.iter(media.list_assets().top(2).items()) {
        lines.push(format!("  {}", asset?.name().unwrap_or_default()));
    }
    mkio.run(media.delete_asset(name).send())?;
    Ok(lines)
}
