//! Manifests: HLS and DASH over the same segments.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    base::format,
    resources::media::play::{
        sample::{Media, SEGMENT_MS},
        track::{Medium, Presentation, Stretch, Track},
        wanted::Form,
    },
};

/// A text of an XML attribute, escaped.
fn attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// The options of a manifest, as its links repeat them.
fn carried(options: &str) -> String {
    if options.is_empty() {
        String::new()
    } else {
        format!(",{options}")
    }
}

/// The main playlist of HLS. `options` are those of the manifest.
pub fn hls(presentation: &Presentation, options: &str) -> String {
    let carried = carried(options);
    let path = |track: &Track| {
        format!(
            "QualityLevels({})/Manifest({}{carried}).m3u8",
            track.bitrate, track.name
        )
    };
    let of = |medium| {
        let tracks = presentation.tracks.iter();
        tracks.filter(move |track| track.medium == medium)
    };
    let mut out = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for (at, track) in of(Medium::Audio).enumerate() {
        let default = if at == 0 { "YES" } else { "NO" };
        media(&mut out, ("AUDIO", "audio"), track, default, &path(track));
    }
    for track in of(Medium::Text) {
        media(&mut out, ("SUBTITLES", "text"), track, "NO", &path(track));
    }
    let audio = of(Medium::Audio).next();
    let text = of(Medium::Text)
        .next()
        .map_or("", |_| ",SUBTITLES=\"text\"");
    let sound = Media::Audio.sample().codec;
    for track in of(Medium::Video) {
        let (width, height) = track.size;
        let codec = track.sample().map_or("", |sample| sample.codec);
        let (rate, codecs, group) = match audio {
            Some(audio) => (
                track.bitrate + audio.bitrate,
                format!("{codec},{sound}"),
                ",AUDIO=\"audio\"",
            ),
            None => (track.bitrate, codec.to_owned(), ""),
        };
        let _ = writeln!(
            out,
            "#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION={width}x{height},CODECS=\"{codecs}\"{group}{text}\n{}",
            path(track)
        );
    }
    if let (Some(audio), None) = (audio, of(Medium::Video).next()) {
        let _ = writeln!(
            out,
            "#EXT-X-STREAM-INF:BANDWIDTH={},CODECS=\"{sound}\",AUDIO=\"audio\"\n{}",
            audio.bitrate,
            path(audio)
        );
    }
    out
}

/// A text between the quotes of a playlist, where nothing can be escaped.
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|letter| *letter != '"' && !letter.is_control())
        .collect()
}

/// A rendition beside the pictures: its type and group, the track, whether it is the default, where its playlist is.
fn media(out: &mut String, (kind, group): (&str, &str), track: &Track, default: &str, path: &str) {
    let (name, language) = (quoted(&track.name), quoted(&track.language));
    let _ = writeln!(
        out,
        "#EXT-X-MEDIA:TYPE={kind},GROUP-ID=\"{group}\",NAME=\"{name}\",LANGUAGE=\"{language}\",DEFAULT={default},AUTOSELECT=YES,URI=\"{path}\""
    );
}

/// A key that HLS segments are encrypted with: where it is, and the initialization vector.
#[derive(Debug, Clone)]
pub struct KeyInfo {
    /// Where the key is.
    pub url: String,
    /// The initialization vector.
    pub vector: [u8; 16],
}

/// The playlist of a track in HLS.
pub fn playlist(track: &Track, stretch: Stretch, options: &str, key: Option<&KeyInfo>) -> String {
    let carried = carried(options);
    let seconds = SEGMENT_MS as f64 / 1_000.0;
    let whole = (stretch.end - stretch.first) as f64 * seconds;
    let longest = if track.sample().is_some() {
        seconds
    } else {
        whole
    };
    let mut out = format!(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{:.0}\n#EXT-X-MEDIA-SEQUENCE:{}\n",
        longest.ceil(),
        stretch.first
    );
    // Some players refuse segments without a file extension.
    let fragment =
        |time: &str, ending: &str| format!("Fragments({}={time}{carried}).{ending}", track.name);
    match track.sample() {
        Some(sample) => {
            if let Some(key) = key {
                let (url, vector) = (quoted(&key.url), Uuid::from_bytes(key.vector).simple());
                let _ = writeln!(out, "#EXT-X-KEY:METHOD=AES-128,URI=\"{url}\",IV=0x{vector}");
            }
            let _ = writeln!(out, "#EXT-X-MAP:URI=\"{}\"", fragment("i", "mp4"));
            for number in stretch.first..stretch.end {
                let time = number.saturating_mul(sample.duration());
                let _ = writeln!(
                    out,
                    "#EXTINF:{seconds:.3},\n{}",
                    fragment(&time.to_string(), "m4s")
                );
            }
        }
        None => {
            let _ = writeln!(out, "#EXTINF:{whole:.3},\n{}", fragment("0", "vtt"));
        }
    }
    if !stretch.grows {
        out.push_str("#EXT-X-ENDLIST\n");
    }
    out
}

fn seconds(segments: u64) -> String {
    format!("PT{:.3}S", (segments * SEGMENT_MS) as f64 / 1_000.0)
}

/// The manifest of DASH at a time.
pub fn dash(presentation: &Presentation, now: DateTime<Utc>) -> String {
    let Stretch { first, end, grows } = presentation.stretch;
    let head = if grows {
        let played = i64::try_from(end.saturating_mul(SEGMENT_MS)).unwrap_or(i64::MAX);
        let began =
            TimeDelta::try_milliseconds(played).and_then(|played| now.checked_sub_signed(played));
        format!(
            "type=\"dynamic\" availabilityStartTime=\"{}\" publishTime=\"{}\" minimumUpdatePeriod=\"PT1.920S\" timeShiftBufferDepth=\"{}\"",
            format::time(began.unwrap_or(now)),
            format::time(now),
            seconds(end - first)
        )
    } else {
        format!(
            "type=\"static\" mediaPresentationDuration=\"{}\"",
            seconds(end - first)
        )
    };
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" minBufferTime=\"PT2S\" {head}>\n<Period id=\"1\" start=\"PT0S\">\n"
    );
    let mut sets: Vec<(&Track, Vec<&Track>)> = Vec::new();
    for track in &presentation.tracks {
        let same = |(first, _): &&mut (&Track, Vec<&Track>)| {
            (first.medium, &first.name, &first.language)
                == (track.medium, &track.name, &track.language)
        };
        match sets.iter_mut().find(same) {
            Some((_, set)) => set.push(track),
            None => sets.push((track, vec![track])),
        }
    }
    for (first, tracks) in sets {
        set(&mut out, first, &tracks, presentation.stretch);
    }
    out.push_str("</Period>\n</MPD>\n");
    out
}

fn set(out: &mut String, track: &Track, tracks: &[&Track], stretch: Stretch) {
    let (medium, name) = (track.medium.name(), attribute(&track.name));
    let mime = match track.medium {
        Medium::Text => "text/vtt".to_owned(),
        _ => format!("{medium}/mp4"),
    };
    let _ = writeln!(
        out,
        "<AdaptationSet contentType=\"{medium}\" mimeType=\"{mime}\" lang=\"{}\" segmentAlignment=\"true\" startWithSAP=\"1\">",
        attribute(&track.language)
    );
    let _ = writeln!(out, "<Label>{name}</Label>");
    let form = Form::Dash.name();
    if let Some(sample) = track.sample() {
        let (scale, length) = (sample.timescale, sample.duration());
        let start = stretch.first.saturating_mul(length);
        // A stretch that was cut out starts at zero; a live one at the time that it has.
        let offset = if stretch.grows { 0 } else { start };
        let repeats = (stretch.end - stretch.first).saturating_sub(1);
        let _ = writeln!(
            out,
            "<SegmentTemplate timescale=\"{scale}\" presentationTimeOffset=\"{offset}\" initialization=\"QualityLevels($Bandwidth$)/Fragments({name}=i,format={form}).mp4\" media=\"QualityLevels($Bandwidth$)/Fragments({name}=$Time$,format={form}).m4s\"><SegmentTimeline><S t=\"{start}\" d=\"{length}\" r=\"{repeats}\"/></SegmentTimeline></SegmentTemplate>"
        );
    }
    for (at, track) in tracks.iter().enumerate() {
        let id = format!("{name}-{}-{at}", track.bitrate);
        let _ = match (track.medium, track.sample()) {
            (Medium::Video, Some(sample)) => writeln!(
                out,
                "<Representation id=\"{id}\" bandwidth=\"{}\" codecs=\"{}\" width=\"{}\" height=\"{}\"/>",
                track.bitrate, sample.codec, track.size.0, track.size.1
            ),
            (_, Some(sample)) => writeln!(
                out,
                "<Representation id=\"{id}\" bandwidth=\"{}\" codecs=\"{}\" audioSamplingRate=\"48000\"/>",
                track.bitrate, sample.codec
            ),
            (_, None) => writeln!(
                out,
                "<Representation id=\"{id}\" bandwidth=\"1000\"><BaseURL>QualityLevels(0)/Fragments({name}=0,format={form}).vtt</BaseURL></Representation>"
            ),
        };
    }
    out.push_str("</AdaptationSet>\n");
}
