//! The storeys of the crate: a file imports only from its own storey and from those below, and no files import each other in a circle.
//!
//! Unit tests may name anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// From the ground up. A storey is a folder or a file of `src`; those of one line stand beside each other and name each other's files
/// only where one of them is the same folder.
const STOREYS: &[&[&str]] = &[
    &["base"],
    &["docs", "query", "faults"],
    &["platform"],
    &["resources"],
    &["entries"],
    &["registry"],
    &["engine"],
    &["incidents", "inspect", "seed"],
    &["control"],
    &["host"],
    &["program"],
    &["lib"],
    &["bin"],
];

/// Files of `src`, as module paths without `crate`: `base/store`, and `base` for `base/mod.rs`.
fn modules() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("a text");
                found.insert(module(&root, &path), code(&text));
            }
        }
    }
    found
}

fn module(root: &Path, path: &Path) -> String {
    let below: PathBuf = path
        .strip_prefix(root)
        .expect("below src")
        .with_extension("");
    let text = below.to_str().expect("a name").replace('\\', "/");
    text.strip_suffix("/mod").unwrap_or(&text).to_owned()
}

/// A file without its unit tests and comments.
fn code(text: &str) -> String {
    let text = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths that start with `crate::`, `super::` or, for the program, the name of the crate; groups in braces taken apart.
fn named(text: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "super::", "mkio_emulator::"] {
        for (at, _) in text.match_indices(root) {
            let inside =
                text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
            if !inside {
                let first = vec![root.trim_end_matches(':').to_owned()];
                expand(&text[at + root.len()..], first, &mut found);
            }
        }
    }
    found
}

/// Reads one path or group; answers what is left behind it.
fn expand<'a>(text: &'a str, so_far: Vec<String>, found: &mut BTreeSet<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand(rest, so_far.clone(), found).trim_start();
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text
        .find(|other: char| !(other.is_alphanumeric() || other == '_'))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() {
        return rest;
    }
    let mut path = so_far;
    path.push(word.to_owned());
    match rest.strip_prefix("::") {
        Some(more) => expand(more, path, found),
        None => {
            found.insert(path);
            rest
        }
    }
}

/// The file that a path from a module leads to.
fn target(from: &str, path: &[String], modules: &BTreeMap<String, String>) -> Option<String> {
    let mut at: Vec<&str> = match path.first()?.as_str() {
        "super" => {
            let mut parts: Vec<&str> = from.split('/').collect();
            parts.pop();
            parts
        }
        _ => Vec::new(),
    };
    at.extend(path[1..].iter().map(String::as_str));
    while !at.is_empty() {
        let name = at.join("/");
        if modules.contains_key(&name) {
            return Some(name);
        }
        at.pop();
    }
    Some("lib".to_owned())
}

/// The imports between files.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let modules = modules();
    let mut arrows = BTreeMap::new();
    for (from, text) in &modules {
        let to: BTreeSet<String> = named(text)
            .iter()
            .filter_map(|path| target(from, path, &modules))
            .filter(|to| to != from)
            .collect();
        arrows.insert(from.clone(), to);
    }
    arrows
}

fn storey(module: &str) -> (usize, &str) {
    let first = module.split('/').next().unwrap_or_default();
    let found = STOREYS.iter().position(|names| names.contains(&first));
    (
        found.unwrap_or_else(|| panic!("'{module}' is in no storey")),
        first,
    )
}

#[test]
fn arrows_between_storeys_point_downward() {
    let arrows = arrows();
    assert!(arrows.len() > 60, "{} files were read", arrows.len());
    let upward: Vec<String> = arrows
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (from, to)))
        .filter(|(from, to)| {
            let ((above, own), (below, other)) = (storey(from), storey(to));
            below > above || (below == above && own != other)
        })
        .map(|(from, to)| format!("{from} names {to}"))
        .collect();
    assert_eq!(upward, Vec::<String>::new());
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let mut left = arrows();
    // A file without imports among the others is in no circle.
    loop {
        let ends: Vec<String> = left
            .iter()
            .filter(|(_, to)| to.iter().all(|to| !left.contains_key(to)))
            .map(|(from, _)| from.clone())
            .collect();
        if ends.is_empty() {
            break;
        }
        left.retain(|from, _| !ends.contains(from));
    }
    assert_eq!(
        left,
        BTreeMap::new(),
        "these files lie in circles, or lead into one"
    );
}

#[test]
fn a_resource_is_a_file_and_a_line() {
    let modules = modules();
    let resources = || {
        modules
            .iter()
            .filter(|(name, _)| name.starts_with("resources"))
    };
    let brings = |text: &str| text.contains("\npub static ENTRY: Entry");
    let listed: BTreeSet<String> = resources()
        .filter(|(_, text)| brings(text))
        .map(|(name, _)| format!("&crate::{}::ENTRY,", name.replace('/', "::")))
        .collect();
    let list = &modules["entries"];
    let lines = list.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| line.ends_with("ENTRY,")).collect();
    assert_eq!(
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<BTreeSet<_>>(),
        listed,
        "run cargo xtask generate"
    );
    assert_eq!(lines.len(), listed.len());
    // The line of its module is the only one that names it outside of the files that use it.
    for (name, _) in resources().filter(|(_, text)| brings(text)) {
        let (folder, file) = name.rsplit_once('/').expect("a folder");
        let line = format!("mod {file};");
        assert_eq!(
            modules[folder].matches(&line).count(),
            1,
            "{line} in {folder}"
        );
    }
    for (name, text) in modules
        .iter()
        .filter(|(name, _)| !name.starts_with("resources"))
    {
        let path = "resources::";
        assert!(
            name == "entries" || !text.contains(path),
            "{name} knows a resource; only the list of entries does"
        );
    }
}

/// Words that are states of resources as well, and mean something else in these files.
const OTHER_WORDS: &[(&str, &[&str])] = &[
    // Of deliveries.
    ("base/outbox", &["Pending", "Failed"]),
    // Of all that is on its way out.
    ("base/store", &["Deleting"]),
    // Of provisioning.
    ("platform/render", &["Failed"]),
    // Why somebody leaves.
    ("resources/fleet/devices", &["Failed"]),
    // Of recordings.
    (
        "resources/media/recording",
        &["Scheduled", "Completed", "Error"],
    ),
];

#[test]
fn states_are_those_of_the_shared_file() {
    let modules = modules();
    let states: BTreeSet<&str> = modules["base/states"]
        .split("&str = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|state| !state.is_empty())
        .collect();
    assert!(states.len() > 30, "{states:?}");
    let mut spelt = Vec::new();
    for (name, text) in modules.iter().filter(|(name, _)| *name != "base/states") {
        let others = OTHER_WORDS.iter().find(|(file, _)| file == name);
        let others = others.map_or(&[][..], |(_, words)| words);
        for state in states.iter().filter(|state| !others.contains(state)) {
            if text.contains(&format!("\"{state}\"")) {
                spelt.push(format!("{name}: \"{state}\""));
            }
        }
    }
    assert_eq!(
        spelt,
        Vec::<String>::new(),
        "use the constants of base::states, which the generator makes of spec/states.yaml"
    );
}

#[test]
fn times_of_states_are_those_of_the_shared_file() {
    for (name, text) in modules() {
        if !name.starts_with("resources") && !name.starts_with("platform") {
            continue;
        }
        let own = text.match_indices("enter(").any(|(at, _)| {
            let before = text[..at].chars().next_back();
            before.is_none_or(|before| before != '.' && before != '_')
        });
        assert!(
            !own,
            "{name} says after how many seconds a state follows; that belongs into spec/states.yaml"
        );
    }
}
