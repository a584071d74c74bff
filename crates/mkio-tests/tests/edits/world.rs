//! A project with one resource of each kind that can be edited, with most of what it can hold.

use mkio::{Client, reqwest::Method};
use mkio_emulator::Emulator;
use serde_json::{Map, Value, json};

/// Texts that JSON, URLs and merges could trip over.
const TEXTS: [&str; 10] = [
    "plain",
    "Übersicht 東京",
    "it's \"so\"",
    "a/b\\c~1",
    "100% & more",
    " spaces ",
    "🎬",
    "null",
    "0",
    "line\nbreak",
];

/// Values of labels, which have letters, digits and little else.
const VALUES: [&str; 4] = ["plain", "with space", "a-b_c", "0"];

/// Values that are the same in every run of a seed.
pub struct Chance(usize);

impl Chance {
    pub fn new(seed: usize) -> Self {
        Self(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        // The constants of a well-known linear congruential generator.
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % end
    }

    fn text(&mut self) -> &'static str {
        TEXTS[self.below(TEXTS.len())]
    }

    fn number(&mut self, from: usize, below: usize) -> usize {
        from + self.below(below - from)
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Leaves out some of the members that need not be there.
    fn some(&mut self, mut all: Value, optional: &[&str]) -> Value {
        if let Some(members) = all.as_object_mut() {
            members.retain(|name, _| !optional.contains(&name.as_str()) || self.flag());
        }
        all
    }

    fn labels(&mut self) -> Value {
        let count = self.below(3);
        let labels = (0..count).map(|n| (format!("key{n}"), json!(VALUES[self.below(4)])));
        labels.collect::<Map<_, _>>().into()
    }

    fn metadata(&mut self) -> Value {
        let all = json!({ "displayName": self.text(), "description": self.text(), "labels": self.labels() });
        self.some(all, &["description", "labels"])
    }
}

/// Starts an emulator whose project has all of it; it runs as long as the first of the two lives.
pub async fn make(chance: &mut Chance) -> anyhow::Result<(Emulator, Client)> {
    let emulator = Emulator::builder().project("demo").start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .api_base_url("channels", emulator.base_url())
        .token(emulator.token())
        .project("demo")
        .build()?;
    let all = [
        storage(chance),
        media(chance),
        live(chance, &emulator),
        rest(chance),
    ];
    for (path, body) in all.concat() {
        let path = match path.strip_prefix('/') {
            Some(_) => path.to_owned(),
            None => format!("/api/v1/projects/demo/{path}"),
        };
        let put = client.request(Method::PUT, &path).json(&body).send().await;
        put.map_err(|error| anyhow::anyhow!("{path}: {error}: {body}"))?;
    }
    Ok((emulator, client))
}

type Bodies = Vec<(&'static str, Value)>;

fn storage(chance: &mut Chance) -> Bodies {
    vec![
        (
            "media/storage/disk",
            json!({ "spec": {
            "type": "Microsoft.Storage", "url": "https://disk.example.com",
            "description": chance.text(), "credential": { "sasToken": "?sv=1&sig=x" },
        } }),
        ),
        (
            "media/assets/film",
            json!({ "labels": chance.labels(), "properties": {
            "storageAccountName": "disk", "container": "container-film", "subPath": "sub/path",
            "alternateId": chance.text(), "description": chance.text(),
        } }),
        ),
        ("media/accountFilters/low", filter(chance)),
        ("media/assets/film/assetFilters/sound", filter(chance)),
    ]
}

fn filter(chance: &mut Chance) -> Value {
    let range = json!({
        "startTimestamp": chance.number(0, 20_000_000), "timescale": 10_000_000,
        "endTimestamp": chance.number(30_000_000, 90_000_000),
    });
    let tracks = json!([
        { "trackSelections": [
            { "property": "Type", "operation": "Equal", "value": "Audio" },
            { "property": "Language", "operation": chance.one(&["Equal", "NotEqual"]), "value": "en" },
        ] },
        { "trackSelections": [{ "property": "Type", "operation": "Equal", "value": "Video" }] },
    ]);
    let properties = json!({
        "firstQuality": { "bitrate": chance.number(1, 5_000_000) },
        "presentationTimeRange": range, "tracks": tracks,
    });
    json!({ "properties": chance.some(properties, &["firstQuality", "presentationTimeRange", "tracks"]) })
}

fn media(chance: &mut Chance) -> Bodies {
    let open = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" });
    let clear = json!({ "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" });
    vec![
        (
            "infra/networks/lan",
            json!({ "metadata": chance.metadata(), "spec": {} }),
        ),
        (
            "infra/sites/studio",
            json!({ "metadata": chance.metadata(), "spec": {
            "routes": [{ "networkName": "lan" }],
        } }),
        ),
        (
            "media/content/news",
            json!({ "metadata": chance.metadata() }),
        ),
        (
            "media/sources/source",
            json!({ "metadata": chance.metadata(), "spec": {
            "contentName": "news", "networkName": "lan",
            "transport": { "type": "SRTListener", "port": chance.number(5000, 6000) },
        } }),
        ),
        (
            "media/destinations/target",
            json!({ "metadata": chance.metadata(), "spec": {
            "networkName": "lan", "transport": { "type": "SRTCaller", "url": "srt://127.0.0.1:1" },
        } }),
        ),
        (
            "media/contentKeyPolicies/keys",
            json!({ "properties": {
            "description": chance.text(),
            "options": [
                { "name": "first", "configuration": clear, "restriction": open },
                { "name": "second", "configuration": clear, "restriction": open },
            ],
        } }),
        ),
        (
            "media/streamingPolicies/open",
            json!({ "properties": { "noEncryption": {
            "enabledProtocols": {
                "dash": chance.flag(), "hls": chance.flag(), "smoothStreaming": chance.flag(),
                "download": chance.flag(),
            },
        } } }),
        ),
        (
            "media/streamingLocators/play",
            json!({ "properties": {
            "assetName": "film", "streamingPolicyName": "open",
            "startTime": "2024-01-01T00:00:00Z", "endTime": "2999-01-01T00:00:00Z",
        } }),
        ),
        (
            "media/streamingEndpoints/front",
            json!({
                "location": "eastus", "tags": chance.labels(),
                "properties": { "scaleUnits": chance.number(1, 5), "description": chance.text() },
            }),
        ),
        (
            "media/transforms/encode",
            json!({ "properties": {
            "description": chance.text(),
            "outputs": [
                { "relativePriority": chance.one(&["Low", "Normal", "High"]), "preset": {
                    "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset",
                    "presetName": chance.one(&["H264SingleBitrate720p", "H264SingleBitrate1080p"]),
                } },
            ],
        } }),
        ),
        (
            "media/transforms/encode/jobs/job",
            json!({ "properties": {
            "description": chance.text(), "priority": chance.one(&["Low", "Normal", "High"]), "correlationData": { "order": "7" },
            "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "film" },
            "outputs": [
                { "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "film" },
            ],
        } }),
        ),
        (
            "media/liveEvents/match",
            json!({ "tags": chance.labels(), "properties": {
            "description": chance.text(), "useStaticHostname": chance.flag(), "streamOptions": [],
            "encoding": { "encodingType": "PassthroughBasic" },
            "input": { "streamingProtocol": "RTMP" },
        } }),
        ),
    ]
}

fn live(chance: &mut Chance, emulator: &Emulator) -> Bodies {
    let at = |minutes: i64| {
        (emulator.control().now() + chrono::TimeDelta::minutes(minutes))
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let mut all = vec![(
        "templating/configs/encodingLive/cfg",
        json!({
            "metadata": { "labels": chance.labels(), "tags": ["first", "second"] },
            "spec": { "config": { "a": { "b": [1, null, chance.text()] } }, "parameters": [] },
        }),
    )];
    for (path, schedule, kind) in [
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
        all.push((
            path,
            json!({ "metadata": chance.metadata(), "spec": {
            "state": "Stopped", "siteName": "studio",
            "inputs": [{ "contentName": "news", "transformInput": "main" }],
            "outputs": [{ "destinationName": "target" }],
            "transform": { "type": kind, "assetName": "film", "encodingLive": {
                "configRef": { "name": "cfg", "version": "latest" },
            } },
        } }),
        ));
        all.push((
            schedule,
            json!({ "spec": {
            "type": "MediaKind.ScheduledOperation.StartStop",
            "startTime": at(1_000), "endTime": at(1_010),
            "correlationData": { "order": chance.text() },
        } }),
        ));
    }
    all
}

fn rest(chance: &mut Chance) -> Bodies {
    vec![
        (
            "fleet/devices/beam",
            json!({ "metadata": chance.metadata(), "spec": {
            "shortCode": "abcd1234", "siteName": "studio",
            "availableNetworks": [{ "networkName": "lan", "interfaceName": "eth0" }],
        } }),
        ),
        (
            "webhook/rules/hook",
            json!({ "spec": {
            "url": "http://127.0.0.1:9/hook", "enabled": false, "events": ["MediaKind.JobFinished"],
        } }),
        ),
        (
            "/api/v1/organization/teams/ops",
            json!({ "spec": {
            "description": chance.text(), "members": {}, "scopes": {},
        } }),
        ),
        (
            "/api/channels/one/",
            json!({
                "kind": "BeamChannel", "metadata": { "name": "one", "displayName": chance.text() },
                "spec": { "type": "EncodingDistribution", "state": "Stopped", "outputs": [], "inputs": [
                    { "type": "SDI", "name": "input_1", "transport": { "url": "sdi://localhost/1/0" } },
                ] },
            }),
        ),
    ]
}
