//! The crate around the generated modules: manifest, README, `lib.rs`, and the modules' files.

use anyhow::Result;
use syn::Item;

use crate::{
    apis::Api, document::Document, glue, model::Model, output::Files, refine::Code, states::States,
};

/// Adds all files of an API's crate.
pub fn files(
    api: &Api,
    document: &Document,
    model: &Model,
    states: &States,
    code: Code,
    files: &mut Files,
) -> Result<()> {
    let info = |key: &str| {
        let text = document.root["info"][key].as_str().unwrap_or_default();
        // One line, wherever it stands.
        let words: Vec<&str> = text.split_whitespace().collect();
        crate::refine::docs::visible(&words.join(" "))
    };
    let (title, version) = (info("title"), info("version"));
    let text = |text: &str| crate::refine::docs::escape(text);
    let (shown_title, shown_version) = (text(&title), text(&version));
    let folder = format!("crates/{}", api.package());
    let signatures = &code.signatures;
    files.add(
        format!("spec/surface/{}.txt", api.name),
        crate::surface::text(&title, &version, model, &code),
    );
    files.add(format!("{folder}/Cargo.toml"), manifest(api, &version));
    files.add(
        format!("{folder}/README.md"),
        readme(api, &shown_title, &shown_version, model),
    );
    let project = glue::project::run(api, model, signatures);
    let scoped = !project.is_empty();
    files.add(
        format!("{folder}/src/lib.rs"),
        lib(
            api,
            &shown_title,
            &shown_version,
            scoped,
            model,
            !states.is_empty(),
        ),
    );
    files.add(
        format!("{folder}/tests/tolerance.rs"),
        glue::tolerance::run(&api.document(), &api.crate_name(), model),
    );
    let mut module = |name: &str, head: &str, items: Vec<Item>| {
        let text = source(api, head, items);
        files.add(format!("{folder}/src/generated/{name}.rs"), text);
    };
    module("dynamic", DYNAMIC, glue::dynamic::run(model, signatures));
    module("types", TYPES, glue::types::run(code.types, &code.shared));
    module("client", CLIENT, code.client);
    module("builder", BUILDER, code.builder);
    module(
        "operations",
        OPERATIONS,
        crate::refine::operations(model, &api.name),
    );
    module("pages", PAGES, glue::pages::run(model));
    let mut modules = vec![
        "builder",
        "client",
        "dynamic",
        "operations",
        "pages",
        "types",
    ];
    if !project.is_empty() {
        module("project", PROJECT, project);
        modules.push("project");
    }
    let fields = glue::fields::run(model);
    if !fields.is_empty() {
        module("fields", FIELDS, fields);
        modules.push("fields");
    }
    let waits = glue::waits::run(&api.name, model, states, signatures);
    if !waits.is_empty() {
        let scope = if scoped { "ProjectClient, " } else { "" };
        module("waits", &WAITS.replace("ProjectClient, ", scope), waits);
        modules.push("waits");
    }
    let edits = glue::edits::run(model, signatures);
    if !edits.is_empty() {
        let scope = if scoped { "ProjectClient, " } else { "" };
        module("edits", &EDITS.replace("ProjectClient, ", scope), edits);
        modules.push("edits");
    }
    modules.sort_unstable();
    let head = module_list(api, &version, &modules);
    module("mod", &head, Vec::new());
    let mock = source(api, MOCK, code.mock);
    let unscoped = model
        .operations
        .iter()
        .any(|o| o.parameters.iter().all(|p| p.ident != crate::model::SCOPE));
    files.add(
        format!("crates/mkio/src/apis/{}_api.rs", api.name),
        crate::listing::accessors(api, scoped, unscoped),
    );
    files.add(
        format!("crates/mkio-httpmock/src/generated/{}.rs", api.name),
        mock,
    );
    Ok(())
}

/// What the code that is made here and `mkio_core::glue` agree on; the constant of that name there
/// is raised with this one.
const INTERFACE: u32 = 1;

const TYPES: &str = "\
//! Types of request and answer bodies.

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
//! Requests: one for each operation. They own what they need, so they can be stored, returned, and
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
//! What the runtime knows about each operation.

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

use mkio_core::{Operation, Response, Result, glue};
use serde_json::{Map, Value};

#[allow(unused_imports, reason = \"not every API has typed bodies\")]
use super::{Client, operations, types};
";

const FIELDS: &str = "\
//! Fields to filter and order lists by: what the service does not take does not compile.
#![allow(unused_imports, reason = \"not every list has all kinds of fields\")]
";

const WAITS: &str = "\
//! Resources with a state: what their states mean, and waits for them.

use std::time::Duration;

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use mkio_core::{
    Result, Wait, WaitDescription, glue,
    wait::{Action, Goal, Listing, Resource, State, StateKind},
};

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use super::{Client, ProjectClient, operations, types};
";

const EDITS: &str = "\
//! Edits of resources, and bodies made from what was read.

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use mkio_core::{Edit, Result, glue};

#[allow(unused_imports, reason = \"not every API needs all of them\")]
use super::{Client, ProjectClient, operations, types};
";

const MOCK: &str = "\
//! Typed mocks of the operations.
";

fn source(api: &Api, head: &str, items: Vec<Item>) -> String {
    let file = crate::code::file(items);
    let body = super::macros::unparse(&file);
    format!(
        "// @generated by cargo xtask generate from spec/{}; do not edit.\n\n{head}\n{body}",
        api.document()
    )
    .trim_end()
    .to_owned()
        + "\n"
}

fn module_list(api: &Api, version: &str, modules: &[&str]) -> String {
    let mut text = "\
//! Everything that is generated from the document.
#![allow(clippy::all, reason = \"generated code is checked where it is made\")]

"
    .to_owned();
    for module in modules {
        if *module == "dynamic" {
            text.push_str("#[cfg(feature = \"dynamic\")]\n");
        }
        let public = if ["client", "edits", "pages", "project"].contains(module) {
            ""
        } else {
            "pub "
        };
        text.push_str(&format!("{public}mod {module};\n"));
    }
    text.push_str("\npub use client::Client;\n");
    if modules.contains(&"project") {
        text.push_str("pub use project::ProjectClient;\n");
    }
    text.push_str(&format!(
        "\nconst _: () = assert!(\n    mkio_core::glue::INTERFACE == {INTERFACE},\n    \"this crate and mkio-core do not fit each other: use the mkio-core that {} was generated for, \\\n     or generate it again with the xtask of this mkio-core\",\n);\n",
        api.package()
    ));
    text.push_str(&format!(
        "\n/// Short name of the API, as [`mkio_core::Operation::api`] has it.\npub const API: &str = {:?};\n",
        api.name
    ));
    text.push_str(&format!(
        "\n/// Version of the document that this crate was generated from.\npub const API_VERSION: &str = {version:?};\n"
    ));
    text
}

fn manifest(api: &Api, version: &str) -> String {
    format!(
        "# @generated by cargo xtask generate from spec/{document}; do not edit.
[package]
name = \"{package}\"
description = \"Client of the MK.IO {title} API {version}: {about} (unofficial)\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
readme = \"README.md\"
repository.workspace = true
documentation = \"https://docs.rs/{package}\"
keywords = [\"mkio\", \"mediakind\", \"video\", \"streaming\", \"api\"]
categories = [\"api-bindings\", \"multimedia::video\"]

[package.metadata.docs.rs]
all-features = true
rustdoc-args = [\"--cfg\", \"docsrs\"]

[features]
## TLS by rustls with ring.
default = [\"rustls-ring\"]
## TLS by rustls with ring, unless the process has another provider.
rustls-ring = [\"mkio-core/rustls-ring\"]
## TLS by rustls with AWS-LC.
rustls-aws-lc = [\"mkio-core/rustls-aws-lc\"]
## TLS by rustls with the provider that the program installs.
rustls-no-provider = [\"mkio-core/rustls-no-provider\"]
## `dynamic::call`: operations by name, with arguments as JSON, for tools.
dynamic = []
## JSON Schema for every type.
schemars = [\"dep:schemars\", \"mkio-core/schemars\"]

[dependencies]
http.workspace = true
mkio-core.workspace = true
reqwest.workspace = true
schemars = {{ workspace = true, optional = true }}
serde.workspace = true
serde_json.workspace = true

[lints]
workspace = true
",
        document = api.document(),
        package = api.package(),
        title = api.title,
        about = api.about,
        version = version.replace('\\', "\\\\").replace('"', "\\\""),
    )
}

fn readme(api: &Api, title: &str, version: &str, model: &Model) -> String {
    format!(
        "<!-- @generated by cargo xtask generate from spec/{document}; do not edit. -->
# {package}

Rust client of the {title}, version {version}: {about}.
Unofficial; not affiliated with MediaKind.

Generated from the API's OpenAPI document: {operations} operations, {types} types. Most users want the
facade [`mkio`](https://docs.rs/mkio), which puts all APIs behind one client and adds webhooks and a
blocking client. This crate alone saves the build time of the other APIs, and hardly any dependencies:

```rust,no_run
# async fn run() -> Result<(), Box<dyn std::error::Error>> {{
let transport = mkio_core::Transport::from_env()?; // MKIO_TOKEN, MKIO_BASE_URL
let client = {krate}::Client::new(transport);
# Ok(())
# }}
```

Every operation is a method of `Client` that gives a request builder; `send()` sends it. Lists also
end in `items()` or `pages()`.

Features: `schemars` derives `schemars::JsonSchema` for every type; `dynamic` calls operations by name
with arguments as JSON. TLS is `rustls-ring` (default), `rustls-aws-lc`, or `rustls-no-provider` with the
provider that your program installs; without any, `https://` is refused.

Licence: MIT OR Apache-2.0.
",
        document = api.document(),
        package = api.package(),
        krate = api.crate_name(),
        about = api.about,
        operations = model.operations.len(),
        types = model.types.len(),
    )
}

fn lib(
    api: &Api,
    title: &str,
    version: &str,
    scoped: bool,
    model: &Model,
    stateful: bool,
) -> String {
    let filtered = model
        .operations
        .iter()
        .any(|o| glue::fields::module(o).is_some());
    let fields = if filtered { ", fields" } else { "" };
    let waits = if stateful { ", waits" } else { "" };
    let project = if scoped { ", ProjectClient" } else { "" };
    let scope = if scoped {
        "//! [`Client::project`] gives the same operations with the project's name filled in.\n"
    } else {
        ""
    };
    format!(
        "// @generated by cargo xtask generate from spec/{document}; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]
#![cfg_attr(docsrs, feature(doc_cfg))]

//! Client of the {title}, version {version}: {about}.
//!
//! Every operation is a method of [`Client`] that gives a request builder; `send()` sends it.
//! Lists also end in `items()` or `pages()`.
{scope}//!
//! What is read is tolerant: every field is an `Option`, enums and unions keep values that this
//! version does not know. What is written is exactly what was said: absent, null
//! ([`mkio_core::Nullable`]) and empty are three different things.

#[rustfmt::skip]
mod generated;

#[cfg(feature = \"dynamic\")]
pub use generated::dynamic;
pub use generated::{{API, API_VERSION, Client{project}, builder{fields}, operations, types{waits}}};

#[cfg(doctest)]
#[doc = include_str!(\"../README.md\")]
struct Readme;
",
        document = api.document(),
        about = api.about,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apis::Workspace;

    /// Generated code that does not fit the runtime says so instead of failing in riddles.
    #[test]
    fn the_runtime_has_the_interface_that_code_is_made_for() {
        let workspace = Workspace::open(None).unwrap();
        let path = workspace.root().join("crates/mkio-core/src/glue/mod.rs");
        let glue = std::fs::read_to_string(path).unwrap();
        assert!(glue.contains(&format!("pub const INTERFACE: u32 = {INTERFACE};")));
        let api = workspace.api("media").unwrap();
        let text = module_list(api, "1", &["client"]);
        assert!(
            text.contains(&format!("INTERFACE == {INTERFACE},")),
            "{text}"
        );
    }
}
