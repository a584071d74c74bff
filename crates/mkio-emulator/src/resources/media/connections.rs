//! Content, sources and destinations: what live flows read from and write to.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        store::{Address, Resource},
    },
    platform::{
        call::Call,
        rules::{DNS_NAME, Entry, Platform, Put, Rules, Shape},
    },
    resources::live::wiring::{FLOWS, is_active, uses_input, uses_output},
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
    put: Put::Create(201),
    patchable: &["/metadata"],
    guard: |world, address| {
        refuse_users(world, address, |flow, name| {
            uses_input(flow, "contentName", name) || uses_output(flow, "contentName", name)
        })
    },
    dress: |world, address, content, out| {
        merge::put(out, "/spec", json!({}));
        let used = in_use(world, address, |flow, name| {
            uses_input(flow, "contentName", name) || uses_output(flow, "contentName", name)
        });
        merge::put(
            out,
            "/status",
            json!({ "state": if used { "Active" } else { "Inactive" } }),
        );
        let _ = content;
    },
    ..Rules::new(Kind::CONTENT, "Content", SPEC)
};

/// Sources.
pub static SOURCES: Rules = Rules {
    collection: "~/media/sources",
    name: DNS_NAME,
    put: Put::Create(201),
    patchable: &[
        "/metadata",
        "/spec/contentName",
        "/spec/transport/allowList",
        "/spec/transport/passPhrase",
        "/spec/transport/password",
        "/spec/transport/url",
        "/spec/transport/user",
    ],
    clearable: &["/spec/contentName"],
    check: check_source,
    guard: |world, address| {
        refuse_users(world, address, |flow, name| {
            uses_input(flow, "sourceName", name)
        })
    },
    dress: |world, address, source, out| {
        let used = in_use(world, address, |flow, name| {
            uses_input(flow, "sourceName", name)
        });
        dress(world, address, source, used, out);
    },
    ..Rules::new(Kind::SOURCE, "Source", SPEC)
};

/// Destinations.
pub static DESTINATIONS: Rules = Rules {
    collection: "~/media/destinations",
    name: DNS_NAME,
    put: Put::Create(201),
    patchable: &["/metadata"],
    check: |world, call, body, existing| {
        if existing.is_none() {
            check_network(world, call, body)
        } else {
            Ok(())
        }
    },
    guard: |world, address| {
        refuse_users(world, address, |flow, name| {
            uses_output(flow, "destinationName", name)
        })
    },
    dress: |world, address, destination, out| {
        let used = in_use(world, address, |flow, name| {
            uses_output(flow, "destinationName", name)
        });
        dress(world, address, destination, used, out);
    },
    ..Rules::new(Kind::DESTINATION, "Destination", SPEC)
};

type Uses = fn(&Resource, &str) -> bool;

fn users<'a>(
    world: &'a Platform,
    address: &'a Address,
    uses: Uses,
) -> impl Iterator<Item = &'a Resource> {
    let flows = FLOWS
        .iter()
        .flat_map(|kind| world.all(&address.place.project, *kind));
    flows
        .map(|(_, flow)| flow)
        .filter(move |flow| !flow.is_deleting() && uses(flow, &address.name))
}

fn in_use(world: &Platform, address: &Address, uses: Uses) -> bool {
    users(world, address, uses).any(is_active)
}

fn refuse_users(world: &Platform, address: &Address, uses: Uses) -> Result<(), ApiError> {
    match users(world, address, uses).next() {
        Some(flow) => Err(ApiError::conflict(format!(
            "the {} '{}' is used by the flow '{}'",
            address.place.kind.noun(),
            address.name,
            flow.name
        ))),
        None => Ok(()),
    }
}

fn check_network(world: &Platform, call: &Call<'_>, body: &Value) -> Result<(), ApiError> {
    let Some(name) = body.pointer("/spec/networkName").and_then(Value::as_str) else {
        return Ok(());
    };
    if world.has(&Address::new(call.project(), Kind::NETWORK, name)) {
        return Ok(());
    }
    Err(ApiError::invalid(
        "request body",
        vec![(
            "/spec/networkName".to_owned(),
            format!("there is no network named '{name}'"),
        )],
    ))
}

fn check_source(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let content = body.pointer("/spec/contentName").and_then(Value::as_str);
    if let Some(name) =
        content.filter(|name| !world.has(&Address::new(call.project(), Kind::CONTENT, name)))
    {
        return Err(ApiError::invalid(
            "request body",
            vec![(
                "/spec/contentName".to_owned(),
                format!("there is no content named '{name}'"),
            )],
        ));
    }
    let Some(existing) = existing else {
        return check_network(world, call, body);
    };
    let address = call.address(Kind::SOURCE);
    if existing.text("/spec/contentName") != content {
        let busy = users(world, &address, |flow, name| {
            uses_input(flow, "sourceName", name)
        })
        .find(|flow| is_active(flow));
        if let Some(flow) = busy {
            return Err(ApiError::conflict(format!(
                "the content of the source '{}' cannot change while the flow '{}' runs",
                address.name, flow.name
            )));
        }
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

fn dress(world: &Platform, address: &Address, resource: &Resource, used: bool, out: &mut Value) {
    let mut status = json!({ "state": if used { "Active" } else { "Inactive" } });
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

/// Where to send to or to fetch from.
fn urls(transport: &Value, id: &str) -> Vec<String> {
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
