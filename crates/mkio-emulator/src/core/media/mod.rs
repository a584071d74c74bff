//! The Media API.

pub(crate) mod assets;
pub(crate) mod connections;
pub(crate) mod download;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod filters;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod locators;
pub(crate) mod policies;
pub(crate) mod recording;
pub(crate) mod running;
pub(crate) mod storage;

use super::family::{Family, Kind, Shape};

/// The shape of a media resource.
const fn arm(collection: &'static str) -> Shape {
    Shape::Arm {
        collection,
        envelope: true,
        times: true,
    }
}

/// The families of the Media API.
pub(super) fn family(kind: Kind) -> Option<&'static Family> {
    Some(match kind {
        Kind::Asset => &assets::ASSETS,
        Kind::AccountFilter => &filters::ACCOUNT,
        Kind::AssetFilter => &filters::ASSET,
        Kind::Content => &connections::CONTENT,
        Kind::Source => &connections::SOURCES,
        Kind::Destination => &connections::DESTINATIONS,
        Kind::ContentKeyPolicy => &keys::KEY_POLICIES,
        Kind::LiveEvent => &events::EVENTS,
        Kind::LiveOutput => &events::OUTPUTS,
        Kind::Transform => &jobs::TRANSFORMS,
        Kind::Job => &jobs::JOBS,
        Kind::Storage => &storage::STORAGE,
        Kind::Credential => &storage::CREDENTIALS,
        Kind::StreamingEndpoint => &endpoints::ENDPOINTS,
        Kind::StreamingLocator => &locators::LOCATORS,
        Kind::StreamingPolicy => &policies::POLICIES,
        _ => return None,
    })
}
