//! Printing changes.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::change::{Change, Level};
use crate::spec::import::title;

/// One line for each change under a line with titles and counts.
pub fn text(old: &Value, new: &Value, changes: &[Change]) -> String {
    let (breaking, compatible) = counts(changes);
    let mut text = format!(
        "{} -> {}: {breaking} breaking, {compatible} compatible\n",
        title(old),
        title(new)
    );
    for change in changes {
        let directions: Vec<_> = change.directions.iter().map(|way| way.name()).collect();
        let way = match directions.is_empty() {
            true => String::new(),
            false => format!(" ({})", directions.join(", ")),
        };
        // A String takes any text.
        let _ = writeln!(
            text,
            "{:<10}  {}: {}{way}",
            change.level.name(),
            change.place,
            change.message
        );
    }
    text
}

/// The same as one JSON object.
pub fn json(old: &Value, new: &Value, changes: &[Change]) -> Result<String> {
    let (breaking, compatible) = counts(changes);
    let side = |root: &Value| {
        json!({
            "title": root.pointer("/info/title"),
            "version": root.pointer("/info/version"),
        })
    };
    let report = json!({
        "old": side(old),
        "new": side(new),
        "breaking": breaking,
        "compatible": compatible,
        "changes": changes,
    });
    let mut text = serde_json::to_string_pretty(&report).context("cannot print the changes")?;
    text.push('\n');
    Ok(text)
}

fn counts(changes: &[Change]) -> (usize, usize) {
    let breaking = changes
        .iter()
        .filter(|change| change.level == Level::Breaking)
        .count();
    (breaking, changes.len() - breaking)
}
