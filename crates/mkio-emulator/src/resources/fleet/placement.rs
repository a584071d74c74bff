//! The place of a device: its flows, whether it is online, its interfaces.

use crate::{
    base::{error::ApiError, kind::Kind, store::Resource},
    platform::rules::Platform,
};

/// The device that runs a flow: of those at the flow's site, the one that was registered first.
pub fn device_of<'a>(world: &'a Platform, project: &str, flow: &Resource) -> Option<&'a Resource> {
    let site = flow
        .text("/spec/siteName")
        .filter(|site| !site.is_empty())?;
    world
        .all(project, Kind::DEVICE)
        .map(|(_, device)| device)
        .find(|device| device.text("/spec/siteName") == Some(site))
}

/// Whether a device is offline.
pub fn is_offline(device: &Resource) -> bool {
    device.private.get("offlineSince").is_some()
}

/// Refuses what an offline device cannot do.
pub fn ensure_online(device: &Resource) -> Result<(), ApiError> {
    if is_offline(device) {
        return Err(ApiError::conflict(format!(
            "the device '{}' is offline",
            device.name
        )));
    }
    Ok(())
}
