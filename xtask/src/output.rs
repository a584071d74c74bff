//! Writing generated files, all or none, and comparing them with what is there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use similar::TextDiff;

use crate::apis::root;

/// Files by their path below the workspace's folder.
#[derive(Debug, Default)]
pub struct Files(BTreeMap<PathBuf, String>);

impl Files {
    pub fn add(&mut self, path: impl Into<PathBuf>, text: String) {
        self.0.insert(path.into(), text);
    }

    /// Unified diff from what is on disk to what would be written; empty when nothing differs.
    pub fn diff(&self) -> Result<String> {
        let mut diff = String::new();
        for (path, text) in &self.0 {
            let old = read(&root().join(path))?;
            if old.as_deref() != Some(text) {
                let name = path.display().to_string();
                let old = old.unwrap_or_default();
                let lines = TextDiff::from_lines(&old, text);
                diff.push_str(&lines.unified_diff().header(&name, &name).to_string());
            }
        }
        for path in self.stale()? {
            diff.push_str(&format!("--- {0}\n+++ /dev/null\n", path.display()));
        }
        Ok(diff)
    }

    /// Writes everything to a temporary place first, then moves it, so that a failure leaves
    /// each file either old or new.
    pub fn write(&self) -> Result<usize> {
        let scratch = tempfile::Builder::new()
            .prefix(".generate-")
            .tempdir_in(root())
            .context("no temporary folder in the workspace")?;
        let mut moves = Vec::new();
        for (index, (path, text)) in self.0.iter().enumerate() {
            let target = root().join(path);
            if read(&target)?.as_deref() == Some(text) {
                continue;
            }
            let temporary = scratch.path().join(index.to_string());
            fs::write(&temporary, text).with_context(|| temporary.display().to_string())?;
            moves.push((temporary, target));
        }
        for (from, to) in &moves {
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            fs::rename(from, to).with_context(|| to.display().to_string())?;
        }
        let stale = self.stale()?;
        for path in &stale {
            let path = root().join(path);
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
        Ok(moves.len() + stale.len())
    }

    /// Files in the folders of generated code that are generated no longer.
    fn stale(&self) -> Result<Vec<PathBuf>> {
        let mut stale = Vec::new();
        let generated = |path: &&Path| path.file_name().is_some_and(|name| name == "generated");
        let mut folders: Vec<&Path> = self
            .0
            .keys()
            .filter_map(|path| path.parent())
            .filter(generated)
            .collect();
        folders.dedup();
        for folder in folders {
            let full = root().join(folder);
            if !full.exists() {
                continue;
            }
            for entry in fs::read_dir(&full).with_context(|| full.display().to_string())? {
                let path = folder.join(entry?.file_name());
                if !self.0.contains_key(&path) {
                    stale.push(path);
                }
            }
        }
        Ok(stale)
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        // The same text on every machine, whatever line ends the checkout has.
        Ok(text) => Ok(Some(text.replace("\r\n", "\n"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}
