//! Problem: information for callers is in extensions that no generator reads. This pass writes
//! capability, sortable and filterable fields into the operation's description, and the
//! descriptions of error responses that say more than their status.

use serde_json::{Map, Value};

use crate::{
    document::{Document, append_description},
    marks,
    report::Changes,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    document.operations_mut(|path, method, operation| {
        for (extension, lead) in [
            (marks::CAPABILITY, "Capability needed"),
            (marks::SORT, "Sortable fields"),
            (marks::FILTER, "Filterable fields"),
        ] {
            let values = match operation.get(extension) {
                Some(Value::String(one)) => vec![format!("`{one}`")],
                Some(Value::Array(several)) => several
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|value| format!("`{value}`"))
                    .collect(),
                _ => continue,
            };
            if !values.is_empty() {
                append_description(operation, &format!("{lead}: {}.", values.join(", ")));
                changes.note(format!("{method} {path}: {extension}"));
            }
        }
        for sentence in refusals(operation) {
            append_description(operation, &sentence);
            changes.note(format!("{method} {path}: {sentence}"));
        }
    });
    document
}

/// The document's description of an error beyond its status.
fn refusals(operation: &Map<String, Value>) -> Vec<String> {
    let responses = operation.get("responses").and_then(Value::as_object);
    let responses = responses.into_iter().flatten();
    responses
        .filter(|(status, _)| status.starts_with('4'))
        .filter_map(|(status, response)| {
            let text = response["description"]
                .as_str()?
                .trim()
                .trim_end_matches('.');
            let mut rest = text.chars();
            let first = rest.next().filter(|_| !GENERIC.contains(&text))?;
            let (first, rest) = (first.to_lowercase(), rest.as_str());
            Some(format!("Fails with {status}: {first}{rest}."))
        })
        .collect()
}

/// Descriptions that only repeat the status.
const GENERIC: &[&str] = &[
    "Bad Request",
    "Conflict",
    "Forbidden",
    "Not Found",
    "Request failed validation",
    "Too Many Requests",
    "Unauthorized",
    "Unprocessable Entity",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

    #[test]
    fn errors_say_what_their_status_does_not() {
        let (document, changed) = testing::run(
            run,
            testing::with_paths(
                json!({"/a": {"delete": {"description": "Deletes.", "responses": {
                    "204": {"description": "Gone"},
                    "404": {"description": "Not Found"},
                    "409": {"description": "Flows still refer to it."},
                    "410": {"description": "Étrange"},
                    "411": {"description": " "},
                }}}}),
            ),
        );
        assert_eq!(changed, 2);
        assert_eq!(
            document.root["paths"]["/a"]["delete"]["description"],
            "Deletes.\n\nFails with 409: flows still refer to it.\n\nFails with 410: étrange."
        );
    }

    #[test]
    fn extensions_become_sentences() {
        for capability in [json!(["a.get"]), json!("a.get")] {
            let (document, changed) = testing::run(
                run,
                testing::with_paths(json!({"/a": {"get": {
                    "description": "Lists.", "responses": {},
                    "x-mkio-capability": capability, "x-mkio-sort": ["id", "name"],
                }}})),
            );
            assert_eq!(changed, 2);
            assert_eq!(
                document.root["paths"]["/a"]["get"]["description"],
                "Lists.\n\nCapability needed: `a.get`.\n\nSortable fields: `id`, `name`."
            );
        }
    }
}
