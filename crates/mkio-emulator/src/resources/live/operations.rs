//! Scheduled operations of flows.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format::parse_time,
        kind::Kind,
        merge,
        read::Read,
        states::live::{live_channel as flow, live_channel_scheduled_operation as operation},
        store::{Address, Event, Place, Resource, Step},
    },
    platform::{
        call::Call,
        generic,
        incidents::Incident,
        rules::{Entry, Platform, Rules, Shape, impossible},
    },
    resources::live::{steering::steer, wiring::collection},
};

impl Kind {
    /// Scheduled operations of live channels.
    pub const LIVE_CHANNEL_OPERATION: Self = Self::under(
        "liveChannelOperation",
        "scheduled operation",
        &Self::LIVE_CHANNEL,
    );
    /// Scheduled operations of live events.
    pub const FLOW_LIVE_EVENT_OPERATION: Self = Self::under(
        "flowLiveEventOperation",
        "scheduled operation",
        &Self::FLOW_LIVE_EVENT,
    );
    /// Scheduled operations of static multiview channels.
    pub const MULTIVIEW_CHANNEL_OPERATION: Self = Self::under(
        "staticMultiviewChannelOperation",
        "scheduled operation",
        &Self::MULTIVIEW_CHANNEL,
    );
    /// Scheduled operations of static multiview events.
    pub const MULTIVIEW_EVENT_OPERATION: Self = Self::under(
        "staticMultiviewEventOperation",
        "scheduled operation",
        &Self::MULTIVIEW_EVENT,
    );
}

/// Scheduled operations of flows.
pub static ENTRY: Entry = Entry {
    kinds: &[
        &LIVE_CHANNEL,
        &LIVE_EVENT,
        &MULTIVIEW_CHANNEL,
        &MULTIVIEW_EVENT,
    ],
    incident: apply_incident,
    ..Entry::NONE
};

const fn family(kind: Kind, collection: &'static str) -> Rules {
    Rules {
        collection,
        life: &operation::LIFE,
        check,
        created: schedule,
        changed: schedule,
        entered,
        complete,
        ..Rules::new(kind, "ScheduledOperation", Shape::Bare)
    }
}

/// Of live channels.
pub static LIVE_CHANNEL: Rules = family(
    Kind::LIVE_CHANNEL_OPERATION,
    "~/live/liveChannels/{}/scheduledOperations",
);
/// Of live events.
pub static LIVE_EVENT: Rules = family(
    Kind::FLOW_LIVE_EVENT_OPERATION,
    "~/live/liveEvents/{}/scheduledOperations",
);
/// Of static multiview channels.
pub static MULTIVIEW_CHANNEL: Rules = family(
    Kind::MULTIVIEW_CHANNEL_OPERATION,
    "~/live/staticMultiviewChannels/{}/scheduledOperations",
);
/// Of static multiview events.
pub static MULTIVIEW_EVENT: Rules = family(
    Kind::MULTIVIEW_EVENT_OPERATION,
    "~/live/staticMultiviewEvents/{}/scheduledOperations",
);

/// Whether an operation has not ended.
pub fn is_waiting(operation: &Resource) -> bool {
    !operation::LIFE.is_end(operation.state)
}

fn times(body: &Value) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let time = |pointer: &str| parse_time(body.text(pointer)?);
    Some((time("/spec/startTime")?, time("/spec/endTime")?))
}

fn check(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    let refuse = |field: &str, reason: &str| {
        ApiError::invalid(
            "request body",
            vec![(format!("/spec/{field}"), reason.to_owned())],
        )
    };
    let (start, end) =
        times(body).ok_or_else(|| refuse("startTime", "and endTime have to be timestamps"))?;
    if end <= start {
        return Err(refuse("endTime", "is not after startTime"));
    }
    if let Some(existing) = existing {
        generic::ensure(Kind::LIVE_CHANNEL_OPERATION, existing, &operation::CHANGE)?;
    }
    let flow = call.parameter("name");
    let own = call.parameter("operation_name");
    let kinds = [
        Kind::LIVE_CHANNEL_OPERATION,
        Kind::FLOW_LIVE_EVENT_OPERATION,
        Kind::MULTIVIEW_CHANNEL_OPERATION,
        Kind::MULTIVIEW_EVENT_OPERATION,
    ];
    let kind = kinds
        .into_iter()
        .find(|kind| call.operation.tail().starts_with(collection(*kind)));
    let table = kind.and_then(|kind| world.table(&Place::under(call.project(), kind, flow)));
    for other in table
        .into_iter()
        .flat_map(|table| table.iter())
        .filter(|other| &*other.name != own)
    {
        let overlaps = times(&other.body).is_some_and(|(from, until)| from < end && start < until);
        if overlaps && is_waiting(other) {
            return Err(ApiError::conflict(format!(
                "the window overlaps with that of the scheduled operation '{}'",
                other.name
            )));
        }
    }
    Ok(())
}

fn until(world: &Platform, time: DateTime<Utc>) -> Duration {
    (time - world.now).to_std().unwrap_or_default()
}

fn schedule(world: &mut Platform, address: &Address) {
    let Some(operation) = world.get(address) else {
        return;
    };
    let Some((start, end)) = times(&operation.body) else {
        return;
    };
    let (to_start, to_end) = (until(world, start), until(world, end));
    if to_end.is_zero() {
        fail(world, address, "its window is past");
        return;
    }
    if let Some(operation) = world.get_mut(address) {
        merge::take(&mut operation.private, "/errors");
        operation.hidden.insert(
            "resourcePath".to_owned(),
            json!(format!(
                "{}/{}",
                collection(address.place.kind),
                address.place.parent
            )),
        );
    }
    let accepting = operation::ACCEPT.steps.iter().map(|step| step.after).sum();
    let wait = to_start.saturating_sub(accepting);
    let run = to_end.saturating_sub(wait).saturating_sub(accepting);
    world.go(address, &operation::ACCEPT);
    if let Some(resource) = world.get_mut(address) {
        resource.plan.extend([
            Step::new(wait, Event::Enter(operation::ONGOING)),
            Step::new(run, Event::Enter(operation::COMPLETED)),
        ]);
    }
}

fn fail(world: &mut Platform, address: &Address, reason: &str) {
    if let Some(operation) = world.get_mut(address) {
        merge::put(&mut operation.private, "/errors", json!([reason]));
    }
    world.enter(address, operation::ERRORED, &[]);
}

/// Applies an incident to an operation.
fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    match incident {
        Incident::OperationFails(reason) => break_off(world, address, reason),
        _ => Err(impossible(address)),
    }
}

/// Fails an operation that has not ended; its flow does not change.
fn break_off(world: &mut Platform, address: &Address, reason: &str) -> Result<(), String> {
    let operation = world.get(address);
    let waits = operation.is_some_and(is_waiting);
    let previous = operation.map_or("", |operation| operation.state);
    if !waits {
        return Err(format!(
            "the scheduled operation '{}' is {previous}",
            address.name
        ));
    }
    fail(world, address, reason);
    publish(world, address, previous);
    Ok(())
}

fn flow(address: &Address) -> Option<Address> {
    Some(Address::new(
        &address.place.project,
        address.place.kind.parent()?,
        &address.place.parent,
    ))
}

fn entered(world: &mut Platform, address: &Address, previous: &'static str) {
    let state = world.get(address).map_or("", |operation| operation.state);
    let wanted = match state {
        operation::ONGOING => Some(flow::RUNNING),
        operation::COMPLETED => Some(flow::STOPPED),
        _ => None,
    };
    let flow = flow(address).filter(|flow| world.has(flow));
    match (flow, wanted) {
        (None, _) => fail(world, address, "the resource it is for is gone"),
        (Some(flow), Some(wanted)) => {
            if let Some(resource) = world.get_mut(&flow) {
                merge::put(&mut resource.body, "/spec/state", json!(wanted));
            }
            steer(world, &flow);
        }
        (Some(_), None) => {}
    }
    publish(world, address, previous);
}

fn publish(world: &mut Platform, address: &Address, previous: &str) {
    let kind = match world.get(address).map_or("", |operation| operation.state) {
        operation::ACCEPTED => "MediaKind.ScheduledOperationAccepted",
        operation::ONGOING => "MediaKind.ScheduledOperationOngoing",
        operation::COMPLETED => "MediaKind.ScheduledOperationCompleted",
        _ => "MediaKind.ScheduledOperationError",
    };
    let place = &address.place;
    let source = format!(
        "/api/v1/projects/{}/live/{}/{}/scheduledOperations/{}",
        place.project,
        collection(place.kind),
        place.parent,
        address.name
    );
    world.publish(kind, address, &source, previous);
}

fn complete(_: &Platform, _: &Address, operation: &Resource, out: &mut Value) {
    let errors = operation
        .private
        .get("errors")
        .cloned()
        .unwrap_or(json!([]));
    *out = json!({
        "metadata": { "id": operation.id, "name": &*operation.name }, "spec": operation.body.get("spec"),
        "status": { "state": operation.state, "errors": errors },
    });
}
