//! Downloading files of an asset: the access token, and the storage host that takes it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        keys::{digest_of, sign},
        kind::Kind,
        merge,
        store::{Address, Resource},
        world::FileAccess,
    },
    platform::{
        call::{Call, Response},
        conditions::Version,
        identity, ranges,
        rules::{Door, Entry, Platform},
    },
    resources::media::{
        assets::{ensure_reachable, files, folder, spot},
        play::sample,
    },
};

/// Access to the files of an asset, and the host that serves them.
pub static ENTRY: Entry = Entry {
    routes: &[("POST ~/media/assets/{}/getFileAccessInfo", access)],
    doors: &[Door {
        method: Method::POST,
        opens: |path| path.starts_with(PREFIX),
        blobs: false,
        serve,
    }],
    ..Entry::NONE
};

/// Path of the storage host. `downloadBlob` is appended to it.
const PREFIX: &str = "/files/";

/// In real time: a download takes as long however fast platform time runs.
const VALID: Duration = Duration::from_secs(30 * 60);
const MOST_TOKENS: usize = 10_000;

/// POST `assets/{asset_name}/getFileAccessInfo`.
fn access(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(Kind::ASSET);
    let asset = world.find(&address)?;
    let account = asset
        .text("/properties/storageAccountName")
        .unwrap_or_default();
    ensure_reachable(world, call, account)?;
    let expires = world.counted.saturating_add(VALID);
    let claims = json!({
        "jti": Uuid::new_v4(), "exp": (world.now + VALID).timestamp(), "asset": asset.id,
    });
    let token = sign(&world.signer, &claims)?;
    let mut out = json!({
        "url": format!("{}{PREFIX}", call.origin), "jwt": token, "storageAccountName": account,
        "containerName": asset.text("/properties/container").unwrap_or_default(),
    });
    if let Some(path) = asset.text("/properties/subPath") {
        merge::put(&mut out, "/subPath", json!(path));
    }
    make_room(world);
    let access = FileAccess {
        project: address.place.project.clone(),
        asset: address.name.clone(),
        expires,
    };
    world.file_tokens.insert(digest_of(&token), access);
    Ok(Response::ok(out))
}

/// Drops expired tokens when there are too many, and then those that expire first.
fn make_room(world: &mut Platform) {
    let now = world.counted;
    if world.file_tokens.len() >= MOST_TOKENS {
        world.file_tokens.retain(|_, access| access.expires > now);
    }
    if world.file_tokens.len() >= MOST_TOKENS {
        let first = world
            .file_tokens
            .iter()
            .min_by_key(|(_, access)| access.expires);
        if let Some(digest) = first.map(|(digest, _)| *digest) {
            world.file_tokens.remove(&digest);
        }
    }
}

/// Anything below [`PREFIX`].
fn serve(world: &mut Platform, request: &Request<Bytes>) -> Result<Response, ApiError> {
    if request.uri().path() != format!("{PREFIX}downloadBlob") {
        return Ok(Response {
            status: StatusCode::NOT_FOUND,
            ..Response::bytes("text/plain", "404 page not found\n")
        });
    }
    let token = identity::bearer(request.headers())?;
    let access = world.file_tokens.get(&digest_of(token)).ok_or_else(|| {
        ApiError::unauthorized("send the jwt of getFileAccessInfo as bearer token")
    })?;
    if access.expires <= world.counted {
        return Err(ApiError::unauthorized(
            "the file access token has expired; ask getFileAccessInfo again",
        ));
    }
    let wanted: Value = serde_json::from_slice(request.body())
        .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
    let text = |name: &str| {
        wanted
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| ApiError::bad_request(format!("'{name}' is missing")))
    };
    let (account, container, file) = (
        text("storageAccountName")?,
        text("containerName")?,
        text("fileName")?,
    );
    let lost = || ApiError::bad_gateway(format!("the file '{file}' cannot be read from storage"));
    let asset = world
        .get(&Address::new(&access.project, Kind::ASSET, &access.asset))
        .ok_or_else(lost)?;
    if asset.text("/properties/storageAccountName") != Some(account)
        || asset.text("/properties/container") != Some(container)
    {
        return Err(lost());
    }
    let name = file.strip_prefix(&folder(asset)).ok_or_else(lost)?;
    let bytes = bytes(world, &access.project, asset, name).ok_or_else(lost)?;
    Ok(part(world, request.headers(), bytes))
}

/// The bytes of a file, or the part of them that is asked for, where the settings let a caller ask.
pub fn part(world: &Platform, headers: &HeaderMap, bytes: Bytes) -> Response {
    if world.settings.file_ranges {
        ranges::respond(headers, bytes)
    } else {
        ranges::respond(&HeaderMap::new(), bytes)
    }
}

/// The version of a file of an asset; one that is made up is as old as the last change of the asset.
pub fn version(
    world: &Platform,
    project: &str,
    asset: &Resource,
    name: &str,
    bytes: &[u8],
) -> Version {
    let path = format!("{}{name}", folder(asset));
    let written = world.blobs.written(&spot(project, asset, &path));
    Version::new(bytes, written.unwrap_or(asset.updated))
}

/// The bytes of a file of an asset, if it has such a file: those that were stored, or made-up ones.
pub fn bytes(world: &Platform, project: &str, asset: &Resource, name: &str) -> Option<Bytes> {
    let mut listed = files(world, project, asset).into_iter();
    let (_, size) = listed.find(|(known, _)| known == name)?;
    let path = format!("{}{name}", folder(asset));
    if let Some(stored) = world.blobs.get(&spot(project, asset, &path)) {
        return Some(stored);
    }
    Some(sample::made_up(asset, name, size))
}
