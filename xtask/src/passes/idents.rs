//! Problem: two properties (`fooBar`, `foo_bar`) or parameters (`$top`, `top`) can have one name in
//! Rust, and a parameter can be called like a method of its request. This pass gives each its name
//! (`x-mkio-name`), the overlay's where it has one, and makes clashing ones distinct.

use serde_json::{Map, Value, json};

use crate::{
    document::{Document, Problem, escape, operation_pointer, schema_pointer},
    marks,
    names::snake_name,
    report::Changes,
};

/// Names that requests use of their own.
const OF_REQUESTS: [&str; 21] = [
    "body",
    "body_json",
    "client",
    "clone",
    "exec",
    "header",
    "headers",
    "into_inner",
    "into_request",
    "items",
    "label_contains",
    "label_eq",
    "new",
    "operation",
    "options",
    "pages",
    "project",
    "send",
    "transport",
    "and",
    "fmt",
];
/// Names that structures use of their own.
const OF_STRUCTURES: [&str; 1] = [EXTRA];
/// The field for members that the document does not name.
pub const EXTRA: &str = "extra";

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    let mut found = Vec::new();
    for (name, schema) in document.schemas_mut() {
        let pointer = schema_pointer(name, schema);
        let open = schema
            .get("additionalProperties")
            .is_some_and(|more| more != false);
        let mut names = Names::new(if open { &OF_STRUCTURES } else { &[] });
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (property, schema) in properties.into_iter().flatten() {
            let at = format!("{pointer}/properties/{}", escape(property));
            if let Some(schema) = schema.as_object_mut() {
                names.give(schema, property, "", at);
            }
        }
        found.append(&mut names.meetings);
    }
    document.operations_mut(|path, method, operation| {
        let mut names = Names::new(&OF_REQUESTS);
        let pointer = operation_pointer(path, method);
        let parameters = operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let text = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
            let (name, place) = (text("name"), text("in"));
            if let Some(parameter) = parameter.as_object_mut() {
                names.give(
                    parameter,
                    &name,
                    &place,
                    format!("{pointer}/parameters/{index}"),
                );
            }
        }
        found.append(&mut names.meetings);
    });
    for (pointer, found, refused) in found {
        let way = format!(
            "names of their own; `{}` in the overlay gives one",
            marks::NAME
        );
        let problem: Problem = document.problem(pointer, found, way);
        if refused {
            changes.refuse(problem);
        } else {
            changes.warn(problem);
        }
    }
    document
}

/// The names of one structure or request.
struct Names {
    taken: Vec<String>,
    /// Clashes: the place, the names, and whether the overlay chose them.
    meetings: Vec<(String, String, bool)>,
}

impl Names {
    fn new(own: &[&str]) -> Self {
        Self {
            taken: own.iter().map(|name| (*name).to_owned()).collect(),
            meetings: Vec::new(),
        }
    }

    fn give(&mut self, holder: &mut Map<String, Value>, json: &str, place: &str, pointer: String) {
        let pinned = holder
            .get(marks::NAME)
            .and_then(Value::as_str)
            .map(str::to_owned);
        let wish = pinned.clone().unwrap_or_else(|| snake_name(json));
        let bad = wish != snake_name(&wish);
        if pinned.is_some() && (bad || self.taken.contains(&wish)) {
            self.meetings.push((
                pointer.clone(),
                format!("the name {wish:?}, which is taken or not a name in Rust"),
                true,
            ));
        }
        let wish = if bad { snake_name(&wish) } else { wish };
        let mut name = wish.clone();
        if self.taken.contains(&name) && !place.is_empty() {
            name = format!("{}_{place}", wish.trim_end_matches('_'));
        }
        let mut number = 2;
        while self.taken.contains(&name) {
            name = format!("{}_{number}", wish.trim_end_matches('_'));
            number += 1;
        }
        if name != wish && pinned.is_none() {
            self.meetings.push((
                pointer,
                format!("{json:?}, whose name {wish:?} is taken; it is called {name:?}"),
                false,
            ));
        }
        holder.insert(marks::NAME.to_owned(), json!(name));
        self.taken.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::{with_paths, with_schemas};

    #[test]
    fn fields_that_meet_are_told_apart_and_the_overlay_decides() {
        let text = json!({"type": "string"});
        let mut changes = Changes::default();
        let document = run(
            with_schemas(json!({"S": {"additionalProperties": true, "properties": {
                "fooBar": text, "foo_bar": text, "type": text, "extra": text, "": text, "%": text,
                "bad": {"x-mkio-name": "foo_bar"}, "good": {"x-mkio-name": "chosen"},
            }}})),
            &mut changes,
        );
        let fields = document.schema("S").unwrap()["properties"]
            .as_object()
            .unwrap();
        let names: Vec<&str> = fields
            .values()
            .filter_map(|field| field[marks::NAME].as_str())
            .collect();
        assert_eq!(
            names,
            [
                "foo_bar",
                "foo_bar_2",
                "type_",
                "extra_2",
                "v",
                "v_2",
                "foo_bar_3",
                "chosen"
            ]
        );
        let warned: Vec<&str> = changes
            .warnings()
            .iter()
            .map(|w| w.pointer.as_str())
            .collect();
        let at = "/components/schemas/S/properties/";
        assert_eq!(
            warned,
            [
                format!("{at}foo_bar"),
                format!("{at}extra"),
                format!("{at}%")
            ]
        );
        assert_eq!(changes.problems()[0].pointer, format!("{at}bad"));
    }

    #[test]
    fn parameters_do_not_meet_methods_of_their_request() {
        let parameter = |name: &str, place: &str| json!({"name": name, "in": place});
        let document = with_paths(json!({"/a/{id}": {"get": {"responses": {}, "parameters": [
            parameter("id", "path"), parameter("ID", "query"), parameter("X-Id", "header"),
            parameter("send", "query"), parameter("body", "query"), parameter("$top", "query"), parameter("top", "query"),
        ]}}}));
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        let parameters = document.root["paths"]["/a/{id}"]["get"]["parameters"]
            .as_array()
            .unwrap();
        let names: Vec<&str> = parameters
            .iter()
            .filter_map(|p| p[marks::NAME].as_str())
            .collect();
        assert_eq!(
            names,
            [
                "id",
                "id_query",
                "x_id",
                "send_query",
                "body_query",
                "top",
                "top_query"
            ]
        );
        assert_eq!(changes.warnings().len(), 4);
    }
}
