//! Facts that the device reports about itself.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format::{self, parse_time},
        keys,
        kind::Kind,
        store::{Address, Place, Resource},
    },
    platform::{
        call::{Call, Response},
        identity,
        rules::{Entry, Platform, Rules, Shape},
    },
    query::Query,
};

impl Kind {
    /// Injected BISS ids.
    pub const INJECTED_ID: Self = Self::new("injectedId", "injected id");
}

/// Facts that the device reports about itself.
pub static ENTRY: Entry = Entry {
    kinds: &[&INJECTED_IDS],
    routes: &[
        ("GET /api/channel-system/", system),
        ("GET /api/channel-capability/", capability),
        ("GET /api/channel-deployment/eligibility/", eligibility),
        ("GET /api/channel-me/", me),
        ("GET /api/interfaces/", interfaces),
        ("GET /api/channel-biss/import-code/", import_code),
        ("GET /api/channel-biss/injected-ids/", injected),
        ("POST /api/channel-biss/injected-ids/", inject),
        ("GET /api/channel-metrics/current/", current),
        ("GET /api/channel-metrics/cpu/", cpu),
        ("GET /api/channel-metrics/temperature/", temperature),
        ("GET /api/channel-metrics/query/", query),
    ],
    ..Entry::NONE
};

/// Injected BISS ids.
pub static INJECTED_IDS: Rules = Rules::new(Kind::INJECTED_ID, "InjectedId", Shape::Bare);

type Handled = Result<Response, ApiError>;

/// GET `channel-system/`.
pub fn system(world: &mut Platform, _: &Call<'_>) -> Handled {
    Ok(Response::ok(
        json!({ "data": world.start.channel_device.system }),
    ))
}

/// GET `channel-deployment/eligibility/`.
pub fn eligibility(_: &mut Platform, _: &Call<'_>) -> Handled {
    Ok(Response::ok(
        json!({ "canRun": true, "deploymentState": "managed", "resources": [] }),
    ))
}

/// GET `channel-me/`.
pub fn me(world: &mut Platform, call: &Call<'_>) -> Handled {
    Ok(Response::ok(json!({
        "user": identity::email_of(world, call.user), "groups": ["admin"],
        "permissions": { "services.add_service": true, "services.change_service": true, "services.delete_service": true },
    })))
}

/// GET `interfaces/`.
pub fn interfaces(world: &mut Platform, _: &Call<'_>) -> Handled {
    Ok(Response::ok(world.start.channel_device.interfaces.clone()))
}

/// GET `channel-capability/`.
pub fn capability(world: &mut Platform, _: &Call<'_>) -> Handled {
    Ok(Response::ok(world.start.channel_device.capability.clone()))
}

/// GET `channel-biss/import-code/`.
pub fn import_code(world: &mut Platform, _: &Call<'_>) -> Handled {
    Ok(Response::ok(
        json!({ "importCode": world.start.channel_device.import_code }),
    ))
}

/// GET `channel-biss/injected-ids/`.
pub fn injected(world: &mut Platform, _: &Call<'_>) -> Handled {
    let place = Place::new("", Kind::INJECTED_ID);
    let shown = |id: &Resource| json!({ "bkid": &*id.name, "description": id.text("/description"), "creationDate": format::time(id.created) });
    let values: Vec<Value> = world
        .table(&place)
        .into_iter()
        .flat_map(|table| table.iter())
        .map(shown)
        .collect();
    Ok(Response::ok(json!({ "value": values })))
}

/// POST `channel-biss/injected-ids/`. The device chooses the id; the list shows it.
pub fn inject(world: &mut Platform, call: &Call<'_>) -> Handled {
    let sequence = world.next_sequence();
    let name = keys::hex(&format!("{sequence}"))
        .get(..14)
        .unwrap_or("0")
        .to_owned();
    let description = call.body.get("description").cloned().unwrap_or_default();
    world.insert(
        &Address::new("", Kind::INJECTED_ID, &name),
        json!({ "description": description }),
        call.user,
    )?;
    Ok(Response::json(http::StatusCode::CREATED, json!({})))
}

/// GET `channel-metrics/current/`.
pub fn current(world: &mut Platform, call: &Call<'_>) -> Handled {
    let select = call.query.one("$select")?;
    let serial = serial_number(world);
    let mut data = json!({ "serverId": serial, "cpuUtilizationPercent": 12.5, "temperatureCelsius": 41.0, "uptimeSeconds": 86_400.0 });
    if let (Some(select), Some(fields)) = (select, data.as_object_mut()) {
        let wanted: Vec<&str> = select.split(',').map(str::trim).collect();
        fields.retain(|name, _| wanted.contains(&name.as_str()));
    }
    Ok(Response::ok(
        json!({ "data": data, "collectedAt": format::time(world.now) }),
    ))
}

fn serial_number(world: &Platform) -> &str {
    &world.start.channel_device.system.serial_number
}

fn seconds(text: &str) -> Option<f64> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.or_else(|| Some(parse_time(text)?.timestamp_millis() as f64 / 1_000.0))
}

fn step(text: &str) -> Option<f64> {
    let (number, scale) = match text.char_indices().last()? {
        (at, 's') => (text.get(..at)?, 1.0),
        (at, 'm') => (text.get(..at)?, 60.0),
        (at, 'h') => (text.get(..at)?, 3_600.0),
        _ => (text, 1.0),
    };
    number
        .parse::<f64>()
        .ok()
        .map(|number| number * scale)
        .filter(|step| step.is_finite() && *step > 0.0)
}

/// Most points of a range, as Prometheus has it.
const MOST_POINTS: f64 = 11_000.0;

fn range(world: &Platform, call: &Call<'_>, name: &str, base: f64) -> Handled {
    let bad = |field: &str, what: &str| {
        ApiError::bad_request(format!("query parameter '{field}' is not {what}"))
    };
    let start = seconds(required(&call.query, "start")?).ok_or_else(|| bad("start", "a time"))?;
    let end = seconds(required(&call.query, "end")?).ok_or_else(|| bad("end", "a time"))?;
    let step = step(call.query.one("step")?.unwrap_or("60s"))
        .ok_or_else(|| bad("step", "a duration such as 60s"))?;
    if end < start || (end - start) / step > MOST_POINTS {
        return Err(bad("end", "after start, or is too many steps away from it"));
    }
    let points = ((end - start) / step) as u32;
    let values: Vec<Value> = (0..=points)
        .map(|at| {
            json!([
                start + f64::from(at) * step,
                format!("{:.1}", base + f64::from(at % 5))
            ])
        })
        .collect();
    let series = json!({ "metric": { "serverID": serial_number(world), "name": name, "job": "beam" }, "values": values });
    Ok(Response::ok(
        json!({ "status": "success", "data": { "resultType": "matrix", "result": [series] } }),
    ))
}

/// GET `channel-metrics/cpu/`.
pub fn cpu(world: &mut Platform, call: &Call<'_>) -> Handled {
    range(world, call, "cpu_utilization", 10.0)
}

/// GET `channel-metrics/temperature/`.
pub fn temperature(world: &mut Platform, call: &Call<'_>) -> Handled {
    range(world, call, "temperature", 40.0)
}

/// GET `channel-metrics/query/`.
pub fn query(world: &mut Platform, call: &Call<'_>) -> Handled {
    let wanted = required(&call.query, "query")?;
    range(world, call, wanted, 1.0)
}

/// A required query parameter of the metrics.
fn required<'a>(query: &'a Query, name: &str) -> Result<&'a str, ApiError> {
    query
        .one(name)?
        .ok_or_else(|| ApiError::bad_request(format!("query parameter '{name}' is missing")))
}
