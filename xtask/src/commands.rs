//! The words of each operation's command, from its method and path: `job cancel`, `asset list`.
//!
//! The noun is the last collection of the path, in the singular; the verb follows from the method, or
//! is the last word of the path. Names of parents are not words: they are arguments. Where the
//! result reads badly, `x-mkio-commands` of the overlay decides: a path of a collection has its noun there,
//! and a method with a path its whole command.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToKebabCase;
use serde_json::Value;

use crate::{
    document::{Document, entries},
    marks,
    model::{Model, Operation},
    names::singular,
    passes::operation_names::{significant, unnamed},
};

/// The commands of an API.
pub struct Commands {
    given: BTreeMap<String, Vec<String>>,
    /// Paths that hold items.
    collections: BTreeSet<String>,
    prefix: String,
}

impl Commands {
    pub fn new(document: &Document, model: &Model) -> Self {
        let given = entries(document.root.get(marks::COMMANDS));
        let words = |text: &Value| {
            let text = text.as_str().unwrap_or_default();
            text.split_whitespace().map(str::to_owned).collect()
        };
        let prefix = document.api.prefix.clone();
        let paths = model
            .operations
            .iter()
            .map(|of| path_without_prefix(&of.path, &prefix));
        let collections = paths.filter_map(|path| {
            let (above, last) = path.rsplit_once('/')?;
            (last == "{}").then(|| above.to_owned())
        });
        Self {
            given: given
                .map(|(name, text)| (name.to_owned(), words(text)))
                .collect(),
            collections: collections.collect(),
            prefix,
        }
    }

    /// The words of an operation's command.
    pub fn of(&self, operation: &Operation) -> Vec<String> {
        let path = path_without_prefix(&operation.path, &self.prefix);
        let whole = format!("{} {path}", operation.method);
        if let Some(words) = self.given.get(&whole) {
            return twin(operation, words.clone());
        }
        let segments: Vec<&str> = path.split('/').collect();
        let is_collection = self.collections.contains(&path) || self.given.contains_key(&path);
        let last = segments.last().copied().unwrap_or_default();
        let own = last == "{}" || is_collection || segments.len() == 1;
        let noun_path = match path.rfind("/{}") {
            Some(end) if !own => path[..end].to_owned(),
            _ => path.trim_end_matches("/{}").to_owned(),
        };
        let noun = self.noun(&noun_path);
        let lists = operation.id.starts_with("list_");
        let verb = match (operation.method.as_str(), own || noun_path == path) {
            ("GET", true) if lists => "list".to_owned(),
            ("GET", true) => "get".to_owned(),
            ("PUT", true) if operation.id.starts_with("create_or_") => "put".to_owned(),
            ("PUT" | "POST", true) => "create".to_owned(),
            ("PATCH", true) => "update".to_owned(),
            ("DELETE", true) => "delete".to_owned(),
            (method, _) => action(method, last, &noun),
        };
        let mut words = noun;
        words.push(verb);
        twin(operation, words)
    }

    fn noun(&self, path: &str) -> Vec<String> {
        if let Some(words) = self.given.get(path) {
            return words.clone();
        }
        let last = path.split('/').rfind(|segment| *segment != "{}");
        vec![singular(last.unwrap_or_default()).to_kebab_case()]
    }
}

/// Of two operations with one path, the one with the unusual body or response has another verb.
fn twin(operation: &Operation, mut words: Vec<String>) -> Vec<String> {
    if let Some(verb) = words.last_mut() {
        if operation.id.ends_with("_json_patch") {
            *verb = "patch".to_owned();
        } else if operation.id.ends_with("_csv") {
            verb.push_str("-csv");
        }
    }
    words
}

/// The path without prefix and names of parameters.
fn path_without_prefix(path: &str, prefix: &str) -> String {
    unnamed(&significant(path, prefix))
}

/// `start` of `start`, `cancel` of `cancelJob`, `paths` of `listPaths`.
fn action(method: &str, last: &str, noun: &[String]) -> String {
    let words = last.to_kebab_case();
    let words = words
        .strip_prefix("get-")
        .or_else(|| words.strip_prefix("list-"))
        .unwrap_or(&words);
    let own = noun.last().map(|noun| format!("-{noun}"));
    let words = own
        .and_then(|own| words.strip_suffix(own.as_str()))
        .unwrap_or(words);
    match method {
        "PATCH" => format!("update-{words}"),
        "PUT" => format!("set-{words}"),
        "DELETE" => format!("delete-{words}"),
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    #[test]
    fn commands_read_as_paths_do() {
        let operation = |id: &str| json!({"operationId": id, "responses": {}});
        let mut document = with_paths(json!({
            "/transforms/{t}/jobs": {"get": operation("list_jobs")},
            "/transforms/{t}/jobs/{j}": {"put": operation("create_job"), "get": operation("get_job")},
            "/transforms/{t}/jobs/{j}/cancelJob": {"post": operation("cancel_job")},
            "/locators/{l}/listPaths": {"post": operation("list_locator_paths")},
            "/locators/{l}": {"put": operation("create_or_update_locator")},
            "/organization": {"get": operation("get_organization")},
            "/storage/{s}/credentials/{c}": {"delete": operation("delete_credential")},
            "/odd": {"post": operation("do_it")},
        }));
        document.root[marks::COMMANDS] =
            json!({"storage/{}/credentials": "storage credential", "POST odd": "thing do"});
        let model = Model::new(&document);
        let commands = Commands::new(&document, &model);
        let all = model.operations.iter();
        let words: Vec<String> = all.map(|of| commands.of(of).join(" ")).collect();
        assert_eq!(
            words,
            [
                "job list",
                "job create",
                "job get",
                "job cancel",
                "locator paths",
                "locator put",
                "organization get",
                "storage credential delete",
                "thing do"
            ]
        );
    }

    #[test]
    fn a_part_of_a_resource_has_the_verb_of_its_method() {
        let noun = ["asset".to_owned()];
        for (method, words) in [
            ("GET", "policy"),
            ("POST", "policy"),
            ("PATCH", "update-policy"),
            ("PUT", "set-policy"),
            ("DELETE", "delete-policy"),
        ] {
            assert_eq!(
                action(method, "assetPolicy", &noun[..0]),
                words.replace("policy", "asset-policy")
            );
            assert_eq!(action(method, "policyAsset", &noun), words);
        }
    }
}
