//! `mkio wait` and `mkio watch`.

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::{
    Client, Wait, WaitDescription,
    wait::{Resource, State},
};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    fields, kinds, listing,
    output::path,
    place,
    session::{Arguments, Session},
    tree::PROJECT,
    waiting::{self, Ends, Watched},
};

fn names(required: bool, help: &'static str) -> [Arg; 2] {
    let kind = Arg::new("kind")
        .value_name("KIND")
        .help("Kind of the resources: job, live-event, endpoint, …");
    let name = Arg::new("name")
        .value_name("NAME")
        .action(ArgAction::Append)
        .num_args(0..)
        .help(help);
    if required {
        [kind.required_unless_present("resume"), name]
    } else {
        [kind.required(true), name]
    }
}

pub fn wait() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .help(help)
            .action(ArgAction::SetTrue)
    };
    Command::new("wait")
        .about("Waits for resources: many of them share list requests")
        .after_help(
            "Examples:\n  mkio wait job h264/job-1 h264/job-2 --timeout 2h\n  mkio wait live-event show --for running\n  \
             mkio wait asset old --for gone",
        )
        .args(names(true, "Their names, parents before them: h264/job-1"))
        .arg(
            Arg::new("for")
                .long("for")
                .value_name("GOAL|STATE|gone")
                .help("The goal; by default the first one of the kind"),
        )
        .arg(flag("any", "Ends with the first that reaches the goal"))
        .arg(flag("fail-fast", "Ends with the first that fails").conflicts_with("any"))
        .arg(
            Arg::new("resume")
                .long("resume")
                .value_name("TOKEN")
                .action(ArgAction::Append)
                .num_args(1..)
                .conflicts_with_all(["kind", "for"])
                .help("Waits on where another run was interrupted; that run printed the tokens"),
        )
}

pub fn watch() -> Command {
    Command::new("watch")
        .about("Shows changes of resources until all have ended, or until Ctrl-C")
        .after_help("Example: mkio watch job --filter \"properties/state ne 'Finished'\"")
        .args(names(
            false,
            "Their names, parents before them: h264/job-1; all of the kind when none is given",
        ))
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("FILTER")
                .conflicts_with("name")
                .help("Which of the list, where no names are given"),
        )
}

pub async fn run_wait(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let goal = matches.get_one::<String>("for").map(String::as_str);
    let ends = match (matches.get_flag("any"), matches.get_flag("fail-fast")) {
        (true, _) => Ends::WithTheFirst,
        (_, true) => Ends::WithTheFirstFailure,
        _ => Ends::Together,
    };
    let (watched, resource) = match matches.get_many::<String>("resume") {
        Some(words) => resumed(&client, words)?,
        None => begun(session, &client, matches, goal)?,
    };
    if let Some(resource) = resource {
        fields::refuse_waited(session, resource)?;
    }
    let columns = resource.map_or(&[][..], kinds::columns);
    waiting::all_shown(session, watched, ends, columns, |value| {
        if let Some(resource) = resource {
            kinds::mask(resource, value);
        }
    })
    .await
}

/// Waits, and the resource that they are for.
type Begun = (Vec<Watched>, Option<&'static Resource>);

fn begun(
    session: &Session,
    client: &Client,
    matches: &ArgMatches,
    goal: Option<&str>,
) -> Result<Begun> {
    let kind = matches
        .get_one::<String>("kind")
        .cloned()
        .unwrap_or_default();
    let resource = kinds::find_waitable(&kind)?;
    let names = given(matches);
    if names.is_empty() {
        return Err(Failure::usage("no names are given").hint("mkio wait KIND NAME…"));
    }
    let project = project(session, client, resource)?;
    let mut watched = Vec::new();
    for name in names {
        let values = kinds::values(resource, &project, &name)?;
        let wait: Wait<Value, State> = Wait::new(client.transport(), resource, values);
        let one = match goal {
            Some("gone") => Watched::gone(name, wait.until_gone()),
            Some(goal) => Watched::new(name, waiting::with_goal(wait, resource, goal)?),
            None => Watched::new(name, wait),
        };
        watched.push(one.known(resource, goal));
    }
    Ok((watched, Some(resource)))
}

fn resumed<'a>(client: &Client, words: impl Iterator<Item = &'a String>) -> Result<Begun> {
    let (mut watched, mut kind) = (Vec::new(), None);
    for word in words {
        let told: WaitDescription = place::read(word)?;
        let resource = kinds::find_waitable(told.resource())?;
        let other = kind.filter(|kind: &&Resource| kind.name != resource.name);
        if let Some(other) = other {
            let message = format!("the tokens are of a {} and a {}", other.name, resource.name);
            return Err(Failure::usage(message).hint("wait for one kind at a time"));
        }
        let own = resource.params.iter().filter(|name| **name != PROJECT);
        let names: Vec<&str> = own.filter_map(|name| told.parameter(name)).collect();
        let name = names.join("/");
        let transport = client.transport();
        watched.push(if told.is_until_gone() {
            let wait = Wait::<Value, State>::resume_until_gone(transport, resource, &told)?;
            Watched::gone(name, wait)
        } else {
            Watched::new(name, Wait::resume(transport, resource, &told)?)
        });
        kind = Some(resource);
    }
    Ok((watched, kind))
}

fn given(matches: &ArgMatches) -> Vec<String> {
    let names = matches.get_many::<String>("name").into_iter().flatten();
    names.cloned().collect()
}

fn project(session: &Session, client: &Client, resource: &Resource) -> Result<String> {
    if resource.params.contains(&PROJECT) {
        session.project(client)
    } else {
        Ok(String::new())
    }
}

pub async fn run_watch(session: &Session, matches: &ArgMatches) -> Result<()> {
    waiting::refuse_form(matches)?;
    let client = session.client()?;
    let kind = matches
        .get_one::<String>("kind")
        .cloned()
        .unwrap_or_default();
    let resource = kinds::find_waitable(&kind)?;
    let project = project(session, &client, resource)?;
    let mut names = given(matches);
    if names.is_empty() {
        let filter = matches.get_one::<String>("filter");
        names = if is_below(resource) {
            below(&client, &kind, &project, filter).await?
        } else {
            listed(&client, resource, &project, filter).await?
        };
    }
    if names.is_empty() {
        session.tell("there is nothing to watch");
        return Ok(());
    }
    waiting::look_on(session, &client, resource, (&project, names)).await
}

/// The list takes the name of a parent.
fn is_below(resource: &Resource) -> bool {
    let path = resource
        .list
        .as_ref()
        .map_or("", |list| list.operation.path);
    path.replace("{project_name}", "").contains('{')
}

/// Names of all resources of the kind below all parents.
async fn below(
    client: &Client,
    kind: &str,
    project: &str,
    filter: Option<&String>,
) -> Result<Vec<String>> {
    let kind = kinds::find(kind)?;
    let found = listing::all(client, &kind, project, |arguments| {
        let filter = filter.map(|filter| ("$filter".to_owned(), json!(filter)));
        arguments.extend(filter);
    });
    let found = found.await?.into_iter();
    Ok(found.map(|(name, _)| name).collect())
}

/// Names of all resources of the kind, parents before them.
async fn listed(
    client: &Client,
    resource: &'static Resource,
    project: &str,
    filter: Option<&String>,
) -> Result<Vec<String>> {
    let Some(list) = &resource.list else {
        let message = format!("{} has no list: give the names to watch", resource.name);
        return Err(Failure::usage(message));
    };
    let catalog = crate::session::catalog(list.operation.api);
    let entry = catalog.map(|catalog| catalog.entry(list.operation.id));
    let Some(entry) = entry.transpose()? else {
        return Ok(Vec::new());
    };
    let mut arguments = Arguments::new();
    if entry.parameter(PROJECT).is_some() {
        arguments.insert(PROJECT.to_owned(), json!(project));
    }
    if let Some(filter) = filter {
        arguments.insert("$filter".to_owned(), json!(filter));
    }
    let mut items = entry.pages(client.transport(), &arguments)?.items();
    let mut names = Vec::new();
    while let Some(item) = items.try_next().await? {
        let name = path::text(&item, list.name_pointer.trim_start_matches('/'));
        names.push(named(resource, list.id_pointer, &item, name));
    }
    Ok(names)
}

/// The name with its parents, which are in the id: `…/transforms/h264/jobs/job-1`.
fn named(resource: &Resource, id_pointer: &str, item: &Value, name: String) -> String {
    let own = resource
        .params
        .iter()
        .filter(|name| **name != PROJECT)
        .count();
    if own < 2 || id_pointer.is_empty() {
        return name;
    }
    let id = path::text(item, id_pointer.trim_start_matches('/'));
    let parts: Vec<&str> = id.split('/').collect();
    let parent = parts.len().checked_sub(3).and_then(|at| parts.get(at));
    match parent {
        Some(parent) => format!("{parent}/{name}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word that takes up a wait for a resource of this kind.
    fn word(client: &Client, kind: &str, name: &str) -> String {
        let resource = kinds::find_waitable(kind).unwrap();
        let values = kinds::values(resource, "p", name).unwrap();
        let wait: Wait<Value, State> = Wait::new(client.transport(), resource, values);
        place::write(&wait.describe().unwrap())
    }

    #[test]
    fn waits_for_one_kind_are_taken_up_together() {
        let client: Client = Client::builder().anonymous().build().unwrap();
        let job = |name: &str| word(&client, "job", name);
        let jobs = [job("h264/a"), job("h264/b")];
        let (watched, resource) = resumed(&client, jobs.iter()).unwrap();
        assert_eq!((watched.len(), resource.unwrap().name), (2, "media.job"));
        let mixed = [job("h264/a"), word(&client, "asset", "x")];
        let refused = resumed(&client, mixed.iter()).map(drop).unwrap_err();
        let told = refused.to_string();
        assert!(
            told.contains("media.job") && told.contains("media.asset"),
            "{told}"
        );
    }
}
