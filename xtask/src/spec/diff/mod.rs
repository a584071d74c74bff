//! `cargo xtask spec diff <old> <new>`: what changes for a user.
//!
//! Breaking is what may stop a program that was written against the old document: a request that
//! is refused, something it reads that may be missing, or generated code that no longer compiles.
//! Enums and unions are open when read, so a new value or variant is compatible.

mod change;
mod keywords;
mod lookup;
mod operations;
mod report;
mod schemas;
mod shape;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Value;

use self::change::{Changes, Level};
use super::{check, import, read};

/// Arguments of `spec diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The older document, JSON or YAML.
    old: PathBuf,
    /// The newer document, JSON or YAML.
    new: PathBuf,
    /// How to print the changes.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// End with exit status 1 when a change is breaking.
    #[arg(long)]
    deny_breaking: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Prints the changes between two documents.
pub fn run(args: &DiffArgs) -> Result<ExitCode> {
    let mut documents = Vec::new();
    let mut sound = true;
    for path in [&args.old, &args.new] {
        let name = path.display().to_string();
        let root = read::file(path, &name)?;
        let problems = check::check(&root, &name);
        if !problems.is_empty() {
            import::report(&problems);
            sound = false;
        }
        documents.push(root);
    }
    let [old, new] = documents.as_slice() else {
        return Ok(ExitCode::FAILURE);
    };
    if !sound {
        return Ok(ExitCode::FAILURE);
    }
    let changes = compare(old, new);
    match args.format {
        Format::Text => print!("{}", report::text(old, new, &changes)),
        Format::Json => print!("{}", report::json(old, new, &changes)?),
    }
    let breaking = changes.iter().any(|change| change.level == Level::Breaking);
    Ok(if args.deny_breaking && breaking {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// All changes, sorted, none twice.
fn compare(old: &Value, new: &Value) -> Vec<change::Change> {
    let mut changes = Changes::default();
    operations::compare(old, new, &mut changes);
    changes.into_sorted()
}

#[cfg(test)]
mod tests;
