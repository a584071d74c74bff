//! Networks, sites and Beam devices.

use anyhow::Context;
use mkio::fleets::types::*;
use mkio::infrastructure::types::{NetworkPut, SitePut};
use serde_json::json;

use crate::common::{Place, body, quick};

#[tokio::test]
async fn a_device_is_onboarded_backed_up_updated_and_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let infrastructure = place.project.infrastructure();
    let fleets = place.project.fleets();
    let shown = json!({ "displayName": "Studio" });
    let network: NetworkPut = body(json!({ "metadata": shown, "spec": {} }))?;
    infrastructure.create_network("lan", network).send().await?;
    let site: SitePut = body(json!({
        "metadata": shown, "spec": { "routes": [{ "networkName": "lan" }] },
    }))?;
    infrastructure.create_site("studio", site).send().await?;
    let device = |code: &str| {
        body::<DevicePut>(json!({ "metadata": shown, "spec": {
            "shortCode": code, "siteName": "studio", "availableNetworks": [],
        } }))
    };
    let unknown = fleets
        .create_device("beam", device("00000000")?)
        .send()
        .await;
    let unknown = unknown.err().context("a code that no device shows")?;
    assert_eq!(unknown.code(), Some("1000.4500.1500.1300"));
    fleets
        .create_device("beam", device("abcd1234")?)
        .send()
        .await?;
    let used = infrastructure.delete_site("studio").send().await;
    assert!(used.is_err_and(|error| error.is_conflict()));

    let backup: BackupPost = body(json!({
        "metadata": shown, "spec": { "backupName": "nightly" },
    }))?;
    fleets.back_up_device("beam", backup).send().await?;
    let backup = quick(fleets.wait_for_backup("nightly")).await?;
    let id = backup
        .metadata
        .and_then(|metadata| metadata.id)
        .context("its id")?;
    let backup = fleets.get_backup(&*id).send().await?;
    assert!(backup.signature.is_some());
    let restore: RestorePost = body(json!({
        "metadata": shown, "spec": { "restoreFilePath": format!("beam/{id}/nightly.tar.gz") },
    }))?;
    fleets.restore_device("beam", restore).send().await?;
    // A device takes no other settings while it restores.
    place
        .emulator
        .control()
        .step(std::time::Duration::from_secs(60));

    let newest = "1.13.0.2";
    let offered: Vec<_> = fleets
        .list_device_software("beam")
        .items()
        .try_collect()
        .await?;
    assert!(offered.iter().any(|software| {
        let version = software
            .spec
            .as_ref()
            .and_then(|spec| spec.version.as_deref());
        version == Some(newest)
    }));
    let patch = |name: &str| body::<DevicePatch>(json!({ "spec": { name: newest } }));
    let preload = patch("preloadSoftwareVersion")?;
    fleets.update_device("beam", preload).send().await?;
    quick(fleets.wait_for_device_preload("beam", newest)).await?;
    place
        .emulator
        .control()
        .step(std::time::Duration::from_secs(60));
    let switch = patch("desiredSoftwareVersion")?;
    fleets.update_device("beam", switch).send().await?;
    let updated = quick(fleets.wait_for_device_software("beam", newest)).await?;
    let version = updated
        .status
        .and_then(|status| status.current_software_version);
    assert_eq!(version.as_deref(), Some(newest));

    let package: SupportPackagePost = body(json!({
        "metadata": shown, "spec": { "description": "no picture", "name": "evening" },
    }))?;
    fleets
        .create_support_package("beam", package)
        .send()
        .await?;
    let package = quick(fleets.wait_for_support_package("beam", "evening")).await?;
    let name = package
        .metadata
        .and_then(|metadata| metadata.name)
        .context("its name")?;
    let link = fleets.get_support_package("beam", &*name).send().await?;
    let link = serde_json::to_string(&link.into_inner())?;
    assert!(link.contains("https://"), "{link}");

    fleets.delete_device("beam").send().await?;
    infrastructure.delete_site("studio").send().await?;
    infrastructure.delete_network("lan").send().await?;
    Ok(())
}

#[tokio::test]
async fn backups_are_kept_renamed_uploaded_and_deleted() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let fleets = place.project.fleets();
    let shown = json!({ "displayName": "Studio" });
    let device: DevicePut = body(json!({ "metadata": shown, "spec": {
        "shortCode": "abcd1234", "availableNetworks": [],
    } }))?;
    fleets.create_device("beam", device).send().await?;
    let services: RemoveServicesPost =
        body(json!({ "metadata": shown, "spec": { "description": "clean up" } }))?;
    fleets
        .remove_device_services("beam", services)
        .send()
        .await?;
    place
        .emulator
        .control()
        .step(std::time::Duration::from_secs(30));
    // One at a time.
    place.emulator.control().pause();
    let back_up = || {
        let backup = body::<BackupPost>(json!({
            "metadata": shown, "spec": { "backupName": "nightly", "backupAssetFile": true },
        }));
        backup.map(|backup| fleets.back_up_device("beam", backup).send())
    };
    back_up()?.await?;
    let locked: DevicePatch = body(json!({ "metadata": { "displayName": "Other" } }))?;
    let refused = fleets.update_device("beam", locked).send().await;
    assert!(refused.is_err_and(|error| error.is_conflict()));
    place.emulator.control().resume();
    let backup = quick(fleets.wait_for_backup("nightly")).await?;
    let id = backup
        .metadata
        .and_then(|metadata| metadata.id)
        .context("its id")?;
    let backup = fleets.get_backup(&*id).send().await?;
    assert_eq!(backup.asset_file_included, Some(true));
    fleets.get_backup_config(&*id).send().await?;
    fleets
        .update_backup(&*id, json!({ "metadata": { "name": "weekly" } }))
        .send()
        .await?;
    fleets.upload_backup(vec![0x1f, 0x8b, 8, 0]).send().await?;
    let listed = fleets.list_backups().send().await?;
    let names: Vec<String> = listed
        .into_inner()
        .value
        .into_iter()
        .flatten()
        .filter_map(|backup| backup.metadata?.name)
        .collect();
    assert_eq!(names, ["weekly", "uploaded"]);
    fleets.delete_backup(&*id).send().await?;
    let gone = fleets.get_backup(&*id).send().await;
    assert!(gone.is_err_and(|error| error.is_not_found()));
    Ok(())
}

#[tokio::test]
async fn what_belongs_to_the_system_stays() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let infrastructure = place.project.infrastructure();
    let networks: Vec<_> = infrastructure.list_networks().items().try_collect().await?;
    assert!(!networks.is_empty());
    for network in networks {
        let name = network.metadata.and_then(|metadata| metadata.name);
        let name = name.context("its name")?;
        let refused = infrastructure.delete_network(&*name).send().await;
        assert!(refused.is_err_and(|error| error.is_conflict()), "{name}");
    }
    let refused = infrastructure.delete_site("cloud").send().await;
    assert!(refused.is_err_and(|error| error.is_conflict()));
    Ok(())
}
