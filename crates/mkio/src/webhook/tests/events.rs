//! Events as values.

use super::*;

#[test]
fn reads_each_of_the_ten_types_and_those_to_come() {
    assert_eq!(EventType::KNOWN.len(), 10);
    for name in EventType::KNOWN.iter().chain(&["MediaKind.JobPaused"]) {
        let mut json = event("1");
        json["type"] = json!(name);
        json["traceparent"] = json!("00-1");
        json["data"]["reason"] = json!({"code": 7});
        let event = Event::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(event.kind.as_str(), *name);
        assert_eq!(event.data.state.as_deref(), Some("Finished"));
        assert_eq!(event.extensions["traceparent"], "00-1");
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
    }
}

#[test]
fn reads_what_lacks_nearly_everything() {
    for text in ["{}", r#"{"data": null}"#, r#"{"data": {"resource": null}}"#] {
        let event = Event::from_json(text.as_bytes()).unwrap();
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("", ""));
        assert!(event.resource().unwrap().is_none());
        assert_eq!(serde_json::to_string(&event).unwrap(), "{}");
    }
    assert!(Event::from_json(b"\xef\xbb\xbf{}").is_ok());
    for text in [
        "",
        "[]",
        "7",
        "null",
        "{",
        r#"{"id": "1"} x"#,
        r#"{"id": "1"}{}"#,
    ] {
        let error = Event::from_json(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), mkio_core::ErrorKind::Decode, "{text}");
    }
    // What the body holds may be secret.
    let error = Event::from_json(br#""hunter2""#).unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

/// A member of another type than it should have loses nothing, least of all the event.
#[test]
fn odd_members_survive() {
    let mut plain = event("1");
    for (member, odd) in [
        ("/id", json!(7)),
        ("/id", json!(1e3)),
        ("/id", json!({"a": [1]})),
        ("/type", json!(["MediaKind.JobFinished"])),
        ("/source", json!({"path": "/x"})),
        ("/time", json!(1_772_359_200)),
        ("/specversion", json!(1.0)),
        ("/datacontenttype", json!(false)),
        ("/data", json!("text")),
        ("/data", json!([1, 2])),
        ("/data/projectName", json!(1)),
        ("/data/previousState", json!({})),
        ("/data/state", json!(7)),
        ("/data/resource", json!("a name")),
    ] {
        let mut json = plain.clone();
        *json.pointer_mut(member).unwrap() = odd.clone();
        let event = Event::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), json, "{member}");
        if member != "/type" {
            assert_eq!(event.kind, EventType::JobFinished);
        }
        if member == "/id" {
            assert_eq!(event.id, odd.to_string());
        }
        // Whatever it is, it can be given to the waits.
        let _ = mkio_core::wait::StateEvent::from(&event);
    }
    plain["id"] = json!(null);
    let event = Event::from_json(plain.to_string().as_bytes()).unwrap();
    assert_eq!(event.id, "");
}

#[cfg(all(feature = "media", feature = "live"))]
#[test]
fn the_resource_has_its_type() {
    use super::super::EventResource;

    let read = |kind: &str, source: &str| {
        let mut json = event("1");
        json["type"] = json!(kind);
        json["source"] = json!(format!("/api/v1/projects/acme/{source}"));
        let event = Event::from_json(json.to_string().as_bytes()).unwrap();
        event.resource().unwrap().unwrap()
    };
    let EventResource::Job(job) = read("MediaKind.JobFinished", "transforms/h264/jobs/j") else {
        panic!("not a job");
    };
    assert_eq!(job.name.as_deref(), Some("job-1"));
    assert!(matches!(
        read(
            "MediaKind.StreamingLocatorCreated",
            "media/streamingLocators/l"
        ),
        EventResource::StreamingLocator(_)
    ));
    assert!(matches!(
        read(
            "MediaKind.ScheduledOperationError",
            "live/liveEvents/e/scheduledOperations/o"
        ),
        EventResource::ScheduledOperation(_)
    ));
    let channel = |source| read("MediaKind.ChannelInstanceStarted", source);
    assert!(matches!(
        channel("live/liveChannels/c"),
        EventResource::Flow(_)
    ));
    assert!(matches!(
        channel("live/liveEvents/e"),
        EventResource::Flow(_)
    ));
    assert!(matches!(
        channel("media/liveEvents/e"),
        EventResource::LiveEvent(_)
    ));
    // The projects' names say nothing.
    for (source, live) in [
        ("/api/v1/projects/media/live/liveEvents/e", true),
        ("/api/v1/projects/live/media/liveEvents/e?x=/live/", false),
    ] {
        let mut json = event("1");
        json["type"] = json!("MediaKind.ChannelInstanceStopped");
        json["source"] = json!(source);
        let event = Event::from_json(json.to_string().as_bytes()).unwrap();
        let resource = event.resource().unwrap().unwrap();
        assert_eq!(matches!(resource, EventResource::Flow(_)), live, "{source}");
        assert_eq!(matches!(resource, EventResource::LiveEvent(_)), !live);
    }
    // A type that is not known says nothing either, a type that is says it all.
    assert!(matches!(
        read("MediaKind.JobPaused", "somewhere/else"),
        EventResource::Other(_)
    ));
    assert!(matches!(
        read("MediaKind.ScheduledOperationOngoing", ""),
        EventResource::ScheduledOperation(_)
    ));
}

/// Channel events are not documented: where the source does not say which API it is, the form of the
/// resource does.
#[cfg(all(feature = "media", feature = "live"))]
#[test]
fn a_channel_is_known_by_its_form() {
    use super::super::EventResource;

    let read = |source: &str, resource: Value| {
        let mut json = event("1");
        json["type"] = json!("MediaKind.ChannelInstanceError");
        json["source"] = json!(source);
        json["data"]["resource"] = resource;
        let event = Event::from_json(json.to_string().as_bytes()).unwrap();
        event.resource().unwrap().unwrap()
    };
    let media = json!({"name": "e", "properties": {"resourceState": "Error"}});
    let live = json!({"metadata": {"name": "e"}, "spec": {}, "status": {"state": "Error"}});
    for source in ["/api/v1/projects/acme/liveEvents/e", "e", ""] {
        let EventResource::LiveEvent(event) = read(source, media.clone()) else {
            panic!("{source}");
        };
        assert_eq!(event.name.as_deref(), Some("e"));
        assert!(
            matches!(read(source, live.clone()), EventResource::Flow(_)),
            "{source}"
        );
        for neither in [json!({}), json!("e"), json!({"properties": {}, "spec": {}})] {
            assert!(
                matches!(read(source, neither), EventResource::Other(_)),
                "{source}"
            );
        }
    }
}

#[test]
fn a_resource_that_does_not_decode_is_not_lost() {
    #[derive(Debug, serde::Deserialize)]
    struct Mine {
        #[serde(rename = "name")]
        _name: u32,
    }
    let event = Event::from_json(event("1").to_string().as_bytes()).unwrap();
    let error = event.resource_as::<Mine>().unwrap_err();
    assert_eq!(error.json_path(), Some("data.resource.name"));
    assert_eq!(
        event.resource_as::<Value>().unwrap().unwrap()["name"],
        "job-1"
    );
}

#[test]
fn debug_shows_no_secret_and_no_resource() {
    let mut json = event("1");
    json["data"]["resource"]["accessToken"] = json!("hunter2");
    json["token"] = json!("hunter2");
    let event = Event::from_json(json.to_string().as_bytes()).unwrap();
    let mut shown = format!("{event:?} {:?} {:?}", event.state_event(), builder());
    shown += &format!("{:?}", builder().build().unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("horse"),
        "{shown}"
    );
}
