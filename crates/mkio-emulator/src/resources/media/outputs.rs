//! The files and tracks that jobs write into their output assets, by the preset of the transform.

use serde_json::{Value, json};

use crate::{
    base::read::Read,
    platform::start::{Pipeline, Rendition, Start, TargetLanguages},
    resources::media::play::sample::{self, Media},
};

/// Why a preset is refused: the pointer inside it, and the reason.
pub fn refused(start: &Start, preset: &Value) -> Option<(&'static str, String)> {
    let named = |at: &str| preset.text(at);
    if is_encoder(preset)
        && let Some(name) = named("/presetName")
        && start.encoder.renditions(name).is_none()
    {
        let known = start.encoder.presets.iter().map(|known| &*known.name);
        return Some(("/presetName", none_of(known)));
    }
    let name = named("/pipeline/name")?;
    let Some(pipeline) = pipeline(start, name) else {
        let known = start.pipelines.iter().map(|known| &*known.name);
        return Some(("/pipeline/name", none_of(known)));
    };
    let TargetLanguages { least, most } = pipeline.target_languages?;
    if (least..=most).contains(&languages(preset).len()) {
        return None;
    }
    let reason =
        format!("have to hold targetLanguages, from {least} to {most} of them, for '{name}'");
    Some(("/pipeline/arguments", reason))
}

fn none_of<'a>(known: impl Iterator<Item = &'a str>) -> String {
    format!("is none of {}", known.collect::<Vec<_>>().join(", "))
}

fn pipeline<'a>(start: &'a Start, name: &str) -> Option<&'a Pipeline> {
    start.pipelines.iter().find(|known| known.name == name)
}

/// The last part of a preset's type, which is the kind of the preset.
fn kind(preset: &Value) -> &str {
    let kind = preset.text("/@odata.type");
    kind.and_then(|kind| kind.rsplit('.').next())
        .unwrap_or_default()
}

fn is_encoder(preset: &Value) -> bool {
    kind(preset) == "BuiltInStandardEncoderPreset"
}

/// The languages that a pipeline translates into: a list, or one text with commas.
fn languages(preset: &Value) -> Vec<String> {
    let lists = preset
        .pointer("/pipeline/arguments")
        .and_then(Value::as_object);
    let arguments = lists
        .into_iter()
        .flat_map(|lists| lists.values())
        .filter_map(Value::as_array)
        .flatten();
    let named = |argument: &&Value| {
        let name = argument.text("/name");
        matches!(name, Some("targetLanguages" | "targetLanguage"))
    };
    let mut found = Vec::new();
    for value in arguments
        .filter(named)
        .filter_map(|argument| argument.get("value"))
    {
        match value {
            Value::Array(items) => {
                found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned))
            }
            Value::String(text) => {
                let parts = text.split(',').map(str::trim);
                found.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
            }
            _ => {}
        }
    }
    found
}

/// The output of a job.
#[derive(Debug, Default, PartialEq)]
pub struct Made {
    /// Files, `(name, size in bytes)`.
    pub files: Vec<(String, u64)>,
    /// The track that it inserted: kind, name, language, file.
    pub track: Option<Value>,
}

/// The output of a preset for the files that a job reads.
pub fn made(start: &Start, preset: &Value, input: &[String]) -> Made {
    let first = input.first().map_or("video.mp4", String::as_str);
    let named = preset.text("/presetName");
    let mut made = match kind(preset) {
        "ThumbnailGeneratorPreset" => thumbnails(preset, stem(first)).into(),
        "TrackInserterPreset" => inserted(preset, first),
        "AIPipelinePreset" => spoken(start, preset, input).into(),
        "BuiltInAssetConverterPreset" => converted(stem(first)).into(),
        _ => {
            let named = named.and_then(|name| start.encoder.renditions(name));
            encoded(named.unwrap_or(start.encoder.usual()), stem(first)).into()
        }
    };
    made.files.push(("highlevel.log".to_owned(), 128));
    made
}

impl From<Vec<(String, u64)>> for Made {
    fn from(files: Vec<(String, u64)>) -> Self {
        Self { files, track: None }
    }
}

/// A file's name without folder and ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if stem.is_empty() { "video" } else { stem }
}

fn encoded(ladder: &[Rendition], stem: &str) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    for Rendition {
        width,
        height,
        kilobits,
    } in ladder
    {
        let name = format!("{stem}_{width}x{height}_{kilobits}k");
        let size = Media::of_height(*height).file().len();
        files.push((format!("{name}.mp4"), size as u64));
        files.push((format!("{name}.mpi"), 256));
    }
    if ladder.is_empty() {
        let size = Media::Audio.file().len();
        files.push((format!("{stem}_aac.mp4"), size as u64));
        files.push((format!("{stem}_aac.mpi"), 256));
    } else {
        files.push((format!("{stem}_000001.jpg"), sample::PICTURE.len() as u64));
    }
    files.push((format!("{stem}.ism"), 1_024));
    files.push((format!("{stem}.mpd"), 1_024));
    files
}

/// The rendition of an encoder's file, by its name.
pub fn rendition(file: &str) -> Option<Rendition> {
    let name = file.strip_suffix("k.mp4")?;
    let (name, rate) = name.rsplit_once('_')?;
    let (_, size) = name.rsplit_once('_')?;
    let (width, height) = size.split_once('x')?;
    Some(Rendition {
        width: width.parse().ok()?,
        height: height.parse().ok()?,
        kilobits: rate.parse().ok()?,
    })
}

fn converted(stem: &str) -> Vec<(String, u64)> {
    let sizes = [("mp4", 4_096), ("mpi", 256), ("ism", 1_024), ("mpd", 1_024)];
    sizes
        .into_iter()
        .map(|(ending, size)| (format!("{stem}.{ending}"), size))
        .collect()
}

fn thumbnails(preset: &Value, stem: &str) -> Vec<(String, u64)> {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    let base =
        text(preset, "baseFilename").unwrap_or_else(|| stem.chars().take(64).collect::<String>());
    let sets = preset.items("/thumbnails");
    let mut files = Vec::new();
    for set in sets {
        let label = text(set, "label").unwrap_or_default();
        let ending = match set.text("/format") {
            Some("Png") => "png",
            _ => "jpg",
        };
        // A range of more than the one picture, or a sprite of several.
        let several = text(set, "range").is_some_and(|range| range != "1");
        let count = if several { 3 } else { 1 };
        for index in 1..=count {
            files.push((format!("{base}_{label}{index:06}.{ending}"), 512));
        }
        if set.get("spriteColumn").is_some() {
            files.push((format!("{base}_{label}.vtt"), 256));
        }
    }
    files
}

fn inserted(preset: &Value, input: &str) -> Made {
    let Some(track) = preset.pointer("/tracks/0") else {
        return Made::default();
    };
    let text = |value: &Value, name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let is_text = text(track, "@odata.type").ends_with("TextTrack");
    let base = preset.text("/baseFilename");
    let (kind, ending) = if is_text {
        ("text", "cmft")
    } else {
        ("audio", "mp4")
    };
    let file = format!("{}.{ending}", base.unwrap_or_else(|| stem(input)));
    Made {
        track: Some(json!({
            "kind": kind, "name": text(track, "trackName"), "language": text(track, "languageCode"), "file": file,
        })),
        files: vec![(file, 1_024)],
    }
}

/// Speech becomes text, or speech in other languages.
fn spoken(start: &Start, preset: &Value, input: &[String]) -> Vec<(String, u64)> {
    let named = preset.text("/pipeline/name");
    let Some(pipeline) = named.and_then(|name| pipeline(start, name)) else {
        return Vec::new();
    };
    let name = |file: &String| file.rsplit('/').next().unwrap_or(file).to_owned();
    let translates = pipeline.target_languages.is_some();
    let languages = if translates {
        languages(preset)
    } else {
        Vec::new()
    };
    let ending = &pipeline.ending;
    let each = |file: &String| -> Vec<(String, u64)> {
        let name = name(file);
        if languages.is_empty() {
            return vec![(format!("{name}.{ending}"), 256)];
        }
        let translated = |language: &String| (format!("{name}_{language}.{ending}"), 1_024);
        languages.iter().map(translated).collect()
    };
    input.iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(preset: &Value, input: &[&str]) -> Vec<String> {
        let input: Vec<String> = input.iter().map(|file| (*file).to_owned()).collect();
        made(&Start::builtin(), preset, &input)
            .files
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| name != "highlevel.log")
            .collect()
    }

    #[test]
    fn each_encoder_preset_of_the_document_has_a_ladder() {
        let document: Value = serde_json::from_str(include_str!("../../../data/spec/media.json"))
            .expect("a document is JSON");
        let text = document
            .pointer("/components/schemas/BuiltInStandardEncoderPreset/properties/presetName/description")
            .and_then(Value::as_str)
            .expect("the preset is described");
        let listed: Vec<&str> = text
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| word.starts_with("H26") || word.starts_with("AAC"))
            .collect();
        assert!(listed.len() > 10, "{text}");
        let start = Start::builtin();
        assert_eq!(start.encoder.presets.len(), listed.len());
        for preset in listed {
            assert!(start.encoder.renditions(preset).is_some(), "{preset}");
        }
    }

    #[test]
    fn renditions_follow_the_preset() {
        let preset = |name: &str| json!({ "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": name });
        let single = names(&preset("H264SingleBitrate720p"), &["in/film.final.mov"]);
        assert_eq!(
            single,
            [
                "film.final_1280x720_4500k.mp4",
                "film.final_1280x720_4500k.mpi",
                "film.final_000001.jpg",
                "film.final.ism",
                "film.final.mpd"
            ]
        );
        let count = |name: &str| {
            names(&preset(name), &["a.mp4"])
                .iter()
                .filter(|name| name.ends_with(".mp4"))
                .count()
        };
        assert_eq!(count("H264MultipleBitrate1080p"), 8);
        assert_eq!(count("H264MultipleBitrate720pWithCVQ"), 6);
        assert_eq!(count("H264MultipleBitrateSD"), 4);
        assert_eq!(count("AACGoodQualityAudio"), 1);
    }

    #[test]
    fn speech_and_pictures_follow_their_arguments() {
        let start = Start::builtin();
        let dub = json!({ "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": { "name": "Predefined_ACSVodSpeechToSpeech", "arguments": {
            "VodSpeechToSpeechTranslation": [{ "name": "targetLanguages", "value": ["es-ES", "de-DE"] }] } } });
        assert_eq!(refused(&start, &dub), None);
        assert_eq!(
            names(&dub, &["video_320x180_400k.mp4"]),
            [
                "video_320x180_400k.mp4_es-ES.mp4",
                "video_320x180_400k.mp4_de-DE.mp4"
            ]
        );
        let write = json!({ "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": { "name": "Predefined_ACSVodTranscription" } });
        assert_eq!(names(&write, &["a.mp4"]), ["a.mp4.vtt"]);
        let none = json!({ "pipeline": { "name": "Predefined_ACSVodSpeechToSpeech" } });
        assert_eq!(
            refused(&start, &none).map(|(at, _)| at),
            Some("/pipeline/arguments")
        );
        let other = json!({ "pipeline": { "name": "Mine" } });
        assert_eq!(
            refused(&start, &other).map(|(at, _)| at),
            Some("/pipeline/name")
        );
        let sprites = json!({ "@odata.type": "#MediaKind.ThumbnailGeneratorPreset", "thumbnails": [
            { "format": "Png", "label": "s", "range": "100%", "spriteColumn": 3 }, { "format": "Jpeg" }] });
        assert_eq!(
            names(&sprites, &["a.mp4"]),
            [
                "a_s000001.png",
                "a_s000002.png",
                "a_s000003.png",
                "a_s.vtt",
                "a_000001.jpg"
            ]
        );
        let track = json!({ "@odata.type": "#MediaKind.TextTrack", "trackName": "en", "languageCode": "en-US" });
        let insert = json!({ "@odata.type": "#MediaKind.TrackInserterPreset", "tracks": [track] });
        assert_eq!(names(&insert, &["a.mp4.vtt"]), ["a.mp4.cmft"]);
    }
}
