//! Networks, sites and Beam devices.

use anyhow::Context;
use mkio::fleets::types::*;
use mkio::infrastructure::types::{Route, SitePut, SiteSpec};
use serde_json::json;

use crate::common::{Place, quick};

fn shown() -> DefaultMetadata {
    DefaultMetadata::new("Studio")
}

fn device(code: &str) -> DeviceSpec {
    DeviceSpec::new().with_short_code(code)
}

#[tokio::test]
async fn a_device_is_onboarded_backed_up_updated_and_removed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let infrastructure = place.project.infrastructure();
    let fleets = place.project.fleets();
    infrastructure.create_network("lan", shown()).send().await?;
    let spec = SiteSpec::new().with_routes([Route::new("lan")]);
    let site = SitePut::new(shown()).with_spec(spec);
    infrastructure.create_site("studio", site).send().await?;
    let on_board = |code: &str| {
        let spec = device(code).with_site_name("studio");
        fleets.create_device("beam", DevicePut::new(shown(), spec))
    };
    let unknown = on_board("00000000").send().await;
    let unknown = unknown.err().context("a code that no device shows")?;
    assert_eq!(unknown.code(), Some("1000.4500.1500.1300"));
    on_board("abcd1234").send().await?;
    let used = infrastructure.delete_site("studio").send().await;
    assert!(used.is_err_and(|error| error.is_conflict()));

    let spec = BackupPostSpec::new().with_backup_name("nightly");
    let backup = BackupPost::new(shown(), spec);
    fleets.back_up_device("beam", backup).send().await?;
    let backup = quick(fleets.wait_for_backup("nightly")).await?;
    let id = backup.metadata().id().context("its id")?;
    let backup = fleets.get_backup(id).send().await?;
    assert!(backup.signature().is_some());
    let spec = RestorePostSpec::new(format!("beam/{id}/nightly.tar.gz"));
    let restore = RestorePost::new(shown(), spec);
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
    let mut versions = offered.iter().map(|software| software.spec().version());
    assert!(versions.any(|version| version == Some(newest)));
    let change = DevicePatchSpec::new;
    let preload = DevicePatch::new().with_spec(change().with_preload_software_version(newest));
    fleets.update_device("beam", preload).send().await?;
    let device = quick(fleets.wait_for_device_preload("beam", newest)).await?;
    let preloaded = device.preload_state(newest).as_str();
    assert!(
        matches!(preloaded, Some("Downloaded" | "Importing")),
        "{preloaded:?}"
    );
    assert_eq!(device.preload_state("0.0").get(), None);
    place
        .emulator
        .control()
        .step(std::time::Duration::from_secs(60));
    let switch = DevicePatch::new().with_spec(change().with_desired_software_version(newest));
    fleets.update_device("beam", switch).send().await?;
    let updated = quick(fleets.wait_for_device_software("beam", newest)).await?;
    assert_eq!(updated.status().current_software_version(), Some(newest));

    let spec = SupportPackagePostSpec::new("no picture").with_name("evening");
    let package = SupportPackagePost::new(shown(), spec);
    fleets
        .create_support_package("beam", package)
        .send()
        .await?;
    let package = quick(fleets.wait_for_support_package("beam", "evening")).await?;
    let name = package.metadata().name().context("its name")?;
    let link = fleets.get_support_package("beam", name).send().await?;
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
    let beam = DevicePut::new(shown(), device("abcd1234"));
    fleets.create_device("beam", beam).send().await?;
    let services = RemoveServicesPost::new(shown(), RemoveServicesPostSpec::new("clean up"));
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
    let spec = BackupPostSpec::new()
        .with_backup_name("nightly")
        .with_backup_asset_file(true);
    let backup = BackupPost::new(shown(), spec);
    fleets.back_up_device("beam", backup).send().await?;
    let renamed = DefaultPatchMetadata::new().with_display_name("Other");
    let locked = DevicePatch::new().with_metadata(renamed);
    let refused = fleets.update_device("beam", locked).send().await;
    assert!(refused.is_err_and(|error| error.is_conflict()));
    place.emulator.control().resume();
    let backup = quick(fleets.wait_for_backup("nightly")).await?;
    let id = backup.metadata().id().context("its id")?;
    let backup = fleets.get_backup(id).send().await?;
    assert_eq!(backup.asset_file_included(), Some(true));
    fleets.get_backup_config(id).send().await?;
    // The document says nothing of this body.
    fleets
        .update_backup(id, json!({ "metadata": { "name": "weekly" } }))
        .send()
        .await?;
    fleets.upload_backup(vec![0x1f, 0x8b, 8, 0]).send().await?;
    let listed = fleets.list_backups().send().await?;
    let names = listed.value().iter();
    let names: Vec<_> = names
        .filter_map(|backup| backup.metadata().name())
        .collect();
    assert_eq!(names, ["weekly", "uploaded"]);
    fleets.delete_backup(id).send().await?;
    let gone = fleets.get_backup(id).send().await;
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
        let name = network.metadata().name().context("its name")?;
        let refused = infrastructure.delete_network(name).send().await;
        assert!(refused.is_err_and(|error| error.is_conflict()), "{name}");
    }
    let refused = infrastructure.delete_site("cloud").send().await;
    assert!(refused.is_err_and(|error| error.is_conflict()));
    Ok(())
}
