//! A Beam device of a fleet: network and site, registration by short code, a backup, newer software, and
//! its removal. On the service `SHORT_CODE` is the code that the device shows.

use std::env;

use anyhow::{Context, Result, bail};
use mkio::{
    Secret,
    fleets::types::*,
    infrastructure::types::{NetworkPut, Route, SitePut, SiteSpec},
};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let code = match (env::var("SHORT_CODE"), &place.emulator) {
        (Ok(code), _) => code,
        (Err(_), Some(_)) => "abcd1234".to_owned(),
        (Err(_), None) => bail!("set SHORT_CODE to the code that the device shows"),
    };
    let (fleets, device) = (place.project.fleets(), place.name("beam"));
    let site = site(place).await?;

    place.undo(&device, fleets.delete_device(&device).send());
    // No network named: all that are routed to the site.
    let spec = DeviceSpec::new()
        .with_short_code(Secret::new(code))
        .with_site_name(&site);
    let body = DevicePut::new(DefaultMetadata::new("Studio"), spec);
    fleets.create_device(&device, body).send().await?;
    let shown = fleets.get_device(&device).send().await?;
    let version = shown.status().current_software_version().unwrap_or("?").to_owned();
    place.say(format!("{device} runs {version}"));

    // Before anything is changed. One backup at a time; a second one is answered with 429.
    let backup = place.name("backup");
    let spec = BackupPostSpec::new().with_backup_name(&backup);
    let body = BackupPost::new(DefaultMetadata::new("Before the update"), spec);
    fleets.back_up_device(&device, body).send().await?;
    let made = place.wait(fleets.wait_for_backup(&backup)).await?;
    let id = made.metadata().id().context("the backup's id")?.to_owned();
    place.undo(&backup, fleets.delete_backup(&id).send());
    place.say(format!("{backup} is there"));

    // The newest that fits. It is loaded first; the switch is quick then.
    let mut offered = fleets.list_device_software(&device).items();
    let mut newest = None;
    while let Some(software) = offered.try_next().await? {
        if software.status().upgrade_compatible() == Some(true) {
            newest = software.spec().version().map(str::to_owned).or(newest);
        }
    }
    let Some(newest) = newest else {
        place.say("there is no newer software");
        return Ok(());
    };
    let change = |spec| DevicePatch::new().with_spec(spec);
    let preload = DevicePatchSpec::new().with_preload_software_version(&newest);
    fleets.update_device(&device, change(preload)).send().await?;
    place.wait(fleets.wait_for_device_preload(&device, &newest)).await?;
    let switch = DevicePatchSpec::new().with_desired_software_version(&newest);
    fleets.update_device(&device, change(switch)).send().await?;
    let updated = place.wait(fleets.wait_for_device_software(&device, &newest)).await?;
    let version = updated.status().current_software_version().unwrap_or("?");
    place.say(format!("{device} runs {version}"));
    Ok(())
}

/// A network and a site with a route to it. The network first: a route needs it.
async fn site(place: &Place) -> Result<String> {
    let infrastructure = place.project.infrastructure();
    let (network, site) = (place.name("lan"), place.name("studio"));
    place.undo(&network, infrastructure.delete_network(&network).send());
    let metadata = || mkio::infrastructure::types::DefaultMetadata::new("Studio");
    let body = NetworkPut::new(metadata());
    infrastructure.create_network(&network, body).send().await?;
    place.undo(&site, infrastructure.delete_site(&site).send());
    let spec = SiteSpec::new().with_routes([Route::new(&network)]);
    infrastructure.create_site(&site, SitePut::new(metadata()).with_spec(spec)).send().await?;
    Ok(site)
}
