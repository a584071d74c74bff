//! What an emulator starts with.

use serde_json::{Value, json};

use super::error::ApiError;
use super::family::{Family, Kind, PLATFORM_USER};
use super::media;
use super::store::Address;
use super::world::World;

/// Makes a project with its predefined policies and a storage account `storage1`.
pub fn project(world: &mut World, name: &str) -> Result<(), ApiError> {
    world.insert(
        &Address::new("", Kind::Project, name),
        json!({ "displayName": name }),
        PLATFORM_USER,
    )?;
    media::policies::predefine(world, name)?;
    make(
        world,
        &Address::new(name, Kind::Storage, "storage1"),
        json!({ "spec": {
            "type": "Microsoft.Storage", "url": "https://storage1.blob.localhost", "description": "made by the emulator",
            "credential": { "sasToken": "?sv=2024-11-04&sp=rwdlac&sig=emulated" },
        } }),
    )
}

/// Adds `count` assets named `asset-1` and so on, all of them `Ready`.
pub fn assets(world: &mut World, project: &str, count: usize) -> Result<(), ApiError> {
    for number in 1..=count {
        let address = Address::new(project, Kind::Asset, &format!("asset-{number}"));
        let body = json!({ "properties": {
            "storageAccountName": "storage1", "container": format!("container-{number}"), "description": format!("Asset {number}"),
            "containerDeletionPolicy": "Retain",
        } });
        make(world, &address, body)?;
        world.enter(&address, "Ready", &[]);
    }
    Ok(())
}

fn make(world: &mut World, address: &Address, body: Value) -> Result<(), ApiError> {
    let family = Family::of(address.place.kind);
    world.insert(address, body, PLATFORM_USER)?;
    world.enter(address, family.initial, family.creation);
    (family.created)(world, address);
    Ok(())
}
