//! Transforms and jobs: queueing, progress, outputs, failures.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        format,
        kind::Kind,
        merge,
        read::Read,
        reference::{Reference, Target},
        states::media::job,
        store::{Address, Event, Place, Resource, Step},
    },
    platform::{
        call::{Call, Response},
        generic,
        incidents::Incident,
        list,
        rules::{Entry, Platform, Rules, Shape, impossible},
        start::Activity,
    },
    resources::media::{assets, outputs, recording},
};

impl Kind {
    /// Transforms.
    pub const TRANSFORM: Self = Self::new("transform", "transform");
    /// Jobs.
    pub const JOB: Self = Self::under("job", "job", &Self::TRANSFORM);
}

/// Transforms and jobs.
pub static ENTRY: Entry = Entry {
    kinds: &[&TRANSFORMS, &JOBS],
    routes: &[
        ("GET ~/media/jobs", list_all),
        ("POST ~/media/transforms/{}/jobs/{}/cancelJob", cancel),
    ],
    incident: apply_incident,
    ..Entry::NONE
};

/// Transforms.
pub static TRANSFORMS: Rules = Rules {
    collection: "~/media/transforms",
    check: |world, _, body, _| {
        let outputs = body
            .pointer("/properties/outputs")
            .and_then(Value::as_array);
        let refused = |at: String, reason: String| Err(ApiError::field(&at, reason));
        let Some([output]) = outputs.map(Vec::as_slice) else {
            let reason = "has to hold one output; the platform makes no more for now".to_owned();
            return refused("/properties/outputs".to_owned(), reason);
        };
        let preset = output.get("preset");
        match preset.and_then(|preset| outputs::refused(&world.start, preset)) {
            Some((at, reason)) => refused(format!("/properties/outputs/0/preset{at}"), reason),
            None => Ok(()),
        }
    },
    // Its jobs are gone with it, and their slots are free.
    removed: |world, address, _| dispatch(world, &address.place.project),
    ..Rules::new(Kind::TRANSFORM, "Transform", Shape::arm("transforms"))
};

/// Jobs.
pub static JOBS: Rules = Rules {
    collection: "~/media/transforms/{}/jobs",
    life: &job::LIFE,
    state_at: &["/properties/state"],
    references: &[
        Reference::new("/properties/input/assetName", &[Target::top(Kind::ASSET)]).weak(),
        Reference::new(
            "/properties/outputs/*/assetName",
            &[Target::top(Kind::ASSET)],
        )
        .weak()
        .optional(),
    ],
    check,
    created: |world, address| {
        if let Some(job) = world.get_mut(address) {
            job.hidden
                .insert("transform".to_owned(), json!(address.place.parent));
        }
        make_outputs(world, address);
    },
    removed: |world, address, _| dispatch(world, &address.place.project),
    entered,
    complete,
    ..Rules::new(Kind::JOB, "Job", Shape::arm("transforms/jobs"))
};

/// Stands for all files of an asset.
const ALL_FILES: &str = "*";

/// The step that ends the processing.
fn finish(after: Duration) -> Step {
    Step::new(after, Event::Enter(job::FINISHED))
}

fn check(
    world: &Platform,
    call: &Call<'_>,
    body: &mut Value,
    existing: Option<&Resource>,
) -> Result<(), ApiError> {
    if existing.is_some() {
        return Ok(());
    }
    let project = call.project();
    let transform = world.find(&Address::new(
        project,
        Kind::TRANSFORM,
        call.parameter("transform_name"),
    ))?;
    let outputs = body
        .pointer("/properties/outputs")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let wanted = transform
        .body
        .pointer("/properties/outputs")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if outputs != wanted {
        return Err(ApiError::unprocessable(format!(
            "properties.outputs: the transform '{}' has {wanted} outputs and the job names {outputs}",
            transform.name
        )));
    }
    let lost = missing_outputs(world, project, body);
    if world.settings.strict_outputs && !lost.is_empty() {
        let reason = |(at, name)| (at, format!("there is no asset named '{name}'"));
        let findings = lost.into_iter().map(reason).collect();
        return Err(ApiError::invalid("request body", findings));
    }
    Ok(())
}

/// The missing output assets: pointers in the job, and names.
fn missing_outputs(world: &Platform, project: &str, body: &Value) -> Vec<(String, String)> {
    let outputs = body.items("/properties/outputs");
    outputs
        .enumerate()
        .filter_map(|(at, output)| {
            let name = output.get("assetName")?.as_str()?;
            let lost = !world.has(&Address::new(project, Kind::ASSET, name));
            lost.then(|| {
                let at = format!("/properties/outputs/{at}/assetName");
                (at, name.to_owned())
            })
        })
        .collect()
}

/// Makes the missing output assets, in the storage account of the input asset or else the first one.
fn make_outputs(world: &mut Platform, address: &Address) {
    let project = &address.place.project;
    let Some(job) = world.get(address) else {
        return;
    };
    let input = job
        .text("/properties/input/assetName")
        .and_then(|name| world.get(&Address::new(project, Kind::ASSET, name)))
        .and_then(|asset| asset.text("/properties/storageAccountName"));
    let first = || {
        let (_, account) = world.all(project, Kind::STORAGE).next()?;
        Some(&*account.name)
    };
    let account = input.or_else(first).unwrap_or_default().to_owned();
    let by = job.created_by;
    for (_, name) in missing_outputs(world, project, &job.body.clone()) {
        assets::make(
            world,
            &Address::new(project, Kind::ASSET, &name),
            &account,
            by,
        );
    }
}

/// Starts as many waiting jobs as there are free slots: high priority first, then in order of creation.
pub fn dispatch(world: &mut Platform, project: &str) {
    loop {
        let (mut running, mut waiting) = (0, Vec::new());
        for (place, job) in world.all(project, Kind::JOB) {
            match job.state {
                job::SCHEDULED | job::PROCESSING | job::CANCELING => running += 1,
                job::QUEUED if job.plan.is_empty() => {
                    let rank = match job.text("/properties/priority") {
                        Some("High") => 0,
                        Some("Low") => 2,
                        _ => 1,
                    };
                    waiting.push((rank, job.sequence, place.at(&job.name)));
                }
                _ => {}
            }
        }
        if running >= world.settings.job_slots {
            return;
        }
        let Some((_, _, address)) = waiting.into_iter().min() else {
            return;
        };
        let duration = world.settings.job_duration;
        world.go(&address, &job::RUN);
        if let Some(job) = world.get_mut(&address) {
            job.plan.push_back(finish(duration));
        }
    }
}

fn entered(world: &mut Platform, address: &Address, previous: &'static str) {
    let now = world.now;
    let Some(job) = world.get_mut(address) else {
        return;
    };
    if job.state == job::QUEUED {
        return dispatch(world, &address.place.project);
    }
    job.updated = now;
    match job.state {
        job::PROCESSING => {
            merge::put(&mut job.private, "/startTime", json!(format::time(now)));
            if let Some(length) = recording::begin(job, now) {
                let length = length.max(world.settings.job_duration);
                world.plan(address, &[finish(length)]);
            }
            if let Some(error) = failure(world, address) {
                fail_later(world, address, error);
            }
        }
        job::FINISHED => {
            let error = world
                .get(address)
                .and_then(|job| job.private.get("planned").cloned())
                .or_else(|| lost_output(world, address));
            match error {
                Some(error) => {
                    if let Some(job) = world.get_mut(address) {
                        job.state = job::ERROR;
                        merge::put(&mut job.private, "/error", error);
                    }
                }
                None => {
                    let minutes = world.settings.job_duration.as_secs_f64() / 60.0;
                    world.count(&address.place.project, Activity::Encoding, minutes);
                    write_outputs(world, address);
                }
            }
        }
        _ => {}
    }
    let state = world.get(address).map_or("", |job| job.state);
    if job::LIFE.is_end(state) {
        if let Some(job) = world.get_mut(address) {
            merge::put(&mut job.private, "/endTime", json!(format::time(now)));
        }
        dispatch(world, &address.place.project);
    }
    notify(world, address, previous);
}

/// Webhooks: the printed sources lack the `/media` that the resource's own path has.
fn notify(world: &mut Platform, address: &Address, previous: &'static str) {
    let state = world.get(address).map_or("", |job| job.state);
    let kind = match state {
        job::PROCESSING => "MediaKind.JobStarted",
        state if job::LIFE.is_end(state) => "MediaKind.JobFinished",
        _ => return,
    };
    let place = &address.place;
    let source = format!(
        "/api/v1/projects/{}/transforms/{}/jobs/{}",
        place.project, place.parent, address.name
    );
    world.publish(kind, address, &source, previous);
}

/// A job error as responses show it.
pub fn error(category: &str, code: &str, message: &str, retry: bool) -> Value {
    json!({ "category": category, "code": code, "message": message, "retry": if retry { "MayRetry" } else { "DoNotRetry" } })
}

/// Why a job that starts now cannot succeed.
fn failure(world: &Platform, address: &Address) -> Option<Value> {
    let job = world.get(address)?;
    if let Some(planned) = job.private.get("planned") {
        return Some(planned.clone());
    }
    let project = &address.place.project;
    match job.text("/properties/input/assetName") {
        Some(name) if !world.has(&Address::new(project, Kind::ASSET, name)) => Some(error(
            "Download",
            "DownloadNotAccessible",
            &format!("the input asset '{name}' is gone"),
            false,
        )),
        Some(name) => {
            let asset = world.get(&Address::new(project, Kind::ASSET, name))?;
            let lost = missing_file(job, &assets::files(world, project, asset))?;
            Some(error(
                "Download",
                "DownloadNotAccessible",
                &format!("the input asset '{name}' has no file '{lost}'"),
                false,
            ))
        }
        None => {
            // The reserved top-level domain that never resolves: a way to see a failure without the control handle.
            let sources = job.text("/properties/input/baseUri").into_iter().chain(
                job.body
                    .items("/properties/input/files")
                    .filter_map(Value::as_str),
            );
            let hosts = sources
                .filter_map(|source| source.split("://").nth(1)?.split(['/', ':', '?']).next());
            let lost = hosts.into_iter().find(|host| host.ends_with(".invalid"))?;
            Some(error(
                "Download",
                "DownloadNotAccessible",
                &format!("the host '{lost}' cannot be reached"),
                true,
            ))
        }
    }
}

/// The first file that a job reads and its asset lacks. An asset without files counts as complete, so that tests need not
/// upload any.
fn missing_file<'a>(job: &'a Resource, known: &[(String, u64)]) -> Option<&'a str> {
    if known.is_empty() {
        return None;
    }
    job.body
        .pointer("/properties/input/files")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .filter(|file| *file != ALL_FILES)
        .find(|file| !known.iter().any(|(name, _)| name == file))
}

/// Applies an incident to a job.
fn apply_incident(
    world: &mut Platform,
    address: &Address,
    incident: &Incident,
) -> Result<(), String> {
    let Incident::JobFails(failure) = incident else {
        return Err(impossible(address));
    };
    let error = error(
        &failure.category,
        &failure.code,
        &failure.message,
        failure.may_retry,
    );
    fail(world, address, error)
}

/// Fails a job that has not ended, half way through its processing.
fn fail(world: &mut Platform, address: &Address, error: Value) -> Result<(), String> {
    match world.get_mut(address) {
        Some(job) if matches!(job.state, job::QUEUED | job::SCHEDULED) => {
            merge::put(&mut job.private, "/planned", error);
            Ok(())
        }
        Some(job) if job.state == job::PROCESSING => {
            fail_later(world, address, error);
            Ok(())
        }
        found => Err(format!(
            "the job '{}' is {}",
            address.name,
            found.map_or("gone", |job| job.state)
        )),
    }
}

fn lost_output(world: &Platform, address: &Address) -> Option<Value> {
    let job = world.get(address)?;
    let outputs = job.body.pointer("/properties/outputs")?.as_array()?;
    let lost = outputs
        .iter()
        .filter_map(|output| output.get("assetName")?.as_str())
        .find(|name| !world.has(&Address::new(&address.place.project, Kind::ASSET, name)))?;
    Some(error(
        "Upload",
        "UploadNotAccessible",
        &format!("the output asset '{lost}' is gone"),
        false,
    ))
}

/// A job that will fail does so half way through.
pub fn fail_later(world: &mut Platform, address: &Address, error: Value) {
    let half = world.settings.job_duration / 2;
    if let Some(job) = world.get_mut(address) {
        merge::put(&mut job.private, "/planned", error);
    }
    world.plan(address, &[finish(half)]);
}

/// Writes the files and tracks of a job into its output assets.
fn write_outputs(world: &mut Platform, address: &Address) {
    let Some(job) = world.get(address) else {
        return;
    };
    let project = &address.place.project;
    let listed = |value: &Value, at: &str| value.pointer(at).and_then(Value::as_array).cloned();
    let transform = Address::new(project, Kind::TRANSFORM, &address.place.parent);
    let presets = world
        .get(&transform)
        .and_then(|transform| listed(&transform.body, "/properties/outputs"))
        .unwrap_or_default();
    let outputs = listed(&job.body, "/properties/outputs").unwrap_or_default();
    let input = input_files(world, project, job);
    let made: Vec<(Address, outputs::Made)> = outputs
        .iter()
        .zip(&presets)
        .filter_map(|(output, preset)| {
            let name = output.get("assetName")?.as_str()?;
            let made = outputs::made(&world.start, preset.get("preset")?, &input);
            Some((Address::new(project, Kind::ASSET, name), made))
        })
        .collect();
    for (asset, made) in made {
        assets::add_files(world, &asset, &made.files);
        if let Some(track) = made.track {
            assets::add_track(world, &asset, track);
        }
    }
}

/// The files that a job reads: those it names, or the media of its asset.
fn input_files(world: &Platform, project: &str, job: &Resource) -> Vec<String> {
    let named: Vec<String> = job
        .body
        .items("/properties/input/files")
        .filter_map(Value::as_str)
        .filter(|file| *file != ALL_FILES)
        .map(str::to_owned)
        .collect();
    if !named.is_empty() {
        return named;
    }
    let asset = job
        .text("/properties/input/assetName")
        .and_then(|name| world.get(&Address::new(project, Kind::ASSET, name)));
    let files = asset
        .map(|asset| assets::files(world, project, asset))
        .unwrap_or_default();
    let media = |(name, _): &(String, u64)| name.ends_with(".mp4");
    let first = files.iter().find(|file| media(file)).or(files.first());
    let first = first.map(|(name, _)| name.clone());
    vec![first.unwrap_or_else(|| "video.mp4".to_owned())]
}

fn moment(job: &Resource, name: &str) -> Option<DateTime<Utc>> {
    format::parse_time(job.private.get(name)?.as_str()?)
}

fn progress(world: &Platform, job: &Resource) -> i64 {
    let Some(start) = moment(job, "startTime") else {
        return 0;
    };
    if job.state == job::FINISHED {
        return 100;
    }
    let until = moment(job, "endTime").unwrap_or(world.now);
    let total = recording::length(job)
        .unwrap_or_default()
        .max(world.settings.job_duration)
        .as_secs_f64()
        .max(0.001);
    let done = (until - start).num_milliseconds() as f64 / 1_000.0 / total * 100.0;
    done.clamp(0.0, 99.0) as i64
}

fn complete(world: &Platform, _: &Address, job: &Resource, out: &mut Value) {
    let start = job.private.get("startTime").cloned().unwrap_or(Value::Null);
    let end = job.private.get("endTime").cloned().unwrap_or(Value::Null);
    merge::put(out, "/properties/startTime", start.clone());
    merge::put(out, "/properties/endTime", end.clone());
    if let Some(recording) = recording::shown(job, world.now) {
        merge::put(out, "/properties/recording", recording);
    }
    let progress = progress(world, job);
    for output in out
        .pointer_mut("/properties/outputs")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        merge::overlay(
            output,
            &json!({ "state": job.state, "progress": progress, "startTime": start, "endTime": end }),
        );
        if let Some(error) = job.private.get("error") {
            merge::put(output, "/error", error.clone());
        }
    }
}

/// GET of all jobs of a project.
pub fn list_all(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let tables: Vec<_> = world.tables(call.project(), Kind::JOB).collect();
    list::tables_page(world, call, "Job", &tables)
}

/// POST `…/cancelJob`.
pub fn cancel(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let place = Place::under(call.project(), Kind::JOB, call.parameter("transform_name"));
    let address = place.at(call.parameter("job_name"));
    generic::act(world, &address, &job::CANCEL)
}
