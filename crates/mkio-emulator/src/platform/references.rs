//! Follows the references that the rules declare.

use serde_json::Value;

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        read::Read,
        reference::{Deletion, Presence, Reference, Target},
        store::{Address, Place, Resource},
    },
    platform::rules::{Platform, Rules},
};

/// What a body names and its project does not have, `(pointer, reason)`. What `before` names at the same place is left alone.
pub fn missing(
    world: &Platform,
    rules: &Rules,
    project: &str,
    body: &Value,
    before: Option<&Value>,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for reference in rules.references {
        if reference.presence == Presence::Optional {
            continue;
        }
        for (at, name) in reference.names(body) {
            let kept = before.and_then(|before| before.text(&at)) == Some(name);
            let known = |target: &Target| world.has(&address(target, project, body, name));
            if !kept && !reference.to.iter().any(known) {
                found.push((at, unknown(reference, name)));
            }
        }
    }
    found
}

/// Why a name is refused that leads nowhere.
fn unknown(reference: &Reference, name: &str) -> String {
    let nouns: Vec<&str> = reference
        .to
        .iter()
        .map(|target| target.kind.noun())
        .collect();
    let noun = nouns.first().copied().unwrap_or_default();
    format!("there is no {noun} named '{name}'")
}

fn address(target: &Target, project: &str, body: &Value, name: &str) -> Address {
    match target.parent {
        None => Address::new(project, target.kind, name),
        Some(at) => {
            let parent = body.text(at).unwrap_or_default();
            Place::under(project, target.kind, parent).at(name)
        }
    }
}

/// A resource that names another.
pub struct User<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Itself.
    pub resource: &'a Resource,
    /// The field that names the other.
    pub reference: &'static Reference,
}

/// The resources that name one, apart from those on their way out.
pub fn users<'a>(world: &'a Platform, used: &'a Address) -> impl Iterator<Item = User<'a>> {
    let project = &used.place.project;
    let references = world.registry.rules().flat_map(move |rules| {
        let to = |target: &Target| target.kind == used.place.kind;
        let leads = move |reference: &&Reference| reference.to.iter().any(to);
        rules
            .references
            .iter()
            .filter(leads)
            .map(move |reference| (rules.kind, reference))
    });
    references.flat_map(move |(kind, reference)| {
        world
            .all(project, kind)
            .map(|(_, resource)| resource)
            .filter(move |resource| !resource.is_deleting() && names(reference, resource, used))
            .map(move |resource| User {
                kind,
                resource,
                reference,
            })
    })
}

fn names(reference: &Reference, resource: &Resource, used: &Address) -> bool {
    let named = reference
        .names(&resource.body)
        .iter()
        .any(|(_, name)| *name == used.name);
    named
        && reference.to.iter().any(|target| {
            let parent = target
                .parent
                .map(|at| resource.text(at).unwrap_or_default());
            target.kind == used.place.kind
                && parent.is_none_or(|parent| parent == used.place.parent)
        })
}

/// Refuses to delete a resource in use.
///
/// # Errors
/// 409, or 400 where the reference says so, with the first user.
pub fn guard(world: &Platform, used: &Address) -> Result<(), ApiError> {
    let user = users(world, used).find(|user| user.reference.deletion != Deletion::Allowed);
    let Some(user) = user else {
        return Ok(());
    };
    let detail = format!(
        "the {} '{}' is used by the {} '{}'",
        used.place.kind.noun(),
        used.name,
        user.kind.noun(),
        user.resource.name
    );
    Err(match user.reference.deletion {
        Deletion::RefusedAsBadRequest => ApiError::bad_request(detail),
        _ => ApiError::conflict(detail),
    })
}
