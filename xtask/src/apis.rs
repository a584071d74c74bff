//! The workspace: its folder, and the APIs that `spec/apis.yaml` lists.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::names::snake_name;

/// The list of APIs, below the workspace's folder.
pub const FILE: &str = "spec/apis.yaml";

/// One API: one document, one generated crate. The keys are explained in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Short name: crate, module and feature are called by it.
    pub name: String,
    /// Its name in texts.
    pub title: String,
    /// The description of its crate.
    pub about: String,
    /// Its file under `spec/`, when it is not `<name>.json`.
    #[serde(default)]
    document: Option<String>,
    /// The common prefix of its paths, which names no resource.
    #[serde(default)]
    pub prefix: String,
    /// Whether it is a default feature of the facade.
    #[serde(default)]
    pub default: bool,
    #[serde(default, rename = "where")]
    pub place: Place,
}

/// Who serves an API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// One host for all, with one token.
    #[default]
    Cloud,
    /// A machine with a base URL and a token of its own.
    Device,
}

impl Api {
    /// An API that is not in the list.
    pub fn unlisted(name: &str, title: &str) -> Result<Self> {
        let api = Self {
            name: name.to_owned(),
            title: title.to_owned(),
            about: "generated from an OpenAPI document".to_owned(),
            document: None,
            prefix: String::new(),
            default: false,
            place: Place::Cloud,
        };
        api.check()?;
        Ok(api)
    }

    /// File name of its document in `spec/`.
    pub fn document(&self) -> String {
        let named = self.document.clone();
        named.unwrap_or_else(|| format!("{}.json", self.name))
    }

    /// Package name of the generated crate.
    pub fn package(&self) -> String {
        format!("mkio-{}", self.name)
    }

    /// Name of the generated crate in Rust code.
    pub fn crate_name(&self) -> String {
        format!("mkio_{}", self.name)
    }

    fn check(&self) -> Result<()> {
        let name = &self.name;
        let plain = name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        ensure!(
            plain
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && *name == snake_name(name),
            "API name {name:?}: lower-case letters, digits and _ make a name of a crate and a module"
        );
        // Existing crates and modules have these names.
        let taken = [
            "core",
            "cli",
            "emulator",
            "httpmock",
            "blocking",
            "webhook",
            "wait",
            "query",
            "apis",
            "full",
            "dynamic",
            "schemars",
            "axum",
            "bytes",
            "chrono",
            "http",
            "reqwest",
            "serde_json",
            "client",
            "project",
            "request",
            "waits",
            "transport",
            "with",
            "name",
        ];
        ensure!(
            !taken.contains(&name.as_str()),
            "API name {name:?}: a crate, module or method of that name exists; choose another one"
        );
        for (key, text) in [("title", &self.title), ("about", &self.about)] {
            let line = !text.trim().is_empty()
                && !text.contains(['"', '\\'])
                && !text.contains(char::is_control);
            ensure!(
                line,
                "{name}: {key} {text:?} must be one line of text without quotes"
            );
        }
        Ok(())
    }
}

/// The workspace that a run works on.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    apis: Vec<Arc<Api>>,
}

impl Workspace {
    /// The workspace at `root`, or the one that the working directory is in.
    pub fn open(root: Option<&Path>) -> Result<Self> {
        if let Some(root) = root {
            let root = std::path::absolute(root)?;
            ensure!(
                root.join(FILE).is_file(),
                "{} has no {FILE}: name the folder of the workspace with --root",
                root.display()
            );
            return Self::at(root);
        }
        let here = std::env::current_dir()
            .context("cannot read the working directory; name the workspace with --root")?;
        let root = here.ancestors().find(|folder| folder.join(FILE).is_file());
        let Some(root) = root else {
            bail!(
                "{} is in no folder with {FILE}: call from inside the workspace, or name it with --root",
                here.display()
            );
        };
        Self::at(root.to_owned())
    }

    fn at(root: PathBuf) -> Result<Self> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::new(root, &text).with_context(|| path.display().to_string())
    }

    /// A workspace with the APIs of this text.
    pub fn new(root: PathBuf, text: &str) -> Result<Self> {
        let apis: Vec<Api> = serde_norway::from_str(text)?;
        let (mut names, mut documents) = (BTreeSet::new(), BTreeSet::new());
        for api in &apis {
            api.check()?;
            ensure!(
                names.insert(api.name.clone()),
                "the API {:?} is listed twice",
                api.name
            );
            let document = api.document();
            ensure!(
                document.ends_with(".json") && !document.contains(['/', '\\']),
                "{}: document {document:?} must be a file name in spec/ that ends in .json",
                api.name
            );
            ensure!(
                documents.insert(document.clone()),
                "the document {document:?} is listed twice"
            );
        }
        ensure!(!apis.is_empty(), "it lists no API");
        let apis = apis.into_iter().map(Arc::new).collect();
        Ok(Self { root, apis })
    }

    /// The folder of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All APIs, in the order in which they are generated and listed.
    pub fn apis(&self) -> &[Arc<Api>] {
        &self.apis
    }

    /// Finds an API by its short name.
    pub fn api(&self, name: &str) -> Result<&Arc<Api>> {
        self.apis
            .iter()
            .find(|api| api.name == name)
            .with_context(|| {
                let known: Vec<_> = self.apis.iter().map(|api| api.name.as_str()).collect();
                format!("unknown API {name:?}: {FILE} lists {}", known.join(", "))
            })
    }

    /// The document as it was imported.
    pub fn document(&self, api: &Api) -> PathBuf {
        self.root.join("spec").join(api.document())
    }

    /// Our corrections of the document.
    pub fn overlay(&self, api: &Api) -> PathBuf {
        self.root
            .join("spec/overlays")
            .join(format!("{}.yaml", api.name))
    }

    /// The resources with a state.
    pub fn states(&self) -> PathBuf {
        self.root.join(crate::states::FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let error = Workspace::new(PathBuf::new(), text).unwrap_err();
        format!("{error:#}")
    }

    #[test]
    fn entries_that_cannot_work_are_named() {
        let entry = |name: &str| format!("- {{name: {name}, title: T, about: a}}\n");
        assert!(refused(&entry("Big-Name")).contains("Big-Name"));
        assert!(refused(&entry("core")).contains("exists"));
        assert!(refused(&entry("type")).contains("type"));
        assert!(refused(&(entry("a") + &entry("a"))).contains("twice"));
        assert!(refused("- {name: a, title: T, about: 'say \"no\"'}").contains("about"));
        assert!(
            refused("- {name: a, title: T, about: a, document: ../a.json}").contains("document")
        );
        assert!(refused("[]").contains("no API"));
    }

    #[test]
    fn the_workspace_is_found_from_below() {
        let workspace = Workspace::open(None).unwrap();
        assert!(workspace.root().join("Cargo.toml").is_file());
        let media = workspace.api("media").unwrap();
        assert!(workspace.document(media).is_file());
        let error = workspace.api("medai").unwrap_err().to_string();
        assert!(error.contains("media, management"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let error = Workspace::open(Some(folder.path()))
            .unwrap_err()
            .to_string();
        assert!(error.contains(FILE), "{error}");
    }
}
