//! From the state that a flow reports towards the one that is wanted.

use serde_json::{Value, json};

use crate::{
    base::{
        format, kind::Kind, life::Move, merge, states::live::live_channel as flow, store::Address,
    },
    platform::{rules::Platform, start::Activity},
    resources::{
        live::{
            starts::{cannot_start, failing, waits},
            wiring::{WRITES_TO, publish},
        },
        media::{assets, writers},
        templates,
    },
};

/// Moves the reported state towards the wanted one.
pub fn steer(world: &mut Platform, address: &Address) {
    let Some(flow) = world.get(address) else {
        return;
    };
    let wanted = flow.text("/spec/state").unwrap_or(flow::STOPPED);
    let ways: &[&Move] = match wanted {
        flow::RUNNING if waits(world, address) => &[&flow::START, &flow::UPDATE],
        flow::RUNNING => &[&flow::START, &flow::UPDATE, &flow::RUN],
        flow::STOPPED => &[&flow::STOP, &flow::GIVE_UP],
        _ => &[],
    };
    let Some(way) = ways.iter().find(|way| way.allowed_in(flow.state)) else {
        return;
    };
    if way.name == flow::START.name
        && let Some(flow) = world.get_mut(address)
    {
        merge::take(&mut flow.private, "/info");
    }
    world.go(address, way);
}

/// Called when a flow enters a state by itself.
pub fn entered(world: &mut Platform, address: &Address, previous: &'static str) {
    let Some(flow) = world.get(address) else {
        return;
    };
    let (state, project) = (flow.state, address.place.project.clone());
    match state {
        flow::STARTING => {
            if let Some(info) = failing(world, address) {
                cannot_start(world, address, Some(&info));
                return;
            }
            let Some(flow) = world.get(address) else {
                return;
            };
            // A missing configuration is found at once; anything else that is missing keeps the flow waiting for it.
            if !templates::check_flow(world, &project, &flow.body).is_empty() {
                cannot_start(world, address, None);
            } else if !waits(world, address) {
                world.go(address, &flow::RUN);
            }
        }
        flow::RUNNING if previous == flow::UPDATING => write_manifests(world, address),
        flow::RUNNING => {
            write_manifests(world, address);
            let now = format::time(world.now);
            if let Some(flow) = world.get_mut(address) {
                merge::put(&mut flow.private, "/since", json!(now));
            }
            publish(world, address, "MediaKind.ChannelInstanceStarted", previous);
        }
        flow::STOPPED => {
            let now = world.now;
            let since = world.get_mut(address).and_then(|flow| {
                merge::take(&mut flow.private, "/stuck");
                merge::take(&mut flow.private, "/since")
            });
            let since = since
                .as_ref()
                .and_then(Value::as_str)
                .and_then(format::parse_time);
            if let Some(since) = since {
                let minutes = (now - since).num_seconds() as f64 / 60.0;
                world.count(&project, Activity::Live, minutes);
                publish(world, address, "MediaKind.ChannelInstanceStopped", previous);
            }
        }
        _ => {}
    }
}

/// A flow that runs has manifests in its asset, which stay there.
fn write_manifests(world: &mut Platform, address: &Address) {
    let asset = world.get(address).and_then(|flow| flow.text(WRITES_TO));
    if let Some(asset) = asset {
        let asset = Address::new(&address.place.project, Kind::ASSET, asset);
        assets::add_files(world, &asset, &writers::manifests(&address.name));
    }
}
