//! The request of a player: the path behind the id of a locator.

use std::time::Duration;

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;

use crate::{
    base::{duration, error::ApiError, format},
    resources::media::writers::LIVE_MANIFEST,
};

/// The form of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// HLS.
    Hls,
    /// DASH.
    Dash,
}

impl Form {
    /// As paths name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hls => "m3u8-cmaf",
            Self::Dash => "mpd-time-cmaf",
        }
    }
}

/// The options in parentheses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// `format`.
    pub form: Option<Form>,
    /// `encryption`.
    pub encryption: Option<String>,
    /// `filter`: names of filters.
    pub filters: Option<Vec<String>>,
    /// `vbegin`: leaves out what comes before.
    pub begin: Option<Duration>,
    /// `vend`: leaves out what comes after.
    pub end: Option<Duration>,
    /// `start` of a live archive.
    pub from: Option<DateTime<Utc>>,
    /// `end` of a live archive.
    pub to: Option<DateTime<Utc>>,
    /// The original text, for links.
    pub text: String,
}

/// The request of a player.
#[derive(Debug, PartialEq)]
pub enum Wanted {
    /// The manifest of a presentation.
    Manifest(Options),
    /// The playlist of one of its tracks.
    Playlist {
        /// Bits a second.
        bitrate: u64,
        /// Name of the track.
        track: String,
        /// Options.
        options: Options,
    },
    /// A piece of one of its tracks.
    Fragment {
        /// Bits a second.
        bitrate: u64,
        /// Name of the track.
        track: String,
        /// Its time in ticks; none for the initialization segment.
        time: Option<u64>,
        /// Options.
        options: Options,
    },
    /// A file of the asset.
    File,
}

/// Reads the path behind the id of a locator: the name of the manifest or the file, and the part of it.
///
/// # Errors
/// 400 where options cannot be read, 404 where there is nothing.
pub fn read(path: &str) -> Result<(String, Wanted), ApiError> {
    let decoded = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| ApiError::bad_request("the path is not UTF-8 once its escapes are undone"))?;
    let parts: Vec<&str> = decoded.split('/').collect();
    let nothing =
        || ApiError::not_found(format!("there is nothing at '{decoded}' of this locator"));
    match parts.as_slice() {
        [presentation, manifest] if is_presentation(presentation) => {
            let (name, options) = call(manifest).ok_or_else(nothing)?;
            if !name.eq_ignore_ascii_case("manifest") {
                return Err(nothing());
            }
            let wanted = Wanted::Manifest(self::options(options)?);
            Ok(((*presentation).to_owned(), wanted))
        }
        [presentation, level, piece] if is_presentation(presentation) => {
            let wanted = level_of(level, piece).ok_or_else(nothing)??;
            Ok(((*presentation).to_owned(), wanted))
        }
        [_, ..] if !decoded.is_empty() => Ok((decoded.into_owned(), Wanted::File)),
        _ => Err(nothing()),
    }
}

fn is_presentation(name: &str) -> bool {
    name.ends_with(".ism") || name == LIVE_MANIFEST
}

/// `QualityLevels(1000)/Manifest(video,format=m3u8-cmaf)` and `…/Fragments(video=0,…)`.
fn level_of(level: &str, piece: &str) -> Option<Result<Wanted, ApiError>> {
    let (name, bitrate) = call(level)?;
    let bitrate = bitrate.parse().ok().filter(|_| name == "QualityLevels")?;
    let (name, inside) = call(piece)?;
    let (track, rest) = inside.split_once(',').unwrap_or((inside, ""));
    let read = |build: &dyn Fn(Options) -> Wanted| Some(options(rest).map(build));
    match name {
        "Manifest" => read(&|options| Wanted::Playlist {
            bitrate,
            track: track.to_owned(),
            options,
        }),
        "Fragments" => {
            let (track, time) = track.split_once('=')?;
            let time = match time {
                "i" => None,
                ticks => Some(ticks.parse().ok()?),
            };
            read(&|options| Wanted::Fragment {
                bitrate,
                track: track.to_owned(),
                time,
                options,
            })
        }
        _ => None,
    }
}

/// A name, and the text in parentheses behind it. An ending such as `.m4s` may follow.
fn call(text: &str) -> Option<(&str, &str)> {
    let text = match text.rsplit_once(").") {
        Some((call, _)) => text.get(..=call.len())?,
        None => text,
    };
    match text.split_once('(') {
        Some((name, rest)) => Some((name, rest.strip_suffix(')')?)),
        None => Some((text, "")),
    }
}

fn options(text: &str) -> Result<Options, ApiError> {
    let mut options = Options {
        text: text.to_owned(),
        ..Options::default()
    };
    for option in text.split(',').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let wrong =
            |what: &str| ApiError::bad_request(format!("'{name}' takes {what}, not '{value}'"));
        let length = || duration::parse(value).ok_or_else(|| wrong("an ISO 8601 duration"));
        let time = || format::parse_time(value).ok_or_else(|| wrong("a time"));
        match name {
            "format" => {
                let form = match value {
                    form if form.starts_with("m3u8") => Form::Hls,
                    form if form.starts_with("mpd") => Form::Dash,
                    _ => return Err(wrong("m3u8-cmaf or mpd-time-cmaf")),
                };
                options.form = Some(form);
            }
            "encryption" => options.encryption = Some(value.to_owned()),
            "filter" => options.filters = Some(value.split(';').map(str::to_owned).collect()),
            "vbegin" => options.begin = Some(length()?),
            "vend" => options.end = Some(length()?),
            "start" => options.from = Some(time()?),
            "end" => options.to = Some(time()?),
            _ => {
                return Err(ApiError::bad_request(format!(
                    "there is no option '{name}'"
                )));
            }
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_players_send_them() {
        let (name, wanted) = read(
            "film.ism/manifest(format=m3u8-cmaf,encryption=cbc,filter=a;b,vbegin=PT2S,start=2026-01-01T00:00:00Z)",
        )
        .expect("a manifest");
        let Wanted::Manifest(options) = wanted else {
            panic!("{wanted:?}")
        };
        assert_eq!(name, "film.ism");
        assert_eq!(options.form, Some(Form::Hls));
        assert_eq!(options.encryption.as_deref(), Some("cbc"));
        assert_eq!(options.filters, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(options.begin, Some(Duration::from_secs(2)));
        assert!(options.from.is_some() && options.to.is_none());
        let (_, wanted) =
            read("a.ism/QualityLevels(900)/Fragments(video=24576%2Cformat=mpd-time-cmaf).m4s")
                .expect("a fragment");
        let Wanted::Fragment {
            bitrate,
            track,
            time,
            ..
        } = wanted
        else {
            panic!("{wanted:?}")
        };
        assert_eq!(
            (bitrate, track.as_str(), time),
            (900, "video", Some(24_576))
        );
        assert_eq!(
            read("folder/a.mp4").expect("a file"),
            ("folder/a.mp4".to_owned(), Wanted::File)
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (path, status) in [
            ("a.ism/manifest(format=flv)", 400),
            ("a.ism/manifest(vbegin=2)", 400),
            ("a.ism/manifest(speed=2)", 400),
            ("a.ism/manifest(format=m3u8-cmaf", 404),
            ("a.ism/other", 404),
            ("a.ism/QualityLevels(x)/Manifest(video)", 404),
            ("a.ism/QualityLevels(1)/Fragments(video)", 404),
            ("", 404),
            ("%ff", 400),
        ] {
            let refused = read(path).expect_err(path);
            assert_eq!(refused.status.as_u16(), status, "{path}");
        }
    }
}
