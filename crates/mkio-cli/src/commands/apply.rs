//! `mkio export`, `apply` and `diff`: resources as they are meant to be.

use std::{fs, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use mkio::{
    Client, Response,
    dynamic::{Answer, Effect, Entry, Write},
    reqwest::Request,
};
use serde_json::{Value, json};

use crate::{
    body,
    failure::{Exit, Failure, Result},
    kinds::{self, Kind},
    manifest::{self, Manifest},
    options::Switch,
    output::{Format, path},
    run,
    session::{Arguments, Session},
    tree::{self, Leaf, PROJECT},
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
                .help("Those with this label, name=value"),
        )
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("FILTER")
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
    let mut names: Vec<String> = names.cloned().collect();
    if names.is_empty() {
        names = listed(&client, &kind, &project, matches).await?;
    }
    for name in names {
        let arguments = kind.arguments(&project, &name)?;
        let read = kind.get.call(client.transport(), &arguments).await?;
        let made = manifest::export(&kind, &name, &read.json())?;
        if session.output.format() == Format::Table {
            let text = serde_norway::to_string(&made)
                .map_err(|error| Failure::new(Exit::Answer, error.to_string()))?;
            use std::io::Write;
            write!(std::io::stdout(), "---\n{text}")?;
        } else {
            session.output.one(&made, &[])?;
        }
    }
    Ok(())
}

fn project(session: &Session, client: &Client, kind: &Kind) -> Result<String> {
    match kind.get.parameter(PROJECT) {
        Some(_) if kind.name != "project" => session.project(client),
        _ => Ok(String::new()),
    }
}

async fn listed(
    client: &Client,
    kind: &Kind,
    project: &str,
    matches: &ArgMatches,
) -> Result<Vec<String>> {
    let list = kind.list.filter(|_| kind.parents() == 0);
    let list = list.ok_or_else(|| {
        Failure::usage(format!(
            "name what is to be exported: a {} has parents",
            kind.name
        ))
    })?;
    let mut arguments = Arguments::new();
    if list.parameter(PROJECT).is_some() {
        arguments.insert(PROJECT.to_owned(), json!(project));
    }
    if let Some(filter) = matches.get_one::<String>("filter") {
        arguments.insert("$filter".to_owned(), json!(filter));
    }
    if let Some(labels) = matches.get_many::<String>("label") {
        let labels: Vec<&String> = labels.collect();
        arguments.insert("$label".to_owned(), json!(labels));
    }
    let mut items = list.pages(client.transport(), &arguments)?.items();
    let mut names = Vec::new();
    while let Some(item) = items.try_next().await? {
        names.extend(path::name_of(&item));
    }
    Ok(names)
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

fn read_manifests(matches: &ArgMatches) -> Result<Vec<Manifest>> {
    let mut all = Vec::new();
    for path in matches.get_many::<String>("file").into_iter().flatten() {
        if Path::new(path).is_dir() {
            let entries =
                fs::read_dir(path).map_err(|error| Failure::usage(format!("{path}: {error}")))?;
            let mut files: Vec<_> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect();
            files.sort();
            let known = |file: &&std::path::PathBuf| {
                let ending = file.extension().and_then(|ending| ending.to_str());
                matches!(ending, Some("yaml" | "yml" | "json"))
            };
            for file in files.iter().filter(known) {
                let file = file.display().to_string();
                all.extend(manifest::parse(&body::text(&file)?, &file)?);
            }
        } else {
            all.extend(manifest::parse(&body::text(path)?, path)?);
        }
    }
    all.iter().try_for_each(manifest::refuse_literals)?;
    let order: Vec<String> = kinds::all().into_iter().map(|kind| kind.name).collect();
    all.sort_by_key(|one| order.iter().position(|name| *name == one.kind.name));
    Ok(all)
}

pub async fn run_diff(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let mut differ = false;
    let mut list = session
        .output
        .list(&["kind", "name", "change", "field", "old", "new"]);
    for manifest in read_manifests(matches)? {
        let plan = plan(session, &client, &manifest, false).await?;
        let (kind, name) = (&manifest.kind.name, &manifest.name);
        let row = |change: &str, field: &str, old: &str, new: &str| {
            json!({
                "kind": kind, "name": name, "change": change, "field": field, "old": old, "new": new,
            })
        };
        let rows: Vec<Value> = match plan {
            Plan::Same => Vec::new(),
            Plan::Create => vec![row("create", "", "", "")],
            Plan::Replace(field) => vec![row("replace", &field, "", "")],
            Plan::Change(_, _, changes) => changes
                .iter()
                .map(|(field, old, new)| row("change", field, old, new))
                .collect(),
        };
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
    manifest: &Manifest,
    write_secrets: bool,
) -> Result<Plan> {
    let kind = &manifest.kind;
    let project = project(session, client, kind)?;
    let names = kind.arguments(&project, &manifest.name)?;
    let read = match kind.get.call(client.transport(), &names).await {
        Ok(read) => read,
        Err(error) if error.is_not_found() => return Ok(Plan::Create),
        Err(error) => return Err(Failure::from(error)),
    };
    let (whole, compared) = manifest::bodies(manifest)?;
    refuse_unknown(client, kind, &names, &read, &whole)?;
    let Some(write) = kind.write() else {
        let field = differs(kind, &read, &compared)?;
        return Ok(field.map_or(Plan::Same, Plan::Replace));
    };
    let fixed = fixed(kind, &read, &compared)?;
    // A PATCH takes less than the PUT that the manifest is written for.
    let differs = differs(kind, &read, &compared)?;
    let (whole, compared) = match write.write {
        Some(Write::Patch) => (write.body_of(&whole)?, write.body_of(&compared)?),
        _ => (whole, compared),
    };
    let mut seen = None;
    let change = |said: &Value, seen: &mut Option<(Value, Value)>| {
        write.edited(client.transport(), &names, &read, |value| {
            let old = value.clone();
            manifest::overlay(value, said);
            *seen = Some((old, value.clone()));
            Ok(())
        })
    };
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
    let request = change(&whole, &mut seen)?;
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
    read: &Response<Answer>,
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
fn said_without_secrets(write: &Entry, read: &Response<Answer>, compared: &Value) -> Option<Value> {
    let old = write.body_of(&read.json()).ok();
    let mut new = old.clone().unwrap_or_default();
    manifest::overlay(&mut new, compared);
    (old.as_ref() != Some(&new)).then_some(new)
}

/// The first field that differs and cannot change.
fn fixed(kind: &Kind, read: &Response<Answer>, said: &Value) -> Result<Option<String>> {
    let Some(put) = kind.put else {
        return Ok(None);
    };
    let old = put.body_of(&read.json()).unwrap_or_default();
    let mut new = old.clone();
    manifest::overlay(&mut new, said);
    Ok(manifest::fixed(put, &old, &new))
}

/// The first field that differs, of what cannot be changed at all.
fn differs(kind: &Kind, read: &Response<Answer>, said: &Value) -> Result<Option<String>> {
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
    let manifests = read_manifests(matches)?;
    if !session.is(Switch::DryRun) {
        session.guard(&format!("apply {} manifests", manifests.len()))?;
    }
    let write_secrets = matches.get_flag("write-secrets");
    for manifest in manifests {
        let plan = plan(session, &client, &manifest, write_secrets).await?;
        let label = format!("{} {}", manifest.kind.name, manifest.name);
        let done = carry_out(session, &client, &manifest, plan, matches).await?;
        session.tell(format!("{label}: {done}"));
        if let Some(state) = &manifest.state {
            bring_to(session, &client, &manifest, state).await?;
        }
    }
    Ok(())
}

async fn carry_out(
    session: &Session,
    client: &Client,
    manifest: &Manifest,
    plan: Plan,
    matches: &ArgMatches,
) -> Result<&'static str> {
    let wait = matches.get_flag("wait");
    match plan {
        Plan::Same => Ok("as it is meant to be"),
        Plan::Create => create(session, client, manifest, wait)
            .await
            .map(|()| "created"),
        Plan::Change(write, request, _) if session.is(Switch::DryRun) => {
            run::show_request(session, write, &request).map(|()| "would change")
        }
        Plan::Change(write, request, _) => {
            write.send(client.transport(), *request).await?;
            Ok("changed")
        }
        Plan::Replace(field) if !matches.get_flag("replace") => {
            let kind = &manifest.kind.name;
            let message = format!("{kind} {}: `{field}` cannot be changed", manifest.name);
            Err(Failure::new(Exit::Refused, message)
                .hint("--replace deletes the resource and creates it again"))
        }
        Plan::Replace(_) => {
            let kind = &manifest.kind.name;
            session.confirm(&format!(
                "delete and create again: {kind} {}",
                manifest.name
            ))?;
            delete(session, client, manifest).await?;
            create(session, client, manifest, wait).await?;
            Ok("replaced")
        }
    }
}

async fn create(session: &Session, client: &Client, manifest: &Manifest, wait: bool) -> Result<()> {
    let kind = &manifest.kind;
    let put = kind
        .put
        .ok_or_else(|| Failure::usage(format!("a {} cannot be created", kind.name)))?;
    let project = project(session, client, kind)?;
    let mut arguments = kind.arguments(&project, &manifest.name)?;
    let (whole, _) = manifest::bodies(manifest)?;
    arguments.insert("body".to_owned(), whole);
    if session.is(Switch::DryRun) {
        let request = put.request(client.transport(), &arguments)?;
        return run::show_request(session, put, &request);
    }
    let waits = put
        .waiting
        .as_ref()
        .is_some_and(|waiting| !waiting.goal.is_empty());
    if wait && waits {
        let wait = put.call_and_wait(client.transport(), &arguments)?;
        let watched = vec![Watched::new(manifest.name.clone(), wait)];
        waiting::all(session, watched, Ends::Together).await?;
    } else {
        put.call(client.transport(), &arguments).await?;
    }
    Ok(())
}

async fn delete(session: &Session, client: &Client, manifest: &Manifest) -> Result<()> {
    let kind = &manifest.kind;
    let entry = kind
        .delete
        .ok_or_else(|| Failure::usage(format!("a {} cannot be deleted", kind.name)))?;
    let project = project(session, client, kind)?;
    let arguments = kind.arguments(&project, &manifest.name)?;
    if session.is(Switch::DryRun) {
        let request = entry.request(client.transport(), &arguments)?;
        return run::show_request(session, entry, &request);
    }
    let gone = entry
        .waiting
        .as_ref()
        .is_some_and(|waiting| waiting.effect == Effect::Deletes);
    if gone {
        let wait = entry
            .call_and_wait(client.transport(), &arguments)?
            .until_gone();
        let watched = vec![Watched::gone(manifest.name.clone(), wait)];
        waiting::all(session, watched, Ends::Together).await?;
    } else {
        entry.call(client.transport(), &arguments).await?;
    }
    Ok(())
}

/// Starts or stops what is not in the state that the manifest says.
async fn bring_to(
    session: &Session,
    client: &Client,
    manifest: &Manifest,
    state: &str,
) -> Result<()> {
    let kind = &manifest.kind;
    let verb = match state.to_lowercase().as_str() {
        "running" => "start",
        "stopped" => "stop",
        other => {
            let message = format!(
                "{} {}: state is running or stopped, not {other}",
                kind.name, manifest.name
            );
            return Err(Failure::usage(message));
        }
    };
    if session.is(Switch::DryRun) {
        session.tell(format!("{} {}: {state}", kind.name, manifest.name));
        return Ok(());
    }
    let project = project(session, client, kind)?;
    let arguments = kind.arguments(&project, &manifest.name)?;
    let pointer = kind
        .resource()
        .map_or("", |resource| resource.state_pointer);
    let read = kind.get.call(client.transport(), &arguments).await?.json();
    let is = read.pointer(pointer).and_then(Value::as_str);
    if is.is_some_and(|is| is.eq_ignore_ascii_case(state)) {
        return Ok(());
    }
    let noun = &kind.get.command[..kind.get.command.len() - 1];
    let words = [noun, &[verb]].concat();
    let wait = match tree::find(&words) {
        Some(Leaf::Operation(entry)) => entry.call_and_wait(client.transport(), &arguments)?,
        Some(Leaf::Action(catalog, action)) => {
            action.call_and_wait(catalog, client.transport(), &arguments)?
        }
        None => {
            return Err(Failure::usage(format!(
                "a {} has no state to bring it to",
                kind.name
            )));
        }
    };
    let watched = vec![Watched::new(manifest.name.clone(), wait)];
    waiting::all(session, watched, Ends::Together).await?;
    session.tell(format!("{} {}: {state}", kind.name, manifest.name));
    Ok(())
}
