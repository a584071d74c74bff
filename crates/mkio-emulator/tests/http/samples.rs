//! One resource of each kind, in the order in which they depend on each other, with its rows of the published matrices.

use crate::common::Caller;
use serde_json::{Value, json};

/// Statuses of PUT: for a new one, and for one that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// 201, then 200.
    Upsert,
    /// 201, then 409.
    CreateOnly,
    /// 200, then 409: live events of the Media API.
    OkOnly,
    /// 200 both times: channels of a device.
    Replace,
}

impl Put {
    pub fn first(self) -> u16 {
        match self {
            Self::Upsert | Self::CreateOnly => 201,
            Self::OkOnly | Self::Replace => 200,
        }
    }

    pub fn again(self) -> u16 {
        match self {
            Self::Upsert | Self::Replace => 200,
            Self::CreateOnly | Self::OkOnly => 409,
        }
    }
}

/// Statuses of DELETE: for one that exists, and for one that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delete {
    /// 200, then 204.
    Told,
    /// 204 both times.
    Silent,
    /// 204, then 404: channels of a device.
    Device,
}

impl Delete {
    pub fn first(self) -> u16 {
        match self {
            Self::Told => 200,
            Self::Silent | Self::Device => 204,
        }
    }

    pub fn absent(self) -> u16 {
        match self {
            Self::Told | Self::Silent => 204,
            Self::Device => 404,
        }
    }
}

/// A resource.
pub struct Sample {
    /// Where it is, below the project or from the root.
    pub path: &'static str,
    /// The body of its PUT.
    pub body: Value,
    /// The statuses of its PUT.
    pub put: Put,
    /// The statuses of its DELETE.
    pub delete: Delete,
    /// A change that PATCH takes, where there is a PATCH.
    pub patch: Option<Value>,
    /// Whether `…/state` exists.
    pub state: bool,
}

impl Sample {
    fn new(path: &'static str, put: Put, body: Value) -> Self {
        Self {
            path,
            body,
            put,
            delete: Delete::Told,
            patch: None,
            state: false,
        }
    }

    fn patch(mut self, patch: Value) -> Self {
        self.patch = Some(patch);
        self
    }

    fn state(mut self) -> Self {
        self.state = true;
        self
    }

    fn delete(mut self, delete: Delete) -> Self {
        self.delete = delete;
        self
    }

    /// The collection it is in.
    pub fn collection(&self) -> &'static str {
        let path = self.path.trim_end_matches('/');
        match path.rsplit_once('/') {
            Some((collection, _)) if self.path.ends_with('/') => &self.path[..=collection.len()],
            Some((collection, _)) => collection,
            None => path,
        }
    }
}

/// `metadata` with a name to show and a label.
pub fn shown() -> Value {
    json!({ "displayName": "Shown", "labels": { "studio": "north" } })
}

/// A window of a scheduled operation, in minutes from now.
pub fn window(caller: &Caller, from: i64, to: i64) -> Value {
    let at = |minutes: i64| {
        (caller.emulator.control().now() + chrono::TimeDelta::minutes(minutes))
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    json!({ "spec": {
        "type": "MediaKind.ScheduledOperation.StartStop", "startTime": at(from), "endTime": at(to), "correlationData": {},
    } })
}

/// A flow whose configuration is `templating/configs/encodingLive/cfg`.
pub fn flow(kind: &str) -> Value {
    json!({ "metadata": shown(), "spec": {
        "state": "Stopped", "siteName": "studio", "inputs": [{ "contentName": "news", "transformInput": "main" }],
        "outputs": [{ "destinationName": "target" }],
        "transform": { "type": kind, "assetName": "film", "encodingLive": { "configRef": { "name": "cfg", "version": "latest" } } },
    } })
}

/// All of them.
pub fn all(caller: &Caller) -> Vec<Sample> {
    use Put::{CreateOnly, OkOnly, Replace, Upsert};
    let filter = json!({ "properties": { "firstQuality": { "bitrate": 128_000 } } });
    let metadata = json!({ "metadata": { "displayName": "Changed" } });
    let clear_key = json!({ "properties": { "description": "d", "options": [{
        "configuration": { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
        "restriction": { "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" },
    }] } });
    let mut all = vec![
        Sample::new("media/storage/disk", Upsert, json!({ "spec": {
            "type": "Microsoft.Storage", "url": "https://disk.example.com", "description": "d", "credential": { "sasToken": "?sv=1&sig=x" },
        } }))
        .patch(json!({ "spec": { "type": "Microsoft.Storage", "description": "changed" } }))
        .delete(Delete::Silent),
        Sample::new("media/assets/film", Upsert, json!({ "labels": { "studio": "north" }, "properties": {
            "storageAccountName": "disk", "container": "container-film", "subPath": "sub/path", "alternateId": "other", "description": "d",
        } }))
        .state(),
        Sample::new("media/accountFilters/low", Upsert, filter.clone()),
        Sample::new("media/assets/film/assetFilters/sound", Upsert, filter),
        Sample::new("infra/networks/lan", CreateOnly, json!({ "metadata": shown(), "spec": {} })).patch(metadata.clone()),
        Sample::new("infra/sites/studio", CreateOnly, json!({ "metadata": shown(), "spec": { "routes": [{ "networkName": "lan" }] } }))
            .patch(json!({ "spec": { "routes": [{ "networkName": "world" }] } })),
        Sample::new("media/content/news", CreateOnly, json!({ "metadata": shown() })).patch(metadata.clone()),
        Sample::new("media/sources/source", CreateOnly, json!({ "metadata": shown(), "spec": {
            "contentName": "news", "networkName": "lan", "transport": { "type": "SRTListener", "port": 5000 },
        } }))
        .patch(json!({ "spec": { "transport": { "allowList": ["192.0.2.1"] } } })),
        Sample::new("media/destinations/target", CreateOnly, json!({ "metadata": shown(), "spec": {
            "networkName": "lan", "transport": { "type": "SRTCaller", "url": "srt://127.0.0.1:1" },
        } }))
        .patch(metadata.clone()),
        Sample::new("media/contentKeyPolicies/keys", CreateOnly, clear_key)
            .patch(json!({ "properties": { "description": "changed" } }))
            .state(),
        Sample::new("media/streamingPolicies/open", Upsert, json!({ "properties": {
            "noEncryption": { "enabledProtocols": { "dash": true, "hls": true, "smoothStreaming": false, "download": false } },
        } })),
        Sample::new("media/streamingLocators/play", Upsert, json!({ "properties": {
            "assetName": "film", "streamingPolicyName": "open", "startTime": "2024-01-01T00:00:00Z", "endTime": "2999-01-01T00:00:00Z",
        } }))
        .state(),
        Sample::new("media/streamingEndpoints/front", CreateOnly, json!({ "location": "eastus", "properties": { "scaleUnits": 1, "description": "d" } }))
            .patch(json!({ "properties": { "description": "changed" } }))
            .state(),
        Sample::new("media/transforms/encode", Upsert, json!({ "properties": { "outputs": [{ "preset": {
            "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p",
        } }] } })),
        Sample::new("media/transforms/encode/jobs/job", CreateOnly, json!({ "properties": {
            "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "film" },
            "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "film" }],
        } }))
        .patch(json!({ "properties": { "priority": "High" } }))
        .state(),
        Sample::new("media/liveEvents/match", OkOnly, json!({ "tags": { "studio": "north" }, "properties": {
            "description": "d", "useStaticHostname": false, "encoding": { "encodingType": "PassthroughBasic" },
            "input": { "streamingProtocol": "RTMP" }, "streamOptions": [],
        } }))
        .patch(json!({ "properties": { "pipeline": { "name": "Predefined_Transcribe" } } }))
        .state(),
        Sample::new("media/liveEvents/match/liveOutputs/record", CreateOnly, json!({ "properties": {
            "assetName": "film", "archiveWindowLength": "PT4H", "description": "d",
        } }))
        .state(),
        Sample::new("fleet/devices/beam", CreateOnly, json!({ "metadata": shown(), "spec": {
            "shortCode": "abcd1234", "siteName": "studio", "availableNetworks": [{ "networkName": "lan", "interfaceName": "eth0" }],
        } }))
        .patch(metadata.clone()),
        Sample::new("templating/configs/encodingLive/cfg", Upsert, json!({ "metadata": { "labels": { "studio": "north" }, "tags": ["first"] }, "spec": {
            "config": {}, "parameters": [],
        } })),
        Sample::new("webhook/rules/hook", Upsert, json!({ "spec": {
            "url": "http://127.0.0.1:9/hook", "enabled": false, "events": ["MediaKind.JobFinished"],
        } })),
        Sample::new("/api/v1/organization/teams/ops", Upsert, json!({ "spec": { "members": {}, "scopes": {} } }))
            .patch(json!([{ "op": "add", "path": "/spec/description", "value": "changed" }]))
            .delete(Delete::Silent),
        Sample::new("/api/channels/one/", Replace, json!({
            "kind": "BeamChannel", "metadata": { "name": "one", "displayName": "One" },
            "spec": { "type": "EncodingDistribution", "state": "Stopped", "outputs": [], "inputs": [
                { "type": "SDI", "name": "input_1", "transport": { "url": "sdi://localhost/1/0" } },
            ] },
        }))
        .patch(json!({ "metadata": { "displayName": "Changed" } }))
        .delete(Delete::Device),
    ];
    for (path, operation, kind) in [
        (
            "live/liveChannels/flow1",
            "live/liveChannels/flow1/scheduledOperations/op",
            "LiveChannel",
        ),
        (
            "live/liveEvents/flow2",
            "live/liveEvents/flow2/scheduledOperations/op",
            "LiveEvent",
        ),
        (
            "live/staticMultiviewChannels/flow3",
            "live/staticMultiviewChannels/flow3/scheduledOperations/op",
            "StaticMultiviewChannel",
        ),
        (
            "live/staticMultiviewEvents/flow4",
            "live/staticMultiviewEvents/flow4/scheduledOperations/op",
            "StaticMultiviewEvent",
        ),
    ] {
        all.push(
            Sample::new(path, Upsert, flow(kind))
                .patch(metadata.clone())
                .state(),
        );
        all.push(Sample::new(operation, Upsert, window(caller, 1_000, 1_010)));
    }
    all
}

/// The one at a path.
#[track_caller]
pub fn at<'a>(all: &'a [Sample], path: &str) -> &'a Sample {
    match all.iter().find(|sample| sample.path == path) {
        Some(sample) => sample,
        None => panic!("there is no sample at {path}"),
    }
}

/// Makes all of them.
pub async fn make(caller: &Caller) -> Vec<Sample> {
    let all = all(caller);
    for sample in &all {
        let made = caller.put(sample.path, sample.body.clone()).await;
        assert_eq!(
            made.status,
            sample.put.first(),
            "{}: {}",
            sample.path,
            made.body
        );
    }
    all
}
