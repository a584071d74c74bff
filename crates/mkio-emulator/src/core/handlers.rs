//! Which operation does what.

use std::sync::OnceLock;

use http::{Method, StatusCode};

use super::call::{Answer, Call, Handler};
use super::error::ApiError;
use super::family::{Family, Kind};
use super::live::flows;
use super::management::{
    account, billing, metrics, organization, people, projects, rules, teams, tokens,
};
use super::store::Address;
use super::world::World;
use super::{channels, fleet, generic, list, live, media, templates};
use crate::docs::{Api, Documents, Operation};

/// What an operation does.
#[derive(Clone, Copy)]
pub enum Action {
    /// Lists a family.
    List(Kind),
    /// Reads one.
    Get(Kind),
    /// Makes or replaces one.
    Put(Kind),
    /// Changes one.
    Patch(Kind),
    /// Deletes one.
    Delete(Kind),
    /// Reads the state of one.
    State(Kind),
    /// Something of its own.
    Own(Handler),
    /// Lists or reads a flow, with `$detailedStatus`.
    Flow(Kind),
}

impl Action {
    /// Does it.
    ///
    /// # Errors
    /// What the platform answers instead.
    pub fn run(self, world: &mut World, call: &Call<'_>) -> Result<Answer, ApiError> {
        match self {
            Self::List(kind) => list::list(world, call, Family::of(kind)),
            Self::Get(kind) => generic::get(world, call, Family::of(kind)),
            Self::Put(kind) => generic::put(world, call, Family::of(kind)),
            Self::Patch(kind) => generic::patch(world, call, Family::of(kind)),
            Self::Delete(kind) => generic::delete(world, call, Family::of(kind)),
            Self::State(kind) => generic::state(world, call, Family::of(kind)),
            Self::Own(handler) => handler(world, call),
            Self::Flow(kind) => {
                let one = call.operation.path.ends_with('}');
                let plain = if one {
                    generic::get(world, call, Family::of(kind))
                } else {
                    list::list(world, call, Family::of(kind))
                };
                flows::detailed(call, plain?)
            }
        }
    }
}

/// The action of each operation, in the order of [`Documents::operations`].
pub fn actions() -> &'static [Option<Action>] {
    static ACTIONS: OnceLock<Vec<Option<Action>>> = OnceLock::new();
    ACTIONS.get_or_init(|| Documents::get().operations().iter().map(action).collect())
}

/// The kind of resource that a GET reads one of.
pub fn kind_of(operation: &Operation) -> Option<Kind> {
    match action(operation)? {
        Action::Get(kind) => Some(kind),
        Action::Flow(kind) if operation.path.ends_with('}') => Some(kind),
        Action::Own(_) if operation.path == "/api/channels/{channel_id}/" => {
            Some(Kind::BeamChannel)
        }
        _ => None,
    }
}

fn action(operation: &Operation) -> Option<Action> {
    match operation.api {
        Api::Media => media_action(&operation.method, operation.tail()),
        Api::Live => live_action(&operation.method, operation.tail()),
        Api::Templates => template_action(&operation.method, operation.tail()),
        Api::Fleets => fleet_action(&operation.method, operation.tail()),
        Api::Infrastructure => generic_action(
            &operation.method,
            operation.tail(),
            &[("networks", Kind::Network), ("sites", Kind::Site)],
        ),
        Api::Management => management_action(&operation.method, &operation.path),
        Api::Channels => channel_action(&operation.method, &operation.path),
    }
}

/// The generic action for a method on `collection` or `collection/{name}`.
fn generic_action(method: &Method, tail: &str, families: &[(&str, Kind)]) -> Option<Action> {
    for (collection, kind) in families {
        let Some(rest) = tail.strip_prefix(collection) else {
            continue;
        };
        let single = |rest: &str| {
            rest.strip_prefix("/{")
                .and_then(|rest| rest.strip_suffix('}'))
                .is_some_and(|name| !name.contains('/'))
        };
        let one = single(rest);
        match (method.as_str(), rest) {
            ("GET", "") => return Some(Action::List(*kind)),
            ("GET", _) if one => return Some(Action::Get(*kind)),
            ("PUT", _) if one => return Some(Action::Put(*kind)),
            ("PATCH", _) if one => return Some(Action::Patch(*kind)),
            ("DELETE", _) if one => return Some(Action::Delete(*kind)),
            ("GET", rest)
                if rest
                    .strip_suffix("/state")
                    .is_some_and(|name| name.starts_with("/{") && !name[1..].contains('/')) =>
            {
                return Some(Action::State(*kind));
            }
            _ => {}
        }
    }
    None
}

const MEDIA: &[(&str, Kind)] = &[
    ("accountFilters", Kind::AccountFilter),
    ("assets/{asset_name}/assetFilters", Kind::AssetFilter),
    ("assets", Kind::Asset),
    ("contentKeyPolicies", Kind::ContentKeyPolicy),
    ("content", Kind::Content),
    ("destinations", Kind::Destination),
    ("liveEvents/{event_name}/liveOutputs", Kind::LiveOutput),
    ("liveEvents", Kind::LiveEvent),
    ("sources", Kind::Source),
    ("storage", Kind::Storage),
    ("streamingEndpoints", Kind::StreamingEndpoint),
    ("streamingLocators", Kind::StreamingLocator),
    ("streamingPolicies", Kind::StreamingPolicy),
    ("transforms", Kind::Transform),
    ("transforms/{transform_name}/jobs", Kind::Job),
];

fn media_action(method: &Method, tail: &str) -> Option<Action> {
    let own: Handler = match (method.as_str(), tail) {
        ("GET", "assets/{asset_name}/storage/") => media::assets::storage,
        ("POST", "assets/{asset_name}/listStreamingLocators") => media::assets::locators,
        ("POST", "assets/{asset_name}/getFileAccessInfo") => media::download::access,
        ("POST", "contentKeyPolicies/{policy_name}/getPolicyPropertiesWithSecrets") => {
            media::keys::with_secrets
        }
        ("PATCH", "liveEvents/{event_name}") => media::events::change,
        ("POST", "liveEvents/{event_name}/start") => media::events::start,
        ("POST", "liveEvents/{event_name}/stop") => media::events::stop,
        ("POST", "liveEvents/{event_name}/reset" | "liveEvents/{event_name}/allocate") => {
            media::events::unimplemented
        }
        ("GET", "jobs") => media::jobs::list_all,
        ("POST", "transforms/{transform_name}/jobs/{job_name}/cancelJob") => media::jobs::cancel,
        ("DELETE", "storage/{storage_name}") => media::storage::delete,
        ("GET", "storage/{storage_name}/credentials") => media::storage::list_credentials,
        ("POST", "storage/{storage_name}/credentials") => media::storage::add_credential,
        ("GET", "storage/{storage_name}/credentials/{credential_id}") => {
            media::storage::get_credential
        }
        ("DELETE", "storage/{storage_name}/credentials/{credential_id}") => {
            media::storage::delete_credential
        }
        ("POST", "streamingEndpoints/{endpoint_name}/start") => media::endpoints::start,
        ("POST", "streamingEndpoints/{endpoint_name}/stop") => media::endpoints::stop,
        ("POST", "streamingEndpoints/{endpoint_name}/restart") => media::endpoints::restart,
        ("POST", "streamingEndpoints/{endpoint_name}/scale") => media::endpoints::scale,
        ("GET", "streamingEndpoints/{endpoint_name}/skus") => media::endpoints::skus,
        ("POST", "streamingLocators/{locator_name}/listPaths") => media::locators::paths,
        ("POST", "streamingLocators/{locator_name}/listContentKeys") => {
            media::locators::content_keys
        }
        _ => return generic_action(method, tail, MEDIA),
    };
    Some(Action::Own(own))
}

const LIVE: &[(&str, Kind)] = &[
    (
        "liveChannels/{name}/scheduledOperations",
        Kind::LiveChannelOperation,
    ),
    ("liveChannels", Kind::LiveChannel),
    (
        "liveEvents/{name}/scheduledOperations",
        Kind::FlowLiveEventOperation,
    ),
    ("liveEvents", Kind::FlowLiveEvent),
    (
        "staticMultiviewChannels/{name}/scheduledOperations",
        Kind::MultiviewChannelOperation,
    ),
    ("staticMultiviewChannels", Kind::MultiviewChannel),
    (
        "staticMultiviewEvents/{name}/scheduledOperations",
        Kind::MultiviewEventOperation,
    ),
    ("staticMultiviewEvents", Kind::MultiviewEvent),
];

fn live_action(method: &Method, tail: &str) -> Option<Action> {
    if tail == "search" {
        return Some(Action::Own(|world, call| {
            flows::detailed(call, flows::search(world, call)?)
        }));
    }
    match generic_action(method, tail, LIVE)? {
        Action::Delete(kind) if flows::FLOWS.contains(&kind) => {
            Some(Action::Own(live::flows::delete))
        }
        Action::List(kind) | Action::Get(kind) if flows::FLOWS.contains(&kind) => {
            Some(Action::Flow(kind))
        }
        other => Some(other),
    }
}

fn template_action(method: &Method, tail: &str) -> Option<Action> {
    let own: Handler = match (method.as_str(), tail) {
        ("GET", "types") => templates::types,
        ("GET", "presets" | "presets/{config_type}") => templates::presets,
        ("GET", "presets/{config_type}/{name}") => templates::get_preset,
        ("GET", "configs" | "configs/{config_type}") => templates::configs,
        ("GET", "configs/{config_type}/{name}") => templates::get,
        ("PUT", "configs/{config_type}/{name}") => templates::put,
        ("DELETE", "configs/{config_type}/{name}") => templates::delete,
        ("GET", "configs/{config_type}/{name}/versions") => templates::versions,
        ("GET", "configs/{config_type}/{name}/versions/{version}") => templates::get_version,
        ("DELETE", "configs/{config_type}/{name}/versions/{version}") => templates::delete_version,
        _ => return None,
    };
    Some(Action::Own(own))
}

fn fleet_action(method: &Method, tail: &str) -> Option<Action> {
    use fleet::{backups, devices, packages, software};
    let own: Handler = match (method.as_str(), tail) {
        ("GET", "backups") => backups::list_backups,
        ("GET", "backups/{backup_id}") => backups::get,
        ("PATCH", "backups/{backup_id}") => backups::rename,
        ("DELETE", "backups/{backup_id}") => backups::delete,
        ("GET", "backups/{backup_id}/config") => backups::config,
        ("POST", "uploadBackup") => backups::upload,
        ("DELETE", "devices/{name}") => devices::delete,
        ("POST", "devices/{name}/backup") => backups::start,
        ("POST", "devices/{name}/restore") => backups::restore,
        ("POST", "devices/{name}/removeServices") => devices::remove_services,
        ("GET", "devices/{name}/software") => software::offered,
        ("GET", "devices/{name}/supportPackages") => packages::list_packages,
        ("POST", "devices/{name}/supportPackages") => packages::start,
        ("GET", "devices/{name}/supportPackages/{package_name}") => packages::get,
        ("DELETE", "devices/{name}/supportPackages/{package_name}") => packages::delete,
        _ => return generic_action(method, tail, &[("devices", Kind::Device)]),
    };
    Some(Action::Own(own))
}

fn management_action(method: &Method, path: &str) -> Option<Action> {
    if let Some(tail) = path.strip_prefix("/api/v1/projects/{project_name}") {
        return project_action(method, tail);
    }
    let own: Handler = match (
        method.as_str(),
        path.strip_prefix("/api/v1/").unwrap_or(path),
    ) {
        ("GET", "/.well-known/jwks.json") => tokens::keys,
        ("GET", "/.well-known/revoked.json") => tokens::revoked,
        ("GET", "/api/ready") => account::ready,
        ("GET", "/api/profile/") => account::legacy_profile,
        ("PUT", "/api/profile/") => account::change_legacy_profile,
        ("GET", "locations") => projects::locations,
        ("GET", "locations/{location_name}") => projects::location,
        ("GET", "projects") => projects::list_projects,
        ("GET", "organization") => organization::get,
        ("PATCH", "organization") => organization::change,
        ("POST", "organization") => organization::create,
        ("GET", "organization/roles") => organization::roles,
        ("GET", "organization/roles/{role_name}") => organization::role,
        ("GET", "organization/scopes") => organization::scopes,
        ("GET", "organization/scopes/{scope_name}") => organization::scope,
        ("GET", "organization/users") => people::users,
        ("GET", "organization/users/{user_id}") => people::user,
        ("DELETE", "organization/users/{user_id}") => people::remove_user,
        ("GET", "organization/invites") => people::invites,
        ("POST", "organization/invites") => people::invite,
        ("GET", "organization/invites/{invite_id}") => people::get_invite,
        ("DELETE", "organization/invites/{invite_id}") => people::withdraw,
        ("GET", "organization/teams") => teams::list,
        ("GET", "organization/teams/{team_name}") => return Some(Action::Get(Kind::Team)),
        ("PUT", "organization/teams/{team_name}") => return Some(Action::Put(Kind::Team)),
        ("PATCH", "organization/teams/{team_name}") => teams::change,
        ("DELETE", "organization/teams/{team_name}") => teams::delete,
        ("GET", "organization/tokens") => tokens::list_all,
        ("DELETE", "organization/tokens/{token_id}") => tokens::revoke_any,
        ("GET", "organization/paymentMethods") => billing::payments,
        ("GET", "organization/paymentMethods/{paymentmethod_id}") => billing::payment,
        ("PATCH", "organization/paymentMethods/{paymentmethod_id}") => billing::rename,
        ("POST", "organization/paymentMethods/{paymentmethod_id}/acceptTermsAndConditions") => {
            billing::accept_terms
        }
        ("GET", "organization/paymentMethods/{paymentmethod_id}/rateCard") => billing::rate_card,
        ("POST", "organization/reports/usage") => billing::report,
        ("GET", "user/organizations") => account::organizations,
        ("GET", "user/organizations/{organization_id}") => account::organization,
        ("PATCH", "user/organizations/{organization_id}") => account::accept,
        ("DELETE", "user/organizations/{organization_id}") => account::leave,
        ("GET", "user/profile") => account::profile,
        ("PATCH", "user/profile") => account::change_profile,
        ("GET", "user/rbac") => tokens::rbac,
        ("GET", "user/tokens") => tokens::list_own,
        ("POST", "user/tokens") => tokens::create,
        ("DELETE", "user/tokens") => tokens::revoke_all,
        ("GET", "user/tokens/{token_id}") => tokens::get,
        ("DELETE", "user/tokens/{token_id}") => tokens::revoke_own,
        _ => return None,
    };
    Some(Action::Own(own))
}

fn project_action(method: &Method, tail: &str) -> Option<Action> {
    let own: Handler = match (method.as_str(), tail) {
        ("GET", "") => |world, call| {
            generic::shown(
                world,
                &Address::new("", Kind::Project, call.project()),
                StatusCode::OK,
            )
        },
        ("PUT", "") => projects::create,
        ("PATCH", "") => projects::change,
        ("GET", "/metricsEndpoint") => metrics::get,
        ("PATCH", "/metricsEndpoint") => metrics::change,
        ("GET", "/paymentMethod") => projects::payment,
        ("POST", "/paymentMethod") => projects::assign_payment,
        ("GET", "/usage") => billing::project_usage,
        ("GET", "/webhook/rules") => rules::list_rules,
        ("GET", "/webhook/rules/{rule_name}/events") => rules::events,
        _ => return generic_action(method, tail, &[("/webhook/rules", Kind::Rule)]),
    };
    Some(Action::Own(own))
}

fn channel_action(method: &Method, path: &str) -> Option<Action> {
    let own: Handler = match (method.as_str(), path.strip_prefix("/api/").unwrap_or(path)) {
        ("GET", "channels/") => channels::list,
        ("GET", "channels/{channel_id}/") => channels::get,
        ("PUT", "channels/{channel_id}/") => channels::put,
        ("PATCH", "channels/{channel_id}/") => channels::patch,
        ("DELETE", "channels/{channel_id}/") => channels::delete,
        ("GET", "channels/{channel_id}/thumbnails/{thumbnail_id}/thumbnail.jpg") => {
            channels::thumbnail
        }
        ("GET", "channel-channelalarms/active/") => channels::alarms,
        ("GET", "channel-system/") => channels::system,
        ("GET", "channel-capability/") => channels::capability,
        ("GET", "channel-deployment/eligibility/") => channels::eligibility,
        ("GET", "channel-me/") => channels::me,
        ("GET", "interfaces/") => channels::interfaces,
        ("GET", "channel-biss/import-code/") => channels::import_code,
        ("GET", "channel-biss/injected-ids/") => channels::injected,
        ("POST", "channel-biss/injected-ids/") => channels::inject,
        ("GET", "channel-metrics/current/") => channels::current,
        ("GET", "channel-metrics/cpu/") => channels::cpu,
        ("GET", "channel-metrics/temperature/") => channels::temperature,
        ("GET", "channel-metrics/query/") => channels::query,
        ("POST", "channel-export/") => channels::export,
        ("POST", "channel-import/") => channels::import,
        _ => return None,
    };
    Some(Action::Own(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_an_action() {
        let missing: Vec<String> = Documents::get()
            .operations()
            .iter()
            .zip(actions())
            .filter(|(_, action)| action.is_none())
            .map(|(operation, _)| format!("{} {}", operation.method, operation.path))
            .collect();
        assert_eq!(missing, Vec::<String>::new());
    }
}
