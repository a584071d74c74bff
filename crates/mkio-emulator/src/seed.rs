//! The start of an emulator.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    base::{
        clock::LAST, error::ApiError, keys, kind::Kind, settings::Settings, store::Address,
        world::PLATFORM_USER,
    },
    engine::Engine,
    faults::{self, FaultError},
    platform::{
        call::{Payload, full_path},
        furnish, generic, identity,
        rules::Platform,
        start::Start,
        tokens::{NewToken, issue},
    },
};

/// How an emulator starts, so that it can start again.
#[derive(Clone)]
pub struct Beginning {
    /// The start of the platform.
    pub world: Arc<Start>,
    /// Settings of the platform.
    pub settings: Settings,
    /// Platform time; now when there is none.
    pub time: Option<DateTime<Utc>>,
    /// Seconds of platform time that pass in a second.
    pub time_scale: f64,
    /// The first project.
    pub project: String,
    /// Assets in it.
    pub assets: usize,
    /// The token; one is made up when there is none.
    pub token: Option<String>,
    /// Requests to make, as JSON.
    pub requests: Option<String>,
    /// Faults, as text.
    pub faults: Option<String>,
}

impl std::fmt::Debug for Beginning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret, and the requests may hold some.
        formatter
            .debug_struct("Beginning")
            .field("settings", &self.settings)
            .field("time_scale", &self.time_scale)
            .field("project", &self.project)
            .field("assets", &self.assets)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// Why an emulator cannot start.
#[derive(Debug, Clone)]
pub enum BeginError {
    /// A part of the world is refused.
    Seed(SeedError),
    /// A request is refused, or the text is not a list of requests.
    Requests(String),
    /// The faults do not parse.
    Faults(FaultError),
}

impl std::fmt::Display for BeginError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seed(error) => formatter.write_str(&error.refusal.detail),
            Self::Requests(problem) => formatter.write_str(problem),
            Self::Faults(error) => error.fmt(formatter),
        }
    }
}

impl Beginning {
    /// Starts an emulator; gives the token that opens it, too.
    ///
    /// # Errors
    /// Which part is refused.
    pub fn begin(&self) -> Result<(Engine, String), BeginError> {
        let time = self.time.unwrap_or_else(Utc::now);
        let (world, settings) = (self.world.clone(), self.settings.clone());
        let engine = Engine::of(world, settings, time, self.time_scale);
        let token = start(&engine, &self.project, self.assets, self.token.as_deref())
            .map_err(BeginError::Seed)?;
        if let Some(text) = &self.requests {
            make_requests(&engine, &self.project, text).map_err(BeginError::Requests)?;
        }
        if let Some(text) = &self.faults {
            let parsed = faults::parse(text).map_err(BeginError::Faults)?;
            let mut armed = engine.faults.lock().unwrap_or_else(PoisonError::into_inner);
            parsed.into_iter().for_each(|fault| armed.add(fault));
        }
        Ok((engine, token))
    }
}

/// Makes a full-access token that never expires; `given` where the operator chose one.
///
/// # Errors
/// 500 when the token cannot be signed.
pub fn token(world: &mut Platform, given: Option<&str>) -> Result<String, ApiError> {
    let new = NewToken {
        kind: "full-access",
        user: PLATFORM_USER,
        organization: world.home,
        // Years of platform time are minutes to a test that scales or steps it.
        expires: LAST,
        permissions: Value::Null,
        description: Some("made by the emulator"),
    };
    issue(world, &new, given).map(|(_, token)| token)
}

/// Makes a token unless the platform knows it.
///
/// # Errors
/// 409 when the emulator keeps no more tokens.
pub fn admit(world: &mut Platform, token: &str) -> Result<(), ApiError> {
    let known = world.token_digests.contains_key(&keys::digest_of(token));
    if known {
        return Ok(());
    }
    self::token(world, Some(token)).map(|_| ())
}

/// A part of the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The token.
    Platform,
    /// The resources of the organization.
    World,
    /// The project with its storage account.
    Project,
    /// The assets in it.
    Assets,
}

/// The part of the start that was refused, and the reason.
#[derive(Debug, Clone)]
pub struct SeedError {
    /// The part.
    pub part: Part,
    /// The reason.
    pub refusal: ApiError,
}

/// Makes the start of an emulator, and the token that opens it.
///
/// # Errors
/// When the project's name is not a name, or there are more assets than may be kept.
pub fn start(
    engine: &Engine,
    project: &str,
    assets: usize,
    token: Option<&str>,
) -> Result<String, SeedError> {
    let refused = |part| move |refusal| SeedError { part, refusal };
    let mut world = engine.world();
    let start = world.start.clone();
    furnish::organization(&mut world, &start).map_err(refused(Part::World))?;
    self::project(&mut world, project).map_err(refused(Part::Project))?;
    self::assets(&mut world, project, assets).map_err(refused(Part::Assets))?;
    self::token(&mut world, token).map_err(refused(Part::Platform))
}

/// Makes the first project, with its resources of the world.
fn project(world: &mut Platform, name: &str) -> Result<(), ApiError> {
    let start = world.start.clone();
    let body = json!({ "displayName": name, "locationName": start.location, "paymentMethodId": start.payment_method });
    generic::check_name(world.rules(Kind::PROJECT), name)?;
    let home = world.home;
    let made = world.insert(&Address::new("", Kind::PROJECT, name), body, PLATFORM_USER)?;
    identity::give(made, home);
    furnish::project(world, name, &start.location)?;
    furnish::records(world, name, &start.location, &start.first_project)
}

/// Adds assets named `asset-1` to `asset-<count>`, all of them `Ready`. Existing ones stay as they are.
///
/// # Errors
/// 409 when there are more than may be kept; none is added then.
pub fn assets(world: &mut Platform, project: &str, count: usize) -> Result<(), ApiError> {
    if count > world.settings.resource_limit {
        return Err(world.full());
    }
    let mut records = world.start.first_project.iter();
    let account = records.find(|record| record.kind == "storage");
    let account = account.map(|account| account.name.clone());
    let Some(account) = account else {
        let missing = "the first project has no storage account that they could be in";
        return if count == 0 {
            Ok(())
        } else {
            Err(ApiError::bad_request(missing))
        };
    };
    for number in 1..=count {
        let address = Address::new(project, Kind::ASSET, &format!("asset-{number}"));
        if world.get(&address).is_some() {
            continue;
        }
        let body = json!({ "properties": {
            "storageAccountName": account, "container": format!("container-{number}"), "description": format!("Asset {number}"),
            "containerDeletionPolicy": "Retain",
        } });
        furnish::make(world, &address, body)?;
    }
    Ok(())
}

/// A seed file: requests that are made before the emulator listens, in order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRequest {
    /// Method; PUT when left out.
    #[serde(default = "put")]
    pub method: String,
    /// Path; below the project when it does not start with `/`: `media/assets/intro`.
    pub path: String,
    /// Body.
    #[serde(default)]
    pub body: Value,
}

fn put() -> String {
    "PUT".to_owned()
}

/// Reads a seed file: a JSON array of requests.
///
/// # Errors
/// Where the text is not one.
pub fn requests(text: &str) -> Result<Vec<SeedRequest>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("not a JSON array of {{\"path\", \"method\", \"body\"}}: {error}"))
}

/// Makes the requests of a seed file, without limits and faults; the first that is refused ends it.
///
/// # Errors
/// Which request was refused, and why.
pub fn make_requests(engine: &Engine, project: &str, text: &str) -> Result<(), String> {
    for (at, request) in requests(text)?.into_iter().enumerate() {
        let path = full_path(project, &request.path);
        let named = format!("request {}, {} {path}", at + 1, request.method);
        let built = http::Request::builder()
            .method(request.method.as_str())
            .uri(&path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(if request.body.is_null() {
                Bytes::new()
            } else {
                Bytes::from(request.body.to_string())
            })
            .map_err(|error| format!("{named}: {error}"))?;
        let response = engine.operator(&built);
        if !response.status.is_success() {
            let detail = match &response.payload {
                Payload::Json(body) => body
                    .pointer("/error/detail")
                    .or_else(|| body.get("detail"))
                    .map(|detail| {
                        detail
                            .as_str()
                            .map_or_else(|| detail.to_string(), str::to_owned)
                    })
                    .unwrap_or_default(),
                _ => String::new(),
            };
            return Err(format!("{named}: {} {detail}", response.status));
        }
    }
    Ok(())
}
