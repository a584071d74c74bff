//! The parts of the workspace that list its APIs: modules and features of the facade and the mocks,
//! dependencies, tables. All follow from `spec/apis.yaml`; in hand-written files they are between
//! two marked lines.

use std::{fs, sync::Arc};

use anyhow::{Context, Result};

use crate::{
    apis::{Api, Place, Workspace},
    document::{Document, Problem, entries},
    output::Files,
};

/// The list of APIs, as the first lines of generated files name it.
pub const SOURCE: &str = "apis.yaml";
/// The marks around a part of a file.
const OPEN: &str = "APIs of spec/apis.yaml, by cargo xtask generate";
const CLOSE: &str = "end of APIs";

/// A generated part of a hand-written file.
struct Region {
    path: &'static str,
    /// Name of the part, where a file has several.
    name: &'static str,
    lines: fn(&Workspace, &Facts) -> Vec<String>,
}

/// The facts of documents and manifests that the lists need.
struct Facts {
    /// Version of the workspace's packages.
    version: String,
    /// A row of the table of documents for each API.
    documents: Vec<String>,
}

const REGIONS: [Region; 10] = [
    Region {
        path: "Cargo.toml",
        name: "dependencies",
        lines: members,
    },
    Region {
        path: "crates/mkio/Cargo.toml",
        name: "features",
        lines: facade_features,
    },
    Region {
        path: "crates/mkio/Cargo.toml",
        name: "dependencies",
        lines: optional,
    },
    Region {
        path: "crates/mkio-httpmock/Cargo.toml",
        name: "features",
        lines: mock_features,
    },
    Region {
        path: "crates/mkio-httpmock/Cargo.toml",
        name: "dependencies",
        lines: optional,
    },
    Region {
        path: "crates/mkio/src/lib.rs",
        name: "features",
        lines: feature_table,
    },
    Region {
        path: "crates/mkio-emulator/src/docs/api.rs",
        name: "documents",
        lines: emulator_documents,
    },
    Region {
        path: "README.md",
        name: "features",
        lines: plain_feature_table,
    },
    Region {
        path: "README.md",
        name: "crates",
        lines: crate_table,
    },
    Region {
        path: "spec/README.md",
        name: "documents",
        lines: document_table,
    },
];

/// Adds all files that follow from the list of APIs.
pub fn files(workspace: &Workspace, files: &mut Files) -> Result<()> {
    files.owns(SOURCE);
    files.add("crates/mkio/src/apis/mod.rs", facade(workspace));
    files.add(
        "crates/mkio-httpmock/src/generated/mod.rs",
        mocks(workspace),
    );
    files.add("crates/mkio-core/src/apis.rs", names(workspace));
    let facts = facts(workspace)?;
    for region in REGIONS {
        let path = workspace.root().join(region.path);
        let text = match files.get(region.path) {
            Some(text) => text.to_owned(),
            None if path.is_file() => {
                let text = fs::read_to_string(&path).with_context(|| region.path.to_owned())?;
                text.replace("\r\n", "\n")
            }
            None => continue,
        };
        let lines = (region.lines)(workspace, &facts);
        match replaced(&text, region.name, &lines) {
            Some(text) => files.add(region.path, text),
            // A hand-written file may have no list, but not half of one.
            None if text.contains(OPEN) && text.contains(&format!("{}: {OPEN}", region.name)) => {
                return Err(Problem {
                    api: "spec/apis.yaml".to_owned(),
                    pointer: region.path.to_owned(),
                    found: format!(
                        "the line \"{}: {OPEN}\" without \"{CLOSE}\" after it",
                        region.name
                    ),
                    accepted: "both lines, around the list".to_owned(),
                }
                .into());
            }
            None => {}
        }
    }
    Ok(())
}

/// The text with new lines between the marks of a part.
fn replaced(text: &str, name: &str, lines: &[String]) -> Option<String> {
    let mark = format!("{name}: {OPEN}");
    let all: Vec<&str> = text.lines().collect();
    let open = all.iter().position(|line| line.contains(&mark))?;
    let close = all[open..].iter().position(|line| line.contains(CLOSE))? + open;
    let mut out: Vec<&str> = all[..=open].to_vec();
    out.extend(lines.iter().map(String::as_str));
    out.extend(&all[close..]);
    Some(out.join("\n") + "\n")
}

fn facts(workspace: &Workspace) -> Result<Facts> {
    let mut documents = Vec::new();
    for api in workspace.apis() {
        let path = workspace.document(api);
        let root = fs::read_to_string(&path)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        let document = Document::new(api.clone(), root.unwrap_or_default());
        let text = |pointer: &str| {
            let text = document
                .root
                .pointer(pointer)
                .and_then(serde_json::Value::as_str);
            text.unwrap_or("?").to_owned()
        };
        let operations: usize = entries(document.root.get("paths"))
            .map(|(_, item)| {
                entries(Some(item))
                    .filter(|(key, _)| crate::document::METHODS.contains(key))
                    .count()
            })
            .sum();
        documents.push(format!(
            "| `{}` | {} | {} | {} | {operations} | {} |",
            api.document(),
            text("/info/title"),
            text("/info/version"),
            text("/openapi"),
            capital(&api.about)
        ));
    }
    let path = workspace.root().join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let version = version_of(&text).unwrap_or_else(|| "0.1.0".to_owned());
    Ok(Facts { version, documents })
}

/// The version under `[workspace.package]`.
pub fn version_of(manifest: &str) -> Option<String> {
    let table: toml::Table = manifest.parse().ok()?;
    let version = table.get("workspace")?.get("package")?.get("version")?;
    version.as_str().map(str::to_owned)
}

/// The emulator's copies of the documents.
fn emulator_documents(workspace: &Workspace, _: &Facts) -> Vec<String> {
    let line = |api: &Arc<Api>| {
        let (name, device) = (&api.name, api.place == Place::Device);
        format!(
            "    ({name:?}, {device}, include_str!(\"../../data/spec/{name}.json\"), include_str!(\"../../data/spec/{name}.names.txt\")),"
        )
    };
    workspace.apis().iter().map(line).collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn quoted(names: impl Iterator<Item = String>) -> String {
    names
        .map(|name| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn sorted(workspace: &Workspace) -> Vec<&Arc<Api>> {
    let mut apis: Vec<_> = workspace.apis().iter().collect();
    apis.sort_by(|a, b| a.name.cmp(&b.name));
    apis
}

fn members(workspace: &Workspace, facts: &Facts) -> Vec<String> {
    let line = |api: &Arc<Api>| {
        let package = api.package();
        format!(
            "{package} = {{ path = \"crates/{package}\", version = \"={}\", default-features = false }}",
            facts.version
        )
    };
    workspace.apis().iter().map(line).collect()
}

fn facade_features(workspace: &Workspace, _: &Facts) -> Vec<String> {
    let apis = workspace.apis();
    let default = apis
        .iter()
        .filter(|api| api.default)
        .map(|api| api.name.clone());
    let mut lines = vec![
        "## The APIs that most programs need, and TLS with ring.".to_owned(),
        format!(
            "default = [{}]",
            quoted(default.chain(["rustls-ring".to_owned()]))
        ),
        "## All APIs.".to_owned(),
        format!(
            "full = [{}]",
            quoted(apis.iter().map(|api| api.name.clone()))
        ),
    ];
    for api in apis {
        lines.push(format!("## {}.", capital(&api.about)));
        lines.push(format!("{} = [\"dep:{}\"]", api.name, api.package()));
    }
    let of = |feature: &str| {
        let feature = feature.to_owned();
        apis.iter()
            .map(move |api| format!("{}?/{feature}", api.package()))
    };
    lines.push(
        "## Operations by name with JSON arguments, in each API's `dynamic` module.".to_owned(),
    );
    let own = std::iter::once("mkio-core/dynamic".to_owned());
    lines.push(format!("dynamic = [{}]", quoted(own.chain(of("dynamic")))));
    lines.push("## JSON Schema for the types of every API.".to_owned());
    let own = ["dep:schemars", "mkio-core/schemars"].map(str::to_owned);
    lines.push(format!(
        "schemars = [{}]",
        quoted(own.into_iter().chain(of("schemars")))
    ));
    lines
}

fn mock_features(workspace: &Workspace, _: &Facts) -> Vec<String> {
    let apis = workspace.apis();
    let mut lines = vec![
        "## Helpers for every API.".to_owned(),
        format!(
            "full = [{}]",
            quoted(apis.iter().map(|api| api.name.clone()))
        ),
    ];
    lines.extend(
        apis.iter()
            .map(|api| format!("{} = [\"dep:{}\"]", api.name, api.package())),
    );
    lines
}

fn optional(workspace: &Workspace, _: &Facts) -> Vec<String> {
    let line = |api: &&Arc<Api>| {
        format!(
            "{} = {{ workspace = true, optional = true }}",
            api.package()
        )
    };
    sorted(workspace).iter().map(line).collect()
}

fn plain_feature_table(workspace: &Workspace, _: &Facts) -> Vec<String> {
    let mut lines = table("| feature | API | default |");
    for api in workspace.apis() {
        let default = if api.default { "yes" } else { "no" };
        lines.push(format!("| `{}` | {} | {default} |", api.name, api.about));
    }
    lines.push("| `full` | all of them | no |".to_owned());
    lines.push(String::new());
    lines
}

/// The head of a table, which an empty line sets off from the mark before it.
fn table(head: &str) -> Vec<String> {
    let columns = head.matches('|').count() - 1;
    vec![
        String::new(),
        head.to_owned(),
        format!("|{}", "---|".repeat(columns)),
    ]
}

fn feature_table(workspace: &Workspace, facts: &Facts) -> Vec<String> {
    let lines = plain_feature_table(workspace, facts);
    lines
        .into_iter()
        .map(|line| format!("//! {line}").trim_end().to_owned())
        .collect()
}

fn crate_table(workspace: &Workspace, _: &Facts) -> Vec<String> {
    let line = |api: &Arc<Api>| {
        let package = api.package();
        format!(
            "| [`{package}`](https://docs.rs/{package}) | {} API: {} |",
            api.title, api.about
        )
    };
    let mut lines = table("| crate | what it is |");
    lines.extend(workspace.apis().iter().map(line));
    lines.push(String::new());
    lines
}

fn document_table(_: &Workspace, facts: &Facts) -> Vec<String> {
    let mut lines = table("| File | Title | Version | OpenAPI | Operations | Role |");
    lines.extend(facts.documents.clone());
    lines.push(String::new());
    lines
}

fn first_line(source: &str) -> String {
    format!("// @generated by cargo xtask generate from spec/{source}; do not edit.\n")
}

/// The facade's modules, one for each API.
fn facade(workspace: &Workspace) -> String {
    let mut text = first_line(SOURCE);
    text += "\n//! A module and a method of the clients for each API.\n\n";
    for api in sorted(workspace) {
        text += &format!("#[cfg(feature = {0:?})]\nmod {0}_api;\n", api.name);
    }
    text.push('\n');
    for api in sorted(workspace) {
        text += &format!(
            "#[cfg(feature = {:?})]\npub use {} as {};\n",
            api.name,
            api.crate_name(),
            api.name
        );
    }
    text += "
/// Operations and types of all APIs that are built in, as data.
#[cfg(feature = \"dynamic\")]
pub static CATALOGS: &[&mkio_core::dynamic::Catalog] = &[
";
    for api in workspace.apis() {
        text += &format!(
            "    #[cfg(feature = {:?})]\n    &{}::dynamic::CATALOG,\n",
            api.name,
            api.crate_name()
        );
    }
    text += "];\n";
    text
}

/// The names that settings of the runtime may have.
fn names(workspace: &Workspace) -> String {
    let list = |apis: Vec<&Arc<Api>>| {
        let lines = apis.iter().map(|api| format!("    {:?},\n", api.name));
        lines.collect::<String>()
    };
    let all = list(workspace.apis().iter().collect());
    let devices = list(
        workspace
            .apis()
            .iter()
            .filter(|api| api.place == Place::Device)
            .collect(),
    );
    let mut text = first_line(SOURCE);
    text += "
//! Names of the APIs: those that settings can be for.

/// Names of the APIs, as [`Operation::api`](crate::Operation::api) has them.
#[rustfmt::skip]
pub(crate) const APIS: &[&str] = &[
";
    text += &all;
    text += "];

/// APIs that every device serves itself; the cloud has none of them.
#[rustfmt::skip]
pub(crate) const ON_DEVICES: &[&str] = &[
";
    text += &devices;
    text += "];\n";
    text
}

/// The mocks' modules.
fn mocks(workspace: &Workspace) -> String {
    let mut text = first_line(SOURCE);
    text += "\n#![allow(clippy::all, reason = \"generated code is checked where it is made\")]\n\n";
    for api in sorted(workspace) {
        text += &format!("#[cfg(feature = {0:?})]\npub mod {0};\n", api.name);
    }
    text
}

/// The facade's ways to the client of an API: of a project, where it has operations of projects,
/// and of none, where it has others.
pub fn accessors(api: &Api, scoped: bool, unscoped: bool) -> String {
    let Api { name, title, .. } = api;
    let krate = api.crate_name();
    let mut text = first_line(&api.document());
    text += &format!("\n//! Access to the {title} API.\n");
    if scoped {
        let what = if unscoped {
            format!("The operations of the {title} API on this project.")
        } else {
            format!("The {title} API.")
        };
        text += &format!(
            "
impl crate::Project {{
    /// {what}
    pub fn {name}(&self) -> {krate}::ProjectClient {{
        {krate}::Client::new(self.transport().clone()).project(self.name())
    }}
}}
"
        );
    }
    if unscoped || !scoped {
        let what = match api.place {
            Place::Cloud => format!("    /// The {title} API."),
            Place::Device => format!(
                "    /// The {title} API of a device; set its address with\n    /// [`TransportBuilder::api_base_url`](mkio_core::TransportBuilder::api_base_url)`({name:?}, …)`."
            ),
        };
        text += &format!(
            "
/// For operations that belong to no project.
impl crate::Client {{
{what}
    pub fn {name}(&self) -> {krate}::Client {{
        {krate}::Client::new(self.transport().clone())
    }}
}}
"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_replaced_and_the_rest_stays() {
        let text = format!(
            "before\n# one: {OPEN}\nold\n# {CLOSE}\nbetween\n# two: {OPEN}\n# {CLOSE}\nafter\n"
        );
        let new = replaced(&text, "two", &["new".to_owned()]).unwrap();
        assert!(
            new.contains("old\n")
                && new.contains(&format!("# two: {OPEN}\nnew\n# {CLOSE}\nafter\n")),
            "{new}"
        );
        let new = replaced(&text, "one", &[]).unwrap();
        assert!(!new.contains("old"), "{new}");
        assert_eq!(replaced("nothing", "one", &[]), None);
    }

    #[test]
    fn clients_are_where_the_operations_belong() {
        let api = Api::unlisted("things", "Things").unwrap();
        let both = accessors(&api, true, true);
        assert!(both.contains("impl crate::Project") && both.contains("impl crate::Client"));
        assert!(!accessors(&api, true, false).contains("impl crate::Client"));
        assert!(!accessors(&api, false, true).contains("impl crate::Project"));
        assert!(accessors(&api, false, false).contains("impl crate::Client"));
    }

    #[test]
    fn a_file_may_lack_its_list_but_has_no_half_of_one() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("spec")).unwrap();
        let api = "- {name: media, title: T, about: a, prefix: 'projects/{}/media'}\n";
        fs::write(root.path().join("spec/apis.yaml"), api).unwrap();
        fs::write(root.path().join("spec/media.json"), "{}").unwrap();
        let workspace = Workspace::open(Some(root.path())).unwrap();
        let written = |manifest: &str| {
            fs::write(root.path().join("Cargo.toml"), manifest).unwrap();
            let mut files = Files::of_all();
            super::files(&workspace, &mut files)
                .map(|()| files.get("Cargo.toml").map(str::to_owned))
        };
        assert_eq!(written("[workspace]\n").unwrap(), None);
        let other = format!("# something: {OPEN}\n");
        assert_eq!(written(&other).unwrap(), None);
        let whole = format!("# dependencies: {OPEN}\r\nold\r\n# {CLOSE}\r\n");
        let whole = written(&whole).unwrap().unwrap();
        assert!(
            whole.contains("mkio-media = ") && !whole.contains("old"),
            "{whole}"
        );
        assert!(!whole.contains('\r'), "{whole:?}");
        let versioned = format!(
            "[workspace.package]\nversion = \"7.8.9\"\n# dependencies: {OPEN}\n# {CLOSE}\n"
        );
        let versioned = written(&versioned).unwrap().unwrap();
        assert!(versioned.contains("\"=7.8.9\""), "{versioned}");
        let half = written(&format!("# dependencies: {OPEN}\n")).unwrap_err();
        let half = half.to_string();
        assert!(
            half.contains("Cargo.toml") && half.contains(CLOSE),
            "{half}"
        );
    }
}
