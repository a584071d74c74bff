//! The columns of a table of resources.

use serde_json::Value;

use crate::{
    document::ref_name,
    model::{Field, Model, Operation, Shape},
    states::States,
    types,
};

/// Most columns that the rule gives.
const MOST: usize = 6;

/// Members that are columns, in their order.
const SHOWN: [&str; 22] = [
    "name",
    "displayName",
    "friendlyName",
    "id",
    "email",
    "@odata.type",
    "type",
    "kind",
    "role",
    "state",
    "resourceState",
    "status",
    "location",
    "region",
    "assetName",
    "storageContainerName",
    "hostName",
    "description",
    "version",
    "value",
    "created",
    "createdAt",
];

/// The columns of an operation's response, or of its list's items: those of the overlay, else those that
/// the rule finds up to one level down.
pub fn of(
    model: &Model,
    states: &States,
    operation: &Operation,
    item: Option<&Value>,
) -> Vec<String> {
    if !operation.columns.is_empty() {
        return operation.columns.clone();
    }
    let named = item
        .and_then(types::named_type)
        .or_else(|| operation.response_type_name());
    let Some(named) = named else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for wanted in SHOWN {
        if wanted == "state" {
            found.extend(of_states(states, named));
        }
        // An id is no column where there is a name.
        if wanted == "id" && !found.is_empty() {
            continue;
        }
        let taken = |place: &String| found.contains(place);
        let place = place(model, named, wanted).filter(|place| !taken(place));
        found.extend(place);
    }
    found.truncate(MOST);
    found
}

/// Where waits read state and progress of resources of a type.
fn of_states(states: &States, named: &str) -> Vec<String> {
    let resource = states.values().find(|resource| resource.model == named);
    let pointers = resource.map(|resource| [&resource.pointer, &resource.progress]);
    let pointers = pointers.into_iter().flatten().flatten();
    let plain = pointers.filter(|pointer| !pointer.contains('{'));
    plain
        .map(|pointer| pointer.trim_start_matches('/').to_owned())
        .collect()
}

/// Path of the member, at the top or in one of the objects that every resource has.
fn place(model: &Model, named: &str, wanted: &str) -> Option<String> {
    let top = fields(model, named)?;
    let shown = |field: &Field| is_shown(model, field);
    if top.get(wanted).is_some_and(shown) {
        return Some(wanted.to_owned());
    }
    ["metadata", "properties", "spec", "status"]
        .into_iter()
        .find_map(|within| {
            let below = ref_of(&top.get(within)?.schema)?;
            let field = fields(model, below)?.get(wanted)?;
            shown(field).then(|| format!("{within}/{wanted}"))
        })
}

/// A text, number or enum that may be shown.
fn is_shown(model: &Model, field: &Field) -> bool {
    let plain = match ref_of(&field.schema) {
        Some(name) => matches!(
            model.types.get(name).map(|of| &of.shape),
            Some(Shape::Enum(_))
        ),
        None => !["object", "array"].contains(&field.schema["type"].as_str().unwrap_or("object")),
    };
    plain && !field.secret
}

fn ref_of(schema: &Value) -> Option<&str> {
    ref_name(schema).or_else(|| ref_name(&schema["allOf"][0]))
}

fn fields<'a>(model: &'a Model, name: &str) -> Option<&'a indexmap::IndexMap<String, Field>> {
    match &model.types.get(name)?.shape {
        Shape::Struct(fields) => Some(fields),
        _ => None,
    }
}
