//! The generated modules of a crate, in one table: a new module is a new row.

use std::mem::take;

use syn::Item;

use crate::{apis::Api, glue, model::Model, refine::Code, states::States};

/// The parts that the modules are made of.
pub struct Parts<'a> {
    pub api: &'a Api,
    pub model: &'a Model,
    pub states: &'a States,
    pub code: Code,
}

/// How users reach a module.
#[derive(Clone, Copy)]
enum Shown {
    /// As a module of the crate.
    Module,
    /// As a module of the crate, with the feature of its name.
    Feature,
    /// Only through another module that re-exports it; with the feature of this name.
    Within(&'static str),
    /// By these names at the crate's root only; it may add methods to the clients besides.
    Names(&'static [&'static str]),
}

/// A row of the table.
struct Row {
    name: &'static str,
    shown: Shown,
    /// It exists without items, too, because other modules import it.
    always: bool,
    head: &'static str,
    items: fn(&mut Parts<'_>) -> Vec<Item>,
}

const MODULES: [Row; 11] = [
    Row {
        name: "builder",
        shown: Shown::Module,
        always: true,
        head: BUILDER,
        items: |parts| take(&mut parts.code.builder),
    },
    // Its lines are not items: `crate_files` writes them.
    Row {
        name: "catalog",
        shown: Shown::Within("dynamic"),
        always: true,
        head: CATALOG,
        items: |_| Vec::new(),
    },
    Row {
        name: "client",
        shown: Shown::Names(&["Client"]),
        always: true,
        head: CLIENT,
        items: |parts| take(&mut parts.code.client),
    },
    Row {
        name: "dynamic",
        shown: Shown::Feature,
        always: true,
        head: DYNAMIC,
        items: |_| glue::dynamic::run(),
    },
    Row {
        name: "edits",
        shown: Shown::Names(&[]),
        always: false,
        head: EDITS,
        items: |parts| glue::edits::run(&parts.api.name, parts.model, &parts.code.signatures),
    },
    Row {
        name: "fields",
        shown: Shown::Module,
        always: false,
        head: FIELDS,
        items: |parts| glue::fields::run(parts.model),
    },
    Row {
        name: "operations",
        shown: Shown::Module,
        always: true,
        head: OPERATIONS,
        items: |parts| crate::refine::operations(parts.model, &parts.api.name),
    },
    Row {
        name: "pages",
        shown: Shown::Names(&[]),
        always: false,
        head: PAGES,
        items: |parts| glue::pages::run(parts.model),
    },
    Row {
        name: "project",
        shown: Shown::Names(&["ProjectClient"]),
        always: false,
        head: PROJECT,
        items: |parts| glue::project::run(parts.api, parts.model, &parts.code.signatures),
    },
    Row {
        name: "types",
        shown: Shown::Module,
        always: true,
        head: TYPES,
        items: |parts| {
            let own = take(&mut parts.code.types);
            glue::types::run(own, &parts.code.shared)
        },
    },
    Row {
        name: "waits",
        shown: Shown::Module,
        always: false,
        head: WAITS,
        items: |parts| {
            let (model, signatures) = (parts.model, &parts.code.signatures);
            glue::waits::run(&parts.api.name, model, parts.states, signatures)
        },
    },
];

/// The modules that a crate has.
pub struct Modules(Vec<(&'static Row, Vec<Item>)>);

impl Modules {
    /// Makes all modules; takes the code of builders, client and types out of `parts`.
    pub fn of(parts: &mut Parts<'_>) -> Self {
        let made = MODULES.iter().map(|row| (row, (row.items)(parts)));
        Self(
            made.filter(|(row, items)| row.always || !items.is_empty())
                .collect(),
        )
    }

    /// Whether the crate has this module.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(row, _)| row.name == name)
    }

    /// Name, first lines and items of each module.
    pub fn files(self) -> Vec<(&'static str, String, Vec<Item>)> {
        let (scoped, stateful) = (self.has("project"), self.has("waits"));
        let file = |(row, items): (&'static Row, Vec<Item>)| {
            let mut head = row.head.to_owned();
            if !scoped {
                head = head.replace("ProjectClient, ", "");
            }
            if !stateful {
                head = head.replace(", waits", "");
            }
            (row.name, head, items)
        };
        self.0.into_iter().map(file).collect()
    }

    /// The `mod` lines of `generated/mod.rs`, and the names that it offers of private modules.
    pub fn declarations(&self) -> String {
        let mut modules = String::new();
        let mut names = String::new();
        for (row, _) in &self.0 {
            let name = row.name;
            match row.shown {
                Shown::Module => modules += &format!("pub mod {name};\n"),
                Shown::Feature => {
                    modules += &format!("#[cfg(feature = {name:?})]\npub mod {name};\n");
                }
                Shown::Within(feature) => {
                    modules += &format!("#[cfg(feature = {feature:?})]\nmod {name};\n");
                }
                Shown::Names(own) => {
                    modules += &format!("mod {name};\n");
                    for own in own {
                        names += &format!("pub use {name}::{own};\n");
                    }
                }
            }
        }
        format!("{modules}\n{names}")
    }

    /// The lines of `lib.rs` that show users the generated modules and names.
    pub fn re_exports(&self) -> String {
        let mut text = String::new();
        let mut names = vec!["API", "API_VERSION"];
        for (row, _) in &self.0 {
            let name = row.name;
            match row.shown {
                Shown::Module => names.push(name),
                Shown::Feature => {
                    text += &format!("#[cfg(feature = {name:?})]\npub use generated::{name};\n");
                }
                Shown::Within(_) => {}
                Shown::Names(own) => names.extend(own),
            }
        }
        names.sort_unstable();
        format!("{text}pub use generated::{{{}}};\n", names.join(", "))
    }
}

const TYPES: &str = "\
//! Types of request and response bodies.

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use std::collections::BTreeMap;

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use mkio_core::{Nullable, Secret, Timestamp, UrlText};
use serde::{Deserialize, Serialize};
#[allow(unused_imports, reason = \"not every API needs all of them\")]
use serde_json::Value;
";

const CLIENT: &str = "\
//! The client.

use mkio_core::{CallOptions, Transport};

use super::builder;
#[allow(unused_imports, reason = \"not every API has typed bodies\")]
use super::types;
";

const BUILDER: &str = "\
//! Requests: one for each operation. They own their values, so they can be stored, returned, and
//! moved into a task.

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use mkio_core::{
    ByteStream, CallOptions, Response, Result, Transport, glue,
    page::query::{Filter, OrderBy},
};

#[allow(unused_imports, reason = \"not every API has typed bodies\")]
use super::{operations, types};
";

const OPERATIONS: &str = "\
//! The runtime's descriptions of operations.

use mkio_core::Operation;
";

const PAGES: &str = "\
//! Lists as streams.

use mkio_core::{Items, Page, Pages};

use super::{builder, types};
";

const PROJECT: &str = "\
//! The client for one project.

use std::sync::Arc;

use mkio_core::{CallOptions, Transport};

use super::{Client, builder};
#[allow(unused_imports, reason = \"not every API has typed bodies\")]
use super::types;
";

const DYNAMIC: &str = "\
//! Calls by name.

use mkio_core::{Pages, Response, Result, dynamic::{AnyPage, DynamicResponse}};
use serde_json::{Map, Value};

use super::Client;
pub use super::catalog::CATALOG;
";

const CATALOG: &str = "\
//! The operations and types of the API, as data.

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use mkio_core::dynamic::{
    Action, Body, Catalog, Effect, Entry, Mark, ObjectField, Parameter, Place, ResponseBody, Shape, Step, Ty, Type,
    Waiting, Write,
};

#[allow(unused_imports, reason = \"not every API has typed bodies\")]
use super::{operations, types, waits};
";

const FIELDS: &str = "\
//! Fields to filter and order lists by. Only fields the document names compile.
#![allow(unused_imports, reason = \"not every list has all kinds of fields\")]
";

const WAITS: &str = "\
//! Resources with a state: what their states mean, and waits for them.

use std::time::Duration;

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use mkio_core::{
    Result, Wait, WaitDescription, glue,
    wait::{ActionCall, Goal, ListSource, Resource, State, StateKind},
};

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use super::{Client, ProjectClient, operations, types};
";

const EDITS: &str = "\
//! Edits of resources, and bodies made from resources.

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use mkio_core::{Edit, Result, glue};

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use super::{Client, ProjectClient, operations, types};
";

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn modules(rows: &[(&str, Vec<Item>)]) -> Modules {
        let row = |name: &str| MODULES.iter().find(|row| row.name == name).unwrap();
        let made = rows.iter();
        Modules(
            made.map(|(name, items)| (row(name), items.clone()))
                .collect(),
        )
    }

    #[test]
    fn names_are_sorted_and_fit_the_module_that_they_are_of() {
        assert!(MODULES.is_sorted_by_key(|row| row.name));
        let all = modules(&[
            (
                "client",
                vec![parse_quote!(
                    struct Client;
                )],
            ),
            ("dynamic", Vec::new()),
            ("pages", Vec::new()),
            ("waits", Vec::new()),
        ]);
        assert_eq!(
            all.declarations(),
            "mod client;\n#[cfg(feature = \"dynamic\")]\npub mod dynamic;\nmod pages;\n\
             pub mod waits;\n\npub use client::Client;\n"
        );
        assert_eq!(
            all.re_exports(),
            "#[cfg(feature = \"dynamic\")]\npub use generated::dynamic;\n\
             pub use generated::{API, API_VERSION, Client, waits};\n"
        );
    }

    #[test]
    fn without_operations_of_projects_no_module_imports_their_client() {
        let head = |rows: &[(&str, Vec<Item>)]| {
            let files = modules(rows).files();
            let (_, head, _) = files
                .into_iter()
                .find(|(name, ..)| *name == "waits")
                .unwrap();
            head
        };
        let waits = || ("waits", Vec::new());
        assert!(!head(&[waits()]).contains("ProjectClient"));
        assert!(head(&[("project", Vec::new()), waits()]).contains("ProjectClient"));
    }
}
