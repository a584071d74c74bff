//! Storage accounts and their credentials.

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        states::media::storage_link,
        store::{Address, Place, Resource},
    },
    platform::{
        call::{Call, Response},
        generic,
        incidents::Incident,
        list, render,
        rules::{Entry, Platform, Rules, Shape, impossible},
    },
};

impl Kind {
    /// Storage accounts.
    pub const STORAGE: Self = Self::new("storage", "storage account");
    /// Credentials of a storage account.
    pub const CREDENTIAL: Self = Self::under("credential", "credential", &Self::STORAGE);
}

/// Prefix of the storage host's paths.
pub const HOST: &str = "/blobs/";

/// Path at which the containers of an account are served.
fn host_of(account: &Address) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let project = encoded(&account.place.project);
    format!("{HOST}{project}/{}", encoded(&account.name))
}

/// Storage accounts and their credentials.
pub static ENTRY: Entry = Entry {
    kinds: &[&STORAGE, &CREDENTIALS],
    routes: &[
        ("DELETE ~/media/storage/{}", delete),
        ("GET ~/media/storage/{}/credentials", list_credentials),
        ("POST ~/media/storage/{}/credentials", add_credential),
        ("GET ~/media/storage/{}/credentials/{}", get_credential),
        (
            "DELETE ~/media/storage/{}/credentials/{}",
            delete_credential,
        ),
    ],
    incident: apply_incident,
    ..Entry::NONE
};

/// Storage accounts.
pub static STORAGE: Rules = Rules {
    collection: "~/media/storage",
    clearable: &["/spec/privateLinkServiceConnection"],
    life: &storage_link::LIFE,
    check,
    created: written,
    changed: written,
    complete,
    index: |world, storage, out| {
        let (cloud, region) = location(world, storage);
        out.insert("cloud/name".to_owned(), json!(cloud));
        out.insert("cloud/region/name".to_owned(), json!(region));
        let link = Some(storage.state).filter(|state| !state.is_empty());
        out.insert("privateLinkServiceConnectionStatus".to_owned(), json!(link));
    },
    ..Rules::new(Kind::STORAGE, "Storage", Shape::Spec { name: true })
};

/// Credentials of a storage account.
pub static CREDENTIALS: Rules = Rules {
    complete: |_, _, _, out| mask(out),
    ..Rules::new(Kind::CREDENTIAL, "Credential", Shape::Bare)
};

fn written(world: &mut Platform, address: &Address) {
    keep_credential(world, address);
    link(world, address);
}

const LINK: &str = "/spec/privateLinkServiceConnection";

/// Makes the private link that is wanted, or takes away the one that is not. The owner of the account in Azure has to approve it,
/// which takes a minute here.
fn link(world: &mut Platform, address: &Address) {
    let Some(storage) = world.get(address) else {
        return;
    };
    let wanted = storage.body.pointer(LINK).is_some_and(Value::is_object);
    match (wanted, storage.state) {
        (true, state) if storage_link::LINK.allowed_in(state) => {
            world.go(address, &storage_link::LINK);
        }
        (false, state) if storage_link::UNLINK.allowed_in(state) => {
            world.go(address, &storage_link::UNLINK);
        }
        _ => {}
    }
}

/// Applies an incident to a storage account.
fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    match incident {
        Incident::PrivateLinkApproved => approve(world, address, true),
        Incident::PrivateLinkIgnored => approve(world, address, false),
        _ => Err(impossible(address)),
    }
}

/// The owner of the account approves its private link, or never does.
fn approve(world: &mut Platform, address: &Address, approved: bool) -> Result<(), String> {
    if world
        .get(address)
        .is_none_or(|storage| storage.state.is_empty())
    {
        return Err(format!(
            "the storage account '{}' has no private link",
            address.name
        ));
    }
    world.enter(
        address,
        if approved {
            storage_link::READY
        } else {
            storage_link::PENDING
        },
        &[],
    );
    Ok(())
}

/// Why a storage account cannot be reached; none when it can.
pub fn unreachable(world: &Platform, project: &str, account: &str) -> Option<String> {
    let state = world
        .get(&Address::new(project, Kind::STORAGE, account))
        .map_or("", |storage| storage.state);
    if !matches!(state, storage_link::NONE | storage_link::READY) {
        return Some(format!(
            "the private link of storage account '{account}' is {state}"
        ));
    }
    active_credential(world, project, account).is_none().then(|| {
        format!(
            "storage account '{account}' has no valid credential; add one with POST …/storage/{account}/credentials"
        )
    })
}

fn check(
    _: &Platform,
    _: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let link = |body: &Value| body.pointer(LINK).filter(|link| link.is_object()).cloned();
    let old = existing.and_then(|storage| link(&storage.body));
    if let (Some(old), Some(new)) = (old, link(body))
        && old != new
    {
        let reason = "cannot be changed after creation; send null to remove it first".to_owned();
        return Err(ApiError::invalid("change", vec![(LINK.to_owned(), reason)]));
    }
    let url = body.text("/spec/url");
    if url.is_some_and(|url| url.ends_with('/')) {
        return Err(ApiError::field(
            "/spec/url",
            "is given without a final slash",
        ));
    }
    Ok(())
}

/// A credential in the body becomes one of the account's credentials; the body forgets it.
fn keep_credential(world: &mut Platform, address: &Address) {
    let Some(storage) = world.get_mut(address) else {
        return;
    };
    let by = storage.updated_by;
    let Some(credential) = merge::take(&mut storage.body, "/spec/credential") else {
        return;
    };
    let kind = storage
        .body
        .pointer("/spec/type")
        .cloned()
        .unwrap_or(Value::Null);
    let body = json!({ "spec": { "type": kind, "credential": credential } });
    // The limit on credentials is the only thing that can refuse one here; the account itself stays as it is.
    if let Err(refused) = add(world, address, body, by) {
        tracing::warn!(storage = %address.name, detail = %refused.detail, "a credential was not kept");
    }
}

fn add(
    world: &mut Platform,
    storage: &Address,
    body: Value,
    by: Uuid,
) -> Result<Address, ApiError> {
    let place = Place::under(&storage.place.project, Kind::CREDENTIAL, &storage.name);
    let address = place.at(&Uuid::new_v4().to_string());
    let now = world.now;
    let credential = world.insert(&address, body, by)?;
    if let Ok(id) = Uuid::try_parse(&address.name) {
        credential.id = id;
    }
    let (start, expiry) = validity(&credential.body, now);
    credential.private =
        json!({ "start": start.map(format::time), "expiry": format::time(expiry) });
    Ok(address)
}

/// Start and end of a credential's validity. Only Azure's have them, in `st` and `se` of the token.
fn validity(body: &Value, now: DateTime<Utc>) -> (Option<DateTime<Utc>>, DateTime<Utc>) {
    let token = body.text("/spec/credential/sasToken").unwrap_or_default();
    let part = |name: &str| {
        let value = token
            .trim_start_matches('?')
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        let decoded = percent_encoding::percent_decode_str(value)
            .decode_utf8()
            .ok()?;
        format::parse_time(&decoded)
    };
    let open_ended = now.checked_add_signed(TimeDelta::days(365)).unwrap_or(now);
    (part("st"), part("se").unwrap_or(open_ended))
}

fn expiry(credential: &Resource) -> Option<DateTime<Utc>> {
    format::parse_time(credential.private_text("/expiry")?)
}

/// The credential in use: of those that have not expired, the one that expires last.
pub fn active_credential(world: &Platform, project: &str, storage: &str) -> Option<Uuid> {
    let table = world.table(&Place::under(project, Kind::CREDENTIAL, storage))?;
    let good = table
        .iter()
        .filter_map(|credential| Some((expiry(credential)?, credential.id)));
    good.filter(|(until, _)| *until > world.now)
        .max()
        .map(|(_, id)| id)
}

/// The valid credentials of an account, as they were given.
pub fn credentials<'a>(
    world: &'a Platform,
    project: &str,
    storage: &str,
) -> impl Iterator<Item = &'a Value> {
    let table = world.table(&Place::under(project, Kind::CREDENTIAL, storage));
    let all = table.into_iter().flat_map(|table| table.iter());
    let good = all.filter(|credential| expiry(credential).is_some_and(|end| end > world.now));
    good.filter_map(|credential| credential.body.pointer("/spec/credential"))
}

/// Cloud and region of an account.
fn location<'a>(world: &'a Platform, storage: &Resource) -> (&'static str, &'a str) {
    let regions = &world.start.storage_regions;
    match storage.text("/spec/type") {
        Some("AWS.S3") => ("aws", &regions.aws),
        Some("Google.Storage") => ("google", &regions.google),
        _ => ("azure", &regions.azure),
    }
}

fn complete(world: &Platform, address: &Address, storage: &Resource, out: &mut Value) {
    if storage.body.pointer("/spec/description").is_none() {
        merge::put(out, "/spec/description", Value::Null);
    }
    let (cloud, region) = location(world, storage);
    merge::put(out, "/spec/region", json!(region));
    if storage.private.get("here").is_some() {
        let url = format!("{}{}", world.origin, host_of(address));
        merge::put(out, "/spec/url", json!(url));
    }
    if cloud == "aws" {
        let bucket = storage.text("/spec/bucketName").unwrap_or_default();
        merge::put(
            out,
            "/spec/url",
            json!(format!("https://{bucket}.s3.{region}.amazonaws.com")),
        );
    }
    let mut status = json!({ "activeCredentialId": active_credential(world, &address.place.project, &address.name) });
    if !storage.state.is_empty() {
        merge::put(
            &mut status,
            "/privateLinkServiceConnectionStatus",
            json!(storage.state),
        );
    }
    merge::put(out, "/status", status);
}

/// DELETE of a storage account: 204 always, 409 while assets use it.
pub fn delete(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    generic::remove(world, &call.address(Kind::STORAGE))?;
    Ok(Response::empty(StatusCode::NO_CONTENT))
}

fn shown(world: &Platform, address: &Address) -> Result<Value, ApiError> {
    let credential = world.find(address)?;
    let mut out = json!({ "metadata": render::metadata(world, credential, false) });
    merge::overlay(&mut out, &credential.body);
    if credential
        .body
        .pointer("/spec/credential/sasToken")
        .is_some()
    {
        merge::put(
            &mut out,
            "/spec/credential/signedStart",
            credential
                .private
                .get("start")
                .cloned()
                .unwrap_or(Value::Null),
        );
        merge::put(
            &mut out,
            "/spec/credential/signedExpiry",
            credential
                .private
                .get("expiry")
                .cloned()
                .unwrap_or(Value::Null),
        );
    }
    mask(&mut out);
    Ok(out)
}

/// Secrets in responses, masked in the form that the document's patterns ask for.
fn mask(out: &mut Value) {
    let Some(Value::Object(credential)) = out.pointer_mut("/spec/credential") else {
        return;
    };
    if let Some(token) = credential.get_mut("sasToken") {
        *token = json!("?sv=****&sig=****");
    }
    if let Some(secret) = credential.get_mut("secretAccessKey") {
        *secret = json!("x".repeat(40));
    }
    if let Some(Value::Object(account)) = credential.get_mut("gac") {
        for (_, value) in account
            .iter_mut()
            .filter(|(name, _)| name.starts_with("private_key"))
        {
            *value = json!("****");
        }
    }
}

fn credential_address(call: &Call<'_>) -> Address {
    let id = call.parameter("credential_id").to_ascii_lowercase();
    Place::under(
        call.project(),
        Kind::CREDENTIAL,
        call.parameter("storage_name"),
    )
    .at(&id)
}

fn storage_address(call: &Call<'_>) -> Address {
    Address::new(
        call.project(),
        Kind::STORAGE,
        call.parameter("storage_name"),
    )
}

/// GET of the credentials.
pub fn list_credentials(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    world.find(&storage_address(call))?;
    let place = Place::under(
        call.project(),
        Kind::CREDENTIAL,
        call.parameter("storage_name"),
    );
    let names: Vec<String> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter().map(|item| item.name.to_string()))
        .collect();
    let values = names
        .iter()
        .map(|name| shown(world, &place.at(name)))
        .collect::<Result<Vec<_>, _>>()?;
    list::values_page(world, call, "Credential", values)
}

/// POST of a credential.
pub fn add_credential(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = storage_address(call);
    let kind = world.find(&address)?.body.pointer("/spec/type").cloned();
    if call.body.pointer("/spec/type").cloned() != kind {
        return Err(ApiError::field(
            "/spec/type",
            "is not the type of the storage account",
        ));
    }
    let credential = add(world, &address, call.body.clone(), call.user)?;
    Ok(Response::json(
        StatusCode::CREATED,
        shown(world, &credential)?,
    ))
}

/// GET of a credential.
pub fn get_credential(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(shown(world, &credential_address(call))?))
}

/// DELETE of a credential: 204 always.
pub fn delete_credential(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    world.remove(&credential_address(call));
    Ok(Response::empty(StatusCode::NO_CONTENT))
}
