//! The presentation of an asset: its tracks and their length.

use serde_json::Value;

use crate::{
    base::store::{Address, Resource},
    platform::{
        rules::Platform,
        start::{Encoder, Rendition},
    },
    resources::media::{
        assets, outputs,
        play::sample::{Media, SEGMENT_MS, Sample},
        writers::{self, Writer},
    },
};

/// The medium of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Captions.
    Text,
}

impl Medium {
    /// As filters and manifests name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Text => "text",
        }
    }
}

/// A track.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Its medium.
    pub medium: Medium,
    /// Name in manifests.
    pub name: String,
    /// Language; `und` when it is unknown.
    pub language: String,
    /// Bits a second, as the asset claims.
    pub bitrate: u64,
    /// Width and height, as the asset claims.
    pub size: (u32, u32),
}

impl Track {
    /// The media that it plays; none for captions.
    pub fn sample(&self) -> Option<&'static Sample> {
        let media = match self.medium {
            Medium::Video => Media::of_height(self.size.1),
            Medium::Audio => Media::Audio,
            Medium::Text => return None,
        };
        Some(media.sample())
    }

    /// As filters name its coding.
    pub fn four_cc(&self) -> &'static str {
        match self.medium {
            Medium::Video => "avc1",
            Medium::Audio => "mp4a",
            Medium::Text => "wvtt",
        }
    }
}

/// The range of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first segment.
    pub first: u64,
    /// The one after the last.
    pub end: u64,
    /// Whether more of them come.
    pub grows: bool,
}

/// The presentation of an asset.
#[derive(Debug)]
pub struct Presentation {
    /// Its tracks.
    pub tracks: Vec<Track>,
    /// Their range of segments.
    pub stretch: Stretch,
}

/// Segments that a live manifest shows.
const LIVE_WINDOW: u64 = 6;

/// The presentation of an asset; none when it holds no media.
pub fn presentation(world: &Platform, asset: &Address) -> Option<Presentation> {
    let resource = world.get(asset)?;
    let live = live_tracks(world, asset);
    let stretch = match &live {
        Some(_) => live_stretch(world),
        None => Stretch {
            first: 0,
            end: Media::Video.sample().count(),
            grows: false,
        },
    };
    let mut tracks = match live {
        Some(tracks) => tracks,
        None => finished_tracks(&assets::files(world, &asset.place.project, resource))?,
    };
    tracks.extend(assets::tracks(resource).iter().map(inserted));
    Some(Presentation { tracks, stretch })
}

/// Live media moves with real seconds, whatever the scale of platform time: it is watched in real seconds.
pub fn live_stretch(world: &Platform) -> Stretch {
    let passed = u64::try_from(world.counted.as_millis()).unwrap_or(u64::MAX) / SEGMENT_MS;
    Stretch {
        first: passed,
        end: passed.saturating_add(LIVE_WINDOW),
        grows: true,
    }
}

fn video(
    Rendition {
        width,
        height,
        kilobits,
    }: Rendition,
) -> Track {
    Track {
        medium: Medium::Video,
        name: "video".to_owned(),
        language: "und".to_owned(),
        bitrate: u64::from(kilobits) * 1_000,
        size: (width, height),
    }
}

fn audio(name: &str, language: &str) -> Track {
    Track {
        medium: Medium::Audio,
        name: name.to_owned(),
        language: language.to_owned(),
        bitrate: 128_000,
        size: (0, 0),
    }
}

fn inserted(track: &Value) -> Track {
    let text = |name: &str| track.get(name).and_then(Value::as_str);
    let language = text("language").unwrap_or("und");
    let name: String = text("name")
        .unwrap_or(language)
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    match text("kind") {
        Some("text") => Track {
            medium: Medium::Text,
            bitrate: 0,
            ..audio(&name, language)
        },
        _ => audio(&name, language),
    }
}

/// The rendition of media that passed through without an encoder.
const PLAIN: Rendition = Rendition {
    width: 1_280,
    height: 720,
    kilobits: 3_400,
};

/// The tracks that a job or a live output left in an asset.
fn finished_tracks(files: &[(String, u64)]) -> Option<Vec<Track>> {
    if !files.iter().any(|(name, _)| name.ends_with(".ism")) {
        return None;
    }
    let mut tracks: Vec<Track> = files
        .iter()
        .filter_map(|(name, _)| outputs::rendition(name))
        .map(video)
        .collect();
    tracks.sort_by_key(|track| std::cmp::Reverse(track.bitrate));
    let only_sound = files.iter().any(|(name, _)| name.ends_with("_aac.mp4"));
    if tracks.is_empty() && !only_sound {
        tracks.push(video(PLAIN));
    }
    tracks.push(audio("audio", "und"));
    Some(tracks)
}

/// The tracks that a running live event or flow writes into an asset.
fn live_tracks(world: &Platform, asset: &Address) -> Option<Vec<Track>> {
    Some(match writers::running(world, asset)? {
        Writer::Event(event) => encoded(&world.start.encoder, event),
        Writer::Flow => ladder(&world.start.encoder, &world.start.encoder.live.standard),
    })
}

/// The tracks of a live event.
pub fn encoded(encoder: &Encoder, event: &Resource) -> Vec<Track> {
    match event.text("/properties/encoding/encodingType") {
        Some("Standard") => ladder(encoder, &encoder.live.standard),
        Some("Premium1080p") => ladder(encoder, &encoder.live.premium),
        _ => vec![video(PLAIN), audio("audio", "und")],
    }
}

fn ladder(encoder: &Encoder, preset: &str) -> Vec<Track> {
    let rungs = encoder.renditions(preset).unwrap_or_default();
    rungs
        .iter()
        .copied()
        .map(video)
        .chain([audio("audio", "und")])
        .collect()
}
