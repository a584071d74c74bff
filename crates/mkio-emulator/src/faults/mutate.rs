//! Responses that do not fit their document.

use serde_json::{Map, Value, json};

use crate::{
    base::merge,
    faults::fault::{Fault, Link},
};

/// A value that no enumeration holds.
const UNKNOWN: &str = "SomethingNew";

/// Spoils a response as the fault says. `url` is that of the request.
pub fn apply(fault: &Fault, url: &str, body: &mut Value) {
    let named = |names: &[String], name: &str| names.iter().any(|wanted| wanted == name);
    walk(body, &mut |fields| {
        for (name, value) in fields.iter_mut() {
            if named(&fault.unknown, name) {
                *value = json!(UNKNOWN);
            } else if named(&fault.null, name) {
                *value = Value::Null;
            } else if named(&fault.mistype, name) {
                *value = if value.is_string() {
                    json!(42)
                } else {
                    json!("text")
                };
            }
        }
        fields.retain(|name, _| !named(&fault.drop, name));
    });
    for name in &fault.extra {
        let mut add =
            |target: &mut Value| merge::put(target, &format!("/{name}"), json!({ "added": true }));
        if let Some(items) = body.get_mut("value").and_then(Value::as_array_mut) {
            items.iter_mut().for_each(&mut add);
        }
        add(body);
    }
    if let (Some(link), Some(_)) = (fault.link, body.get("@odata.nextLink")) {
        let target = match link {
            Link::Stale => format!(
                "{}?$cursor=expired",
                url.split('?').next().unwrap_or_default()
            ),
            Link::Foreign => "https://elsewhere.invalid/page?$skiptoken=1".to_owned(),
            Link::Repeat => url.to_owned(),
        };
        merge::put(body, "/@odata.nextLink", json!(target));
    }
}

fn walk(value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|field| walk(field, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mutation_shows() {
        let fault = Fault {
            unknown: vec!["state".to_owned()],
            extra: vec!["more".to_owned()],
            drop: vec!["name".to_owned()],
            null: vec!["id".to_owned()],
            mistype: vec!["count".to_owned()],
            link: Some(Link::Repeat),
            ..Fault::default()
        };
        let mut body = json!({ "value": [{ "name": "a", "id": "1", "properties": { "state": "Ready", "count": 2 } }], "@odata.nextLink": "x" });
        apply(&fault, "http://host/page", &mut body);
        let expected = json!({ "value": [{ "id": null, "properties": { "state": UNKNOWN, "count": "text" }, "more": { "added": true } }], "@odata.nextLink": "http://host/page", "more": { "added": true } });
        assert_eq!(body, expected);
    }
}
