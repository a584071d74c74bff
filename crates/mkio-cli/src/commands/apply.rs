//! `mkio export`, `apply` and `diff`: resources as they are meant to be.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    pin::pin,
};

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use mkio::{
    Client, Response,
    dynamic::{DynamicResponse, Effect, Entry, Write},
    reqwest::Request,
};
use serde_json::{Value, json};

use crate::{
    body,
    failure::{Exit, Failure, Result},
    kinds::{self, Kind},
    listing,
    manifest::{self, Goal, Manifest},
    options::Switch,
    run,
    session::{Arguments, Session},
    tree::{Leaf, PROJECT},
    waiting::{self, Ends, Watched},
};

fn files() -> Arg {
    Arg::new("file")
        .short('f')
        .long("file")
        .value_name("FILE|FOLDER")
        .required(true)
        .action(ArgAction::Append)
        .value_hint(ValueHint::AnyPath)
        .help("Manifests in YAML or JSON; a folder is read whole, - is standard input")
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .action(ArgAction::SetTrue)
}

pub fn export() -> Command {
    Command::new("export")
        .about("Writes resources as manifests, which apply takes; secrets become ${env:…}")
        .after_help(
            "Examples:\n  mkio export transform > transforms.yaml\n  mkio export webhook-rule jobs",
        )
        .arg(
            Arg::new("kind")
                .value_name("KIND")
                .required(true)
                .help("What they are"),
        )
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("Names; all of the kind when none is given"),
        )
        .arg(
            Arg::new("label")
                .short('l')
                .long("label")
                .value_name("LABEL")
                .action(ArgAction::Append)
                .conflicts_with("name")
                .help("Those with this label, name=value"),
        )
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("FILTER")
                .conflicts_with("name")
                .help("Those that the filter leaves"),
        )
}

pub fn apply() -> Command {
    Command::new("apply")
        .about("Creates and changes resources until they are as the manifests say; sends nothing where they are")
        .after_help(
            "A manifest has kind, name, body (a part of what the kind's PUT takes) and, for what runs, state: running or \
             stopped. Secrets are ${env:NAME} or ${file:PATH}. Nothing is deleted.",
        )
        .arg(files())
        .arg(flag("wait", "Waits until each resource is there before the next one is made"))
        .arg(flag("replace", "Deletes and creates again what cannot be changed; asks first"))
        .arg(flag("write-secrets", "Writes secrets also where nothing else differs: they cannot be compared"))
}

pub fn diff() -> Command {
    Command::new("diff")
        .about("Shows how resources differ from the manifests; exit code 1 when they do")
        .arg(files())
}

pub async fn run_export(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let kind = kinds::find(matches.get_one::<String>("kind").map_or("", String::as_str))?;
    let project = project(session, &client, &kind)?;
    let names = matches.get_many::<String>("name").into_iter().flatten();
    let mut wanted: Vec<Wanted> = names.map(|name| (name.clone(), None)).collect();
    // One for all of it, so that none is missed between two manifests.
    let mut interrupted = pin!(session.interrupted());
    let mut list = session.output.list(&[]);
    let work = async {
        if wanted.is_empty() {
            let found = listing::all(&client, &kind, &project, |arguments| {
                narrow(arguments, matches);
            });
            wanted = found.await?;
        }
        for (name, item) in wanted {
            let made = exported(&client, &kind, &project, (&name, item)).await?;
            if session.output.is_for_people() {
                let text = serde_norway::to_string(&made)
                    .map_err(|error| Failure::new(Exit::Unusable, error.to_string()))?;
                write!(io::stdout(), "---\n{text}")?;
            } else {
                list.item(made)?;
            }
        }
        Ok(())
    };
    let outcome = tokio::select! {
        biased;
        () = &mut interrupted => Err(Failure::interrupted()),
        outcome = work => outcome,
    };
    match outcome {
        Ok(()) if session.output.is_for_people() => Ok(()),
        Ok(()) => list.end(),
        Err(failure) => {
            list.so_far()?;
            Err(failure)
        }
    }
}

/// A name with the item of the list, where that is all of the resource.
type Wanted = (String, Option<Value>);

async fn exported(
    client: &Client,
    kind: &Kind,
    project: &str,
    (name, item): (&str, Option<Value>),
) -> Result<Value> {
    if let Some(item) = item {
        return manifest::export(kind, name, &item);
    }
    let arguments = kind.arguments(project, name)?;
    let read = kind.get.call(client.transport(), &arguments).await?;
    manifest::export(kind, name, &read.json())
}

fn project(session: &Session, client: &Client, kind: &Kind) -> Result<String> {
    match kind.get.parameter(PROJECT) {
        Some(_) if kind.name != "project" => session.project(client),
        _ => Ok(String::new()),
    }
}

/// What the list is to leave out.
fn narrow(arguments: &mut Arguments, matches: &ArgMatches) {
    if let Some(filter) = matches.get_one::<String>("filter") {
        arguments.insert("$filter".to_owned(), json!(filter));
    }
    if let Some(labels) = matches.get_many::<String>("label") {
        let labels: Vec<&String> = labels.collect();
        arguments.insert("$label".to_owned(), json!(labels));
    }
}

/// What a manifest asks for.
enum Plan {
    Same,
    Create,
    /// The request, and what it changes.
    Change(&'static Entry, Box<Request>, Vec<(String, String, String)>),
    /// Only a new one can be like this.
    Replace(String),
}

/// Folders in folders that are read: a link may lead back.
const MOST_FOLDERS: usize = 16;

/// The manifests in a folder and in the folders below it, in the order of their names.
fn below(folder: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    let failed = |error: io::Error| Failure::usage(format!("{}: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(failed)?;
    let entries = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>().map_err(failed)?;
    entries.sort();
    let mut files = Vec::new();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str());
        // Folders of tools, such as .git, hold none.
        let is_hidden = name.is_some_and(|name| name.starts_with('.'));
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir() {
            if depth > 0 && !is_hidden {
                files.extend(below(&path, depth - 1)?);
            }
        } else if matches!(ending, Some("yaml" | "yml" | "json")) {
            files.push(path);
        }
    }
    Ok(files)
}

fn read_manifests(session: &Session, matches: &ArgMatches) -> Result<Vec<Manifest>> {
    let mut all = Vec::new();
    for path in matches.get_many::<String>("file").into_iter().flatten() {
        let before = all.len();
        if Path::new(path).is_dir() {
            for file in below(Path::new(path), MOST_FOLDERS)? {
                let file = file.display().to_string();
                all.extend(manifest::parse(&body::text(&file)?, &file)?);
            }
        } else {
            all.extend(manifest::parse(&body::text(path)?, path)?);
        }
        if all.len() == before {
            session.tell(format!("{path}: 0 manifests"));
        }
    }
    all.iter().try_for_each(manifest::refuse_literals)?;
    manifest::sort(&mut all);
    Ok(all)
}

/// A manifest with what it stands for: read once, before anything is sent.
struct Meant {
    manifest: Manifest,
    /// The arguments that name the resource.
    names: Arguments,
    /// The body, its texts expanded.
    whole: Value,
    /// The same without secrets: those cannot be compared.
    compared: Value,
}

impl Meant {
    fn kind(&self) -> &Kind {
        &self.manifest.kind
    }

    /// `asset intro`.
    fn label(&self) -> String {
        format!("{} {}", self.manifest.kind.name, self.manifest.name)
    }
}

fn meant(session: &Session, client: &Client, matches: &ArgMatches) -> Result<Vec<Meant>> {
    let all = read_manifests(session, matches)?
        .into_iter()
        .map(|manifest| {
            let project = project(session, client, &manifest.kind)?;
            let names = manifest.kind.arguments(&project, &manifest.name)?;
            let (whole, compared) = manifest::bodies(&manifest)?;
            refuse_misspelt(client, &manifest.kind, &names, &whole)?;
            Ok(Meant {
                manifest,
                names,
                whole,
                compared,
            })
        });
    all.collect()
}

/// Refuses members that the kind does not know, before anything is sent. What is missing may exist.
fn refuse_misspelt(client: &Client, kind: &Kind, names: &Arguments, whole: &Value) -> Result<()> {
    let Some(put) = kind.put else {
        return Ok(());
    };
    let mut arguments = names.clone();
    arguments.insert("body".to_owned(), whole.clone());
    match put.request(client.transport(), &arguments) {
        Err(error) if error.expectation() == Some("unknown field") => Err(Failure::from(error)),
        _ => Ok(()),
    }
}

pub async fn run_diff(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let mut differ = false;
    let mut list = session
        .output
        .list(&["kind", "name", "change", "field", "old", "new"]);
    for meant in meant(session, &client, matches)? {
        let plan = plan(session, &client, &meant, false).await?;
        let (kind, name) = (&meant.kind().name, &meant.manifest.name);
        let row = |change: &str, field: &str, old: &str, new: &str| {
            json!({
                "kind": kind, "name": name, "change": change, "field": field, "old": old, "new": new,
            })
        };
        let mut rows: Vec<Value> = match plan {
            Plan::Same => Vec::new(),
            Plan::Create => vec![row("create", "", "", "")],
            Plan::Replace(field) => vec![row("replace", &field, "", "")],
            Plan::Change(_, _, changes) => changes
                .iter()
                .map(|(field, old, new)| row("change", field, old, new))
                .collect(),
        };
        if let Some(goal) = meant.manifest.state {
            let state = state(&client, &meant).await?.unwrap_or_default();
            if state != goal.state() {
                rows.push(row("state", "state", &state, goal.state()));
            }
        }
        differ |= !rows.is_empty();
        rows.into_iter().try_for_each(|row| list.item(row))?;
    }
    list.end()?;
    if differ { Err(Failure::no()) } else { Ok(()) }
}

/// How the resource differs from the manifest.
async fn plan(
    session: &Session,
    client: &Client,
    meant: &Meant,
    write_secrets: bool,
) -> Result<Plan> {
    let (kind, names) = (meant.kind(), &meant.names);
    let read = match kind.get.call(client.transport(), names).await {
        Ok(read) => read,
        Err(error) if error.is_not_found() => return Ok(Plan::Create),
        Err(error) => return Err(Failure::from(error)),
    };
    refuse_unknown(client, kind, names, &read, &meant.whole)?;
    let Some(write) = kind.write() else {
        let field = differs(kind, &read, &meant.compared)?;
        return Ok(field.map_or(Plan::Same, Plan::Replace));
    };
    let fixed = fixed(kind, &read, &meant.compared)?;
    // A PATCH takes less than the PUT that the manifest is written for.
    let differs = differs(kind, &read, &meant.compared)?;
    let fitting = |body: &Value| match write.write {
        Some(Write::Patch) => write.body_of(body),
        _ => Ok(body.clone()),
    };
    let (whole, compared) = (fitting(&meant.whole)?, fitting(&meant.compared)?);
    let mut seen = None;
    // A fixed field is told by its name, not by the refusal of a request that cannot be made.
    if let Some(field) = fixed {
        return Ok(Plan::Replace(field));
    }
    // Without its secrets: those cannot be compared, and go with a change of something else.
    let plain = said_without_secrets(write, &read, &compared);
    if plain.is_none() && !write_secrets {
        let left = differs.filter(|_| write.write == Some(Write::Patch));
        return Ok(left.map_or(Plan::Same, Plan::Replace));
    }
    let request = write.edited(client.transport(), names, &read, |value| {
        let old = value.clone();
        manifest::overlay(value, &whole);
        seen = Some((old, value.clone()));
        Ok(())
    })?;
    let Some(request) = request else {
        return Ok(Plan::Same);
    };
    let (mut old, mut new) = seen.unwrap_or_default();
    for value in [&mut old, &mut new] {
        *value = session.shown(value.take(), |value| write.mask_body(value));
    }
    let changes = manifest::changes(&old, &new);
    Ok(Plan::Change(write, Box::new(request), changes))
}

/// Refuses members that no body of the kind has, with the nearest one that it has.
fn refuse_unknown(
    client: &Client,
    kind: &Kind,
    names: &Arguments,
    read: &Response<DynamicResponse>,
    said: &Value,
) -> Result<()> {
    let Some(put) = kind.put else {
        return Ok(());
    };
    let mut body = put.body_of(&read.json())?;
    manifest::overlay(&mut body, said);
    let mut arguments = names.clone();
    arguments.insert("body".to_owned(), body);
    put.request(client.transport(), &arguments)?;
    Ok(())
}

/// The resource with what the manifest says, if that makes a difference.
fn said_without_secrets(
    write: &Entry,
    read: &Response<DynamicResponse>,
    compared: &Value,
) -> Option<Value> {
    let old = write.body_of(&read.json()).ok();
    let mut new = old.clone().unwrap_or_default();
    manifest::overlay(&mut new, compared);
    (old.as_ref() != Some(&new)).then_some(new)
}

/// The first field that differs and cannot change.
fn fixed(kind: &Kind, read: &Response<DynamicResponse>, said: &Value) -> Result<Option<String>> {
    let Some(put) = kind.put else {
        return Ok(None);
    };
    let old = put.body_of(&read.json()).unwrap_or_default();
    let mut new = old.clone();
    manifest::overlay(&mut new, said);
    Ok(manifest::fixed(put, &old, &new))
}

/// The first field that differs, of what cannot be changed at all.
fn differs(kind: &Kind, read: &Response<DynamicResponse>, said: &Value) -> Result<Option<String>> {
    let Some(put) = kind.put else {
        return Ok(None);
    };
    let old = put.body_of(&read.json())?;
    let mut new = old.clone();
    manifest::overlay(&mut new, said);
    let changes = manifest::changes(&old, &new);
    Ok(changes.into_iter().next().map(|(field, ..)| field))
}

pub async fn run_apply(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let all = meant(session, &client, matches)?;
    if !session.is(Switch::DryRun) {
        session.guard(&format!("apply {} manifests", all.len()))?;
    }
    let write_secrets = matches.get_flag("write-secrets");
    for meant in all {
        let plan = plan(session, &client, &meant, write_secrets).await?;
        let label = meant.label();
        if session.is(Switch::DryRun) {
            let shown = show(session, &client, &meant, plan, matches)?;
            session.tell(format!("{label}: {shown}"));
        } else {
            let done = carry_out(session, &client, &meant, plan, matches).await?;
            session.tell(format!("{label}: {done}"));
        }
        if let Some(goal) = meant.manifest.state {
            bring_to(session, &client, &meant, goal).await?;
        }
    }
    Ok(())
}

const SAME: &str = "as it is meant to be";

fn cannot_change(meant: &Meant, field: &str) -> Failure {
    let message = format!("{}: `{field}` cannot be changed", meant.label());
    Failure::new(Exit::Refused, message).hint("--replace deletes the resource and creates it again")
}

/// Shows what would be sent.
fn show(
    session: &Session,
    client: &Client,
    meant: &Meant,
    plan: Plan,
    matches: &ArgMatches,
) -> Result<&'static str> {
    let show = |entry: &'static Entry, arguments: &Arguments| {
        let request = entry.request(client.transport(), arguments)?;
        run::show_request(session, entry, &request)
    };
    match plan {
        Plan::Same => Ok(SAME),
        Plan::Create => {
            let (put, arguments) = creating(meant)?;
            show(put, &arguments).map(|()| "not sent: would be created")
        }
        Plan::Change(write, request, _) => {
            run::show_request(session, write, &request).map(|()| "not sent: would be changed")
        }
        Plan::Replace(field) if !matches.get_flag("replace") => Err(cannot_change(meant, &field)),
        Plan::Replace(_) => {
            show(deleting(meant)?, &meant.names)?;
            let (put, arguments) = creating(meant)?;
            show(put, &arguments).map(|()| "not sent: would be replaced")
        }
    }
}

async fn carry_out(
    session: &Session,
    client: &Client,
    meant: &Meant,
    plan: Plan,
    matches: &ArgMatches,
) -> Result<&'static str> {
    let wait = matches.get_flag("wait");
    match plan {
        Plan::Same => Ok(SAME),
        Plan::Create => {
            create(session, client, meant, wait).await?;
            Ok("created")
        }
        Plan::Change(write, request, _) => {
            write.send(client.transport(), *request).await?;
            Ok("changed")
        }
        Plan::Replace(field) if !matches.get_flag("replace") => Err(cannot_change(meant, &field)),
        Plan::Replace(_) => {
            session.confirm(&format!("delete and create again: {}", meant.label()))?;
            delete(session, client, meant).await?;
            create(session, client, meant, wait).await?;
            Ok("replaced")
        }
    }
}

/// The operation that creates a resource, with its arguments.
fn creating(meant: &Meant) -> Result<(&'static Entry, Arguments)> {
    let kind = meant.kind();
    let put = kind
        .put
        .ok_or_else(|| Failure::usage(format!("a {} cannot be created", kind.name)))?;
    let mut arguments = meant.names.clone();
    arguments.insert("body".to_owned(), meant.whole.clone());
    Ok((put, arguments))
}

fn deleting(meant: &Meant) -> Result<&'static Entry> {
    let kind = meant.kind();
    kind.delete
        .ok_or_else(|| Failure::usage(format!("a {} cannot be deleted", kind.name)))
}

async fn create(session: &Session, client: &Client, meant: &Meant, wait: bool) -> Result<()> {
    let (put, arguments) = creating(meant)?;
    let waits = put
        .waiting
        .as_ref()
        .is_some_and(|waiting| !waiting.goal.is_empty());
    if wait && waits {
        let wait = put.call_and_wait(client.transport(), &arguments)?;
        let watched = vec![Watched::new(meant.manifest.name.clone(), wait)];
        waiting::all(session, watched, Ends::Together).await?;
    } else {
        put.call(client.transport(), &arguments).await?;
    }
    Ok(())
}

async fn delete(session: &Session, client: &Client, meant: &Meant) -> Result<()> {
    let entry = deleting(meant)?;
    let gone = entry
        .waiting
        .as_ref()
        .is_some_and(|waiting| waiting.effect == Effect::Deletes);
    if gone {
        let wait = entry
            .call_and_wait(client.transport(), &meant.names)?
            .until_gone();
        let watched = vec![Watched::gone(meant.manifest.name.clone(), wait)];
        waiting::all(session, watched, Ends::Together).await?;
    } else {
        entry.call(client.transport(), &meant.names).await?;
    }
    Ok(())
}

/// The state of a resource; `None` when it does not exist, or has none yet.
async fn state(client: &Client, meant: &Meant) -> Result<Option<String>> {
    let kind = meant.kind();
    let pointer = kind
        .resource()
        .map_or("", |resource| resource.state_pointer);
    let read = match kind.get.call(client.transport(), &meant.names).await {
        Ok(read) => read.json(),
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(Failure::from(error)),
    };
    let state = read.pointer(pointer).and_then(Value::as_str);
    Ok(state.map(str::to_owned))
}

/// Starts or stops a resource, unless it is in the state of its manifest.
async fn bring_to(session: &Session, client: &Client, meant: &Meant, goal: Goal) -> Result<()> {
    let (kind, label) = (meant.kind(), meant.label());
    if state(client, meant).await?.as_deref() == Some(goal.state()) {
        return Ok(());
    }
    if session.is(Switch::DryRun) {
        session.tell(format!("{label}: not sent: would be {}", goal.state()));
        return Ok(());
    }
    let wait = match goal.command(kind) {
        Some(Leaf::Operation(entry)) => entry.call_and_wait(client.transport(), &meant.names)?,
        Some(Leaf::Action(catalog, action)) => {
            action.call_and_wait(catalog, client.transport(), &meant.names)?
        }
        None => return Err(Failure::usage(format!("{label}: it has no such state"))),
    };
    let watched = vec![Watched::new(meant.manifest.name.clone(), wait)];
    waiting::all(session, watched, Ends::Together).await?;
    session.tell(format!("{label}: {}", goal.state()));
    Ok(())
}
