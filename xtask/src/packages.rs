//! The workspace's packages as cargo sees them: whether they are published, their metadata, and
//! their dependencies.

use std::{path::Path, process::Command};

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
