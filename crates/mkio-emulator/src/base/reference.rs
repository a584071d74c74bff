//! References from one resource to another, as data.

use serde_json::Value;

use crate::base::kind::Kind;

/// The fate of a resource that is to be deleted while another refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It stays: 409.
    Refused,
    /// It stays: 400, where the documents declare no 409.
    RefusedAsBadRequest,
    /// It is deleted; the reference then names nothing.
    Allowed,
}

/// Whether the target of a reference has to exist when the reference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has to: 400 if it does not.
    Required,
    /// The code that follows the reference decides.
    Optional,
}

/// Where a reference may lead.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The kind.
    pub kind: Kind,
    /// For a kind that lives under another: where the body names the parent.
    pub parent: Option<&'static str>,
}

impl Target {
    /// A kind at the top of the project.
    pub const fn top(kind: Kind) -> Self {
        Self { kind, parent: None }
    }

    /// A kind under the resource that the body names at `parent`.
    pub const fn below(kind: Kind, parent: &'static str) -> Self {
        Self {
            kind,
            parent: Some(parent),
        }
    }
}

/// A field that names another resource.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// Where the body names it; `*` stands for each item of a list: `/spec/inputs/*/sourceName`.
    pub field: &'static str,
    /// The kinds of its target; a refusal names the first.
    pub to: &'static [Target],
    /// Whether that has to exist.
    pub presence: Presence,
    /// The fate of that.
    pub deletion: Deletion,
}

impl Reference {
    /// A reference whose target has to exist and cannot be deleted meanwhile.
    pub const fn new(field: &'static str, to: &'static [Target]) -> Self {
        Self {
            field,
            to,
            presence: Presence::Required,
            deletion: Deletion::Refused,
        }
    }

    /// Its target may be deleted.
    pub const fn weak(mut self) -> Self {
        self.deletion = Deletion::Allowed;
        self
    }

    /// The code that follows it finds out whether the resource exists.
    pub const fn optional(mut self) -> Self {
        self.presence = Presence::Optional;
        self
    }

    /// Its target cannot be deleted; the refusal is a 400.
    pub const fn bad_request(mut self) -> Self {
        self.deletion = Deletion::RefusedAsBadRequest;
        self
    }

    /// The names in a body, with their pointers. Empty ones name nothing.
    pub fn names<'a>(&self, body: &'a Value) -> Vec<(String, &'a str)> {
        let mut found = Vec::new();
        let parts: Vec<&str> = self.field.split('/').skip(1).collect();
        collect(body, &parts, String::new(), &mut found);
        found
    }
}

fn collect<'a>(value: &'a Value, parts: &[&str], at: String, found: &mut Vec<(String, &'a str)>) {
    let Some((part, rest)) = parts.split_first() else {
        if let Some(name) = value.as_str().filter(|name| !name.is_empty()) {
            found.push((at, name));
        }
        return;
    };
    if *part == "*" {
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            collect(item, rest, format!("{at}/{index}"), found);
        }
    } else if let Some(field) = value.get(part) {
        collect(field, rest, format!("{at}/{part}"), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_through_lists() {
        let body = json!({ "spec": { "inputs": [{ "name": "a" }, {}, { "name": "" }, { "name": "b" }], "site": "s" } });
        let names = |field| Reference::new(field, &[]).names(&body);
        assert_eq!(
            names("/spec/inputs/*/name"),
            [
                ("/spec/inputs/0/name".to_owned(), "a"),
                ("/spec/inputs/3/name".to_owned(), "b")
            ]
        );
        assert_eq!(names("/spec/site"), [("/spec/site".to_owned(), "s")]);
        assert!(names("/spec/none/*").is_empty());
    }
}
