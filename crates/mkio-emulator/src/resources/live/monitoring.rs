//! Monitoring of a running flow: a picture, and facts about it.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;

use crate::{
    base::{error::ApiError, kind::Kind, states::live::live_channel as flow, store::Resource},
    platform::{
        call::Response,
        rules::{Door, Entry, Platform},
    },
    resources::{live::wiring::FLOWS, media::play::sample::PICTURE},
};

/// Prefix of the paths.
const PREFIX: &str = "/monitoring/";
const PICTURE_FILE: &str = "thumbnail.jpg";
const METADATA_FILE: &str = "metadata.json";

/// Pictures of flows.
pub static ENTRY: Entry = Entry {
    doors: &[Door {
        method: Method::GET,
        opens: |path| path.starts_with(PREFIX),
        blobs: false,
        serve,
    }],
    ..Entry::NONE
};

/// The addresses of a flow's picture and of the facts about it, at an origin.
pub(super) fn urls(origin: &str, short_id: &str) -> (String, String) {
    let at = |file: &str| format!("{origin}{PREFIX}{short_id}/{file}");
    (at(PICTURE_FILE), at(METADATA_FILE))
}

fn serve(world: &mut Platform, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let nothing = || ApiError::not_found(format!("there is nothing at {path}"));
    let rest = path.strip_prefix(PREFIX).ok_or_else(nothing)?;
    let (id, file) = rest.split_once('/').ok_or_else(nothing)?;
    let world: &Platform = world;
    let own = |flow: &Resource| flow.state == flow::RUNNING && flow.short_id() == id;
    let projects = world.all("", Kind::PROJECT);
    let mut flows = projects.flat_map(|(_, project)| {
        FLOWS
            .into_iter()
            .flat_map(|kind| world.all(&project.name, kind))
    });
    let (_, flow) = flows.find(|(_, flow)| own(flow)).ok_or_else(nothing)?;
    match file {
        PICTURE_FILE => Ok(Response::bytes("image/jpeg", PICTURE)),
        METADATA_FILE => Ok(Response::ok(
            json!({ "flow": &*flow.name, "width": 320, "height": 180, "time": world.now }),
        )),
        _ => Err(nothing()),
    }
}
