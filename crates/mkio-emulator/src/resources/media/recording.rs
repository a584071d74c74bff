//! Recordings: jobs that cut a stretch of wall-clock time out of a live source.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::base::{
    format::{self, parse_time},
    merge,
    read::Read,
    states::media::job,
    store::Resource,
};

/// A bound of the clip: none when the input has none of wall-clock time, `Some(None)` when it is left to a signal.
fn bound(job: &Resource, side: &str) -> Option<Option<DateTime<Utc>>> {
    let clip = job.body.pointer(&format!("/properties/input/{side}"))?;
    let wall_clock = clip.text("/@odata.type") == Some("#Microsoft.Media.UtcClipTime");
    wall_clock.then(|| parse_time(clip.get("time")?.as_str()?))
}

/// Whether a job records: its input starts or ends at a point in time.
fn records(job: &Resource) -> bool {
    ["start", "end"]
        .iter()
        .any(|side| bound(job, side).is_some())
}

fn time(job: &Resource, name: &str) -> Option<DateTime<Utc>> {
    parse_time(job.private_text(&format!("/recording/{name}"))?)
}

/// A job begins to process: how long that takes if it records. A start that is left to a signal is now.
pub fn begin(job: &mut Resource, now: DateTime<Utc>) -> Option<Duration> {
    if !records(job) {
        return None;
    }
    let start = bound(job, "start").flatten().unwrap_or(now);
    let end = bound(job, "end").flatten();
    let kept = json!({
        "begun": format::time(now), "start": format::time(start), "end": end.map(format::time),
    });
    merge::put(&mut job.private, "/recording", kept);
    length(job)
}

/// How long a recording takes from the beginning of its processing: until its end, where that is to come.
pub fn length(job: &Resource) -> Option<Duration> {
    let begun = time(job, "begun")?;
    let last = time(job, "end").or_else(|| time(job, "start"))?;
    Some((last - begun).to_std().unwrap_or_default())
}

/// `properties.recording`; none for a job that does not record.
pub fn shown(job: &Resource, now: DateTime<Utc>) -> Option<Value> {
    if !records(job) {
        return None;
    }
    let target = |side: &str| bound(job, side).flatten().map(format::time);
    let ended = job.private_text("/endTime").and_then(parse_time);
    let until = ended.unwrap_or(now);
    // Time before the start of the job is captured at once.
    let from = time(job, "start");
    let captured = from.filter(|from| *from <= until);
    let (state, details) = match job.state {
        job::QUEUED | job::SCHEDULED => ("Scheduled", ""),
        job::FINISHED => ("Completed", ""),
        job::ERROR => {
            let message = job.private_text("/error/message");
            ("Error", message.unwrap_or("the job failed"))
        }
        job::CANCELED => ("Error", "the job was canceled"),
        _ if captured.is_some() => ("InProgress", ""),
        _ => ("Waiting", ""),
    };
    let end = match (captured, ended) {
        (Some(_), Some(ended)) => Some(time(job, "end").map_or(ended, |end| end.min(ended))),
        _ => None,
    };
    Some(json!({
        "state": state, "details": details, "targetStartTime": target("start"), "targetEndTime": target("end"),
        "actualStartTime": captured.map(format::time), "actualEndTime": end.map(format::time),
    }))
}
