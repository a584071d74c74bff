//! Applies incidents to resources.

use http::Method;

use crate::{
    base::{
        kind::Kind,
        store::{Address, Place},
    },
    docs::{Documents, Operation},
    engine::Engine,
    platform::{
        call,
        incidents::{Incident, JobFailure},
        rules::{Platform, Registry},
    },
};

/// The kind that a GET reads: the one whose collection the path lies in.
fn kind_of(registry: &Registry, operation: &Operation) -> Option<Kind> {
    registry
        .rules()
        .find(|rules| !rules.collection.is_empty() && rules.reads(operation))
        .map(|rules| rules.kind)
}

/// The resource at a path below the project, or at an absolute path.
fn find(world: &Platform, project: &str, path: &str) -> Result<Address, String> {
    let full = call::full_path(project, path);
    let unknown = || format!("there is no resource at '{full}'");
    let (operation, parameters) = Documents::get()
        .route(&Method::GET, &full)
        .map_err(|_| unknown())?;
    let kind = kind_of(world.registry, operation).ok_or_else(unknown)?;
    let address = call::address(&parameters, kind);
    if world.get(&address).is_some() {
        Ok(address)
    } else {
        Err(unknown())
    }
}

/// Applies an incident to the resource at a path.
///
/// # Errors
/// When there is no such resource, or the incident cannot happen to it, or not in its state.
pub fn happen(
    engine: &Engine,
    project: &str,
    path: &str,
    incident: &Incident,
) -> Result<(), String> {
    let mut world = engine.world();
    let address = find(&world, project, path)?;
    on(&mut world, &address, incident)
}

/// Fails a job that has not ended, half way through its processing.
///
/// # Errors
/// When there is no such job, or it has ended.
pub fn fail_job(
    engine: &Engine,
    project: &str,
    transform: &str,
    job: &str,
    failure: &JobFailure,
) -> Result<(), String> {
    let mut world = engine.world();
    let address = Place::under(project, Kind::JOB, transform).at(job);
    if world.get(&address).is_none() {
        return Err(format!(
            "there is no job '{job}' of transform '{transform}'"
        ));
    }
    on(&mut world, &address, &Incident::JobFails(failure.clone()))
}

fn on(world: &mut Platform, address: &Address, incident: &Incident) -> Result<(), String> {
    (world.registry.entry(address.place.kind).incident)(world, address, incident)
}
