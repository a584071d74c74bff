//! Where the inputs of flows come from: content is carried by sources and published by other flows, networks and sites say which of
//! them a flow reaches, refiners say which it wants.

use serde_json::Value;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        read::Read,
        store::{Address, Resource},
    },
    platform::rules::Platform,
    resources::{
        fleet::placement::device_of,
        live::wiring::{FLOWS, is_active},
    },
};

/// Where an input comes from.
pub enum Origin<'a> {
    /// A source.
    Source(&'a Resource),
    /// Another flow, and the content of its output that the input reads.
    Flow(Kind, &'a Resource, Option<&'a str>),
    /// Nothing that exists and can be reached.
    Nothing,
}

/// The site of flows that name none.
pub const HOME: &str = "cloud";

/// The inputs of a flow.
pub fn inputs(flow: &Resource) -> impl Iterator<Item = &Value> {
    items(flow, "/spec/inputs")
}

/// The outputs of a flow.
pub fn outputs(flow: &Resource) -> impl Iterator<Item = &Value> {
    items(flow, "/spec/outputs")
}

fn items<'a>(flow: &'a Resource, at: &str) -> impl Iterator<Item = &'a Value> {
    flow.body.items(at)
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    let found = value.text(field);
    found.filter(|text| !text.is_empty())
}

/// Where an input of a flow comes from.
pub fn origin<'a>(
    world: &'a Platform,
    project: &'a str,
    flow: &Resource,
    input: &Value,
) -> Origin<'a> {
    if let Some(name) = text(input, "/sourceName") {
        let source = world.get(&Address::new(project, Kind::SOURCE, name));
        return source.map_or(Origin::Nothing, Origin::Source);
    }
    if let Some(name) = text(input, "/flowName") {
        let found = flows(world, project).find(|(_, flow)| &*flow.name == name);
        return found.map_or(Origin::Nothing, |(kind, flow)| {
            Origin::Flow(kind, flow, published(flow).next())
        });
    }
    let Some(content) = text(input, "/contentName") else {
        return Origin::Nothing;
    };
    let wanted = text(input, "/refiner/flow/name");
    if wanted.is_none() {
        let source = world
            .all(project, Kind::SOURCE)
            .map(|(_, source)| source)
            .find(|source| {
                source.text("/spec/contentName") == Some(content)
                    && has_label(source, input)
                    && reaches(world, project, flow, source)
            });
        if let Some(source) = source {
            return Origin::Source(source);
        }
    }
    let upstream = flows(world, project).find(|(_, upstream)| {
        upstream.name != flow.name
            && wanted.is_none_or(|wanted| &*upstream.name == wanted)
            && has_label(upstream, input)
            && published(upstream).any(|published| published == content)
    });
    upstream.map_or(Origin::Nothing, |(kind, upstream)| {
        let read = published(upstream).find(|published| *published == content);
        Origin::Flow(kind, upstream, read)
    })
}

fn flows<'a>(world: &'a Platform, project: &'a str) -> impl Iterator<Item = (Kind, &'a Resource)> {
    let all = move |kind| world.all(project, kind).map(move |(_, flow)| (kind, flow));
    FLOWS.into_iter().flat_map(all)
}

/// The content that the outputs of a flow publish.
fn published(flow: &Resource) -> impl Iterator<Item = &str> {
    outputs(flow).filter_map(|output| text(output, "/contentName"))
}

/// Whether a source or a flow has the label that an input asks for.
fn has_label(found: &Resource, input: &Value) -> bool {
    let Some(key) = text(input, "/refiner/labelMatch/key") else {
        return true;
    };
    let labels = found.body.pointer("/metadata/labels");
    let value = labels.and_then(|labels| labels.get(key)?.as_str());
    value == input.text("/refiner/labelMatch/value")
}

/// Whether a flow reaches the network of a source: its site has a route to it, and the device at the site may use it.
fn reaches(world: &Platform, project: &str, flow: &Resource, source: &Resource) -> bool {
    let Some(network) = source.text("/spec/networkName") else {
        return true;
    };
    let leads = |resource: &Resource, list: &str| {
        items(resource, list).any(|item| text(item, "/networkName") == Some(network))
    };
    let site = flow.text("/spec/siteName").filter(|site| !site.is_empty());
    let routed = world
        .get(&Address::new(project, Kind::SITE, site.unwrap_or(HOME)))
        .is_some_and(|site| leads(site, "/spec/routes"));
    const ALLOWED: &str = "/spec/availableNetworks";
    routed
        && device_of(world, project, flow)
            .is_none_or(|device| items(device, ALLOWED).next().is_none() || leads(device, ALLOWED))
}

/// The first active flow that reads a source, or another flow, which it names by content only.
pub fn reader<'a>(world: &'a Platform, used: &'a Address) -> Option<&'a Resource> {
    let project = &used.place.project;
    let found = world.get(used)?;
    let carried: Vec<&str> = if used.place.kind == Kind::SOURCE {
        found.text("/spec/contentName").into_iter().collect()
    } else {
        published(found).collect()
    };
    if carried.is_empty() {
        return None;
    }
    let reads =
        |input: &Value| text(input, "/contentName").is_some_and(|name| carried.contains(&name));
    flows(world, project)
        .map(|(_, flow)| flow)
        .filter(|flow| is_active(flow))
        .find(|flow| {
            inputs(flow)
                .filter(|input| reads(input))
                .any(|input| leads_to(&origin(world, project, flow, input), used))
        })
}

/// The flows that read one output of a flow, or name the flow itself.
pub fn readers(world: &Platform, flow: &Address, content: &str) -> Vec<String> {
    let project = &flow.place.project;
    flows(world, project)
        .map(|(_, reader)| reader)
        .filter(|reader| {
            inputs(reader).any(|input| {
                let named = text(input, "/flowName") == Some(&flow.name);
                let carries = !content.is_empty() && text(input, "/contentName") == Some(content);
                named || carries && leads_to(&origin(world, project, reader, input), flow)
            })
        })
        .map(|reader| reader.name.to_string())
        .collect()
}

/// Refuses to delete a resource that an active flow reads by its content.
///
/// # Errors
/// 409 with the flow.
pub fn guard(world: &Platform, used: &Address) -> Result<(), ApiError> {
    reader(world, used).map_or(Ok(()), |flow| {
        Err(ApiError::conflict(format!(
            "the {} '{}' carries content that the flow '{}' reads",
            used.place.kind.noun(),
            used.name,
            flow.name
        )))
    })
}

fn leads_to(origin: &Origin<'_>, used: &Address) -> bool {
    match origin {
        Origin::Source(source) => used.place.kind == Kind::SOURCE && *source.name == *used.name,
        Origin::Flow(kind, flow, _) => used.place.kind == *kind && *flow.name == *used.name,
        Origin::Nothing => false,
    }
}
