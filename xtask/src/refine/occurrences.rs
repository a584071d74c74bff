//! The places of types, which describe a type that has no description in the document.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::docs;
use crate::{
    document::ref_name,
    model::{Model, ResponseShape, Shape, Type},
};

/// Most places of one kind that are named.
const MOST: usize = 4;

/// Sentences by type name.
#[derive(Debug, Default)]
pub struct Occurrences(HashMap<String, Places>);

/// Where one type occurs, as rustdoc links.
#[derive(Debug, Default)]
struct Places {
    responses: Vec<String>,
    items: Vec<String>,
    bodies: Vec<String>,
    fields: Vec<String>,
    unions: Vec<String>,
}

impl Occurrences {
    /// The docs of a type: its description in the document, and where it occurs.
    pub fn docs(&self, of: &Type, name: &str) -> TokenStream {
        let place = self.sentence(name).map(|place| format!(" {place}"));
        if of.description.trim().is_empty() {
            // No operation names the types of parameters and of error responses.
            let place = place.as_deref().unwrap_or(if of.read {
                " Body of an error response."
            } else {
                " Value of a parameter."
            });
            return quote!(#[doc = #place]);
        }
        let description = docs::attributes(&of.description);
        let place = place.map(|place| quote!(#[doc = ""] #[doc = #place]));
        quote!(#description #place)
    }

    pub fn of(model: &Model) -> Self {
        let mut all = Self::default();
        all.in_operations(model);
        for (holder, of) in &model.types {
            let link = format!("[`{holder}`]");
            match &of.shape {
                Shape::Struct(fields) => {
                    for (name, field) in fields {
                        each_name(&field.schema, &mut |held| {
                            all.at(held)
                                .fields
                                .push(format!("{} of {link}", docs::code(name)));
                        });
                    }
                }
                Shape::Union { variants, .. } => {
                    for variant in variants {
                        all.at(&variant.member).unions.push(link.clone());
                    }
                }
                Shape::Enum(_) | Shape::Secret => {}
            }
        }
        all
    }

    fn in_operations(&mut self, model: &Model) {
        for operation in &model.operations {
            let link = format!("[`{}`](super::Client::{})", operation.id, operation.id);
            if let ResponseShape::Json(schema) = &operation.response {
                each_name(schema, &mut |name| {
                    self.at(name).responses.push(link.clone())
                });
            }
            if let Some(schema) = &operation.body_schema {
                each_name(schema, &mut |name| self.at(name).bodies.push(link.clone()));
            }
            let list = operation
                .response_type_name()
                .and_then(|name| model.types.get(name)?.fields());
            for (_, field) in list
                .into_iter()
                .flatten()
                .filter(|(name, _)| *name == "value")
            {
                each_name(&field.schema["items"], &mut |name| {
                    self.at(name).items.push(link.clone())
                });
            }
        }
    }

    fn at(&mut self, name: &str) -> &mut Places {
        self.0.entry(name.to_owned()).or_default()
    }

    /// A sentence for a type: `Response of get_job; item of list_jobs.`
    pub fn sentence(&self, name: &str) -> Option<String> {
        let places = self.0.get(name)?;
        let mut parts = Vec::new();
        for (lead, found) in [
            ("response of ", &places.responses),
            ("item of ", &places.items),
            ("body of ", &places.bodies),
            ("variant of ", &places.unions),
        ] {
            if !found.is_empty() {
                parts.push(format!("{lead}{}", listed(found)));
            }
        }
        if parts.is_empty() {
            parts.push(listed(&places.fields));
        }
        let mut text = parts.join("; ");
        if let Some(first) = text.get(..1).map(str::to_uppercase) {
            text.replace_range(..1, &first);
        }
        Some(text + ".")
    }
}

/// `a, b and 3 more`.
fn listed(places: &[String]) -> String {
    let mut places: Vec<&str> = places.iter().map(String::as_str).collect();
    places.dedup();
    let (shown, rest) = places.split_at(places.len().min(MOST));
    match (shown, rest.len()) {
        ([one], 0) => (*one).to_owned(),
        ([before @ .., last], 0) => format!("{} and {last}", before.join(", ")),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The named types that a schema refers to, itself or as what it is a list or a map of.
fn each_name(schema: &Value, found: &mut impl FnMut(&str)) {
    if let Some(name) = ref_name(schema) {
        return found(name);
    }
    for below in [
        &schema["allOf"][0],
        &schema["items"],
        &schema["additionalProperties"],
    ] {
        if below.is_object() {
            each_name(below, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{document::reference, passes::testing::with_paths};

    #[test]
    fn types_say_where_they_occur() {
        let content =
            |name: &str| json!({"content": {"application/json": {"schema": reference(name)}}});
        let mut document = with_paths(json!({
            "/jobs": {"get": {"operationId": "list_jobs", "responses": {"2XX": content("JobList")}}},
            "/job": {
                "get": {"operationId": "get_job", "responses": {"2XX": content("Job")}},
                "put": {"operationId": "create_job", "requestBody": content("Job"), "responses": {"2XX": content("Job")}},
            },
        }));
        document.root["components"]["schemas"] = json!({
            "JobList": {"properties": {"value": {"type": "array", "items": reference("Job")}}},
            "Job": {"properties": {"state": {"allOf": [reference("State")]}, "past": {"type": "array", "items": reference("State")}}},
            "State": {"enum": ["On"]},
        });
        let occurrences = Occurrences::of(&Model::new(&document));
        let plain = |name: &str| {
            occurrences
                .sentence(name)
                .unwrap()
                .replace("(super::Client::", "(")
        };
        assert_eq!(plain("JobList"), "Response of [`list_jobs`](list_jobs).");
        assert_eq!(
            plain("Job"),
            "Response of [`get_job`](get_job) and [`create_job`](create_job); \
             item of [`list_jobs`](list_jobs); body of [`create_job`](create_job)."
        );
        assert_eq!(plain("State"), "`state` of [`Job`] and `past` of [`Job`].");
    }
}
