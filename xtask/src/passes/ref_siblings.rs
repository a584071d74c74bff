//! Problem: OpenAPI 3.0 readers drop everything next to a `$ref`, descriptions of
//! fields among it. This pass wraps such references in an `allOf` with one member, and moves
//! `nullable` from a named schema to the places that use it.

use serde_json::{Value, json};

use crate::{
    document::{Document, ref_name, reference},
    report::Changes,
    walk,
};

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut nullable = Vec::new();
    for (name, schema) in document.schemas_mut() {
        if let Some(schema) = schema.as_object_mut()
            && schema.get("nullable") == Some(&Value::Bool(true))
        {
            schema.shift_remove("nullable");
            nullable.push(name.clone());
        }
    }
    let mut wrapped = 0;
    walk::all_schemas_mut(&mut document, |_, schema| {
        let Some(name) = ref_name(&Value::Object(schema.clone())).map(str::to_owned) else {
            return;
        };
        if nullable.contains(&name) {
            schema.insert("nullable".to_owned(), Value::Bool(true));
        }
        if schema.len() > 1 {
            schema.shift_remove("$ref");
            schema.insert("allOf".to_owned(), json!([reference(&name)]));
            wrapped += 1;
        }
    });
    changes.note(format!("{wrapped} references kept their description"));
    for name in nullable {
        changes.note(format!("{name}: null is said where it is used"));
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing;

    #[test]
    fn siblings_and_null_survive() {
        let mut changes = Changes::default();
        let document = run(
            testing::with_schemas(json!({
                "S": {"properties": {
                    "a": {"$ref": "#/components/schemas/N", "description": "why"},
                    "b": {"$ref": "#/components/schemas/T"},
                }},
                "N": {"type": "object", "nullable": true},
                "T": {"type": "object"},
            })),
            &mut changes,
        );
        assert_eq!(
            changes.notes(),
            [
                "1 references kept their description",
                "N: null is said where it is used"
            ]
        );
        let fields = &document.schema("S").unwrap()["properties"];
        assert_eq!(
            fields["a"],
            json!({"description": "why", "nullable": true, "allOf": [reference("N")]})
        );
        assert_eq!(fields["b"], reference("T"));
        assert_eq!(document.schema("N").unwrap(), &json!({"type": "object"}));
    }
}
