//! Events: making, rebuilding, and masking them.

use mkio::{
    Client,
    chrono::Utc,
    dynamic::{Entry, nearest},
    http::Method,
    wait::Resource,
    webhook::EventType,
};
use serde_json::{Value, json};

use crate::{
    commands::api::entries_of,
    failure::{Failure, Result},
    kinds,
    output::path,
    session::Session,
};

/// Types by the end of their names, with a place of such a resource and its state.
const USUAL: [(&str, &str, &str); 10] = [
    ("JobStarted", JOB, "Processing"),
    ("JobFinished", JOB, "Finished"),
    ("StreamingLocatorCreated", LOCATOR, "Created"),
    ("ChannelInstanceStarted", CHANNEL, "Running"),
    ("ChannelInstanceStopped", CHANNEL, "Stopped"),
    ("ChannelInstanceError", CHANNEL, "UnableToStart"),
    ("ScheduledOperationAccepted", SCHEDULED, "Accepted"),
    ("ScheduledOperationOngoing", SCHEDULED, "Ongoing"),
    ("ScheduledOperationCompleted", SCHEDULED, "Completed"),
    ("ScheduledOperationError", SCHEDULED, "Errored"),
];
/// Events name jobs without the API's part of their path.
const JOB: &str = "transforms/transform/jobs/job";
const LOCATOR: &str = "media/streamingLocators/locator";
const CHANNEL: &str = "live/liveChannels/channel";
const SCHEDULED: &str = "live/liveChannels/channel/scheduledOperations/operation";

/// The type under its full name.
pub fn kind(name: &str) -> Result<String> {
    let full = if name.contains('.') {
        name.to_owned()
    } else {
        format!("MediaKind.{name}")
    };
    let known = EventType::KNOWN.iter().copied();
    if known.clone().any(|known| known == full) {
        return Ok(full);
    }
    let failure = Failure::usage(format!("there is no event `{name}`"));
    let names: Vec<&str> = known
        .map(|name| name.trim_start_matches("MediaKind."))
        .collect();
    let short = name.trim_start_matches("MediaKind.");
    Err(match nearest(short, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("there are {}", names.join(", "))),
    })
}

/// Path at which the resource of an event is read.
pub fn place(source: &str) -> String {
    let place = if source.starts_with("/api/") {
        source.to_owned()
    } else {
        format!("/api/v1{source}")
    };
    match place.split_once("/transforms/") {
        Some((before, after)) if !before.ends_with("/media") => {
            format!("{before}/media/transforms/{after}")
        }
        _ => place,
    }
}

fn reads(source: &str) -> Option<&'static Entry> {
    entries_of(&Method::GET, &place(source)).next()
}

/// The resource with a state that is at this path.
fn resource_at(source: &str) -> Option<&'static Resource> {
    let entry = reads(source)?;
    let all = kinds::waitable().into_iter().map(|(_, resource)| resource);
    let is_it = |resource: &&'static Resource| {
        let item = resource.item;
        item.is_some_and(|item| item.id == entry.id() && item.api == entry.operation.api)
    };
    all.filter(is_it).max_by_key(|resource| resource.events)
}

/// The facts of an event.
pub struct Told<'a> {
    pub kind: &'a str,
    pub source: &'a str,
    pub state: Option<&'a str>,
    pub resource: Value,
}

impl Told<'_> {
    /// The envelope as the service writes it.
    pub fn envelope(self) -> Value {
        let now = Utc::now();
        let nanos = now.timestamp_nanos_opt().unwrap_or_default();
        let parts = self.source.split('/');
        let project = parts.skip_while(|part| *part != "projects").nth(1);
        json!({
            "specversion": "1.0",
            "id": format!("{}-{nanos}", self.kind),
            "type": self.kind,
            "source": self.source,
            "time": now.to_rfc3339(),
            "datacontenttype": "application/json",
            "data": {"projectName": project, "state": self.state, "resource": self.resource},
        })
    }
}

/// An event as the service documents it: by default of the usual resource of its type in its usual
/// state.
pub fn made(
    kind: &str,
    project: &str,
    source: Option<String>,
    state: Option<String>,
) -> Result<Value> {
    let usual = USUAL.iter().find(|(name, ..)| kind.ends_with(name));
    let source = match (source, usual) {
        (Some(source), _) => source,
        (None, Some((_, below, _))) => format!("/api/v1/projects/{project}/{below}"),
        (None, None) => return Err(Failure::usage("name the resource with --source")),
    };
    let of = resource_at(&source);
    let state = state.or_else(|| usual.map(|(.., state)| (*state).to_owned()));
    let state = known_state(of, state.unwrap_or_default())?;
    let mut resource = Value::Null;
    let name = source.rsplit('/').next().unwrap_or_default();
    let list = of.and_then(|of| of.list.as_ref());
    let name_place = list.map_or("/name", |list| list.name_pointer);
    let state_place = of.map_or("", |of| of.state_pointer);
    for (place, value) in [(name_place, name), (state_place, &*state)] {
        if !place.is_empty() {
            path::put(&mut resource, place, json!(value)).map_err(Failure::usage)?;
        }
    }
    let (source, state) = (&*source, Some(&*state));
    Ok(Told {
        kind,
        source,
        state,
        resource,
    }
    .envelope())
}

/// The state as the service writes it.
fn known_state(of: Option<&Resource>, state: String) -> Result<String> {
    let Some(of) = of else {
        return Ok(state);
    };
    let known = of.states.iter().map(|(name, _)| *name);
    let found = known
        .clone()
        .find(|known| known.eq_ignore_ascii_case(&state));
    found.map(str::to_owned).ok_or_else(|| {
        let names: Vec<&str> = known.filter(|name| !name.is_empty()).collect();
        Failure::usage(format!("a {} has no state `{state}`", of.name))
            .hint(format!("name one with --state: {}", names.join(", ")))
    })
}

/// An event that is rebuilt from its delivery in the history, and from the resource.
pub async fn rebuilt(session: &Session, client: &Client, told: &Value) -> Value {
    let (kind, source) = (path::text(told, "type"), path::text(told, "source"));
    let response = client.request(Method::GET, place(&source)).send().await;
    let resource: Value = match response {
        Ok(response) => response.into_inner(),
        Err(error) => {
            session.tell(format!("{source}: {}", Failure::from(error)));
            Value::Null
        }
    };
    let pointer = resource_at(&source).map_or("", |of| of.state_pointer);
    let state = resource.pointer(pointer).and_then(Value::as_str);
    let state = state.map(str::to_owned);
    let told = Told {
        kind: &kind,
        source: &source,
        state: state.as_deref(),
        resource,
    };
    let mut made = told.envelope();
    made["mkiorebuilt"] = json!(true);
    made
}

/// Hides the secrets of the resource; of a resource that no document describes, all of it.
pub fn mask(event: &mut Value) {
    let source = path::text(event, "source");
    let Some(resource) = event.pointer_mut("/data/resource") else {
        return;
    };
    match reads(&source) {
        Some(entry) => entry.mask(resource),
        None if resource.is_null() => {}
        None => *resource = json!("***"),
    }
}

#[cfg(test)]
mod tests {
    use mkio::webhook::Event;

    use super::*;

    /// Every type, with every state of its resource.
    #[test]
    fn all_events_are_made_in_all_states() {
        let mut states = 0;
        for kind in EventType::KNOWN {
            let usual = made(kind, "p", None, None).unwrap();
            let event = Event::from_json(usual.to_string().as_bytes()).unwrap();
            assert_eq!(event.kind.as_str(), *kind);
            assert!(event.resource().is_ok(), "{usual}");
            let of = resource_at(&event.source).expect("a resource with a state");
            assert!(of.events, "{}", of.name);
            for (state, _) in of.states {
                let one = made(kind, "p", None, Some(state.to_lowercase())).unwrap();
                let event = Event::from_json(one.to_string().as_bytes()).unwrap();
                assert_eq!(event.data.state.as_deref(), Some(*state), "{kind}");
                assert_eq!(
                    one["data"]["resource"].pointer(of.state_pointer),
                    Some(&json!(state))
                );
                states += 1;
            }
        }
        assert!(states > 40, "{states}");
    }

    /// All resources of `states.yaml` that have events, at a path of their own.
    #[test]
    fn every_resource_with_events_is_a_source() {
        let of = kinds::waitable();
        let with_events = of.iter().filter(|(_, of)| of.events);
        let mut seen = 0;
        for (word, of) in with_events {
            let path = of.item.expect("it can be read").path;
            let source = path.replace(['{', '}'], "");
            let (state, _) = of.states[of.states.len() - 1];
            let kind = "MediaKind.ChannelInstanceError";
            let one = made(kind, "p", Some(source), Some(state.to_owned())).unwrap();
            assert_eq!(one["data"]["state"], state, "{word}");
            seen += 1;
        }
        assert!(seen >= 9, "{seen}");
        let wrong = made(
            "MediaKind.JobFinished",
            "p",
            None,
            Some("Running".to_owned()),
        );
        let told = wrong.unwrap_err().to_string();
        assert!(told.contains("Canceled"), "{told}");
    }

    #[test]
    fn secrets_of_resources_are_hidden() {
        let source = "/projects/p/transforms/t/jobs/j";
        let entry = reads(source).expect("get_job");
        assert_eq!(entry.id(), "get_job");
        let place = "/api/v1/projects/p/live/liveChannels/c";
        assert_eq!(reads(place).map(Entry::id), Some("get_live_channel"));
        let of = kinds::all()
            .into_iter()
            .find(|of| !of.get.secrets().is_empty());
        let of = of.expect("some kind has secrets").get;
        let mut event = json!({"source": of.operation.path.replace(['{', '}'], ""), "data": {}});
        let mut resource = Value::Null;
        let secret = of.secrets().remove(0).replace('*', "x");
        path::put(&mut resource, &secret, json!("canary")).unwrap();
        event["data"]["resource"] = resource;
        mask(&mut event);
        assert!(!event.to_string().contains("canary"), "{event}");
        let mut unknown = json!({"source": "/what/ever", "data": {"resource": {"key": "canary"}}});
        mask(&mut unknown);
        assert!(!unknown.to_string().contains("canary"), "{unknown}");
    }
}
