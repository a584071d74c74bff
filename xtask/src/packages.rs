//! The workspace's packages as cargo sees them: which of them are published, and which of their
//! unpacked copies it keeps.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Names of the packages that are published, in the order of their folders.
pub fn published(root: &Path) -> Result<Vec<String>> {
    let metadata = metadata(root, &["--no-deps"])?;
    let packages = list(&metadata["packages"]);
    Ok(packages
        .iter()
        .filter(|package| is_published(package))
        .map(|package| text(&package["name"]).to_owned())
        .collect())
}

/// `publish = false` is an empty list of registries.
fn is_published(package: &Value) -> bool {
    package["publish"].is_null()
}

/// The folder in which cargo keeps what it downloads and unpacks.
pub fn cargo_home() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    home.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

/// Removes the copies of these packages that an earlier `cargo package` left in cargo's home.
///
/// Cargo unpacks a package of the workspace there when it verifies another one that needs it. It
/// finds the copy by name and version only, so that an older state of the same version would be
/// built.
pub fn remove_unpacked(home: &Path, packages: &[String]) -> Result<()> {
    let sources = home.join("registry/src");
    if !sources.is_dir() {
        return Ok(());
    }
    for registry in folders(&sources)? {
        // A registry in a folder has no host before its `-`.
        if !name(&registry).starts_with('-') {
            continue;
        }
        for copy in folders(&registry)? {
            if packages
                .iter()
                .any(|package| is_copy(&name(&copy), package))
            {
                fs::remove_dir_all(&copy).with_context(|| format!("cannot remove {copy:?}"))?;
            }
        }
    }
    Ok(())
}

/// The folder holds a version of the package.
fn is_copy(folder: &str, package: &str) -> bool {
    let version = folder.strip_prefix(package);
    let version = version.and_then(|rest| rest.strip_prefix('-'));
    version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(parent)?;
        entries.map(|entry| Ok(entry?.path())).collect()
    };
    let mut folders = read().with_context(|| format!("cannot read {parent:?}"))?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn metadata(root: &Path, arguments: &[&str]) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
