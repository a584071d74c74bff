//! What an emulator starts with.

use bytes::Bytes;
use http::header;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{
        clock::LAST,
        error::ApiError,
        kind::Kind,
        store::{Address, Event},
        world::PLATFORM_USER,
    },
    engine::Engine,
    platform::{
        call::Payload,
        generic, identity,
        rules::Platform,
        tokens::{NewToken, issue},
    },
    resources::{furnish::furnish, management::teams::EVERYONE},
};

/// Location of projects that the emulator makes itself.
const LOCATION: &str = "eastus";
/// The payment method that can be used at once.
const PAYMENT: Uuid = Uuid::from_u128(0x6d6b_696f_0000_4000_8000_0000_0000_0011);
/// One whose terms have to be accepted first.
const PENDING_PAYMENT: Uuid = Uuid::from_u128(0x6d6b_696f_0000_4000_8000_0000_0000_0012);
/// A second user, to put into teams.
const COLLEAGUE: Uuid = Uuid::from_u128(0x6d6b_696f_0000_4000_8000_0000_0000_0002);

/// Makes the organization: users, roles, locations, payment methods, and an invitation to another organization.
pub fn organization(world: &mut Platform) -> Result<(), ApiError> {
    let home = world.home;
    for (id, email, name) in [
        (PLATFORM_USER, "emulator@example.com", "Emulator User"),
        (COLLEAGUE, "colleague@example.com", "Colleague"),
    ] {
        add(
            world,
            Kind::USER,
            &id.to_string(),
            id,
            json!({ "email": email, "name": name, "company": "Example", "country": "SE", "jobRole": "", "phoneNumber": "" }),
        )?;
    }
    add(
        world,
        Kind::ORGANIZATION,
        &home.to_string(),
        home,
        json!({ "spec": { "name": "Emulated Organization" } }),
    )?;
    let other = Uuid::new_v4();
    add(
        world,
        Kind::ORGANIZATION,
        &other.to_string(),
        other,
        json!({ "spec": { "name": "Inviting Organization" } }),
    )?;
    if let Some(inviting) = world.get_mut(&Address::new("", Kind::ORGANIZATION, &other.to_string()))
    {
        inviting.private = json!({ "invite": { "comment": "Join us", "invitedBy": "host@example.com", "state": "pending" } });
    }
    for (name, display, cloud, cloud_display) in [
        (LOCATION, "East US", "azure", "Microsoft Azure"),
        ("westeurope", "West Europe", "azure", "Microsoft Azure"),
        (
            "us-east-1",
            "US East (N. Virginia)",
            "aws",
            "Amazon Web Services",
        ),
    ] {
        let id = Uuid::new_v4();
        add(
            world,
            Kind::LOCATION,
            name,
            id,
            json!({
                "metadata": { "id": id, "name": name, "displayName": display },
                "spec": { "type": "SaaS", "cloud": { "name": cloud, "displayName": cloud_display, "region": { "name": name, "displayName": display } } },
            }),
        )?;
    }
    roles(world)?;
    for (id, name, accepted) in [
        (PAYMENT, "Emulated billing", true),
        (PENDING_PAYMENT, "Billing with pending terms", false),
    ] {
        add(
            world,
            Kind::PAYMENT_METHOD,
            &id.to_string(),
            id,
            json!({
                "metadata": { "id": id, "displayName": name, "organizationId": home, "createdBy": PLATFORM_USER },
                "spec": { "type": "direct", "startDate": "2024-01-01", "endDate": null, "productPublicationName": "Emulated", "autoPurchaseBeamLicenses": false, "status": "active" },
                "status": { "isActive": true, "termsAndConditionsAccepted": accepted },
            }),
        )?;
    }
    let members = json!({ PLATFORM_USER.to_string(): { "isTeamAdmin": true }, COLLEAGUE.to_string(): { "isTeamAdmin": false } });
    let body = json!({ "spec": { "description": "Everybody in the organization.", "members": members, "scopes": { "Organization": { "roles": ["Reader"] } } } });
    add(world, Kind::TEAM, EVERYONE, Uuid::new_v4(), body)
}

fn roles(world: &mut Platform) -> Result<(), ApiError> {
    let mut all = identity::capabilities(true);
    all.extend(identity::capabilities(false));
    for (name, description) in [
        ("Owner", "May do everything."),
        ("Contributor", "May do everything but give rights."),
        ("Reader", "May look at everything."),
    ] {
        let fits = |capability: &str, verb: &str| match name {
            "Reader" => verb == "get",
            "Contributor" => {
                ![
                    "core.role",
                    "core.team",
                    "core.token",
                    "core.user",
                    "core.invite",
                ]
                .contains(&capability)
                    || verb == "get"
            }
            _ => true,
        };
        let capabilities: Vec<Value> = all
            .iter()
            .flat_map(|(capability, verbs)| {
                verbs
                    .iter()
                    .filter(|verb| fits(capability, verb))
                    .map(move |verb| json!({ "capability": format!("{capability}.{verb}") }))
            })
            .collect();
        let id = Uuid::new_v4();
        let body = json!({ "kind": "Role", "metadata": { "id": id, "name": name, "categories": ["general"] }, "spec": { "description": description, "capabilities": capabilities } });
        add(world, Kind::ROLE, name, id, body)?;
    }
    Ok(())
}

fn add(
    world: &mut Platform,
    kind: Kind,
    name: &str,
    id: Uuid,
    body: Value,
) -> Result<(), ApiError> {
    world
        .insert(&Address::new("", kind, name), body, PLATFORM_USER)?
        .id = id;
    Ok(())
}

/// Makes a full-access token that never expires; `given` where the operator chose one.
pub fn token(world: &mut Platform, given: Option<&str>) -> Result<String, ApiError> {
    let new = NewToken {
        kind: "full-access",
        user: PLATFORM_USER,
        organization: world.home,
        // Years of platform time are minutes to whoever scales or steps it.
        expires: LAST,
        permissions: Value::Null,
        description: Some("made by the emulator"),
    };
    issue(world, &new, given).map(|(_, token)| token)
}

/// A part of what an emulator starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The organization and its token.
    Platform,
    /// The project with its storage account.
    Project,
    /// The assets in it.
    Assets,
}

/// What of the start was refused, and why.
#[derive(Debug, Clone)]
pub struct SeedError {
    /// What was to be made.
    pub part: Part,
    /// Why it was not.
    pub refusal: ApiError,
}

/// Makes everything an emulator starts with, and the token that opens it.
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
    organization(&mut world).map_err(refused(Part::Platform))?;
    self::project(&mut world, project).map_err(refused(Part::Project))?;
    self::assets(&mut world, project, assets).map_err(refused(Part::Assets))?;
    self::token(&mut world, token).map_err(refused(Part::Platform))
}

/// Makes a project with a storage account `storage1`.
pub fn project(world: &mut Platform, name: &str) -> Result<(), ApiError> {
    let body = json!({ "displayName": name, "locationName": LOCATION, "paymentMethodId": PAYMENT });
    generic::check_name(world.rules(Kind::PROJECT), name)?;
    let home = world.home;
    let made = world.insert(&Address::new("", Kind::PROJECT, name), body, PLATFORM_USER)?;
    identity::give(made, home);
    furnish(world, name, LOCATION)?;
    let storage = json!({ "spec": {
        "type": "Microsoft.Storage", "url": "https://storage1.blob.localhost", "description": "made by the emulator",
        "credential": { "sasToken": "?sv=2024-11-04&sp=rwdlac&sig=emulated" },
    } });
    make(
        world,
        &Address::new(name, Kind::STORAGE, "storage1"),
        storage,
    )
}

/// Adds `count` assets named `asset-1` and so on, all of them `Ready`.
///
/// # Errors
/// 409 when there are more than may be kept; none is added then.
pub fn assets(world: &mut Platform, project: &str, count: usize) -> Result<(), ApiError> {
    if count > world.settings.resource_limit {
        return Err(world.full());
    }
    for number in 1..=count {
        let body = json!({ "properties": {
            "storageAccountName": "storage1", "container": format!("container-{number}"), "description": format!("Asset {number}"),
            "containerDeletionPolicy": "Retain",
        } });
        make(
            world,
            &Address::new(project, Kind::ASSET, &format!("asset-{number}")),
            body,
        )?;
    }
    Ok(())
}

/// Makes a resource as a PUT would, but already in the state it comes to rest in.
fn make(world: &mut Platform, address: &Address, body: Value) -> Result<(), ApiError> {
    let family = world.rules(address.place.kind);
    world.insert(address, body, PLATFORM_USER)?;
    let rest = family
        .creation
        .iter()
        .rev()
        .find_map(|step| match step.event {
            Event::Enter(state) => Some(state),
            Event::Remove => None,
        });
    world.enter(address, rest.unwrap_or(family.initial), &[]);
    (family.created)(world, address);
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
        let path = if request.path.starts_with('/') {
            request.path
        } else {
            format!("/api/v1/projects/{project}/{}", request.path)
        };
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
        let answer = engine.operator(&built);
        if !answer.status.is_success() {
            let detail = match &answer.payload {
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
            return Err(format!("{named}: {} {detail}", answer.status));
        }
    }
    Ok(())
}
