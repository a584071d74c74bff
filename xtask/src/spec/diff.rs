//! `cargo xtask spec diff <api> <file>`: what a published document would change for users.
//!
//! Users see Rust, so what is compared is the surface of the crate: of the document in spec/, and
//! of the other one after the same reading as an import. A line that goes or changes is breaking,
//! one that comes is not, save an argument that a call cannot do without. Enums and unions are
//! open, so a new value is no break.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::import;
use crate::{
    apis::Workspace,
    output::Files,
    pipeline::{self, Sources},
    report::Report,
};

/// Arguments of `spec diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// API that the document describes: media, management, fleets, …
    api: String,
    /// The other document: OpenAPI 3.0.x or 3.1.x, JSON or YAML.
    file: PathBuf,
    /// End with exit status 1 when a change is breaking.
    #[arg(long)]
    deny_breaking: bool,
}

/// Prints one line for each change.
pub fn run(workspace: &Workspace, args: &DiffArgs) -> Result<ExitCode> {
    let api = workspace.api(&args.api)?;
    let read = import::read_published(api, &args.file)?;
    let newer = Sources {
        document: import::format(&read.root)?,
        ..Sources::read(workspace, api)?
    };
    let surface = |sources: &Sources, warn: bool| -> Result<String> {
        let (mut files, mut report) = (Files::default(), Report::default());
        pipeline::single_crate(api, sources, &mut files, &mut report)?;
        if warn {
            report.tell_warnings();
        }
        let path = format!("spec/surface/{}.txt", api.name);
        Ok(files.get(&path).unwrap_or_default().to_owned())
    };
    let old = surface(&Sources::read(workspace, api)?, false)?;
    let changes = changes(&old, &surface(&newer, true)?);
    let breaking = changes.iter().filter(|change| change.breaking).count();
    for change in &changes {
        let level = if change.breaking {
            "breaking"
        } else {
            "compatible"
        };
        println!("{level:<10} {}", change.text);
    }
    println!(
        "{breaking} breaking, {} compatible",
        changes.len() - breaking
    );
    let failed = args.deny_breaking && breaking > 0;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Change {
    breaking: bool,
    text: String,
}

/// What differs between two surfaces, in the order of their lines.
fn changes(old: &str, new: &str) -> Vec<Change> {
    let (old, new) = (entries(old), entries(new));
    let mut changes = Vec::new();
    let mut push = |breaking: bool, text: String| changes.push(Change { breaking, text });
    for (key, (block, line)) in &old {
        match new.get(key) {
            None if block == &key.1 || new.contains_key(&(key.0.clone(), block.clone())) => {
                push(true, format!("{block}: gone: {line}"));
            }
            // The whole block is gone, which says it all.
            None => {}
            Some((_, now)) if now != line => push(true, format!("{block}: was {line}: now {now}")),
            Some(_) => {}
        }
    }
    for (key, (block, line)) in &new {
        if old.contains_key(key) {
            continue;
        }
        let known = old.contains_key(&(key.0.clone(), block.clone()));
        let argument = ["path ", "query ", "header ", "body "]
            .iter()
            .any(|lead| line.starts_with(lead));
        let needed = argument && !line.contains("?:");
        if block == &key.1 || known {
            push(
                known && block != &key.1 && needed,
                format!("{block}: new: {line}"),
            );
        }
    }
    changes
}

/// Section with a name, a line's key within it.
type Key = (String, String);

/// Lines by what they are about: the block that they are in, and the line.
fn entries(surface: &str) -> BTreeMap<Key, (String, String)> {
    let mut found = BTreeMap::new();
    let mut block = String::new();
    for line in surface.lines().skip(1).filter(|line| !line.is_empty()) {
        let Some(inner) = line.strip_prefix("    ") else {
            let name = line.split(" -> ").next().unwrap_or(line);
            block = name.split(" by ").next().unwrap_or(name).to_owned();
            found.insert(
                (block.clone(), block.clone()),
                (block.clone(), line.to_owned()),
            );
            continue;
        };
        let lead = ["path ", "query ", "header "]
            .into_iter()
            .find(|lead| inner.starts_with(lead));
        let parts: Vec<String> = match lead {
            Some(lead) => {
                let list = inner.strip_prefix(lead).unwrap_or(inner);
                list.split(", ").map(|one| format!("{lead}{one}")).collect()
            }
            None => vec![inner.to_owned()],
        };
        for part in parts {
            let method = part
                .split(' ')
                .next()
                .is_some_and(|word| word.chars().all(|c| c.is_ascii_uppercase()));
            let key = if method || part.starts_with("body ") {
                part.split(' ').next().unwrap_or_default()
            } else {
                part.split([':', '(', '='])
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches(['?', ' '])
            };
            // What a body is of, and how a call is made, is one thing each.
            let key = if method { "call" } else { key };
            found.insert((block.clone(), key.to_owned()), (block.clone(), part));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "\
Things 1

OPERATIONS
get_thing -> Thing
    GET /things/{id}
    path id: String
    query top?: u32
list_things -> ThingList
    GET /things

TYPES
struct Thing
    name: Option<String>
    size: Option<i64>
enum Kind
    Big = \"Big\"
";

    fn told(new: &str) -> Vec<String> {
        let changes = changes(OLD, new);
        let text = |change: &Change| {
            let mark = if change.breaking { "!" } else { " " };
            format!("{mark}{}", change.text)
        };
        changes.iter().map(text).collect()
    }

    #[test]
    fn what_goes_or_changes_is_breaking_and_what_comes_is_not() {
        assert!(told(OLD).is_empty());
        assert_eq!(
            told(&OLD.replace("    size: Option<i64>\n", "")),
            ["!struct Thing: gone: size: Option<i64>"]
        );
        assert_eq!(
            told(&OLD.replace("<i64>", "<f64>")),
            ["!struct Thing: was size: Option<i64>: now size: Option<f64>"]
        );
        assert_eq!(
            told(&OLD.replace("\"Big\"\n", "\"Big\"\n    Small = \"Small\"\n")),
            [" enum Kind: new: Small = \"Small\""]
        );
        assert_eq!(
            told(&OLD.replace("top?: u32", "top?: u32, skip?: u32")),
            [" get_thing: new: query skip?: u32"]
        );
        assert_eq!(
            told(&OLD.replace("top?: u32", "top?: u32, skip: u32")),
            ["!get_thing: new: query skip: u32"]
        );
        assert_eq!(
            told(&OLD.replace("list_things -> ThingList\n    GET /things\n", "")),
            ["!list_things: gone: list_things -> ThingList"]
        );
        assert_eq!(
            told(&OLD.replace("-> ThingList", "-> Thing")),
            ["!list_things: was list_things -> ThingList: now list_things -> Thing"]
        );
        assert_eq!(
            told(&OLD.replace("GET /things\n", "POST /things\n")),
            ["!list_things: was GET /things: now POST /things"]
        );
        let more = OLD.replace("TYPES\n", "TYPES\nstruct Other\n    a: String\n");
        assert_eq!(told(&more), [" struct Other: new: struct Other"]);
    }
}
