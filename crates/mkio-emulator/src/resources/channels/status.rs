//! The status of the inputs and outputs of a channel.

use serde_json::{Map, Value, json};

use crate::base::{merge, read::Read, store::Resource};

fn each<'a>(
    channel: &'a Resource,
    side: &str,
) -> impl Iterator<Item = (String, &'a str, &'a Value)> {
    let items = channel.body.pointer(&format!("/spec/{side}"));
    let items = items.and_then(Value::as_array);
    items.into_iter().flatten().enumerate().map(|(at, item)| {
        let kind = item.text("/type").unwrap_or_default();
        (format!("{}-{at}", kind.to_lowercase()), kind, item)
    })
}

/// `status.inputs`. The names are the device's own, not those of the specification.
pub fn inputs(channel: &Resource, runs: bool) -> Vec<Value> {
    let input = |(name, kind, _): (String, &str, &Value)| {
        let url = format!(
            "/api/channels/{}/thumbnails/{name}/thumbnail.jpg",
            channel.name
        );
        let mut shown = json!({
            "name": name, "type": kind, "health": { "severity": "Clear" },
            "thumbnailPresence": if runs { "Present" } else { "Absent" }, "thumbnailUrl": runs.then_some(url),
        });
        if kind != "Unsynced" {
            let mut transport = json!({ "receiving": runs });
            if !matches!(kind, "SDI" | "Smpte2110") {
                let bitrate = if runs { 8_000_000 } else { 0 };
                merge::put(&mut transport, "/bitrate", json!(bitrate));
            }
            merge::put(&mut shown, "/transport", transport);
        }
        if runs {
            let video = json!({
                "width": 1920, "height": 1080, "resolution": "1920x1080", "frameRate": "25", "interlaced": false, "codec": "H264High",
                "bitrate": 7_500_000, "chromaFormat": "4:2:0", "bitDepth": 8, "aspectRatio": "16:9",
            });
            let audio = json!({ "name": "1", "codec": "AC3", "channelCount": 2, "channelMode": "Stereo", "language": "eng", "samplingRate": 48_000, "bitrate": 192_000 });
            merge::put(
                &mut shown,
                "/payload",
                json!({ "videoStandard": "1080p25", "video": video, "audios": [audio] }),
            );
        }
        shown
    };
    each(channel, "inputs").map(input).collect()
}

/// `status.outputs`: where they send to, and what they send while the channel runs.
pub fn outputs(channel: &Resource, runs: bool) -> Vec<Value> {
    let output = |(name, kind, item): (String, &str, &Value)| {
        let mut shown = json!({ "name": name, "type": kind, "health": { "severity": "Clear" } });
        match kind {
            "Smpte2110" => merge::put(
                &mut shown,
                "/transports",
                item.get("transports").cloned().unwrap_or(json!([])),
            ),
            "HttpStreaming" => {
                let url = |kind: &str, file: &str| json!({ "segmentationType": kind, "url": format!("http://localhost/{}/{file}", channel.name) });
                let endpoints = json!([url("HLSfMP4", "index.m3u8"), url("DASHfMP4", "index.mpd")]);
                merge::put(&mut shown, "/transport", json!({ "endpoints": endpoints }));
            }
            _ => {
                if let Some(transport) = item.get("transport").and_then(Value::as_object) {
                    merge::put(&mut shown, "/transport", sent(kind, transport, runs));
                }
            }
        }
        if runs
            && matches!(
                kind,
                "SRTCaller" | "SRTListener" | "UDP" | "ASI" | "RF" | "HttpStreaming"
            )
        {
            merge::put(&mut shown, "/payload", payload(channel));
        }
        shown
    };
    each(channel, "outputs").map(output).collect()
}

/// An output's transport in its status: the one of the specification, without the secret, with the connections.
fn sent(kind: &str, transport: &Map<String, Value>, runs: bool) -> Value {
    let mut shown = transport.clone();
    shown.remove("passPhrase");
    if kind.starts_with("SRT") {
        let connections = u8::from(runs);
        shown.insert("activeConnections".to_owned(), json!(connections));
    }
    Value::Object(shown)
}

/// The payload of an output: encoded by the channel, or passed on from its input.
fn payload(channel: &Resource) -> Value {
    let encoding = channel.body.pointer("/spec/transform/encoding");
    let format = encoding.and_then(|encoding| encoding.text("/video/videoFormat"));
    let format = format.unwrap_or("1920x1080p");
    let told =
        |field: &str| encoding.and_then(|encoding| encoding.pointer(&format!("/video/{field}")));
    let video = json!({
        "resolution": format.trim_end_matches(['i', 'p']), "interlaced": format.ends_with('i'), "frameRate": "25",
        "codec": told("codec").cloned().unwrap_or(json!("PassThrough")), "bitrate": told("bitrate").cloned().unwrap_or(json!(8_000_000)),
    });
    let audios = encoding.and_then(|encoding| encoding.get("audios")?.as_array());
    let audios: Vec<Value> = audios
        .into_iter()
        .flatten()
        .map(|audio| json!({ "codec": audio.get("codec"), "mode": audio.get("mode"), "bitrate": audio.get("bitrate") }))
        .collect();
    json!({ "video": video, "audios": audios })
}
