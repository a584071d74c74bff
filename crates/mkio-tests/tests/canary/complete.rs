//! No public type with a `Debug` is left out.

use std::fs;
use std::path::Path;

/// Every public type of the hand-written crates that can be printed has been printed.
pub fn check(shown: &[&str]) {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = Vec::new();
    for folder in ["mkio-core/src", "mkio/src", "mkio-emulator/src/host"] {
        let mut sources = Vec::new();
        read(&crates.join(folder), &mut sources);
        names.extend(printable(&sources.concat()));
    }
    for known in [
        "Error",
        "Transport",
        "WaitFailure",
        "Webhook",
        "EmulatorBuilder",
    ] {
        assert!(
            names.iter().any(|name| name == known),
            "{known} of {names:?}"
        );
    }
    let is_shown = |name: &str| {
        shown.iter().any(|shown| {
            shown
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|part| part == name)
        })
    };
    let missing: Vec<_> = names.iter().filter(|name| !is_shown(name)).collect();
    assert!(
        missing.is_empty(),
        "never printed in this test: {missing:?}"
    );
}

/// The source files of a folder, without their unit tests, which come last.
fn read(folder: &Path, sources: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            read(&path, sources);
            continue;
        }
        let text = fs::read_to_string(&path).expect("source is text");
        // Tests of their own, in every crate, print what the generator writes.
        if text.starts_with("// @generated") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next();
        sources.push(code.unwrap_or_default().to_owned());
    }
}

/// Names of public types with a `Debug`, derived or written.
fn printable(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut derived = false;
    for line in text.lines() {
        if line.starts_with("#[derive(") {
            derived |= line.contains("Debug");
        } else if let Some(name) = declared(line) {
            let written = [" ", "<"]
                .iter()
                .any(|end| text.contains(&format!("Debug for {name}{end}")));
            // An empty enum has no value to print.
            if (derived || written) && !line.ends_with("{}") {
                names.push(name.to_owned());
            }
            derived = false;
        } else if line.is_empty() {
            derived = false;
        }
    }
    names
}

/// The name of a public type that is declared in this line.
fn declared(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("pub struct ")
        .or_else(|| line.strip_prefix("pub enum "))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}
