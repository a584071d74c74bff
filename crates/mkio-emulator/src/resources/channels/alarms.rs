//! Active alarms of channels.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        incidents::ChannelAlarm,
        rules::Platform,
    },
};

/// From the worst on.
const SEVERITIES: [&str; 6] = ["Critical", "Major", "Minor", "Notice", "Ignore", "Clear"];

fn kept(channel: &Resource) -> impl Iterator<Item = (&String, &Value)> {
    let alarms = channel.private.get("alarms").and_then(Value::as_object);
    alarms.into_iter().flat_map(Map::iter)
}

/// The severity of the worst alarm.
pub(super) fn worst(channel: &Resource) -> &'static str {
    let severities: Vec<&str> = kept(channel)
        .filter_map(|(_, alarm)| alarm.get("severity")?.as_str())
        .collect();
    SEVERITIES
        .into_iter()
        .find(|severity| severities.contains(severity))
        .unwrap_or("Clear")
}

/// Raises an alarm; one of the same name is replaced.
pub(super) fn raise(
    channel: &mut Resource,
    alarm: &ChannelAlarm,
    now: DateTime<Utc>,
) -> Result<(), String> {
    if alarm.severity == "Clear" || !SEVERITIES.contains(&alarm.severity.as_str()) {
        return Err(format!(
            "'{}' is not the severity of an active alarm: {}",
            alarm.severity,
            SEVERITIES[..5].join(", ")
        ));
    }
    let id = Uuid::new_v4();
    let shown = json!({
        "id": id, "severity": alarm.severity, "info": alarm.info, "created": format::time(now),
    });
    let mut alarms = channel.private.get("alarms").cloned().unwrap_or(json!({}));
    if let Some(alarms) = alarms.as_object_mut() {
        alarms.insert(alarm.name.clone(), shown);
    }
    merge::put(&mut channel.private, "/alarms", alarms);
    Ok(())
}

/// Ends an alarm.
pub(super) fn clear(channel: &mut Resource, name: &str) -> Result<(), String> {
    let alarms = channel
        .private
        .get_mut("alarms")
        .and_then(Value::as_object_mut);
    match alarms.and_then(|alarms| alarms.shift_remove(name)) {
        Some(_) => Ok(()),
        None => Err(format!(
            "the channel '{}' has no alarm '{name}'",
            channel.name
        )),
    }
}

/// GET of the active alarms of a channel; one that does not exist has none.
pub(crate) fn alarms(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let name = call.query.one("channelName")?.unwrap_or_default();
    let channel = world.get(&Address::new("", Kind::BEAM_CHANNEL, name));
    let values: Vec<Value> = channel
        .into_iter()
        .flat_map(|channel| {
            kept(channel).map(|(alarm, kept)| {
                json!({
                    "kind": "Alarm",
                    "metadata": {
                        "id": kept.get("id"), "name": alarm, "displayName": alarm, "objectId": channel.id,
                        "channelName": &*channel.name, "created": kept.get("created"),
                    },
                    "status": { "severity": kept.get("severity"), "additionalInfo": kept.get("info") },
                })
            })
        })
        .collect();
    let count = values.len();
    Ok(Response::ok(json!({
        "value": values,
        "supplemental": {
            "kind": "AlarmList", "count": count, "operation": "list",
            "pagination": { "start": 0, "end": count, "records": count, "total": count },
        },
    })))
}
