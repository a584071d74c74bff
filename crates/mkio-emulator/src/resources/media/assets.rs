//! Assets: their storage, their files.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        blobs::{Container, Spot},
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        reference::{Reference, Target},
        states::media::asset,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        render,
        rules::{Entry, Platform, Rules, Shape},
    },
    resources::media::{
        content,
        play::sample::{self, Media},
    },
};

impl Kind {
    /// Assets.
    pub const ASSET: Self = Self::new("asset", "asset");
}

/// Assets, their files.
pub static ENTRY: Entry = Entry {
    kinds: &[&ASSETS],
    routes: &[
        ("GET ~/media/assets/{}/storage/", storage),
        ("POST ~/media/assets/{}/listStreamingLocators", locators),
    ],
    ..Entry::NONE
};

/// Files that an asset has when its creator names a container, which then counts as one with media in it. The media ship with the
/// crate, so their names are no part of the world.
const SAMPLE: &[(&str, Media)] = &[("video.mp4", Media::Video), ("audio.mp4", Media::Audio)];

/// Assets.
pub static ASSETS: Rules = Rules {
    collection: "~/media/assets",
    life: &asset::LIFE,
    references: &[Reference::new(
        "/properties/storageAccountName",
        &[Target::top(Kind::STORAGE)],
    )],
    check,
    created,
    removed: |world, address, asset| {
        let key = container_key(address, &asset.body);
        world.containers.remove(&key);
        if asset.text("/properties/containerDeletionPolicy") == Some("Delete") {
            world.blobs.remove_container(&key);
            world.retained.remove(&key);
        } else {
            retain(world, key, asset);
        }
    },
    complete: |_, _, asset, out| merge::put(out, "/properties/assetId", json!(asset.id)),
    ..Rules::new(Kind::ASSET, "Asset", Shape::arm("assets"))
};

/// Containers whose files are remembered without their asset.
const MOST_RETAINED: usize = 10_000;

/// Keeps the files of a deleted asset, for the next asset of its container.
fn retain(world: &mut Platform, key: Container, asset: &Resource) {
    if world.retained.len() >= MOST_RETAINED {
        world.retained.pop_first();
    }
    let mut left = asset.private.clone();
    // By their paths in the container: the next asset may have another folder of it.
    let folder = folder(asset);
    if let Some(Value::Array(files)) = left.get_mut("files") {
        for file in files {
            let path = file.text("/name");
            let path = format!("{folder}{}", path.unwrap_or_default());
            merge::put(file, "/name", json!(path));
        }
    }
    world.retained.insert(key, left);
}

/// Where a file of an asset is stored, by its path in the container.
pub fn spot(project: &str, asset: &Resource, path: &str) -> Spot {
    let address = Address::new(project, Kind::ASSET, &asset.name);
    (container_key(&address, &asset.body), path.to_owned())
}

/// The folder of the asset's files in the container.
pub fn folder(asset: &Resource) -> String {
    let path = asset.text("/properties/subPath");
    path.map(|path| format!("{path}/")).unwrap_or_default()
}

fn container_key(address: &Address, body: &Value) -> Container {
    let text = |pointer: &str| body.text(pointer).unwrap_or_default().to_owned();
    (
        address.place.project.clone(),
        text("/properties/storageAccountName"),
        text("/properties/container"),
    )
}

fn check(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let policy = body.pointer("/properties/containerDeletionPolicy").cloned();
    if let Some(existing) = existing {
        // It may change, but not be cleared.
        if let (None, Some(old)) = (
            policy,
            existing.body.pointer("/properties/containerDeletionPolicy"),
        ) {
            merge::put(body, "/properties/containerDeletionPolicy", old.clone());
        }
        return Ok(());
    }
    if policy.is_none() {
        merge::put(body, "/properties/containerDeletionPolicy", json!("Retain"));
    }
    if body.pointer("/properties/container").is_none() {
        merge::put(
            body,
            "/properties/container",
            json!(format!("asset-{}", Uuid::new_v4())),
        );
        return Ok(());
    }
    let key = container_key(&call.address(Kind::ASSET), body);
    if world.containers.contains(&key) {
        return Err(ApiError::conflict(format!(
            "another asset of this project uses container '{}' of storage account '{}'",
            key.2, key.1
        )));
    }
    Ok(())
}

fn created(world: &mut Platform, address: &Address) {
    let Some(asset) = world.get(address) else {
        return;
    };
    let generated = asset
        .text("/properties/container")
        .and_then(|name| name.strip_prefix("asset-"))
        .is_some_and(|id| Uuid::try_parse(id).is_ok());
    let key = container_key(address, &asset.body);
    let folder = folder(asset);
    world.blobs.make_container(&key);
    let stored = world.blobs.list(&key);
    let left = world.retained.remove(&key);
    let known = left.is_some() || world.blobs.has(&key);
    let mut notes = left.unwrap_or_else(|| json!({}));
    let mut files: Vec<Value> = if known {
        let named = stored.iter().filter_map(|(path, size)| {
            let name = path.strip_prefix(&folder)?;
            Some(json!({ "name": name, "size": size }))
        });
        named.collect()
    } else if generated {
        Vec::new()
    } else {
        SAMPLE
            .iter()
            .map(|(name, media)| json!({ "name": name, "size": media.file().len() }))
            .collect()
    };
    // Files that were noted without being stored.
    if let Some(Value::Array(noted)) = merge::take(&mut notes, "/files") {
        let own = noted.into_iter().filter_map(|mut file| {
            let name = file.get("name")?.as_str()?;
            let name = name.strip_prefix(&folder)?.to_owned();
            merge::put(&mut file, "/name", json!(name));
            Some(file)
        });
        let all_noted = files.is_empty();
        for file in own {
            if !files.iter().any(|known| known["name"] == file["name"]) {
                files.push(file);
            }
        }
        // Noted files keep their order.
        if !all_noted {
            files.sort_by(|one, other| one["name"].as_str().cmp(&other["name"].as_str()));
        }
    }
    merge::put(&mut notes, "/files", Value::Array(files));
    if let Some(asset) = world.get_mut(address) {
        asset.private = notes;
    }
    world.containers.insert(key);
}

/// The files of an asset, `(name, size in bytes)`: where containers are folders, those on disk.
pub fn files(world: &Platform, project: &str, asset: &Resource) -> Vec<(String, u64)> {
    if !world.blobs.are_on_disk() {
        return listed(asset);
    }
    let (container, folder) = spot(project, asset, &folder(asset));
    let stored = world.blobs.list(&container).into_iter();
    stored
        .filter_map(|(path, size)| Some((path.strip_prefix(&folder)?.to_owned(), size)))
        .collect()
}

/// The files that are noted for an asset.
fn listed(asset: &Resource) -> Vec<(String, u64)> {
    let listed = asset.private.items("/files");
    let entry = |file: &Value| {
        Some((
            file.get("name")?.as_str()?.to_owned(),
            file.get("size")?.as_u64()?,
        ))
    };
    listed.filter_map(entry).collect()
}

/// Adds files to an asset; one of the same name is replaced.
pub fn add_files(world: &mut Platform, address: &Address, files: &[(String, u64)]) {
    let Some(asset) = world.get(address) else {
        return;
    };
    let folder = folder(asset);
    let at = |name: &str| spot(&address.place.project, asset, &format!("{folder}{name}"));
    if world.blobs.are_on_disk() {
        let made: Vec<_> = files
            .iter()
            .map(|(name, size)| (at(name), sample::made_up(asset, name, *size)))
            .collect();
        for (spot, bytes) in made {
            world.blobs.put(spot, bytes);
        }
        return;
    }
    // Made-up files replace stored ones.
    let replaced: Vec<Spot> = files.iter().map(|(name, _)| at(name)).collect();
    for spot in &replaced {
        world.blobs.remove(spot);
    }
    let Some(asset) = world.get_mut(address) else {
        return;
    };
    let mut kept = listed(asset);
    kept.retain(|(name, _)| !files.iter().any(|(new, _)| new == name));
    kept.extend(files.iter().cloned());
    kept.sort();
    let listed: Vec<Value> = kept
        .into_iter()
        .map(|(name, size)| json!({ "name": name, "size": size }))
        .collect();
    merge::put(&mut asset.private, "/files", Value::Array(listed));
}

/// Makes an asset, as the platform does for a job whose output asset is not there.
pub fn make(world: &mut Platform, address: &Address, account: &str, by: Uuid) {
    let body = json!({ "properties": {
        "storageAccountName": account, "container": format!("asset-{}", Uuid::new_v4()), "containerDeletionPolicy": "Retain",
    } });
    // At the limit of assets the job fails, because its asset is missing.
    if world.insert(address, body, by).is_ok() {
        world.go(address, &asset::CREATE);
        created(world, address);
    }
}

/// Notes a track that a job inserted; one of the same name is replaced.
pub fn add_track(world: &mut Platform, address: &Address, track: Value) {
    let Some(asset) = world.get_mut(address) else {
        return;
    };
    let mut tracks = tracks(asset);
    tracks.retain(|known| known.get("name") != track.get("name"));
    tracks.push(track);
    merge::put(&mut asset.private, "/tracks", Value::Array(tracks));
}

/// Forgets a file of an asset.
pub fn drop_file(world: &mut Platform, address: &Address, name: &str) {
    let Some(asset) = world.get_mut(address) else {
        return;
    };
    if let Some(Value::Array(listed)) = asset.private.get_mut("files") {
        listed.retain(|file| file.text("/name") != Some(name));
    }
}

/// The tracks that jobs inserted.
pub fn tracks(asset: &Resource) -> Vec<Value> {
    let listed = asset.private.get("tracks").and_then(Value::as_array);
    listed.cloned().unwrap_or_default()
}

/// GET `assets/{asset_name}/storage/`.
pub fn storage(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(Kind::ASSET);
    let asset = world.find(&address)?;
    let account = asset
        .text("/properties/storageAccountName")
        .unwrap_or_default();
    ensure_reachable(world, call, account)?;
    let mut names: Vec<Value> = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    for (name, size) in files(world, call.project(), asset) {
        match name.split_once('/') {
            Some((folder, _)) if !folders.iter().any(|known| known == folder) => {
                folders.push(folder.to_owned())
            }
            Some(_) => {}
            None => names.push(json!({ "name": name, "size": size })),
        }
    }
    let folders: Vec<Value> = folders
        .into_iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let all = files(world, call.project(), asset);
    let all: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let mut spec = Map::new();
    spec.insert(
        "container".to_owned(),
        json!(asset.text("/properties/container")),
    );
    spec.insert("files".to_owned(), Value::Array(names));
    spec.insert("folders".to_owned(), Value::Array(folders));
    content::describe(
        &mut spec,
        &all,
        &tracks(asset),
        &format::time(asset.created),
    );
    Ok(Response::ok(
        json!({ "metadata": { "id": asset.id, "name": &*asset.name }, "spec": spec }),
    ))
}

/// A storage account without a usable credential, or whose private link is not there yet, cannot be read.
pub fn ensure_reachable(world: &Platform, call: &Call<'_>, account: &str) -> Result<(), ApiError> {
    match super::storage::unreachable(world, call.project(), account) {
        Some(reason) => Err(ApiError::bad_request(reason)),
        None => Ok(()),
    }
}

/// POST `assets/{asset_name}/listStreamingLocators`.
pub fn locators(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(Kind::ASSET);
    world.find(&address)?;
    let found: Vec<Value> = world
        .all(call.project(), Kind::STREAMING_LOCATOR)
        .filter(|(_, locator)| locator.text("/properties/assetName") == Some(&address.name))
        .filter_map(|(place, locator)| {
            render::resource(world, &place.at(&locator.name), locator)
                .get("properties")
                .cloned()
        })
        .collect();
    Ok(Response::ok(json!({ "streamingLocators": found })))
}
