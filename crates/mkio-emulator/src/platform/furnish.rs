//! Puts the resources of the start into the world.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    base::{error::ApiError, life::Move, store::Address, world::PLATFORM_USER},
    platform::{
        identity,
        rules::Platform,
        start::{Record, RoleStart, Start},
    },
};

/// Stands for a new id, as the name of a record.
pub const NEW: &str = "{new}";

/// Makes the resources of the organization.
///
/// # Errors
/// When a record names a kind that there is not, or the emulator keeps no more.
pub fn organization(world: &mut Platform, start: &Start) -> Result<(), ApiError> {
    let home = world.home.to_string();
    for record in &start.organization {
        put(world, "", record, &[("{home}", &home)])?;
    }
    start
        .roles
        .iter()
        .try_for_each(|role| self::role(world, role))
}

/// Makes the resources of every project.
///
/// # Errors
/// As for [`organization`].
pub fn project(world: &mut Platform, project: &str, location: &str) -> Result<(), ApiError> {
    let start = world.start.clone();
    records(world, project, location, &start.project)
}

/// Makes resources of a project.
///
/// # Errors
/// As for [`organization`].
pub fn records(
    world: &mut Platform,
    project: &str,
    location: &str,
    records: &[Record],
) -> Result<(), ApiError> {
    records
        .iter()
        .try_for_each(|record| put(world, project, record, &[("{location}", location)]))
}

fn put(
    world: &mut Platform,
    project: &str,
    record: &Record,
    places: &[(&str, &str)],
) -> Result<(), ApiError> {
    let kind = world.registry.kind(&record.kind).ok_or_else(|| {
        ApiError::bad_request(format!(
            "there is no kind of resource named '{}'",
            record.kind
        ))
    })?;
    let name = match record.name.as_str() {
        NEW => Uuid::new_v4().to_string(),
        name => filled(name, places),
    };
    let id = Uuid::try_parse(&name).unwrap_or_else(|_| Uuid::new_v4());
    let own = id.to_string();
    let places: Vec<(&str, &str)> = places
        .iter()
        .copied()
        .chain([("{id}", own.as_str())])
        .collect();
    let address = Address::new(project, kind, &name);
    make(world, &address, body(record, &places))?;
    if let Some(made) = world.get_mut(&address) {
        made.id = id;
        if let Value::Object(private) = each_text(&record.private, &places)
            && let Some(kept) = made.private.as_object_mut()
        {
            kept.extend(private);
        }
    }
    Ok(())
}

/// The body of a record, with its places filled in.
pub fn body(record: &Record, places: &[(&str, &str)]) -> Value {
    each_text(&record.body, places)
}

fn filled(text: &str, places: &[(&str, &str)]) -> String {
    let replace = |text: String, (place, value): &(&str, &str)| text.replace(place, value);
    places.iter().fold(text.to_owned(), replace)
}

/// A value with each place in its texts and names filled in.
fn each_text(value: &Value, places: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) => Value::String(filled(text, places)),
        Value::Array(items) => items.iter().map(|item| each_text(item, places)).collect(),
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| (filled(name, places), each_text(value, places));
            fields.iter().map(field).collect()
        }
        other => other.clone(),
    }
}

/// Makes a resource as a PUT would, but already in the state it comes to rest in.
///
/// # Errors
/// When the emulator keeps no more of the kind.
pub fn make(world: &mut Platform, address: &Address, body: Value) -> Result<(), ApiError> {
    let rules = world.rules(address.place.kind);
    let body = if body.is_null() { json!({}) } else { body };
    world.insert(address, body, PLATFORM_USER)?;
    if let Some(rest) = rules.life.create.and_then(Move::rest) {
        world.enter(address, rest, &[]);
    }
    (rules.created)(world, address);
    Ok(())
}

fn role(world: &mut Platform, role: &RoleStart) -> Result<(), ApiError> {
    let mut all = identity::capabilities(true);
    all.extend(identity::capabilities(false));
    let has = |capability: &String, verb: &String| {
        let spared = role.except.as_ref();
        role.everywhere.contains(verb) || spared.is_some_and(|spared| !spared.contains(capability))
    };
    let capabilities: Vec<Value> = all
        .iter()
        .flat_map(|(capability, verbs)| {
            verbs
                .iter()
                .filter(move |verb| has(capability, verb))
                .map(move |verb| json!({ "capability": format!("{capability}.{verb}") }))
        })
        .collect();
    let id = Uuid::new_v4();
    let body = json!({
        "kind": "Role", "metadata": { "id": id, "name": role.name, "categories": ["general"] },
        "spec": { "description": role.description, "capabilities": capabilities },
    });
    let Some(kind) = world.registry.kind("role") else {
        return Ok(());
    };
    let made = world.insert(&Address::new("", kind, &role.name), body, PLATFORM_USER)?;
    made.id = id;
    Ok(())
}
