//! `mkio apply`, `diff` and `delete`: resources by their manifests.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use mkio::{
    Client,
    dynamic::{Effect, Entry, Write},
    reqwest::Request,
};
use serde_json::{Value, json};

use super::call;
use crate::{
    body,
    failure::{Exit, Failure, Result},
    kinds::{CONFIG, Kind},
    manifest::{self, Goal, Manifest},
    options::Switch,
    output::path,
    run,
    session::{Arguments, Session},
    tree::{Leaf, PROJECT},
    waiting::{self, Ends, Watched},
};

pub(super) fn files() -> Arg {
    Arg::new("file")
        .short('f')
        .long("file")
        .value_name("FILE|FOLDER")
        .required(true)
        .action(ArgAction::Append)
        .value_hint(ValueHint::AnyPath)
        .help("Manifests in YAML or JSON; a folder is read whole, - is standard input")
}

pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .action(ArgAction::SetTrue)
}

pub fn apply() -> Command {
    Command::new("apply")
        .about("Creates and changes resources to match the manifests; sends nothing where they match")
        .after_help(
            "A manifest has kind, name, body (a part of what the kind's PUT takes) and, for what runs, state: running or \
             stopped. Secrets are ${env:NAME} or ${file:PATH}. Nothing is deleted.",
        )
        .arg(files())
        .arg(flag("wait", "Waits until each resource is ready before it makes the next one"))
        .arg(flag("replace", "Deletes and recreates a resource to change a fixed field; asks first"))
        .arg(flag("write-secrets", "Writes secrets also where nothing else differs: they cannot be compared"))
}

pub fn diff() -> Command {
    Command::new("diff")
        .about("Shows how resources differ from the manifests; exit code 1 when they do")
        .arg(files())
}

pub(super) fn project(session: &Session, client: &Client, kind: &Kind) -> Result<String> {
    match kind.get.parameter(PROJECT) {
        Some(_) if kind.name != "project" => session.project(client),
        _ => Ok(String::new()),
    }
}

/// The work that a manifest needs.
enum Plan {
    Same,
    Create,
    /// The request, and the changes that it makes.
    Change(&'static Entry, Box<Request>, Vec<manifest::Change>),
    /// Only a new one can be like this.
    Replace(Fixed),
}

/// A field that cannot be changed.
struct Fixed {
    field: String,
    is_secret: bool,
}

impl Fixed {
    fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            is_secret: false,
        }
    }
}

/// Settings of `apply`.
#[derive(Clone, Copy, Default)]
pub(super) struct How {
    wait: bool,
    replace: bool,
    write_secrets: bool,
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
            all.extend(manifest::parse(&body::text(path)?, body::place(path))?);
        }
        if all.len() == before {
            session.tell(format!("{}: 0 manifests", body::place(path)));
        }
    }
    all.iter().try_for_each(manifest::refuse_literals)?;
    all.iter().try_for_each(manifest::refuse_nulls)?;
    manifest::sort(&mut all);
    Ok(all)
}

/// A manifest with its variables and files read: once, before anything is sent.
pub(super) struct Meant {
    manifest: Manifest,
    /// The arguments that name the resource.
    names: Arguments,
    /// The body, its texts expanded.
    whole: Value,
    /// The same without secrets: those cannot be compared.
    compared: Value,
}

impl Meant {
    /// The manifest in this project.
    pub(super) fn new(client: &Client, project: &str, manifest: Manifest) -> Result<Self> {
        let names = manifest.kind.arguments(project, &manifest.name)?;
        let (whole, compared) = manifest::bodies(&manifest)?;
        refuse_misspelt(client, &manifest.kind, &names, &whole)?;
        Ok(Self {
            manifest,
            names,
            whole,
            compared,
        })
    }

    fn kind(&self) -> &Kind {
        &self.manifest.kind
    }

    /// `asset intro`.
    fn label(&self) -> String {
        label(&self.manifest)
    }

    /// The wanted body, whole and without secrets; the content of a preset replaces its name.
    async fn wanted(&self, client: &Client) -> Result<(Value, Value)> {
        let (mut whole, mut compared) = (self.whole.clone(), self.compared.clone());
        self.kind().leave_out_latest(&mut whole);
        self.kind().leave_out_latest(&mut compared);
        let preset = whole.pointer("/spec/presetName").and_then(Value::as_str);
        let Some(preset) = preset.filter(|_| self.kind().name == CONFIG) else {
            return Ok((whole, compared));
        };
        // Reads show the content of the preset, not its name.
        let entry = call::find("get_preset")?;
        let mut names = self.names.clone();
        if let Some(name) = entry.path_parameters().last() {
            names.insert(name.name.to_owned(), json!(preset));
        }
        let told = entry.call(client.transport(), &names).await?.json();
        let spec = |name: &str| told.get("spec").and_then(|spec| spec.get(name));
        for body in [&mut whole, &mut compared] {
            body["spec"] = json!({"config": spec("config"), "parameters": spec("parameters")});
        }
        Ok((whole, compared))
    }
}

/// `asset intro`.
fn label(manifest: &Manifest) -> String {
    format!("{} {}", manifest.kind.name, manifest.name)
}

fn meant(session: &Session, client: &Client, matches: &ArgMatches) -> Result<Vec<Meant>> {
    let all = read_manifests(session, matches)?.into_iter();
    let all = all.map(|manifest| {
        let project = project(session, client, &manifest.kind)?;
        Meant::new(client, &project, manifest)
    });
    all.collect()
}

/// Refuses members that the kind does not know, before anything is sent. Missing members may exist in the resource.
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

pub fn delete() -> Command {
    Command::new("delete")
        .about("Deletes the resources of manifests, in the reverse of the order in which apply makes them")
        .after_help("Resources that do not exist are skipped. Bodies and secrets are not read. More than one resource needs a confirmation.")
        .arg(files())
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
            Plan::Replace(fixed) => vec![row("replace", &fixed.field, "", "")],
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

/// The work for the difference between resource and manifest.
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
    let (whole, compared) = meant.wanted(client).await?;
    let old = kind.body_of(&read.json())?;
    let (new, full) = (overlaid(&old, &compared), overlaid(&old, &whole));
    refuse_unknown(client, kind, names, full.clone())?;
    let changes = manifest::changes(&old, &new);
    // A fixed field is named before a request is made that could not be sent.
    if let Some(field) = kind.put.and_then(|put| manifest::fixed(put, &old, &new)) {
        return Ok(Plan::Replace(Fixed::new(field)));
    }
    if changes.is_empty() && !write_secrets {
        return Ok(Plan::Same);
    }
    let first = || changes.first().map(|(field, ..)| Fixed::new(field));
    let Some(write) = kind.write() else {
        return Ok(first().map_or(Plan::Same, Plan::Replace));
    };
    if let Some(field) = left(kind, write, (&old, &new), &changes)? {
        return Ok(Plan::Replace(Fixed::new(field)));
    }
    let whole = kind.fitting(write, &full)?;
    if let Some(field) = unwritten(kind, &full, &whole).filter(|_| write_secrets) {
        let is_secret = true;
        return Ok(Plan::Replace(Fixed { field, is_secret }));
    }
    let request = write.edited(client.transport(), names, &read, |value| {
        manifest::overlay(value, &whole);
        Ok(())
    })?;
    let Some(request) = request else {
        return Ok(first().map_or(Plan::Same, Plan::Replace));
    };
    let changes = shown(session, kind, changes, (old, new));
    Ok(Plan::Change(write, Box::new(request), changes))
}

/// The resource with the fields of the manifest.
fn overlaid(resource: &Value, said: &Value) -> Value {
    let mut new = resource.clone();
    manifest::overlay(&mut new, said);
    new
}

/// The first field that is to change and that the write does not take: a PATCH takes less than the PUT that
/// manifests are written for.
fn left(
    kind: &Kind,
    write: &'static Entry,
    (old, new): (&Value, &Value),
    changes: &[manifest::Change],
) -> Result<Option<String>> {
    if write.write != Some(Write::Patch) {
        return Ok(None);
    }
    let (old, new) = (kind.fitting(write, old)?, kind.fitting(write, new)?);
    let field = |change: &manifest::Change| change.0.clone();
    let taken: Vec<String> = manifest::changes(&old, &new).iter().map(field).collect();
    let wanted: Vec<String> = changes.iter().map(field).collect();
    Ok(kind.left(&wanted, &taken).cloned())
}

/// The first secret of a body that the request leaves out.
fn unwritten(kind: &Kind, body: &Value, sent: &Value) -> Option<String> {
    let is_lost = |place: &String| {
        let has = |body: &Value| path::find(body, place).iter().any(|value| !value.is_null());
        has(body) && !has(sent)
    };
    let secrets = manifest::secrets(kind).into_iter();
    let mut secrets = secrets.map(|place| place.trim_start_matches('/').to_owned());
    secrets.find(is_lost)
}

/// Refuses members that no body of the kind has, with the nearest one that it has.
fn refuse_unknown(client: &Client, kind: &Kind, names: &Arguments, body: Value) -> Result<()> {
    let Some(put) = kind.put else {
        return Ok(());
    };
    let mut arguments = names.clone();
    arguments.insert("body".to_owned(), body);
    put.request(client.transport(), &arguments)?;
    Ok(())
}

/// The changes, without secrets that other texts repeat.
fn shown(
    session: &Session,
    kind: &Kind,
    changes: Vec<manifest::Change>,
    (old, new): (Value, Value),
) -> Vec<manifest::Change> {
    let leaves = |value: Value| {
        let mask = |value: &mut Value| kind.put.into_iter().for_each(|put| put.mask_body(value));
        path::leaves(&session.shown(value, mask))
    };
    let (old, new) = (leaves(old), leaves(new));
    let text = |leaves: &[(String, String)], field: &str, text: String| {
        let found = leaves.iter().find(|(known, _)| known == field);
        let hidden = || if text.is_empty() { "" } else { "***" }.to_owned();
        found.map_or_else(hidden, |(_, text)| text.clone())
    };
    let all = changes.into_iter().map(|(field, was, is)| {
        let (was, is) = (text(&old, &field, was), text(&new, &field, is));
        (field, was, is)
    });
    all.collect()
}

pub async fn run_apply(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let all = meant(session, &client, matches)?;
    let how = How {
        wait: matches.get_flag("wait"),
        replace: matches.get_flag("replace"),
        write_secrets: matches.get_flag("write-secrets"),
    };
    bring_about(session, &client, &all, how).await
}

/// Creates and changes resources until they match their manifests.
pub(super) async fn bring_about(
    session: &Session,
    client: &Client,
    all: &[Meant],
    how: How,
) -> Result<()> {
    if !session.is(Switch::DryRun) {
        session.guard(&format!("apply {} manifests", all.len()))?;
    }
    for meant in all {
        let plan = plan(session, client, meant, how.write_secrets).await?;
        let label = meant.label();
        if session.is(Switch::DryRun) {
            let shown = show(session, client, meant, plan, how)?;
            session.tell(format!("{label}: {shown}"));
        } else {
            let done = carry_out(session, client, meant, plan, how).await?;
            session.tell(format!("{label}: {done}"));
        }
        if let Some(goal) = meant.manifest.state {
            bring_to(session, client, meant, goal).await?;
        }
    }
    Ok(())
}

const SAME: &str = "up to date";

fn cannot_change(meant: &Meant, fixed: &Fixed) -> Failure {
    let (label, field) = (meant.label(), &fixed.field);
    let message = if fixed.is_secret {
        format!("{label}: the secret `{field}` cannot be changed by a PATCH")
    } else {
        format!("{label}: `{field}` cannot be changed")
    };
    let failure = Failure::new(Exit::Refused, message)
        .hint("--replace deletes the resource and creates it again");
    if fixed.is_secret {
        return failure.hint("without --write-secrets it stays as it is");
    }
    failure
}

/// Shows what would be sent.
fn show(
    session: &Session,
    client: &Client,
    meant: &Meant,
    plan: Plan,
    how: How,
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
        Plan::Replace(fixed) if !how.replace => Err(cannot_change(meant, &fixed)),
        Plan::Replace(_) => {
            show(deleting(meant.kind())?, &meant.names)?;
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
    how: How,
) -> Result<&'static str> {
    let wait = how.wait;
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
        Plan::Replace(fixed) if !how.replace => Err(cannot_change(meant, &fixed)),
        Plan::Replace(_) => {
            session.confirm(&format!("delete and create again: {}", meant.label()))?;
            remove(
                session,
                client,
                deleting(&meant.manifest.kind)?,
                (&meant.manifest, &meant.names),
            )
            .await?;
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

fn deleting(kind: &Kind) -> Result<&'static Entry> {
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

/// Deletes a resource, and waits until it is gone where that takes time.
async fn remove(
    session: &Session,
    client: &Client,
    entry: &'static Entry,
    (manifest, names): (&Manifest, &Arguments),
) -> Result<()> {
    let gone = entry
        .waiting
        .as_ref()
        .is_some_and(|waiting| waiting.effect == Effect::Deletes);
    if gone {
        let wait = entry.call_and_wait(client.transport(), names)?.until_gone();
        let watched = vec![Watched::gone(manifest.name.clone(), wait)];
        waiting::all(session, watched, Ends::Together).await?;
    } else {
        entry.call(client.transport(), names).await?;
    }
    Ok(())
}

pub async fn run_delete(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let mut all = Vec::new();
    for manifest in read_manifests(session, matches)?.into_iter().rev() {
        let project = project(session, &client, &manifest.kind)?;
        let names = manifest.kind.arguments(&project, &manifest.name)?;
        let entry = deleting(&manifest.kind)?;
        all.push((manifest, names, entry));
    }
    if session.is(Switch::DryRun) {
        return all.iter().try_for_each(|(_, names, entry)| {
            let request = entry.request(client.transport(), names)?;
            run::show_request(session, entry, &request)
        });
    }
    let what = match &*all {
        [(manifest, ..)] => format!("delete {}", label(manifest)),
        _ => format!("delete {} resources", all.len()),
    };
    if all.len() > 1 {
        session.confirm(&what)?;
    }
    session.guard(&what)?;
    for (manifest, names, entry) in &all {
        let there = manifest.kind.get.call(client.transport(), names).await;
        let done = match there {
            Err(error) if error.is_not_found() => "not there",
            Err(error) => return Err(Failure::from(error)),
            Ok(_) => {
                remove(session, &client, entry, (manifest, names)).await?;
                "deleted"
            }
        };
        session.tell(format!("{}: {done}", label(manifest)));
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
        None => {
            return Err(Failure::usage(format!(
                "{label}: a {} cannot be started or stopped",
                kind.name
            )));
        }
    };
    let watched = vec![Watched::new(meant.manifest.name.clone(), wait)];
    waiting::all(session, watched, Ends::Together).await?;
    session.tell(format!("{label}: {}", goal.state()));
    Ok(())
}
