//! Types: reading without chains, bodies that cannot be made wrongly.

use mkio::{
    ErrorKind, Nullable, StateRef,
    live::types::{
        ConfigRef, DefaultMetadata as LiveMetadata, Flow, ScheduledOperationStartStopSpec,
    },
    media::types::*,
};
use mkio_httpmock::httpmock::MockServer;
use serde_json::{Value, json, to_value};

use super::{body, media, mocked};

fn read<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("readable")
}

#[test]
fn what_is_read_has_a_method_for_each_field() {
    let job: Job = read(json!({"name": "job-1", "properties": {
        "state": "Processing", "created": "2026-01-01T00:00:00Z",
        "outputs": [{"@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "out", "progress": 40}],
        "correlationData": {"ticket": "7"},
    }}));
    assert_eq!(job.name(), Some("job-1"));
    assert_eq!(job.properties().state(), Some(&JobState::Processing));
    assert_eq!(job.properties().correlation_data()["ticket"], "7");
    let [output] = job.properties().outputs() else {
        panic!("one output");
    };
    let output = output.as_asset().expect("an asset");
    assert_eq!(
        (output.asset_name(), output.progress()),
        (Some("out"), Some(40))
    );
    assert_eq!(output.error().message(), None);
}

#[test]
fn what_is_absent_reads_as_empty() {
    let job: Job = read(json!({}));
    assert_eq!(job.name(), None);
    assert_eq!(job.properties().state(), None);
    assert!(job.properties().outputs().is_empty());
    assert!(job.properties().correlation_data().is_empty());
    let paths: StreamingLocatorPaths = read(json!({}));
    assert!(paths.streaming_paths().is_empty());
}

#[test]
fn a_state_is_read_where_it_stands_and_compares_with_text() {
    let job: Job = read(json!({"properties": {"state": "Finished"}}));
    assert!(job.state() == Some(&JobState::Finished));
    assert!(job.state() == JobState::Finished);
    assert!(job.state() == "Finished");
    assert!(job.state() != "Error");
    assert_eq!(job.state().to_string(), "Finished");
    let flow: Flow = read(json!({"status": {"state": "StateOfTomorrow"}}));
    assert_eq!(flow.state(), "StateOfTomorrow");
    let none: Job = read(json!({"properties": {}}));
    assert_eq!(none.state(), StateRef::new(None));
}

/// The same type, whichever API is used: both may be imported side by side.
#[test]
fn apis_share_types() {
    let metadata: LiveMetadata = DefaultMetadata::new("studio");
    assert_eq!(
        to_value(metadata).unwrap(),
        json!({"displayName": "studio"})
    );
}

#[test]
fn members_and_envelopes_convert() {
    let converter =
        BuiltInAssetConverterPreset::new(AssetConverterPresetName::CopyTopBitrateInterleaved);
    let encoder = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    let outputs = [TransformOutput::new(converter.clone()), encoder.into()];
    let sent = |put: TransformPut| {
        let request = media()
            .create_or_update_transform("h264", put)
            .into_request();
        body(&request.expect("a request"))
    };
    let transform = sent(TransformPutProperties::new(outputs).into());
    let preset = |n: usize| transform["properties"]["outputs"][n]["preset"].clone();
    assert_eq!(
        preset(0)["@odata.type"],
        "#Microsoft.Media.BuiltInAssetConverterPreset"
    );
    assert_eq!(
        preset(1)["@odata.type"],
        "#Microsoft.Media.BuiltInStandardEncoderPreset"
    );
    // The other tag has a name of its own.
    let named = TransformPreset::built_in_asset_converter(converter);
    assert!(named.as_built_in_asset_converter().is_some());
    assert!(named.as_encoder().is_none());
    assert_eq!(
        to_value(named).unwrap()["@odata.type"],
        "#MediaKind.BuiltInAssetConverterPreset"
    );

    let request = media().create_or_update_asset("a", AssetPutProperties::new("storage1"));
    let asset = body(&request.into_request().expect("a request"));
    assert_eq!(
        asset,
        json!({"properties": {"storageAccountName": "storage1"}})
    );
}

#[test]
fn arguments_of_one_kind_have_names() {
    let key = ContentKeyPolicySymmetricTokenKey::new("c2VjcmV0");
    let restriction = ContentKeyPolicyTokenRestriction::new(key, RestrictionTokenType::Jwt)
        .audience("acme-players")
        .issuer("https://login.example/")
        .with_alternate_verification_keys(Vec::<ContentKeyPolicyTokenKey>::new());
    let json = to_value(restriction).unwrap();
    assert_eq!(
        (&json["audience"], &json["issuer"]),
        (&json!("acme-players"), &json!("https://login.example/"))
    );

    let config = ConfigRef::new().name("encoding").version("latest");
    assert_eq!(
        to_value(config).unwrap(),
        json!({"name": "encoding", "version": "latest"})
    );
    let range =
        ScheduledOperationStartStopSpec::new("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z");
    assert_eq!(
        range.start_time().map(|time| time.as_str()),
        Some("2026-01-01T10:00:00Z")
    );
}

/// Required lists and maps that are mostly empty are sent without being asked for; maps of any
/// content take pairs.
#[test]
fn what_may_be_empty_is_sent_empty() {
    let spec = ScheduledOperationStartStopSpec::new("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z");
    assert_eq!(
        to_value(&spec).unwrap()["correlationData"],
        json!({}),
        "the service requires it"
    );
    let spec = spec.with_correlation_data([("ticket", json!(7)), ("by", json!("ops"))]);
    assert_eq!(
        to_value(spec).unwrap()["correlationData"],
        json!({"ticket": 7, "by": "ops"})
    );
    let preset = EncoderPreset::new("custom", [("codec", "h264")]);
    assert_eq!(
        to_value(preset).unwrap()["config"],
        json!({"codec": "h264"})
    );
}

/// Constructors do not take members that the service fills in; required lists and flags are sent, even if empty or false.
#[test]
fn a_live_event_needs_neither_token_nor_tags() {
    let encoding = LiveEventEncoding::new(LiveEventEncodingType::from("PassthroughBasic"));
    let properties = LiveEventPutProperties::new(encoding, LiveEventInput::new());
    let event = to_value(LiveEventPut::from(properties.clone())).unwrap();
    assert_eq!(
        event,
        json!({"tags": {}, "properties": {
            "encoding": {"encodingType": "PassthroughBasic"}, "input": {},
            "streamOptions": [], "useStaticHostname": false,
        }})
    );
    let properties = properties
        .with_stream_options(["LowLatency"])
        .with_use_static_hostname(true);
    let event = to_value(LiveEventPut::new(properties).with_tags([("a", "b")])).unwrap();
    assert_eq!(event["tags"], json!({"a": "b"}));
    assert_eq!(event["properties"]["streamOptions"], json!(["LowLatency"]));
    assert_eq!(event["properties"]["useStaticHostname"], true);
}

#[test]
fn protocols_are_off_unless_they_are_turned_on() {
    let protocols = EnabledProtocols::new().with_dash(true);
    assert_eq!(
        to_value(protocols).unwrap(),
        json!({"dash": true, "download": false, "hls": false, "smoothStreaming": false})
    );
}

/// A change of the description does not send the scale units.
#[test]
fn a_patch_sends_what_changes_and_nothing_else() {
    let change = StreamingEndpointPropertiesPatch::new().with_description("new");
    let change = StreamingEndpointPatch::new().with_properties(change);
    let request = media()
        .update_streaming_endpoint("default", change)
        .into_request();
    assert_eq!(
        body(&request.expect("a request")),
        json!({"properties": {"description": "new"}})
    );
}

/// A PATCH with one field converts from that field, through any number of levels.
#[test]
fn a_patch_of_one_thing_is_made_of_it() {
    let change = ContentKeyPolicyPropertiesPatch::new().with_description("new");
    let request = media().update_content_key_policy("keys", change);
    let request = request.into_request().expect("a request");
    assert_eq!(
        body(&request),
        json!({"properties": {"description": "new"}})
    );

    let change = PipelineArgumentsPatch::new().with_name("captions");
    let request = media().update_live_event("match", change);
    let request = request.into_request().expect("a request");
    assert_eq!(
        body(&request),
        json!({"properties": {"pipeline": {"name": "captions"}}})
    );
}

/// `None` never removes a member; `null` has to be explicit.
#[test]
fn none_leaves_a_field_out() {
    let patch = |value: Nullable<String>| {
        to_value(StreamingEndpointPropertiesPatch::new().with_description(value)).unwrap()
    };
    assert_eq!(patch(None.into()), json!({}));
    assert_eq!(patch(Nullable::Null), json!({"description": null}));
}

#[test]
fn bodies_from_json_refuse_what_they_would_lose() {
    let asset =
        AssetPut::from_json(r#"{"properties": {"storageAccountName": "s", "description": "d"}}"#);
    assert_eq!(
        asset.unwrap(),
        AssetPutProperties::new("s").with_description("d").into()
    );
    let refused = |value: Value| {
        let error = TransformPut::from_json_value(value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        error.message().to_owned()
    };
    let output = |preset: Value| json!({"properties": {"outputs": [{"preset": preset}]}});
    let tag = "#Microsoft.Media.BuiltInStandardEncoderPreset";
    assert_eq!(
        refused(json!({"properties": {"outputs": [], "descripton": "x"}})),
        "properties.descripton: unknown field"
    );
    assert_eq!(
        refused(output(
            json!({"@odata.type": tag, "presetName": "a", "presetNme": "b"})
        )),
        "properties.outputs[0].preset.presetNme: unknown field"
    );
    // It must not slip into the variant for tags of tomorrow.
    let misfit = refused(output(json!({"@odata.type": tag, "presetName": [7]})));
    assert!(
        misfit.starts_with("properties.outputs[0].preset"),
        "{misfit}"
    );
    let tomorrow = output(json!({"@odata.type": "#MediaKind.PresetOfTomorrow", "x": 1}));
    let kept = TransformPut::from_json_value(tomorrow.clone()).expect("a tag of tomorrow");
    assert_eq!(to_value(kept).unwrap(), tomorrow);
}

#[tokio::test]
async fn a_response_keeps_what_the_type_does_not_know() {
    let server = MockServer::start_async().await;
    let asset = json!({"name": "a", "properties": {"description": "d", "tomorrow": [1]}});
    server.mock(|when, then| {
        when.method("GET");
        then.status(200).json_body(asset.clone());
    });
    let read = mocked(&server)
        .project("acme")
        .media()
        .get_asset("a")
        .send()
        .await
        .unwrap();
    assert_eq!(read.properties().description(), Some("d"));
    assert_eq!(read.json(), asset);
    assert_eq!(to_value(&read).unwrap(), asset);
    assert_eq!(read.http_status(), 200);
}
