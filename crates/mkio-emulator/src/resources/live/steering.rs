//! From the state that a flow reports towards the one that is wanted.

use serde_json::{Value, json};

use crate::{
    base::{
        format,
        kind::Kind,
        merge,
        store::{Address, enter},
    },
    platform::rules::Platform,
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
    let wanted = flow.text("/spec/state").unwrap_or("Stopped").to_owned();
    match (wanted.as_str(), flow.state) {
        ("Running", "Stopped" | "Stopping" | "UnableToStart") => {
            if let Some(flow) = world.get_mut(address) {
                merge::take(&mut flow.private, "/info");
            }
            world.enter(
                address,
                "Pending",
                &[enter(3, "Allocating"), enter(3, "Starting")],
            );
        }
        ("Running", "Running") => world.enter(address, "Updating", &[enter(5, "Running")]),
        ("Running", "Starting") if !waits(world, address) => {
            world.plan(address, &[enter(20, "Running")]);
        }
        (
            "Stopped",
            "Pending" | "Allocating" | "Allocated" | "Starting" | "Started" | "Running"
            | "Updating",
        ) => {
            world.enter(address, "Stopping", &[enter(10, "Stopped")]);
        }
        ("Stopped", "UnableToStart") => world.enter(address, "Stopped", &[]),
        _ => {}
    }
}

/// What follows when a flow enters a state by itself.
pub fn entered(world: &mut Platform, address: &Address, previous: &'static str) {
    let Some(flow) = world.get(address) else {
        return;
    };
    let (state, project) = (flow.state, address.place.project.clone());
    match state {
        "Starting" => {
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
                world.plan(address, &[enter(20, "Running")]);
            }
        }
        "Running" if previous == "Updating" => write_manifests(world, address),
        "Running" => {
            write_manifests(world, address);
            let now = format::time(world.now);
            if let Some(flow) = world.get_mut(address) {
                merge::put(&mut flow.private, "/since", json!(now));
            }
            publish(world, address, "MediaKind.ChannelInstanceStarted", previous);
        }
        "Stopped" => {
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
                world.meter(
                    &project,
                    "live-minutes",
                    (now - since).num_seconds() as f64 / 60.0,
                );
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
