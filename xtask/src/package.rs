//! A crate that stands alone: the same files in a folder of its own, with a manifest that asks for
//! versions instead of the workspace's.

use anyhow::{Context, Result};
use toml::{Table, Value};

/// A generated manifest with the workspace's values written into it.
pub fn standalone(manifest: &str, workspace: &str) -> Result<String> {
    let workspace: Table = workspace.parse().context("the workspace's Cargo.toml")?;
    let shared = workspace
        .get("workspace")
        .context("Cargo.toml without [workspace]")?;
    let mut out = String::new();
    let mut section = "";
    for line in manifest.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = name;
        }
        if section == "lints" {
            continue;
        }
        let line = match (
            section,
            line.split_once(".workspace = true"),
            line.split_once(" = { workspace = true"),
        ) {
            ("package", Some((key, _)), _) => {
                let value = shared.get("package").and_then(|package| package.get(key));
                let value = value.with_context(|| format!("[workspace.package] without {key}"))?;
                format!("{key} = {}", literal(value))
            }
            ("dependencies", Some((name, _)), _) => dependency(shared, name, "")?,
            ("dependencies", None, Some((name, more))) => {
                dependency(shared, name, more.trim_end_matches('}').trim())?
            }
            _ => line.to_owned(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    Ok(out.trim_end().to_owned() + "\n")
}

/// A text, flag or list, which JSON writes as TOML does.
fn literal(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A dependency as the workspace asks for it, without its path; `more` is what the crate adds.
fn dependency(shared: &Value, name: &str, more: &str) -> Result<String> {
    let asked = shared.get("dependencies").and_then(|all| all.get(name));
    let asked = asked.with_context(|| format!("[workspace.dependencies] without {name}"))?;
    let mut keys = match asked {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    keys.remove("path");
    if more.is_empty() && keys.len() == 1 && keys.contains_key("version") {
        return Ok(format!("{name} = {}", literal(&keys["version"])));
    }
    let keys: Vec<String> = keys
        .iter()
        .map(|(key, value)| format!("{key} = {}", literal(value)))
        .collect();
    Ok(format!("{name} = {{ {}{more} }}", keys.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_workspace_says_is_written_out() {
        let workspace = "[workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace.dependencies]\nhttp = \"1\"\nmkio-core = { path = \"crates/mkio-core\", version = \"=0.1.0\" }\nreqwest = { version = \"0.13\", default-features = false, features = [\"json\"] }\nschemars = { version = \"1\", features = [\"uuid1\"] }\n";
        let manifest = "# @generated\n[package]\nname = \"mkio-media\"\nversion.workspace = true\n\n[features]\ndynamic = []\n\n[dependencies]\nhttp.workspace = true\nmkio-core.workspace = true\nreqwest.workspace = true\nschemars = { workspace = true, optional = true }\n\n[lints]\nworkspace = true\n";
        let text = standalone(manifest, workspace).unwrap();
        let table: Table = text.parse().expect("a manifest");
        assert!(!text.contains("workspace"), "{text}");
        assert_eq!(table["package"]["version"].as_str(), Some("0.1.0"));
        let dependencies = &table["dependencies"];
        assert_eq!(dependencies["mkio-core"].as_str(), Some("=0.1.0"));
        assert_eq!(
            dependencies["reqwest"]["default-features"].as_bool(),
            Some(false)
        );
        assert_eq!(dependencies["schemars"]["optional"].as_bool(), Some(true));
        assert!(table.get("lints").is_none());
        let error = standalone(manifest, "[workspace.package]\n").unwrap_err();
        assert!(error.to_string().contains("version"), "{error}");
    }
}
