//! Content, sources and destinations of live flows.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        read::Read,
        reference::{Reference, Target},
        store::{Address, Resource},
    },
    platform::{
        call::Call,
        references,
        rules::{DNS_NAME, Entry, Platform, Rules, Shape},
    },
    resources::live::{
        resolution,
        wiring::{FLOWS, is_active},
    },
};

impl Kind {
    /// Content.
    pub const CONTENT: Self = Self::new("content", "content");
    /// Sources.
    pub const SOURCE: Self = Self::new("source", "source");
    /// Destinations.
    pub const DESTINATION: Self = Self::new("destination", "destination");
}

/// Content, sources and destinations.
pub static ENTRY: Entry = Entry {
    kinds: &[&CONTENT, &SOURCES, &DESTINATIONS],
    ..Entry::NONE
};

const SPEC: Shape = Shape::Spec { name: true };

/// Content.
pub static CONTENT: Rules = Rules {
    collection: "~/media/content",
    name: DNS_NAME,
    complete: |world, address, _, out| {
        merge::put(out, "/spec", json!({}));
        let state = if in_use(world, address) {
            "Active"
        } else {
            "Inactive"
        };
        merge::put(out, "/status", json!({ "state": state }));
    },
    ..Rules::new(Kind::CONTENT, "Content", SPEC)
};

const NETWORK: Reference = Reference::new("/spec/networkName", &[Target::top(Kind::NETWORK)]);

/// Sources.
pub static SOURCES: Rules = Rules {
    collection: "~/media/sources",
    name: DNS_NAME,
    clearable: &["/spec/contentName"],
    references: &[
        Reference::new("/spec/contentName", &[Target::top(Kind::CONTENT)]).weak(),
        NETWORK,
    ],
    check: check_source,
    guard: resolution::guard,
    complete,
    ..Rules::new(Kind::SOURCE, "Source", SPEC)
};

/// Destinations.
pub static DESTINATIONS: Rules = Rules {
    collection: "~/media/destinations",
    name: DNS_NAME,
    references: &[NETWORK],
    complete,
    ..Rules::new(Kind::DESTINATION, "Destination", SPEC)
};

/// The active flow that uses one.
fn active_user<'a>(world: &'a Platform, address: &'a Address) -> Option<&'a Resource> {
    references::users(world, address)
        .filter(|user| FLOWS.contains(&user.kind))
        .map(|user| user.resource)
        .find(|flow| is_active(flow))
        .or_else(|| resolution::reader(world, address))
}

fn in_use(world: &Platform, address: &Address) -> bool {
    active_user(world, address).is_some()
}

fn check_source(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let Some(existing) = existing else {
        return Ok(());
    };
    let content = body.text("/spec/contentName");
    let address = call.address(Kind::SOURCE);
    if existing.text("/spec/contentName") != content
        && let Some(flow) = active_user(world, &address)
    {
        return Err(ApiError::conflict(format!(
            "the content of the source '{}' cannot change while the flow '{}' runs",
            address.name, flow.name
        )));
    }
    let kind = existing.text("/spec/transport/type").unwrap_or_default();
    let allowed: &[&str] = match kind {
        "SRTCaller" => &["/spec/transport/passPhrase", "/spec/transport/url"],
        "SRTListener" => &["/spec/transport/passPhrase", "/spec/transport/allowList"],
        "HLSPullInput" => &[
            "/spec/transport/url",
            "/spec/transport/user",
            "/spec/transport/password",
        ],
        _ => &[],
    };
    let transport = body.pointer("/spec/transport").cloned().unwrap_or_default();
    let changed = merge::differences(
        &existing.body,
        &json!({ "spec": { "transport": transport } }),
    );
    let refused: Vec<(String, String)> = changed
        .into_iter()
        .filter(|pointer| !merge::within(pointer, allowed))
        .map(|pointer| {
            (
                pointer,
                format!("cannot be changed for a source of type {kind}"),
            )
        })
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("change", refused))
    }
}

fn complete(world: &Platform, address: &Address, resource: &Resource, out: &mut Value) {
    let state = if in_use(world, address) {
        "Active"
    } else {
        "Inactive"
    };
    let mut status = json!({ "state": state });
    if address.place.kind == Kind::SOURCE {
        merge::put(&mut status, "/shortId", json!(resource.short_id()));
    }
    if let Some(name) = resource.text("/spec/networkName") {
        let network = world.get(&Address::new(&address.place.project, Kind::NETWORK, name));
        let shown = network
            .and_then(|network| network.text("/metadata/displayName"))
            .unwrap_or(name);
        merge::put(&mut status, "/networkDisplayName", json!(shown));
    }
    if let Some(transport) = resource.body.pointer("/spec/transport") {
        merge::put(
            &mut status,
            "/transport",
            json!({ "urls": urls(transport, &resource.short_id()) }),
        );
    }
    merge::put(out, "/status", status);
}

/// The addresses to send to or to fetch from.
pub fn urls(transport: &Value, id: &str) -> Vec<String> {
    let text = |name: &str| transport.get(name).and_then(Value::as_str);
    let port = transport
        .get("port")
        .and_then(Value::as_i64)
        .unwrap_or(5_000);
    match text("type") {
        Some("SRTListener") => vec![format!("srt://{id}.ingest.localhost:{port}")],
        Some("UDP") => vec![format!("udp://{id}.ingest.localhost:{port}")],
        _ => text("url")
            .map(|url| vec![url.to_owned()])
            .unwrap_or_default(),
    }
}
