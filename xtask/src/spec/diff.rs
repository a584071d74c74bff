//! `cargo xtask spec diff <api> <file>`: the changes of a published document for users.
//!
//! Users see Rust, so the surfaces of the crates are compared: that of the document in spec/, and
//! that of the other one, read as by an import. Lines that are removed or changed are
//! breaking, new lines are not: a line has everything that a call or a constructor requires. Enums and unions
//! are open, so a new value breaks nobody.

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

#[cfg(test)]
mod tests;

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
            report.print_warnings();
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

/// The differences of two surfaces, in the order of their lines.
fn changes(old: &str, new: &str) -> Vec<Change> {
    let (old, new) = (entries(old), entries(new));
    let mut changes = Vec::new();
    let mut push = |breaking: bool, text: String| changes.push(Change { breaking, text });
    for (key, entry) in &old {
        match new.get(key) {
            // Its holder is gone, too, and reported.
            None if entry
                .within
                .as_ref()
                .is_some_and(|within| !new.contains_key(within)) => {}
            None => push(true, format!("{}: gone: {}", key.0, entry.line)),
            Some(now) if now.line != entry.line => {
                push(
                    true,
                    format!("{}: was {}: now {}", key.0, entry.line, now.line),
                );
            }
            Some(_) => {}
        }
    }
    for (key, entry) in &new {
        let within = |within: &Key| old.contains_key(within);
        if !old.contains_key(key) && entry.within.as_ref().is_none_or(within) {
            push(false, format!("{}: new: {}", key.0, entry.line));
        }
    }
    changes
}

/// A block, and the subject of one of its lines.
type Key = (String, String);

struct Entry {
    /// The holder, which is removed with all its parts: the block, a structure's field.
    within: Option<Key>,
    line: String,
}

/// Lines by their subjects. A line that lists several things is one entry for each.
fn entries(surface: &str) -> BTreeMap<Key, Entry> {
    let mut found = BTreeMap::new();
    let mut block = String::new();
    let mut written = false;
    let lines = surface.lines().skip(1);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(inner) = line.strip_prefix("    ") else {
            let mut marks = line.split(' ').skip(2);
            let is_struct = line.starts_with("struct ");
            written = is_struct && marks.any(|mark| mark == "written");
            block = block_of(line);
            let mut add = |part: &str, within: Option<&str>, line: &str| {
                let key = |part: &str| (block.clone(), part.to_owned());
                let entry = Entry {
                    within: within.map(key),
                    line: line.to_owned(),
                };
                found.insert(key(part), entry);
            };
            if is_struct {
                add("", None, &block);
                for mark in line.split(' ').skip(2) {
                    add(mark, Some(""), mark);
                }
            } else {
                add("", None, line);
            }
            continue;
        };
        let of_struct = block.starts_with("struct ");
        for (part, within, line) in parts(inner, of_struct, written) {
            let entry = Entry {
                within: Some((block.clone(), within)),
                line,
            };
            found.insert((block.clone(), part), entry);
        }
    }
    found
}

/// The name of the block that a line without indentation opens.
fn block_of(line: &str) -> String {
    let words = ["struct ", "enum ", "union ", "type "];
    if words.iter().any(|word| line.starts_with(word)) {
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    } else {
        line.split('(').next().unwrap_or(line).to_owned()
    }
}

/// The parts of an indented line: subject, holder, and text.
fn parts(line: &str, of_struct: bool, written: bool) -> Vec<(String, String, String)> {
    let own = |key: &str, line: &str| (key.to_owned(), String::new(), line.to_owned());
    for lead in ["optional ", "goals ", "from ", "try from "] {
        if let Some(list) = line.strip_prefix(lead)
            && !list.starts_with("body ")
        {
            let part = |one: &str| {
                let name = one.split(": ").next().unwrap_or(one);
                own(&format!("{lead}{name}"), &format!("{lead}{one}"))
            };
            return split(list).into_iter().map(part).collect();
        }
    }
    let word = line.split(' ').next().unwrap_or_default();
    if word.chars().all(|c| c.is_ascii_uppercase()) && line.contains(" /") {
        return vec![own("call", line)];
    }
    if ["body", "optional", "items", "default"].contains(&word) {
        let key = if word == "optional" { "body" } else { word };
        return vec![own(key, line)];
    }
    // A field that lists are sorted or filtered by.
    if let Some((name, rest)) = line.split_once(": ")
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    {
        let mut all = rest.split(", ");
        let kind = all.next().unwrap_or_default();
        let mut found = vec![own(name, &format!("{name}: {kind}"))];
        found.extend(all.map(|usage| {
            let part = format!("{name} to {usage}");
            (part.clone(), name.to_owned(), part)
        }));
        return found;
    }
    let Some((name, ty)) = line
        .split_once(": ")
        .filter(|(name, _)| of_struct && !name.contains('('))
    else {
        let key = line.split(['(', ' ']).next().unwrap_or(line);
        return vec![own(key, line)];
    };
    let plain = ty.trim_end_matches(" (read only)");
    let mut found = vec![own(name, &format!("{name}: {plain}"))];
    if written && plain == ty {
        let setter = format!("with_{}", name.trim_end_matches('_'));
        found.push((setter.clone(), name.to_owned(), setter));
    }
    found
}

/// The parts between commas outside of brackets.
fn split(list: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0_i32, 0);
    let mut found = Vec::new();
    for (at, c) in list.char_indices() {
        match c {
            '<' | '[' | '(' => depth += 1,
            '>' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(list[start..].trim());
    found
}
