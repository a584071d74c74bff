//! Filters: which tracks of a presentation are shown, and which stretch of it.

use std::time::Duration;

use serde_json::Value;

use crate::{
    base::error::ApiError,
    base::read::Read,
    resources::media::{
        filters::TIMESCALE,
        play::{
            sample::SEGMENT_MS,
            track::{Presentation, Stretch, Track},
            wanted::Options,
        },
    },
};

/// Cuts a presentation down to what the path asks for.
///
/// # Errors
/// 404 where nothing of it lies in the range.
pub fn cut(presentation: &mut Presentation, options: &Options) -> Result<(), ApiError> {
    let stretch = &mut presentation.stretch;
    if !stretch.grows {
        narrow(stretch, options.begin, options.end);
    }
    outside(stretch)
}

fn outside(stretch: &Stretch) -> Result<(), ApiError> {
    if stretch.first < stretch.end {
        return Ok(());
    }
    Err(ApiError::not_found(
        "nothing lies in the range that is asked for",
    ))
}

/// Whole segments are kept, as far as any of them lies between the two.
fn narrow(stretch: &mut Stretch, begin: Option<Duration>, end: Option<Duration>) {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if let Some(begin) = begin {
        stretch.first = stretch.first.max(millis(begin) / SEGMENT_MS);
    }
    if let Some(end) = end {
        stretch.end = stretch.end.min(millis(end).div_ceil(SEGMENT_MS));
    }
}

/// Applies a filter, given as its body.
///
/// # Errors
/// 404 where nothing lies in its range, 500 where none of its tracks is there, as the platform has it.
pub fn apply(presentation: &mut Presentation, filter: &Value) -> Result<(), ApiError> {
    let properties = filter.get("properties").unwrap_or(&Value::Null);
    if let Some(wanted) = properties.get("tracks").and_then(Value::as_array)
        && !wanted.is_empty()
    {
        let kept = |track: &Track| wanted.iter().any(|selection| selects(selection, track));
        presentation.tracks.retain(kept);
    }
    if presentation.tracks.is_empty() {
        return Err(ApiError::internal("the filters leave no track"));
    }
    if let Some(range) = properties.get("presentationTimeRange") {
        trim(&mut presentation.stretch, range);
    }
    let first = properties
        .pointer("/firstQuality/bitrate")
        .and_then(Value::as_u64);
    if let Some(wanted) = first {
        begin_with(&mut presentation.tracks, wanted);
    }
    outside(&presentation.stretch)
}

/// All conditions of a selection have to be met.
fn selects(selection: &Value, track: &Track) -> bool {
    let mut conditions = selection.items("/trackSelections");
    conditions.all(|condition| {
        let text = |name: &str| {
            condition
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let same = |own: &str| own.eq_ignore_ascii_case(text("value"));
        let equal = match text("property") {
            "Type" => same(track.medium.name()),
            "Name" => same(&track.name),
            "Language" => same(&track.language),
            "FourCC" => same(track.four_cc()),
            "Bitrate" => within(text("value"), track.bitrate),
            _ => false,
        };
        equal != (text("operation") == "NotEqual")
    })
}

/// A number, or a range in which either side may be missing.
fn within(range: &str, bitrate: u64) -> bool {
    let number = |text: &str, missing| match text.trim() {
        "" => Some(missing),
        text => text.parse::<u64>().ok(),
    };
    let (low, high) = match range.split_once('-') {
        Some((low, high)) => (number(low, 0), number(high, u64::MAX)),
        None => (range.trim().parse().ok(), range.trim().parse().ok()),
    };
    low.zip(high)
        .is_some_and(|(low, high)| (low..=high).contains(&bitrate))
}

fn trim(stretch: &mut Stretch, range: &Value) {
    let number = |name: &str| range.get(name).and_then(Value::as_u64);
    let scale = number("timescale")
        .filter(|scale| *scale > 0)
        .unwrap_or(TIMESCALE);
    let length = |name: &str| {
        let seconds = number(name)? as f64 / scale as f64;
        // A number too large for a duration counts as endless.
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    };
    if stretch.grows {
        let segments = |length: Duration| {
            u64::try_from(length.as_millis())
                .unwrap_or(u64::MAX)
                .div_ceil(SEGMENT_MS)
        };
        let back = length("liveBackoffDuration").map_or(0, segments);
        stretch.first = stretch.first.saturating_sub(back);
        stretch.end = stretch.end.saturating_sub(back).max(stretch.first + 1);
        if let Some(window) = length("presentationWindowDuration").map(segments) {
            stretch.first = stretch.first.max(stretch.end.saturating_sub(window));
        }
    } else {
        narrow(stretch, length("startTimestamp"), length("endTimestamp"));
    }
}

/// Moves the video track first whose bitrate is nearest to `wanted`.
fn begin_with(tracks: &mut [Track], wanted: u64) {
    let videos = || {
        let each = tracks.iter().enumerate();
        each.filter(|(_, track)| track.medium.name() == "video")
    };
    let nearest = videos().min_by_key(|(_, track)| track.bitrate.abs_diff(wanted));
    if let Some(at) = nearest.map(|(at, _)| at) {
        tracks.get_mut(..=at).unwrap_or_default().rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::media::play::track::Medium;

    fn track(medium: Medium, language: &str, bitrate: u64) -> Track {
        Track {
            medium,
            name: format!("{}-{bitrate}", medium.name()),
            language: language.to_owned(),
            bitrate,
            size: (0, 0),
        }
    }

    fn presentation() -> Presentation {
        Presentation {
            tracks: vec![
                track(Medium::Video, "und", 3_000),
                track(Medium::Video, "und", 2_000),
                track(Medium::Video, "und", 1_000),
                track(Medium::Audio, "en", 128),
                track(Medium::Audio, "fr", 128),
            ],
            stretch: Stretch {
                first: 0,
                end: 4,
                grows: false,
            },
        }
    }

    fn condition(property: &str, operation: &str, value: &str) -> Value {
        json!({ "property": property, "operation": operation, "value": value })
    }

    /// Bitrates and languages of what is left.
    fn left(properties: Value) -> Vec<String> {
        let mut shown = presentation();
        apply(&mut shown, &json!({ "properties": properties })).expect("something is left");
        shown
            .tracks
            .iter()
            .map(|track| format!("{}/{}", track.bitrate, track.language))
            .collect()
    }

    #[test]
    fn selections_are_alternatives_of_conditions_that_all_have_to_be_met() {
        let tracks = json!([
            { "trackSelections": [condition("Type", "Equal", "VIDEO"), condition("Bitrate", "Equal", "-2000")] },
            { "trackSelections": [condition("Type", "Equal", "Audio"), condition("Language", "NotEqual", "en")] },
        ]);
        assert_eq!(
            left(json!({ "tracks": tracks })),
            ["2000/und", "1000/und", "128/fr"]
        );
        let coded = json!([{ "trackSelections": [condition("FourCC", "Equal", "mp4a")] }]);
        assert_eq!(left(json!({ "tracks": coded })), ["128/en", "128/fr"]);
        for (range, fits) in [("2000", true), ("1-", true), ("-1999", false), ("x", false)] {
            assert_eq!(within(range, 2_000), fits, "{range}");
        }
        let none = json!({ "properties": { "tracks": [{ "trackSelections": [condition("Name", "Equal", "x")] }] } });
        let refused = apply(&mut presentation(), &none).expect_err("nothing is left");
        assert_eq!(refused.status.as_u16(), 500);
    }

    #[test]
    fn the_first_quality_is_the_nearest_rung() {
        let first = left(json!({ "firstQuality": { "bitrate": 1_400 } }));
        assert_eq!(first[..3], ["1000/und", "3000/und", "2000/und"]);
    }

    #[test]
    fn ranges_keep_whole_segments() {
        let stretch = |grows, range: Value| {
            let mut shown = presentation();
            if grows {
                shown.stretch = Stretch {
                    first: 8,
                    end: 14,
                    grows,
                };
            }
            let filter = json!({ "properties": { "presentationTimeRange": range } });
            apply(&mut shown, &filter)
                .map(|()| (shown.stretch.first, shown.stretch.end))
                .map_err(|refused| refused.status.as_u16())
        };
        let range = json!({ "startTimestamp": 20_000_000, "endTimestamp": 60_000_000 });
        assert_eq!(stretch(false, range), Ok((1, 4)));
        let range = json!({ "startTimestamp": 2, "endTimestamp": 3, "timescale": 1 });
        assert_eq!(stretch(false, range), Ok((1, 2)));
        let range = json!({ "startTimestamp": 60, "timescale": 1 });
        assert_eq!(stretch(false, range), Err(404));
        let range = json!({ "presentationWindowDuration": 4, "timescale": 1 });
        assert_eq!(stretch(true, range), Ok((11, 14)));
        let range = json!({ "liveBackoffDuration": 4, "timescale": 1 });
        assert_eq!(stretch(true, range), Ok((5, 11)));
    }
}
