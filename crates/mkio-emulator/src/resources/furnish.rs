//! What every project has from the start.

use serde_json::json;

use crate::{
    base::{error::ApiError, kind::Kind, merge, store::Address, world::PLATFORM_USER},
    platform::rules::Platform,
    resources::media::policies,
};

/// What every project has: predefined streaming policies, and the networks and sites of the system.
pub fn furnish(world: &mut Platform, project: &str, location: &str) -> Result<(), ApiError> {
    policies::predefine(world, project)?;
    for (name, display, scope) in [
        ("world", "Platform", "Connecting"),
        ("local", "Local", "Local"),
    ] {
        let address = Address::new(project, Kind::NETWORK, name);
        world
            .insert(
                &address,
                json!({ "metadata": { "displayName": display } }),
                PLATFORM_USER,
            )?
            .private = json!({ "owner": "System", "scope": scope });
    }
    for (name, display) in [("cloud", "Project cloud"), ("world", "Platform")] {
        let body = json!({ "metadata": { "displayName": display }, "spec": { "routes": [{ "networkName": "world", "defaultTransport": { "type": "Auto", "cidr": "" } }] } });
        let site = world.insert(
            &Address::new(project, Kind::SITE, name),
            body,
            PLATFORM_USER,
        )?;
        site.private = json!({ "owner": "System" });
        if name == "cloud" {
            merge::put(&mut site.private, "/location", json!(location));
        }
    }
    Ok(())
}
