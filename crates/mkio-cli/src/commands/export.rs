//! `mkio export` and `copy`: resources as manifests, for files and for other projects.

use std::{
    io::{self, Write as _},
    pin::pin,
};

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::{Client, dynamic::Entry};
use serde_json::{Value, json};

use super::apply::{self, How, Meant};
use crate::{
    failure::{Exit, Failure, Result},
    kinds::{self, Kind},
    listing,
    manifest::{self, Manifest},
    options::{quoted, text},
    output::List,
    session::{Arguments, Session},
    tree::PROJECT,
};

pub fn export() -> Command {
    Command::new("export")
        .about("Writes resources as manifests, which apply takes; secrets become ${env:…}")
        .after_help(
            "Examples:\n  mkio export transform > transforms.yaml\n  mkio export webhook-rule jobs",
        )
        .args(which())
}

pub fn copy() -> Command {
    Command::new("copy")
        .about("Copies resources of this project to another one; existing ones are changed to match")
        .after_help(
            "The copy takes secrets from the variables that export names; each has to be set. What a resource refers to \
             has to be in the other project.\n\nExample: mkio copy transform house --to-project staging",
        )
        .args(which())
        .arg(
            Arg::new("to-project")
                .long("to-project")
                .value_name("PROJECT")
                .required(true)
                .help("The other project"),
        )
}

/// The arguments that select resources.
fn which() -> [Arg; 5] {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    [
        Arg::new("kind")
            .value_name("KIND")
            .required(true)
            .help("Kind of the resources: asset, transform, webhook-rule, …"),
        Arg::new("name")
            .value_name("NAME")
            .action(ArgAction::Append)
            .num_args(0..)
            .help("Their names, parents before them; all of the kind when none is given"),
        option("label", "LABEL", "Those with this label, name=value")
            .short('l')
            .action(ArgAction::Append)
            .conflicts_with("name"),
        option("filter", "FILTER", "Those that match the filter").conflicts_with("name"),
        option(
            "after",
            "NAME",
            "Those after this one, to go on after an interruption",
        ),
    ]
}

/// A name with the item of the list, if the item is the complete resource.
type Wanted = (String, Option<Value>);

/// The selected resources.
async fn wanted(
    client: &Client,
    kind: &Kind,
    project: &str,
    matches: &ArgMatches,
) -> Result<Vec<Wanted>> {
    let names = matches.get_many::<String>("name").into_iter().flatten();
    let mut wanted: Vec<Wanted> = names.map(|name| (name.clone(), None)).collect();
    if wanted.is_empty() {
        refuse_narrowing(kind, matches)?;
        let narrowed = |arguments: &mut Arguments| narrow(arguments, matches);
        wanted = listing::all(client, kind, project, narrowed).await?;
    }
    let Some(after) = text(matches, "after") else {
        return Ok(wanted);
    };
    let place = wanted.iter().position(|(name, _)| *name == after);
    let place = place.ok_or_else(|| {
        Failure::usage(format!(
            "--after: there is no {} `{after}` among them",
            kind.name
        ))
    })?;
    Ok(wanted.split_off(place + 1))
}

/// Refuses filters that the list does not take.
fn refuse_narrowing(kind: &Kind, matches: &ArgMatches) -> Result<()> {
    for (option, parameter) in [("label", "$label"), ("filter", "$filter")] {
        let takes = |list: &Entry| list.parameters.iter().any(|of| of.name == parameter);
        if matches.contains_id(option) && !kind.list.is_some_and(takes) {
            let message = format!("--{option}: the list of a {} takes none", kind.name);
            return Err(Failure::usage(message).hint("give names, or leave the option out"));
        }
    }
    Ok(())
}

/// Adds the filters to the arguments of the list.
fn narrow(arguments: &mut Arguments, matches: &ArgMatches) {
    if let Some(filter) = text(matches, "filter") {
        arguments.insert("$filter".to_owned(), json!(filter));
    }
    if let Some(labels) = matches.get_many::<String>("label") {
        let labels: Vec<&String> = labels.collect();
        arguments.insert("$label".to_owned(), json!(labels));
    }
}

/// The manifest of a resource.
async fn exported(
    session: &Session,
    client: &Client,
    kind: &Kind,
    project: &str,
    (name, item): Wanted,
) -> Result<Value> {
    let told = match item {
        Some(item) => item,
        None => {
            let arguments = kind.arguments(project, &name)?;
            kind.get.call(client.transport(), &arguments).await?.json()
        }
    };
    let (made, unshown) = manifest::export(kind, &name, &told)?;
    for field in unshown {
        session.tell(format!(
            "{} {name}: reads do not show `{field}`; if there is one, put it into the manifest",
            kind.name
        ));
    }
    Ok(made)
}

fn kind(matches: &ArgMatches) -> Result<Kind> {
    let kind = kinds::find(&text(matches, "kind").unwrap_or_default())?;
    if kind.put.is_none() {
        let message = format!("a {} cannot be applied, so it is not exported", kind.name);
        return Err(Failure::usage(message));
    }
    Ok(kind)
}

pub async fn run_export(session: &Session, matches: &ArgMatches) -> Result<()> {
    let kind = kind(matches)?;
    let client = session.client()?;
    let project = apply::project(session, &client, &kind)?;
    // One for all manifests, so that no Ctrl-C is missed between two.
    let mut interrupted = pin!(session.interrupted());
    let mut list = session.output.list(&[]);
    let mut last = None;
    let work = async {
        for one in wanted(&client, &kind, &project, matches).await? {
            let name = one.0.clone();
            let made = exported(session, &client, &kind, &project, one).await?;
            write(session, &mut list, made)?;
            last = Some(name);
        }
        Ok(())
    };
    let outcome = tokio::select! {
        biased;
        () = &mut interrupted => Err(Failure::interrupted()),
        outcome = work => outcome,
    };
    let Err(failure) = outcome else {
        return if session.output.is_for_people() {
            Ok(())
        } else {
            list.end()
        };
    };
    let is_written = list.so_far()? > 0 || session.output.is_for_people();
    Err(match last.filter(|_| is_written) {
        Some(last) => {
            let last = quoted(&last);
            failure.hint(format!("go on with the same command and --after {last}"))
        }
        None => failure,
    })
}

/// YAML documents unless another format was asked for.
fn write(session: &Session, list: &mut List<'_>, made: Value) -> Result<()> {
    if !session.output.is_for_people() {
        return list.item(made);
    }
    let text = serde_norway::to_string(&made)
        .map_err(|error| Failure::new(Exit::Unusable, error.to_string()))?;
    write!(io::stdout(), "---\n{text}").map_err(Failure::from)
}

pub async fn run_copy(session: &Session, matches: &ArgMatches) -> Result<()> {
    let kind = kind(matches)?;
    if kind.name == "project" || kind.get.parameter(PROJECT).is_none() {
        let message = format!("a {} is in no project, so it is not copied", kind.name);
        return Err(Failure::usage(message));
    }
    let client = session.client()?;
    let project = session.project(&client)?;
    let target = text(matches, "to-project").unwrap_or_default();
    if target == project {
        return Err(Failure::usage(
            "--to-project names the project of the resources themselves",
        ));
    }
    let work = async {
        let mut all = Vec::new();
        for one in wanted(&client, &kind, &project, matches).await? {
            let name = one.0.clone();
            let made = exported(session, &client, &kind, &project, one).await?;
            let body = made.get("body").cloned().unwrap_or_default();
            let manifest = Manifest::new(kind.clone(), name, body);
            let meant = Meant::new(&client, &target, manifest);
            all.push(meant.map_err(|failure| {
                failure.hint(
                    "nothing was sent: a copy takes secrets from the variables that export names",
                )
            })?);
        }
        apply::bring_about(session, &client, &all, How::default()).await
    };
    tokio::select! {
        biased;
        () = session.interrupted() => {
            let again = "run the same command again to go on: resources that are up to date are not written again";
            Err(Failure::interrupted().hint(again))
        }
        outcome = work => outcome,
    }
}
