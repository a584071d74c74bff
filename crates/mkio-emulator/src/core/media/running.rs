//! What live events and streaming endpoints have in common: they run, which is metered, and a start can fail.

use serde_json::{Value, json};

use crate::core::store::Address;
use crate::core::world::World;
use crate::core::{merge, query, render};

/// What follows when one enters a state by itself.
pub fn entered(world: &mut World, address: &Address, previous: &str, meter: &'static str) {
    let now = world.now;
    let Some(resource) = world.get_mut(address) else {
        return;
    };
    if resource.state == "Running" && previous == "Starting" {
        if merge::take(&mut resource.private, "/failing").is_some() {
            world.enter(address, "Stopped", &[]);
            return;
        }
        merge::put(&mut resource.private, "/since", json!(render::time(now)));
    } else if previous == "Stopping" {
        let since = merge::take(&mut resource.private, "/since");
        let since = since
            .as_ref()
            .and_then(Value::as_str)
            .and_then(query::parse_time);
        let minutes = since.map_or(0.0, |since| (now - since).num_seconds() as f64 / 60.0);
        world.meter(&address.place.project, meter, minutes);
    }
}

/// Lets the start that is going on, or the next one, end in `Stopped`.
///
/// # Errors
/// When it is past the start.
pub fn fail_start(world: &mut World, address: &Address) -> Result<(), String> {
    let noun = address.place.kind.noun();
    match world.get_mut(address) {
        Some(resource) if matches!(resource.state, "Creating" | "Stopped" | "Starting") => {
            merge::put(&mut resource.private, "/failing", json!(true));
            Ok(())
        }
        Some(resource) => Err(format!(
            "the {noun} '{}' is {}; its start is over",
            address.name, resource.state
        )),
        None => Err(format!("there is no {noun} named '{}'", address.name)),
    }
}
