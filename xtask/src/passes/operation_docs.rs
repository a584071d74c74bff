//! Problem: what a caller needs to know stands in extensions that no generator reads. This pass
//! writes capability, sortable and filterable fields into the operation's description.

use serde_json::Value;

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
    });
    document
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

    #[test]
    fn extensions_become_sentences() {
        let (document, changed) = testing::run(
            run,
            testing::with_paths(json!({"/a": {"get": {
                "description": "Lists.", "responses": {},
                "x-mkio-capability": ["a.get"], "x-mkio-sort": ["id", "name"],
            }}})),
        );
        assert_eq!(changed, 2);
        assert_eq!(
            document.root["paths"]["/a"]["get"]["description"],
            "Lists.\n\nCapability needed: `a.get`.\n\nSortable fields: `id`, `name`."
        );
    }
}
