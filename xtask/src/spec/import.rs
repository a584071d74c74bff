//! `cargo xtask spec import <api> <file>`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use super::{atomic, prose, read};
use crate::{
    apis::{Api, Workspace},
    check,
    document::{Problem, Problems, entries, operation_pointer},
    output::Files,
    pipeline::{self, Sources},
    report::Report,
    states,
};

/// Arguments of `spec import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// API that the document describes: media, management, fleets, …
    api: String,
    /// The document as the service publishes it: OpenAPI 3.0.x or 3.1.x, JSON or YAML.
    file: PathBuf,
    /// Writes the document also when no code can be made of it yet.
    #[arg(long)]
    anyway: bool,
}

/// Checks the document, formats it and puts it into spec/.
pub fn run(workspace: &Workspace, args: &ImportArgs) -> Result<ExitCode> {
    let api = workspace.api(&args.api)?;
    let read = read_published(api, &args.file)?;
    let sources = Sources {
        document: format(&read.root)?,
        ..Sources::read(workspace, api).unwrap_or(Sources {
            states: states::read(workspace)?,
            ..Sources::default()
        })
    };
    let mut report = Report::default();
    let tried = pipeline::single_crate(api, &sources, &mut Files::default(), &mut report);
    report.print_warnings();
    if let Err(error) = tried {
        eprintln!("{error:#}");
        if !args.anyway {
            eprintln!(
                "nothing is written: correct overlay or states.yaml first, or import with --anyway"
            );
            return Ok(ExitCode::FAILURE);
        }
    }
    write(api, &read, &workspace.document(api))
}

/// A published document in the form for spec/.
pub struct Published {
    pub root: Value,
    /// Operations whose prose was read.
    moved: usize,
    /// Prose that seems to have facts and was not understood.
    unread: Vec<Problem>,
}

/// Reads and checks a document, and moves facts of its prose into extensions.
pub fn read_published(api: &Api, file: &Path) -> Result<Published> {
    let mut root = read::file(file, &api.name)?;
    let problems = check::check(&root, &api.name);
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }
    let moved = extract(&mut root);
    let unread = unread(&root, api);
    Ok(Published {
        root,
        moved,
        unread,
    })
}

fn write(api: &Api, published: &Published, target: &Path) -> Result<ExitCode> {
    // The old file may be unreadable: the import replaces it.
    let before = read::file(target, &api.name).ok();
    atomic::write(target, format(&published.root)?.as_bytes())?;
    println!("{}: {}", target.display(), title(&published.root));
    for line in remarks(published, before.as_ref()) {
        println!("  {line}");
    }
    println!("  next: cargo xtask generate {}", api.name);
    Ok(ExitCode::SUCCESS)
}

/// Remarks for a person on a document that replaces another one.
fn remarks(published: &Published, before: Option<&Value>) -> Vec<String> {
    let mut lines = Vec::new();
    if published.moved > 0 {
        lines.push(format!(
            "sort, filter and capability taken from the prose of {} operation(s)",
            published.moved
        ));
    }
    let unread = published.unread.iter();
    lines.extend(unread.map(|problem| format!("warning: {problem}")));
    lines.extend(
        before
            .into_iter()
            .flat_map(|before| losses(before, &published.root)),
    );
    lines
}

/// Lists whose prose mentions sorting or filtering by fields and that got none.
fn unread(root: &Value, api: &Api) -> Vec<Problem> {
    let mut found = Vec::new();
    for (path, item) in entries(root.get("paths")) {
        for (method, operation) in entries(Some(item)) {
            let Some(operation) = operation.as_object() else {
                continue;
            };
            for key in prose::unread(operation) {
                found.push(Problem {
                    api: api.name.clone(),
                    pointer: format!("{}/description", operation_pointer(path, method)),
                    found: "prose about sorting or filtering whose fields were not understood".to_owned(),
                    accepted: format!("\"… is valid on the following fields: a, b\"; an overlay action that sets {key}"),
                });
            }
        }
    }
    found
}

/// The text for spec/: two spaces, the document's own order of keys, a last newline.
pub fn format(root: &Value) -> Result<String> {
    let mut text = serde_json::to_string_pretty(root).context("cannot format the document")?;
    text.push('\n');
    Ok(text)
}

/// Title and version, for messages.
pub fn title(root: &Value) -> String {
    let part = |key| root.pointer(key).and_then(Value::as_str).unwrap_or("?");
    format!("{} {}", part("/info/title"), part("/info/version"))
}

/// Moves facts of descriptions into extensions; counts the operations.
fn extract(root: &mut Value) -> usize {
    let mut moved = 0;
    let paths = root.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flatten().map(|(_, item)| item) {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                moved += usize::from(prose::extract(operation));
            }
        }
    }
    moved
}

/// Warnings for a person: another title, and extensions that are gone.
fn losses(before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let titles = [before, after].map(|root| root.pointer("/info/title").cloned());
    if let [Some(old), Some(new)] = titles
        && old != new
    {
        lines.push(format!(
            "warning: the title was {old}, is {new}: is it the right API?"
        ));
    }
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    count_extensions(before, &mut old);
    count_extensions(after, &mut new);
    for (name, count) in old {
        let now = new.get(name).copied().unwrap_or(0);
        if now < count {
            lines.push(format!(
                "warning: {name} stood at {count} places, now at {now}: an overlay can put it back"
            ));
        }
    }
    lines
}

fn count_extensions<'a>(value: &'a Value, counts: &mut BTreeMap<&'a str, usize>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                if key.starts_with("x-") {
                    *counts.entry(key).or_default() += 1;
                }
                count_extensions(inner, counts);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| count_extensions(item, counts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn import(api: &Api, file: &Path, target: &Path) -> Result<ExitCode> {
        write(api, &read_published(api, file)?, target)
    }

    use serde_json::json;

    #[test]
    fn importing_what_is_there_changes_no_byte() {
        let folder = tempfile::tempdir().expect("folder");
        let workspace = Workspace::open(None).expect("the workspace");
        for api in workspace.apis() {
            let target = folder.path().join(&api.name);
            import(api, &workspace.document(api), &target).expect("imports");
            let files = [&workspace.document(api), &target];
            let [old, new] = files.map(|path| fs::read(path).expect("reads"));
            assert!(old == new, "{} changes", api.name);
        }
    }

    #[test]
    fn yaml_becomes_the_same_json() {
        let folder = tempfile::tempdir().expect("folder");
        let workspace = Workspace::open(None).expect("the workspace");
        let api = workspace.api("channels").expect("known");
        let root = read::file(&workspace.document(api), &api.name).expect("reads");
        let yaml = folder.path().join("published.yaml");
        fs::write(&yaml, serde_norway::to_string(&root).expect("YAML")).expect("writes");
        let target = folder.path().join("channels.json");
        import(api, &yaml, &target).expect("imports");
        let files = [&workspace.document(api), &target];
        let [old, new] = files.map(|path| fs::read(path).expect("reads"));
        assert!(old == new);
    }

    #[test]
    fn a_document_that_cannot_be_used_changes_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let workspace = Workspace::open(None).expect("the workspace");
        let api = workspace.api("media").expect("known");
        let [file, target] = ["in", "media.json"].map(|name| folder.path().join(name));
        fs::write(&target, "as it was").expect("writes");
        let whole = fs::read_to_string(workspace.document(api)).expect("reads");
        let half: String = whole.chars().take(20_000).collect();
        for text in [
            half.as_str(),
            "",
            "swagger: '2.0'",
            "openapi: 3.0.2\ninfo: {title: T, version: '1'}\npaths: {}\n",
        ] {
            fs::write(&file, text).expect("writes");
            assert!(import(api, &file, &target).is_err());
            assert_eq!(fs::read(&target).expect("reads"), b"as it was");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 2);
    }

    #[test]
    fn prose_of_every_operation_is_taken() {
        let operation = json!({"description": "One.\nRBAC Capability Required: `a.b.get`"});
        let mut root = json!({"paths": {
            "/a": {"parameters": [], "get": operation, "put": operation},
            "/b": {"summary": "text", "get": {"description": "plain"}},
        }});
        assert_eq!(extract(&mut root), 2);
        assert_eq!(
            root["paths"]["/a"]["put"],
            json!({"description": "One.", "x-mkio-capability": ["a.b.get"]})
        );
    }

    /// A document with one operation.
    fn small(operation: &Value) -> Value {
        let mut operation = operation.clone();
        operation["responses"] = json!({"200": {"description": "OK"}});
        json!({
            "openapi": "3.0.2", "info": {"title": "T", "version": "1"},
            "paths": {"/api/v1/things": {"get": operation}},
        })
    }

    #[test]
    fn a_person_learns_what_was_read_and_what_was_not() {
        let folder = tempfile::tempdir().expect("folder");
        let api = crate::passes::testing::api();
        let remarks = |text: &str, before: Option<&Value>| {
            let file = folder.path().join("published.json");
            let root = small(&json!({ "description": text }));
            fs::write(&file, root.to_string()).expect("writes");
            remarks(&read_published(&api, &file).expect("reads"), before)
        };
        assert_eq!(remarks("Lists.", None), [""; 0]);
        assert_eq!(
            remarks("RBAC Capability Required: `a.b.get`", None),
            ["sort, filter and capability taken from the prose of 1 operation(s)"]
        );
        let told = remarks("Sorting is valid on all fields.", None);
        assert!(
            told[0].starts_with("warning: media: at /paths/~1api~1v1~1things/get/description"),
            "{told:?}"
        );
        let before = json!({"info": {"title": "Other"}});
        let told = remarks("Lists.", Some(&before));
        assert!(told[0].contains("is it the right API?"), "{told:?}");
    }

    #[test]
    fn a_document_without_code_is_imported_on_demand_alone() {
        const GONE: &str = "media.job: {model: Job, params: [], states: {Done: success}, \
            goals: {done: {states: [Done]}}, timeout: 1, poll: [1, 1]}";
        let cookie = json!([{"name": "sid", "in": "cookie", "schema": {"type": "string"}}]);
        for (states, parameters, anyway, written) in [
            ("{}", json!([]), false, true),
            ("{}", cookie.clone(), false, false),
            ("{}", cookie, true, true),
            // The new API's states are known before its document is.
            (GONE, json!([]), false, false),
        ] {
            let root = tempfile::tempdir().expect("folder");
            let spec = root.path().join("spec");
            fs::create_dir(&spec).expect("a folder");
            let apis = "- {name: media, title: T, about: a, prefix: 'projects/{}/media'}\n";
            fs::write(spec.join("apis.yaml"), apis).expect("writes");
            fs::write(spec.join("states.yaml"), states).expect("writes");
            let file = root.path().join("published.json");
            let document = small(&json!({ "parameters": parameters }));
            fs::write(&file, document.to_string()).expect("writes");
            let args = ImportArgs {
                api: "media".to_owned(),
                file,
                anyway,
            };
            let workspace = Workspace::open(Some(root.path())).expect("a workspace");
            let code = run(&workspace, &args).expect("a document");
            assert_eq!(code == ExitCode::SUCCESS, written, "{document}");
            assert_eq!(spec.join("media.json").exists(), written);
        }
    }

    #[test]
    fn lost_extensions_are_pointed_out() {
        let before = json!({"info": {"title": "A"}, "x": [{"x-a": 1}, {"x-a": 1, "x-b": 2}]});
        let after = json!({"info": {"title": "B"}, "x": [{"x-a": 1}, {"x-b": 3}]});
        let lines = losses(&before, &after).join("\n");
        assert!(lines.contains("was \"A\", is \"B\""), "{lines}");
        assert!(lines.contains("x-a stood at 2 places, now at 1"), "{lines}");
        assert!(!lines.contains("x-b"), "{lines}");
        assert!(losses(&before, &before).is_empty());
    }

    #[test]
    fn a_title_has_the_version() {
        let root = json!({"info": {"title": "Things", "version": "1.2"}});
        assert_eq!(title(&root), "Things 1.2");
        assert_eq!(title(&json!({"info": {}})), "? ?");
    }
}
