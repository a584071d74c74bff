//! Many jobs at once: created several at a time, waited for together, with a table at the end.
//!
//! The waits share list requests: 500 of them take about 30 requests a minute.

use std::{
    collections::BTreeMap,
    env,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use mkio::{WaitFailure, bulk::Bulk, media::types::*};

use crate::place::Place;

/// Runs the example. `JOBS` is the number of jobs; by default 500.
pub async fn run(place: &Place) -> Result<()> {
    let jobs = env::var("JOBS").ok().and_then(|count| count.parse().ok()).unwrap_or(500);
    let media = place.project.media();
    let (input, file) = place.video().await?;
    let transform = place.name("encode");
    place.undo(&transform, media.delete_transform(&transform).send());
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    let outputs = TransformPutProperties::new([preset]);
    media.create_or_update_transform(&transform, outputs).send().await?;
    let output = place.asset("output").await?;
    if let Some(emulator) = &place.emulator {
        // Two jobs run at a time, a minute each: let an hour pass in a second.
        emulator.control().set_time_scale(30_000.0);
    }

    let bar = place.bar("jobs");
    let outcomes: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let report = Bulk::each(1..=jobs)
        // All of them wait at the same time and share list requests.
        .at_once(jobs)
        .run(|number| {
            let name = format!("job-{number:04}");
            place.undo_job(&transform, &name);
            let source = JobInputAsset::new(&input).with_files([file.as_str()]);
            let job = JobPutProperties::new(source, [JobOutputAsset::new(&output)]);
            let run = place.wait(media.run_job(&transform, &name, job));
            let (bar, outcomes) = (&bar, &outcomes);
            (name, async move {
                let outcome = run.await;
                let state = match &outcome {
                    Ok(job) => job.state().to_string(),
                    Err(error) => why(error),
                };
                let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                *outcomes.entry(state).or_default() += 1;
                let ended: u64 = outcomes.values().sum();
                bar.set(ended * 100 / jobs as u64, &format!("{ended} jobs have ended"));
                outcome
            })
        })
        .await;

    place.say("state                jobs");
    for (state, count) in outcomes.into_inner().unwrap_or_else(PoisonError::into_inner) {
        place.say(format!("{state:<20} {count:>4}"));
    }
    for failed in &report.failed {
        place.say(format!("{}: {}", failed.name, failed.error));
    }
    Ok(())
}

/// Why a job did not finish: its own error, else that of the wait.
fn why(error: &mkio::Error) -> String {
    let failure = WaitFailure::of(error);
    let first = failure.and_then(|failure| failure.errors.first());
    let code = first.and_then(|first| first.code.clone());
    code.unwrap_or_else(|| error.message().to_owned())
}
