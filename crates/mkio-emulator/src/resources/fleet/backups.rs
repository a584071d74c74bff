//! Backups and restores of devices.

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format, keys,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        list,
        rules::{Entry, Platform, Rules, Shape},
    },
    resources::fleet::tasks::begin,
};

impl Kind {
    /// Backups of devices.
    pub const BACKUP: Self = Self::new("backup", "backup");
}

/// Backups and restores of devices.
pub static ENTRY: Entry = Entry {
    kinds: &[&BACKUPS],
    routes: &[
        ("GET ~/fleet/backups", list_backups),
        ("GET ~/fleet/backups/{}", get),
        ("PATCH ~/fleet/backups/{}", rename),
        ("DELETE ~/fleet/backups/{}", delete),
        ("GET ~/fleet/backups/{}/config", config),
        ("POST ~/fleet/uploadBackup", upload),
        ("POST ~/fleet/devices/{}/backup", start),
        ("POST ~/fleet/devices/{}/restore", restore),
    ],
    ..Entry::NONE
};

/// Backups.
pub static BACKUPS: Rules = Rules {
    collection: "~/fleet/backups",
    ..Rules::new(Kind::BACKUP, "DeviceBackup", Shape::Bare)
};

/// Most backups of a project: a limit of the platform, and so no part of the world.
const MOST: usize = 100;

/// POST `devices/{name}/backup`.
pub fn start(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let kept = world.all(call.project(), Kind::BACKUP).count();
    if kept >= MOST {
        return Err(ApiError::conflict(format!(
            "a project keeps at most {MOST} backups; delete one first"
        )));
    }
    let seconds = world.start.devices.operation_seconds.backup;
    begin(world, call, "backup", seconds, |detail| {
        ApiError::too_many(detail, None)
    })?;
    Ok(Response::empty(StatusCode::ACCEPTED))
}

/// A backup is done: it shows in the list.
pub fn finish(world: &mut Platform, device: &Address, task: &Resource) {
    let name = task
        .text("/spec/backupName")
        .or_else(|| task.text("/metadata/displayName"))
        .unwrap_or("backup")
        .to_owned();
    let asset = task
        .body
        .pointer("/spec/backupAssetFile")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    if let Err(refused) = keep(
        world,
        &device.place.project,
        &device.name,
        &name,
        asset,
        task.created_by,
    ) {
        tracing::warn!(device = %device.name, detail = %refused.detail, "a backup was not kept");
    }
}

fn keep(
    world: &mut Platform,
    project: &str,
    device: &str,
    name: &str,
    asset: bool,
    by: Uuid,
) -> Result<(), ApiError> {
    let id = Uuid::new_v4();
    let body = json!({ "device": device, "name": name, "assetFileIncluded": asset });
    world
        .insert(
            &Address::new(project, Kind::BACKUP, &id.to_string()),
            body,
            by,
        )?
        .id = id;
    Ok(())
}

fn path(backup: &Resource) -> String {
    let text = |pointer: &str| backup.text(pointer).unwrap_or_default();
    format!(
        "{}/{}/{}.tar.gz",
        text("/device"),
        backup.name,
        text("/name")
    )
}

/// A backup as the list has it.
fn listed(backup: &Resource) -> Value {
    let text = |pointer: &str| backup.text(pointer).unwrap_or_default();
    json!({ "metadata": {
        "id": &*backup.name, "name": text("/name"), "device": text("/device"), "created": format::time(backup.created),
    } })
}

/// GET `backups`.
pub fn list_backups(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let values = world
        .all(call.project(), Kind::BACKUP)
        .map(|(_, backup)| listed(backup))
        .collect();
    list::values_page(world, call, "DeviceBackup", values)
}

fn address(call: &Call<'_>) -> Address {
    Address::new(call.project(), Kind::BACKUP, call.parameter("backup_id"))
}

/// GET `backups/{backup_id}`.
pub fn get(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let backup = world.find(&address(call))?;
    let path = path(backup);
    // Made from the content alone, so that a new name does not change it.
    let signed = format!(
        "{}/{}",
        backup.text("/device").unwrap_or_default(),
        backup.name
    );
    Ok(Response::ok(json!({
        "id": &*backup.name, "name": backup.text("/name"), "device": backup.text("/device"), "project": call.project(),
        "customer": call.organization, "timestamp": format::time(backup.created), "services": {},
        "assetFileIncluded": backup.body.get("assetFileIncluded"), "signature": keys::hex(&signed),
        "blobStorageUrl": format!("https://backups.blob.localhost/{path}"),
    })))
}

/// GET `backups/{backup_id}/config`.
pub fn config(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let backup = world.find(&address(call))?;
    Ok(Response::ok(
        json!({ "device": backup.text("/device"), "created": format::time(backup.created), "services": [], "channels": [] }),
    ))
}

/// PATCH `backups/{backup_id}`: renames. The document declares no body; the name is taken from `metadata.name` or `name`, and the
/// entry of the list is answered.
pub fn rename(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    world.find(&address)?;
    let body: Value = serde_json::from_slice(&call.raw)
        .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
    let name = body
        .pointer("/metadata/name")
        .or_else(|| body.pointer("/metadata/displayName"))
        .or_else(|| body.get("name"))
        .and_then(Value::as_str);
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ApiError::bad_request("send the new name as 'metadata.name' or 'name'"))?;
    if ["/device", "/metadata/device", "/storage_url"]
        .iter()
        .any(|pointer| body.pointer(pointer).is_some())
    {
        return Err(ApiError::bad_request(
            "only the name of a backup can change",
        ));
    }
    let backup = world.find_mut(&address)?;
    merge::put(&mut backup.body, "/name", json!(name));
    Ok(Response::ok(listed(backup)))
}

/// DELETE `backups/{backup_id}`.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = address(call);
    world.find(&address)?;
    world.remove(&address);
    Ok(Response::empty(StatusCode::OK))
}

/// POST `devices/{name}/restore`.
pub fn restore(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    world.find(&Address::new(
        call.project(),
        Kind::DEVICE,
        call.parameter("name"),
    ))?;
    let wanted = call.body.text("/spec/restoreFilePath").unwrap_or_default();
    if !world
        .all(call.project(), Kind::BACKUP)
        .any(|(_, backup)| path(backup) == wanted)
    {
        let reason = "is not <device>/<backup id>/<backup name>.tar.gz of a backup of this project"
            .to_owned();
        return Err(ApiError::invalid(
            "request body",
            vec![("/spec/restoreFilePath".to_owned(), reason)],
        ));
    }
    let seconds = world.start.devices.operation_seconds.restore;
    begin(world, call, "restore", seconds, ApiError::conflict)?;
    Ok(Response::empty(StatusCode::ACCEPTED))
}

/// POST `uploadBackup`: the archive itself. Its device and name are in the query parameters `device` and
/// `name`, which no document declares.
pub fn upload(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    if !call.raw.starts_with(&[0x1f, 0x8b]) {
        return Err(ApiError::bad_request("the body is not a gzip archive"));
    }
    if world.all(call.project(), Kind::BACKUP).count() >= MOST {
        return Err(ApiError::conflict(format!(
            "a project keeps at most {MOST} backups; delete one first"
        )));
    }
    let device = call.query.one("device")?.unwrap_or("uploaded").to_owned();
    let name = call.query.one("name")?.unwrap_or("uploaded").to_owned();
    keep(world, call.project(), &device, &name, false, call.user)?;
    Ok(Response::empty(StatusCode::CREATED))
}
