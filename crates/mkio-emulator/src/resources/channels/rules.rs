//! What the device demands of a channel beyond the schema of its document: one table, from the vendor's channel guide. These are rules of
//! the device's software, so they stand here and not in the world's file, which says what interfaces the device has.

use serde_json::Value;

use crate::base::read::Read;

/// Transports of encoded streams.
const STREAMS: &[&str] = &["SRTCaller", "SRTListener", "UDP", "ASI", "RF", "SatDemod"];
/// Transports of uncompressed pictures and sound.
const BASEBAND: &[&str] = &["SDI", "Smpte2110"];

/// How a type of channel processes its inputs.
#[derive(PartialEq, Eq)]
enum Transform {
    /// Encodes once.
    Encoding,
    /// Encodes in several qualities.
    Abr,
    /// Passes on, or decodes.
    None,
}

struct Type {
    name: &'static str,
    inputs: &'static [&'static str],
    outputs: &'static [&'static str],
    transform: Transform,
    /// Video codecs; all when empty.
    codecs: &'static [&'static str],
}

const TYPES: &[Type] = &[
    Type {
        name: "EncodingContribution",
        inputs: BASEBAND,
        outputs: STREAMS,
        transform: Transform::Encoding,
        codecs: &[
            "HEVCMain422",
            "HEVCMain10bit422",
            "H264High",
            "H264High422",
            "H264High10bit",
            "H264High10bit422",
            "MPEG2422",
            "JPEGXS",
            "JPEGXS10bit",
        ],
    },
    Type {
        name: "EncodingDistribution",
        inputs: BASEBAND,
        outputs: STREAMS,
        transform: Transform::Encoding,
        codecs: &["HEVCMain", "HEVCMain10bit", "H264High", "H264Main", "MPEG2"],
    },
    Type {
        name: "EncodingStreaming",
        inputs: BASEBAND,
        outputs: &["HttpStreaming"],
        transform: Transform::Abr,
        codecs: &[],
    },
    Type {
        name: "ReceptionDecoding",
        inputs: STREAMS,
        outputs: BASEBAND,
        transform: Transform::None,
        codecs: &[],
    },
    Type {
        name: "ReceptionGateway",
        inputs: STREAMS,
        outputs: STREAMS,
        transform: Transform::None,
        codecs: &[],
    },
];

/// Bits a second of video.
const VIDEO: std::ops::RangeInclusive<i64> = 100_000..=60_000_000;
/// The fewest bits a second of sound, by codec and mode.
const AUDIO: &[(&str, &str, i64)] = &[("AC3", "Stereo", 96_000), ("AC3", "Surround51", 224_000)];
/// Characters of a passphrase.
const PASS_PHRASE: std::ops::RangeInclusive<usize> = 10..=79;

type Findings = Vec<(String, String)>;

fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.text(at).unwrap_or_default()
}

fn each<'a>(value: &'a Value, at: &str) -> impl Iterator<Item = (String, &'a Value)> {
    let items = value.items(at);
    let at = at.to_owned();
    items
        .enumerate()
        .map(move |(index, item)| (format!("{at}/{index}"), item))
}

/// The rules that a channel breaks, `(pointer, reason)`. `channel` holds `/spec`.
pub fn broken(interfaces: &Value, channel: &Value) -> Findings {
    let mut found = Findings::new();
    let Some(kind) = TYPES
        .iter()
        .find(|kind| kind.name == text(channel, "/spec/type"))
    else {
        return found;
    };
    for (side, allowed) in [("inputs", kind.inputs), ("outputs", kind.outputs)] {
        for (at, item) in each(channel, &format!("/spec/{side}")) {
            let given = text(item, "/type");
            if given != "Unsynced" && !allowed.contains(&given) {
                let reason = format!(
                    "cannot be {given}: a channel of type {} has {side} of type {}",
                    kind.name,
                    allowed.join(", ")
                );
                found.push((format!("{at}/type"), reason));
            }
            connection(interfaces, &at, item, &mut found);
        }
    }
    transform(kind, channel, &mut found);
    found
}

/// Interfaces that are there, and secrets of the right length.
fn connection(interfaces: &Value, at: &str, item: &Value, found: &mut Findings) {
    let known = |list: &str, field: &str, wanted: &str| {
        each(interfaces, list).any(|(_, interface)| text(interface, field) == wanted)
    };
    let transports = std::iter::once((format!("{at}/transport"), item.get("transport"))).chain(
        each(item, "/transports").map(|(pointer, one)| (format!("{at}{pointer}"), Some(one))),
    );
    for (at, transport) in transports {
        let Some(transport) = transport else {
            continue;
        };
        let interface = text(transport, "/interface");
        if !interface.is_empty()
            && !known("/ip", "/name", interface)
            && !known("/st2110", "/name", interface)
        {
            found.push((
                format!("{at}/interface"),
                format!("the device has no network interface '{interface}'"),
            ));
        }
        let url = text(transport, "/url");
        for (scheme, list) in [("sdi://", "/sdi"), ("asi://", "/asi")] {
            if url.starts_with(scheme) && !known(list, "/url", url) {
                found.push((
                    format!("{at}/url"),
                    format!("the device has no connector '{url}'"),
                ));
            }
        }
        let encrypted = !matches!(
            text(transport, "/encryptionStandard"),
            "" | "None" | "Unsynced"
        );
        let length = text(transport, "/passPhrase").chars().count();
        if encrypted && !PASS_PHRASE.contains(&length) {
            let (least, most) = (PASS_PHRASE.start(), PASS_PHRASE.end());
            found.push((
                format!("{at}/passPhrase"),
                format!("encryption takes from {least} to {most} characters"),
            ));
        }
    }
}

fn transform(kind: &Type, channel: &Value, found: &mut Findings) {
    let is_there = |at: &str| channel.pointer(at).is_some_and(Value::is_object);
    let outputs = each(channel, "/spec/outputs").next().is_some();
    const ENCODING: &str = "/spec/transform/encoding";
    const ABR: &str = "/spec/transform/abrEncoding";
    for (at, wanted) in [
        (ENCODING, kind.transform == Transform::Encoding),
        (ABR, kind.transform == Transform::Abr),
    ] {
        if is_there(at) && !wanted {
            found.push((
                at.to_owned(),
                format!("is not for a channel of type {}", kind.name),
            ));
        }
        if !is_there(at) && wanted && outputs {
            found.push((
                at.to_owned(),
                format!("is missing: a channel of type {} encodes", kind.name),
            ));
        }
    }
    let inputs: Vec<&str> = each(channel, "/spec/inputs")
        .map(|(_, input)| text(input, "/name"))
        .collect();
    let mut encodings = vec![(ENCODING.to_owned(), channel.pointer(ENCODING))];
    encodings
        .extend(each(channel, &format!("{ABR}/representations")).map(|(at, one)| (at, Some(one))));
    for (at, encoding) in encodings {
        if let Some(encoding) = encoding {
            video(kind, &format!("{at}/video"), encoding.get("video"), found);
            let audios =
                each(encoding, "/audios").map(|(pointer, one)| (format!("{at}{pointer}"), one));
            audios.for_each(|(at, one)| audio(&inputs, &at, one, found));
        }
    }
    for (at, one) in each(channel, &format!("{ABR}/sharedAudios")) {
        audio(&inputs, &at, one, found);
    }
}

fn video(kind: &Type, at: &str, video: Option<&Value>, found: &mut Findings) {
    let Some(video) = video.filter(|video| video.is_object()) else {
        return;
    };
    let codec = text(video, "/codec");
    if !kind.codecs.is_empty()
        && codec != "Unsynced"
        && !codec.is_empty()
        && !kind.codecs.contains(&codec)
    {
        let reason = format!(
            "a channel of type {} encodes with {}",
            kind.name,
            kind.codecs.join(", ")
        );
        found.push((format!("{at}/codec"), reason));
    }
    let format = text(video, "/videoFormat");
    if codec.starts_with("JPEGXS") && format.ends_with('i') {
        found.push((
            format!("{at}/videoFormat"),
            format!("{codec} has no interlaced format"),
        ));
    }
    let bitrate = video.get("bitrate").and_then(Value::as_i64);
    if bitrate.is_some_and(|bitrate| !VIDEO.contains(&bitrate)) {
        let reason = format!("is not from {} to {}", VIDEO.start(), VIDEO.end());
        found.push((format!("{at}/bitrate"), reason));
    }
}

fn audio(inputs: &[&str], at: &str, audio: &Value, found: &mut Findings) {
    let input = text(audio, "/inputName");
    if !input.is_empty() && !inputs.contains(&input) {
        found.push((
            format!("{at}/inputName"),
            format!("the channel has no input named '{input}'"),
        ));
    }
    let bitrate = audio.get("bitrate").and_then(Value::as_i64);
    let least = AUDIO
        .iter()
        .find(|(codec, mode, _)| text(audio, "/codec") == *codec && text(audio, "/mode") == *mode);
    if let (Some(bitrate), Some((codec, mode, least))) = (bitrate, least)
        && bitrate < *least
    {
        found.push((
            format!("{at}/bitrate"),
            format!("{codec} {mode} takes at least {least}"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::start::Start;

    fn interfaces() -> Value {
        Start::builtin().channel_device.interfaces
    }

    fn sound(kind: &str) -> Value {
        let video = json!({ "codec": if kind == "EncodingContribution" { "H264High422" } else { "H264High" },
            "videoFormat": "1920x1080i", "bitrate": 8_000_000 });
        let audio =
            json!({ "inputName": "in", "codec": "AC3", "mode": "Stereo", "bitrate": 192_000 });
        let input = |kind: &str| match kind {
            "SDI" => {
                json!({ "type": "SDI", "name": "in", "transport": { "url": "sdi://localhost/1/0" } })
            }
            _ => {
                json!({ "type": "UDP", "name": "in", "transport": { "url": "udp://239.0.0.1:5000", "interface": "eth0" } })
            }
        };
        let stream = json!({ "type": "SRTListener", "transport": {
            "interface": "eth1", "port": 5000, "encryptionStandard": "AES128", "passPhrase": "0123456789" } });
        let (input, output, transform) = match kind {
            "EncodingStreaming" => (
                input("SDI"),
                json!({ "type": "HttpStreaming" }),
                json!({ "abrEncoding": {
                "representations": [{ "video": video, "audios": [audio] }], "sharedAudios": [audio] } }),
            ),
            "ReceptionDecoding" => (
                input("UDP"),
                json!({ "type": "SDI", "transport": { "url": "sdi://localhost/1/0" } }),
                Value::Null,
            ),
            "ReceptionGateway" => (input("UDP"), stream, Value::Null),
            _ => (
                input("SDI"),
                stream,
                json!({ "encoding": { "video": video, "audios": [audio] } }),
            ),
        };
        json!({ "spec": { "type": kind, "inputs": [input], "outputs": [output], "transform": transform } })
    }

    #[test]
    fn a_sound_channel_of_each_type_passes() {
        for kind in TYPES {
            assert_eq!(
                broken(&interfaces(), &sound(kind.name)),
                [],
                "{}",
                kind.name
            );
        }
    }

    #[test]
    fn each_rule_is_told_where_it_is_broken() {
        let cases: &[(&str, &str, Value, &str)] = &[
            (
                "EncodingContribution",
                "/spec/inputs/0/type",
                json!("UDP"),
                "/spec/inputs/0/type",
            ),
            (
                "EncodingContribution",
                "/spec/outputs/0/type",
                json!("HttpStreaming"),
                "/spec/outputs/0/type",
            ),
            (
                "EncodingContribution",
                "/spec/transform/encoding/video/codec",
                json!("HEVCMain"),
                "/spec/transform/encoding/video/codec",
            ),
            (
                "EncodingContribution",
                "/spec/transform/encoding/video/codec",
                json!("JPEGXS"),
                "/spec/transform/encoding/video/videoFormat",
            ),
            (
                "EncodingDistribution",
                "/spec/transform/encoding/video/codec",
                json!("H264High422"),
                "/spec/transform/encoding/video/codec",
            ),
            (
                "EncodingDistribution",
                "/spec/transform/encoding/video/bitrate",
                json!(70_000_000),
                "/spec/transform/encoding/video/bitrate",
            ),
            (
                "EncodingDistribution",
                "/spec/transform/encoding/audios/0/bitrate",
                json!(64_000),
                "/spec/transform/encoding/audios/0/bitrate",
            ),
            (
                "EncodingDistribution",
                "/spec/transform/encoding/audios/0/mode",
                json!("Surround51"),
                "/spec/transform/encoding/audios/0/bitrate",
            ),
            (
                "EncodingDistribution",
                "/spec/transform/encoding/audios/0/inputName",
                json!("other"),
                "/spec/transform/encoding/audios/0/inputName",
            ),
            (
                "EncodingDistribution",
                "/spec/outputs/0/transport/passPhrase",
                json!("short"),
                "/spec/outputs/0/transport/passPhrase",
            ),
            (
                "EncodingDistribution",
                "/spec/outputs/0/transport/interface",
                json!("eth9"),
                "/spec/outputs/0/transport/interface",
            ),
            (
                "EncodingDistribution",
                "/spec/inputs/0/transport/url",
                json!("sdi://localhost/9/9"),
                "/spec/inputs/0/transport/url",
            ),
            (
                "EncodingDistribution",
                "/spec/transform/encoding",
                Value::Null,
                "/spec/transform/encoding",
            ),
            (
                "EncodingStreaming",
                "/spec/transform/abrEncoding",
                Value::Null,
                "/spec/transform/abrEncoding",
            ),
            (
                "EncodingStreaming",
                "/spec/transform/abrEncoding/sharedAudios/0/inputName",
                json!("x"),
                "/spec/transform/abrEncoding/sharedAudios/0/inputName",
            ),
            (
                "ReceptionDecoding",
                "/spec/outputs/0/type",
                json!("UDP"),
                "/spec/outputs/0/type",
            ),
            (
                "ReceptionGateway",
                "/spec/transform",
                json!({ "encoding": {} }),
                "/spec/transform/encoding",
            ),
        ];
        for (kind, at, value, wanted) in cases {
            let mut channel = sound(kind);
            *channel.pointer_mut(at).expect("the field is there") = value.clone();
            let found: Vec<String> = broken(&interfaces(), &channel)
                .into_iter()
                .map(|(at, _)| at)
                .collect();
            assert_eq!(found, [*wanted], "{kind} {at} {value}");
        }
    }
}
