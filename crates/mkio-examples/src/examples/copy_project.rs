//! Copies transforms, assets and locators to another project. Media stay where they are: the copies of
//! assets use the same containers, so the other project needs the same storage account.
//!
//! `MKIO_TARGET_PROJECT` names the other project, in which transforms of the same name are replaced and
//! the copies stay; on the emulator one is made, and emptied in the end.

use std::env;

use anyhow::{Context, Result, bail};
use mkio::{
    Project,
    bulk::{Bulk, Report},
    management::types::ProjectPut,
    media::types::*,
};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let target = match (env::var("MKIO_TARGET_PROJECT"), &place.emulator) {
        (Ok(name), _) => place.client.project(name),
        (Err(_), Some(_)) => other_project(place).await?,
        (Err(_), None) => bail!("set MKIO_TARGET_PROJECT"),
    };
    if place.emulator.is_some() {
        something_to_copy(place).await?;
    }
    let (from, to) = (place.project.media(), target.media());
    // On the service the copies stay: a resource of the same name may have been there before.
    let removes = place.emulator.is_some();

    let transforms = Bulk::list(from.list_transforms().items()).run(|transform| {
        let name = transform.name().unwrap_or_default().to_owned();
        if removes {
            place.undo(&name, to.delete_transform(&name).send());
        }
        let body = TransformPut::try_from(&transform);
        let to = to.clone();
        (name.clone(), async move {
            to.create_or_update_transform(&name, body?).send().await
        })
    });
    let assets = Bulk::list(from.list_assets().items()).run(|asset| {
        let name = asset.name().unwrap_or_default().to_owned();
        if removes {
            // The storage account is removed after them.
            let removal = place.wait(to.delete_asset_and_wait(&name));
            place.undo(&name, removal.missing_ok());
        }
        let body = same_container(&asset);
        (name.clone(), to.create_or_update_asset(&name, body).send())
    });
    tell(place, "transforms", &transforms.await);
    tell(place, "assets", &assets.await);
    let locators = Bulk::list(from.list_streaming_locators().items()).run(|locator| {
        let name = locator.name().unwrap_or_default().to_owned();
        if removes {
            place.undo(&name, to.delete_streaming_locator(&name).send());
        }
        let properties = locator.properties();
        let body = StreamingLocatorPutProperties::new()
            .asset_name(properties.asset_name().unwrap_or_default())
            .streaming_policy_name(properties.streaming_policy_name().unwrap_or_default());
        (name.clone(), to.create_or_update_streaming_locator(&name, body).send())
    });
    tell(place, "locators", &locators.await);
    place.say("the copies of locators have addresses of their own");
    Ok(())
}

/// An asset over the files that this one has.
fn same_container(asset: &Asset) -> AssetPutProperties {
    let properties = asset.properties();
    let mut body = AssetPutProperties::new(properties.storage_account_name().unwrap_or_default());
    if let Some(container) = properties.container() {
        body = body.with_container(container);
    }
    if let Some(path) = properties.sub_path() {
        body = body.with_sub_path(path);
    }
    body
}

/// One line for the kind, and one for each resource that was not copied. A conflict means that it is
/// there already, from an earlier run.
fn tell(place: &Place, what: &str, report: &Report) {
    place.say(format!("{what}: {} copied", report.done));
    for failed in report.failed.iter().filter(|failed| !failed.error.is_conflict()) {
        place.say(format!("  {}: {}", failed.name, failed.error));
    }
}

/// A project with the storage account that the first one has.
async fn other_project(place: &Place) -> Result<Project> {
    let (management, name) = (place.client.management(), place.name("copy"));
    let mut methods = management.list_payment_methods().items();
    let method = methods.try_next().await?.context("a payment method")?;
    let method = method.metadata().id().context("its id")?.to_owned();
    let body = ProjectPut::new()
        .display_name("Copy")
        .location_name("eastus")
        .payment_method_id(method);
    management.create_project(&name, body).send().await?;
    let project = place.client.project(&name);
    let media = project.media();
    let credential = AzureCredentialPost::new(mkio::Secret::new(mkio_emulator::STORAGE_SAS.to_owned()));
    let storage = AzureStorageSpecPut::new("https://storage1.blob.core.windows.net");
    let body = StoragePut::new(storage.with_credential(credential));
    place.undo("storage", media.delete_storage(&place.storage).send());
    media.create_or_update_storage(&place.storage, body).send().await?;
    Ok(project)
}

async fn something_to_copy(place: &Place) -> Result<()> {
    let (media, name) = (place.project.media(), place.name("original"));
    place.asset("original").await?;
    place.undo(&name, media.delete_transform(&name).send());
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    let outputs = TransformPutProperties::new([preset]);
    media.create_or_update_transform(&name, outputs).send().await?;
    place.undo(&name, media.delete_streaming_locator(&name).send());
    let locator = StreamingLocatorPutProperties::new()
        .asset_name(&name)
        .streaming_policy_name("Predefined_ClearStreamingOnly");
    media.create_or_update_streaming_locator(&name, locator).send().await?;
    Ok(())
}
