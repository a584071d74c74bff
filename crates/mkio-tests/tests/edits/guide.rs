//! The guide `editing` has every edit, and the method by which it writes.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

/// The method of each operation that writes, from the surface of an API.
fn methods(surface: &str) -> BTreeMap<&str, &str> {
    let lines = surface.lines().zip(surface.lines().skip(1));
    let operations = lines.filter_map(|(line, next)| {
        let (name, _) = line.split_once('(')?;
        Some((name, next.trim_start().split_once(" /")?.0))
    });
    operations.collect()
}

/// The edits of an API, each with the operation that it writes with, from their documentation.
fn edits(code: &str) -> Vec<(&str, &str)> {
    let mut writes = "";
    let mut all = Vec::new();
    for line in code.lines() {
        if let Some((_, operation)) = line.split_once("`change`, and [`") {
            writes = operation.split('`').next().unwrap_or_default();
        } else if let Some((_, edit)) = line.split_once("pub fn edit_") {
            all.push((edit.split('<').next().unwrap_or_default(), writes));
        }
    }
    all
}

#[test]
fn the_guide_has_every_edit_with_its_method() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_to_string(workspace.join("crates/mkio/src/guide/editing.md"))?;
    let mut seen = 0;
    for surface in fs::read_dir(workspace.join("spec/surface"))? {
        let surface = surface?.path();
        let api = surface.file_stem().context("a name")?.to_string_lossy();
        let code = workspace.join(format!("crates/mkio-{api}/src/generated/edits.rs"));
        // An API without resources to edit has no such file.
        let code = fs::read_to_string(code).unwrap_or_default();
        let surface = fs::read_to_string(&surface)?;
        let methods = methods(&surface);
        for (edit, writes) in edits(&code) {
            let method = methods.get(writes).with_context(|| writes.to_owned())?;
            let is_told = |row: &str| {
                let (_, told) = row.split_once(&format!("`edit_{edit}`"))?;
                told.split_once('(')?.1.starts_with(method).then_some(())
            };
            let rows: Vec<_> = guide.lines().filter_map(is_told).collect();
            assert!(!rows.is_empty(), "edit_{edit} of {api}, by {method}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
    Ok(())
}
