//! Resources as responses show them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    base::{
        format, merge,
        states::media::{streaming_endpoint as endpoint, streaming_locator as locator},
        store::DELETING,
        store::{Address, Place, Resource},
    },
    platform::{
        identity,
        rules::{Platform, Rules, Shape},
    },
};

/// A user's mail address, as it stands beside every change.
pub fn email(world: &Platform, user: Uuid) -> String {
    identity::email_of(world, user)
}

/// A resource as GET answers it.
pub fn resource(world: &Platform, address: &Address, resource: &Resource) -> Value {
    let rules = world.rules(address.place.kind);
    let mut out = match rules.shape {
        Shape::Arm {
            collection,
            envelope,
            times,
        } => arm(world, address, resource, collection, envelope, times),
        Shape::Spec { name } => spec(world, rules, resource, name),
        Shape::Bare => resource.body.clone(),
    };
    merge::overlay(&mut out, &resource.server);
    for pointer in rules.state_at {
        merge::put(&mut out, pointer, json!(resource.state));
    }
    if rules.provisioning {
        let state = match resource.state {
            _ if resource.is_broken() => "Failed",
            endpoint::CREATING | endpoint::UPDATING | endpoint::SCALING | DELETING => "InProgress",
            locator::ERROR => "Failed",
            _ => "Succeeded",
        };
        merge::put(&mut out, "/properties/provisioningState", json!(state));
    }
    (rules.complete)(world, address, resource, &mut out);
    out
}

/// The path of a media resource below the project.
pub fn path_below(place: &Place, collection: &str, name: &str) -> String {
    let mut parents = place.parent.split('/');
    let mut path = String::new();
    for part in collection.split('/') {
        if !path.is_empty() {
            path.push('/');
            path.push_str(parents.next().unwrap_or_default());
            path.push('/');
        }
        path.push_str(part);
    }
    format!("{path}/{name}")
}

fn id(address: &Address, collection: &str) -> String {
    let path = path_below(&address.place, collection, &address.name);
    format!("/projects/{}/media/{path}", address.place.project)
}

fn arm(
    world: &Platform,
    address: &Address,
    resource: &Resource,
    collection: &str,
    envelope: bool,
    times: bool,
) -> Value {
    let mut out = json!({});
    if envelope {
        merge::put(&mut out, "/id", json!(id(address, collection)));
    }
    merge::put(&mut out, "/name", json!(&*resource.name));
    if envelope {
        merge::put(
            &mut out,
            "/type",
            json!(format!("Microsoft.Media/mediaservices/{collection}")),
        );
    }
    merge::overlay(&mut out, &resource.body);
    if times {
        merge::put(
            &mut out,
            "/properties/created",
            json!(format::time(resource.created)),
        );
        merge::put(
            &mut out,
            "/properties/lastModified",
            json!(format::time(resource.updated)),
        );
    }
    if envelope {
        merge::put(
            &mut out,
            "/systemData",
            json!({
                "createdAt": format::time(resource.created), "createdBy": email(world, resource.created_by), "createdByType": "User",
                "internalId": resource.id, "lastModifiedAt": format::time(resource.updated),
                "lastModifiedBy": email(world, resource.updated_by), "lastModifiedByType": "User",
            }),
        );
    }
    out
}

/// `metadata` as newer resources carry it.
pub fn metadata(world: &Platform, resource: &Resource, name: bool) -> Value {
    let mut out = json!({ "id": resource.id });
    if name {
        merge::put(&mut out, "/name", json!(&*resource.name));
    }
    merge::overlay(
        &mut out,
        &json!({
            "created": format::time(resource.created), "createdBy": resource.created_by, "createdByEmail": email(world, resource.created_by),
            "updated": format::time(resource.updated), "updatedBy": resource.updated_by, "updatedByEmail": email(world, resource.updated_by),
        }),
    );
    out
}

/// The values by which lists find a resource, beside those of responses: who made and changed it, by id, address and name, and when.
pub fn index(world: &Platform, address: &Address, resource: &Resource) -> Map<String, Value> {
    let rules = world.rules(address.place.kind);
    let mut out = resource.hidden.clone();
    let id = match rules.shape {
        Shape::Arm { collection, .. } => json!([id(address, collection), resource.id]),
        _ => json!(resource.id),
    };
    out.insert("id".to_owned(), id);
    (rules.index)(world, resource, &mut out);
    for (verb, at, by) in [
        ("created", resource.created, resource.created_by),
        ("updated", resource.updated, resource.updated_by),
    ] {
        let (email, name) = (email(world, by), identity::name_of(world, by));
        out.insert(verb.to_owned(), json!(format::time(at)));
        // Some responses show the address where others show the id.
        out.insert(format!("{verb}By"), json!([by, email]));
        out.insert(format!("{verb}ByEmail"), json!(email));
        out.insert(format!("{verb}ByName"), json!(name));
    }
    out
}

fn spec(world: &Platform, rules: &Rules, resource: &Resource, name: bool) -> Value {
    let mut out = json!({ "kind": rules.label, "metadata": metadata(world, resource, name) });
    merge::overlay(&mut out, &resource.body);
    out
}
