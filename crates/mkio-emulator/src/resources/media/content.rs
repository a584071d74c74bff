//! The description of an asset's storage, from the names of its files and the tracks inserted into it.

use serde_json::{Map, Value, json};

use crate::{platform::start::Rendition, resources::media::outputs};

/// The video files with their renditions.
fn videos<'a>(files: &[&'a str]) -> Vec<(&'a str, Rendition)> {
    let video = |file: &&'a str| Some((*file, outputs::rendition(file)?));
    files.iter().filter_map(video).collect()
}

/// Adds a description of the files to the `spec` of a storage response: `formatHint`, and `periods` or `tracks` where there are any.
pub fn describe(spec: &mut Map<String, Value>, files: &[&str], inserted: &[Value], created: &str) {
    let ends = |ending: &str| files.iter().any(|file| file.ends_with(ending));
    let hint = if ends(".mpd") {
        spec.insert(
            "periods".to_owned(),
            json!({ "0/index/edge": period(files, inserted) }),
        );
        "mk.mezz.v0"
    } else if ends(".ism") {
        let manifests = files.iter().filter(|file| file.ends_with(".ism"));
        let tracks: Map<String, Value> = manifests
            .map(|manifest| {
                (
                    (*manifest).to_owned(),
                    tracks(manifest, files, inserted, created),
                )
            })
            .collect();
        spec.insert("tracks".to_owned(), Value::Object(tracks));
        "ams.v0"
    } else {
        "unknown"
    };
    spec.insert("formatHint".to_owned(), json!(hint));
}

fn period(files: &[&str], inserted: &[Value]) -> Value {
    let videos = videos(files);
    let mut sets = Vec::new();
    if !videos.is_empty() {
        let most = |of: fn(&Rendition) -> u32| {
            let all = videos.iter().map(|(_, video)| of(video));
            all.max().unwrap_or_default().to_string()
        };
        let representations: Vec<Value> = videos
            .iter()
            .enumerate()
            .map(|(at, (_, video))| {
                json!({
                    "id": format!("v{at}"), "mimeType": "video/mp4", "codecs": "avc1.64001F", "width": video.width.to_string(), "height": video.height.to_string(),
                    "bandwidth": format!("{}000", video.kilobits), "frameRate": "25", "sar": "1:1", "scanType": "progressive", "startsWithSAP": "1",
                })
            })
            .collect();
        sets.push(json!({
            "id": "0", "contentType": "video", "mimeType": "video/mp4", "segmentAlignment": "true", "par": "16:9", "maxFrameRate": "25",
            "maxWidth": most(|video| video.width),
            "maxHeight": most(|video| video.height),
            "representation": representations,
        }));
    }
    sets.push(sound("1", "a0", "main"));
    for (at, track) in inserted.iter().enumerate() {
        let text = |name: &str| track.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = (at + 2).to_string();
        sets.push(if text("kind") == "audio" {
            sound(&id, text("name"), "alternate")
        } else {
            json!({
                "id": id, "contentType": "text", "mimeType": "application/mp4", "segmentAlignment": "true",
                "role": [{ "schemeIdUri": "urn:mpeg:dash:role:2011", "value": "subtitle" }],
                "representation": [{ "id": text("name"), "mimeType": "application/mp4", "codecs": "wvtt", "bandwidth": "1000" }],
            })
        });
    }
    json!({ "resource_type": "period", "id": "0", "start": "PT0S", "adaptation_set": sets })
}

fn sound(id: &str, representation: &str, role: &str) -> Value {
    let channels = json!([{ "schemeIdUri": "urn:mpeg:dash:23003:3:audio_channel_configuration:2011", "value": "2" }]);
    json!({
        "id": id, "contentType": "audio", "mimeType": "audio/mp4", "segmentAlignment": "true",
        "role": [{ "schemeIdUri": "urn:mpeg:dash:role:2011", "value": role }],
        "representation": [{
            "id": representation, "mimeType": "audio/mp4", "codecs": "mp4a.40.2", "bandwidth": "128000", "startsWithSAP": "1",
            "audio_channel_configuration": channels,
        }],
    })
}

fn tracks(manifest: &str, files: &[&str], inserted: &[Value], created: &str) -> Value {
    let stem = manifest.trim_end_matches(".ism");
    let fallback = format!("{stem}.ismv");
    let mut number = 0;
    let mut next = || {
        number += 1;
        number.to_string()
    };
    let mut videos: Vec<Value> = Vec::new();
    for (file, video) in self::videos(files) {
        let rate = format!("{}000", video.kilobits);
        videos.push(json!({ "src": file, "systemBitrate": rate, "systemLanguage": "und", "trackID": next(), "trackName": "video" }));
    }
    let source = videos
        .first()
        .and_then(|video| video.get("src")?.as_str())
        .unwrap_or(&fallback)
        .to_owned();
    if videos.is_empty() {
        videos.push(json!({ "src": source, "systemBitrate": "3400000", "systemLanguage": "und", "trackID": next(), "trackName": "video" }));
    }
    let mut audios = vec![
        json!({ "src": source, "systemBitrate": "128000", "systemLanguage": "und", "trackID": next(), "trackName": "audio" }),
    ];
    let mut texts = Vec::new();
    for track in inserted {
        let text = |name: &str| track.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("kind") == "audio" {
            audios.push(json!({
                "src": text("file"), "systemBitrate": "128000", "systemLanguage": text("language"), "trackID": next(), "trackName": text("name"),
            }));
        } else {
            texts.push(json!({
                "src": text("file"), "systemBitrate": "1000", "manifestOutput": "true", "trackID": next(), "trackName": text("name"),
                "parentTrackName": "video", "timescale": "1000",
            }));
        }
    }
    json!({
        "head": {
            "clientManifestRelativePath": format!("{stem}.ismc"), "availabilityStartTime": created, "compatVersion": "1",
            "formats": "mp4", "fragmentsPerHLSSegment": "1", "extra": {},
        },
        "body": { "video": videos, "audio": audios, "textstream": texts },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::read::Read;

    fn described(files: &[&str], inserted: &[Value]) -> Value {
        let mut spec = Map::new();
        describe(&mut spec, files, inserted, "2026-01-01T00:00:00Z");
        Value::Object(spec)
    }

    #[test]
    fn the_names_tell_what_is_there() {
        assert_eq!(
            described(&["a.mp4"], &[]),
            json!({ "formatHint": "unknown" })
        );
        let track = json!({ "kind": "text", "name": "en", "language": "en-US", "file": "a.cmft" });
        let files = ["a_1280x720_3400k.mp4", "a_320x180_400k.mp4", "a.ism"];
        let old = described(&files, std::slice::from_ref(&track));
        assert_eq!(old.pointer("/formatHint"), Some(&json!("ams.v0")));
        let body = old
            .pointer("/tracks/a.ism/body")
            .expect("the manifest's tracks");
        assert_eq!(
            body.pointer("/video/1/systemBitrate"),
            Some(&json!("400000"))
        );
        assert_eq!(body.pointer("/textstream/0/src"), Some(&json!("a.cmft")));
        let new = described(
            &["a_1280x720_3400k.mp4", "a.ism", "a.mpd"],
            std::slice::from_ref(&track),
        );
        assert_eq!(new.pointer("/formatHint"), Some(&json!("mk.mezz.v0")));
        let sets = new.items("/periods/0~1index~1edge/adaptation_set");
        let kinds: Vec<&str> = sets
            .filter_map(|set| set.get("contentType")?.as_str())
            .collect();
        assert_eq!(kinds, ["video", "audio", "text"]);
        assert!(new.get("tracks").is_none());
    }
}
