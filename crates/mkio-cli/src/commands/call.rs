//! `mkio call`: an operation by its name, with its arguments as JSON.

use clap::{Arg, ArgMatches, Command};
use mkio::dynamic::{Entry, nearest};
use serde_json::{Value, json};

use crate::{
    body,
    failure::{Failure, Result},
    options::Switch,
    run,
    session::{Arguments, Session},
    tree::{self, PROJECT},
};

pub fn command() -> Command {
    Command::new("call")
        .about("Calls an operation by its name, with its arguments as JSON")
        .after_help("Example: mkio call list_assets --args '{\"$top\": 5}'")
        .arg(
            Arg::new("operation")
                .value_name("OPERATION")
                .required(true)
                .help("Its name, such as list_assets or media.get_live_event"),
        )
        .arg(
            Arg::new("args")
                .long("args")
                .value_name("JSON")
                .default_value("{}")
                .help("Arguments by their names in the document, the body under body; - reads standard input"),
        )
        .arg(tree::save_argument())
}

pub async fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let name = matches.get_one::<String>("operation");
    let entry = find(name.map(String::as_str).unwrap_or_default())?;
    let text = matches
        .get_one::<String>("args")
        .cloned()
        .unwrap_or_default();
    let text = if text == "-" { body::text("-")? } else { text };
    let given = body::parse(&text, "--args")?;
    let Value::Object(mut arguments) = given else {
        return Err(Failure::usage("--args takes a JSON object"));
    };
    let client = run::client(session)?;
    fill_project(session, &client, entry, &mut arguments)?;
    let request = entry.request(client.transport(), &arguments)?;
    if session.is(Switch::DryRun) {
        return run::show_request(session, entry, &request);
    }
    run::ask(session, entry, std::slice::from_ref(&arguments))?;
    run::send(session, entry, client.transport(), request, matches).await?;
    run::tell_done(session, entry, &arguments);
    Ok(())
}

/// The project of the options, where the arguments name none.
fn fill_project(
    session: &Session,
    client: &mkio::Client,
    entry: &Entry,
    arguments: &mut Arguments,
) -> Result<()> {
    if entry.parameter(PROJECT).is_some() && !arguments.contains_key(PROJECT) {
        let project = session.project(client)?;
        arguments.insert(PROJECT.to_owned(), json!(project));
    }
    Ok(())
}

/// The operation of this name; `api.name` where two APIs have it.
pub fn find(name: &str) -> Result<&'static Entry> {
    let (api, id) = match name.split_once('.') {
        Some((api, id)) => (Some(api), id),
        None => (None, name),
    };
    let catalogs = mkio::CATALOGS
        .iter()
        .filter(|catalog| api.is_none_or(|api| api == catalog.api));
    let all: Vec<&'static Entry> = catalogs.flat_map(|catalog| catalog.entries).collect();
    let found: Vec<&'static Entry> = all
        .iter()
        .copied()
        .filter(|entry| entry.id() == id)
        .collect();
    match found[..] {
        [only] => Ok(only),
        [] => {
            let failure = Failure::usage(format!("there is no operation `{name}`"));
            Err(match nearest(id, all.iter().map(|entry| entry.id())) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`mkio ops WORDS` finds operations"),
            })
        }
        _ => {
            let names: Vec<String> = found
                .iter()
                .map(|entry| format!("{}.{}", entry.operation.api, entry.id()))
                .collect();
            Err(Failure::usage(format!("`{name}` is in several APIs"))
                .hint(format!("say which: {}", names.join(", "))))
        }
    }
}
