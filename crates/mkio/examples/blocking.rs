//! A script without async: makes an asset, waits for it, lists all assets, cleans up.
//!
//! Without settings it starts an emulator inside this process. With `MKIO_TOKEN` it talks to the
//! service: `MKIO_PROJECT` names the project, `MKIO_BASE_URL` another host.

use std::env;

use anyhow::{Context, Result};
use mkio::{
    blocking::Client,
    media::types::{AssetPut, AssetPutProperties},
};
use mkio_emulator::Emulator;

fn main() -> Result<()> {
    // The emulator has a runtime of its own; both stop when they go out of scope.
    let emulator;
    let runtime;
    let mkio = if env::var_os("MKIO_TOKEN").is_some() {
        Client::from_env()?
    } else {
        runtime = tokio::runtime::Runtime::new()?;
        emulator = runtime.block_on(Emulator::builder().seed(3).start())?;
        println!("using the emulator (set MKIO_TOKEN for the service)");
        let settings = mkio::Client::builder()
            .base_url(emulator.base_url())
            .token(emulator.token())
            .project(emulator.project());
        Client::new(settings.build()?)?
    };
    let media = mkio.default_project()?.media();

    let storage = mkio
        .iter(media.list_storages().items())
        .next()
        .context("the project has no storage account: register one, assets need it")??;
    let storage = storage.metadata.and_then(|metadata| metadata.name);
    let storage = storage.context("the storage account has no name")?;

    let name = format!("blocking-{}", uuid::Uuid::new_v4().simple());
    let asset = AssetPut::new(AssetPutProperties::new(&storage).with_description("mkio example"));
    let request = media.create_or_update_asset(&name, asset);
    mkio.run(request.send())?;

    let mut wait = media.wait_for_asset(&name);
    for change in mkio.iter(&mut wait) {
        println!("{name} is {}", change?.state);
    }
    mkio.run(wait)?;

    for asset in mkio.iter(media.list_assets().top(2).items()) {
        println!("  {}", asset?.name.unwrap_or_default());
    }

    mkio.run(media.delete_asset(&name).send())?;
    println!("cleaned up");
    Ok(())
}
