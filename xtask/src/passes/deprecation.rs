//! Problem: `deprecated`, `readOnly` and `x-mkio-immutable` shape nothing in generated code. This
//! pass writes them into the description, where a reader of the docs finds them.

use serde_json::{Map, Value};

use crate::{
    document::{Document, append_description},
    marks,
    report::Changes,
    walk,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut fields = 0;
    walk::all_schemas_mut(&mut document, |_, schema| {
        fields += usize::from(describe(schema));
    });
    let mut operations = 0;
    document.operations_mut(|_, _, operation| {
        operations += usize::from(describe(operation));
    });
    changes.note(format!("{fields} fields, {operations} operations"));
    document
}

fn describe(object: &mut Map<String, Value>) -> bool {
    let mut touched = false;
    for (key, sentence, said) in [
        ("deprecated", "Deprecated.", "deprecated"),
        ("readOnly", "Read-only: the service fills it.", "read-only"),
        (marks::IMMUTABLE, "Immutable after creation.", "immutable"),
    ] {
        let text = object.get("description").and_then(Value::as_str);
        let known = text.is_some_and(|text| text.to_lowercase().contains(said));
        // A property may have such a name itself; only the keyword is a flag.
        if object.get(key) == Some(&Value::Bool(true)) && !known {
            append_description(object, sentence);
            touched = true;
        }
    }
    touched
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

    #[test]
    fn flags_become_sentences_once() {
        let mut document = testing::with_schemas(json!({"S": {"properties": {
            "a": {"type": "string", "readOnly": true, "description": "Id"},
            "b": {"type": "string", "deprecated": true, "description": "Deprecated, use a."},
        }}}));
        document.root["paths"]["/a"] = json!({"get": {"deprecated": true}, "put": {}});
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        assert_eq!(changes.notes(), ["1 fields, 1 operations"]);
        assert_eq!(
            document.root["paths"]["/a"],
            json!({"get": {"deprecated": true, "description": "Deprecated."}, "put": {}})
        );
        let fields = &document.schema("S").unwrap()["properties"];
        assert_eq!(
            fields["a"]["description"],
            "Id.\n\nRead-only: the service fills it."
        );
        assert_eq!(fields["b"]["description"], "Deprecated, use a.");
    }
}
