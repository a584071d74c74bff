//! `mkio login`, `logout` and `whoami`.

mod hidden;

use std::io::{self, BufRead, IsTerminal};

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::{Client, TokenCommand};
use serde_json::{Map, Value, json};

use super::profile::in_use;
use crate::{
    editor::words,
    failure::{Exit, Failure, Result},
    output::path,
    profile::{ProfileFile, TokenFrom},
    session::Session,
};

pub fn login() -> Command {
    Command::new("login")
        .about("Stores a token in the configuration file: from a prompt, standard input or a command")
        .after_help(
            "The token is never an argument: arguments are seen by everybody on the machine.\n\nExamples:\n  mkio login\n  \
             pass mkio/prod | mkio login --profile prod\n  mkio login --command 'op read op://video/mkio/token'",
        )
        .arg(
            Arg::new("command")
                .long("command")
                .value_name("COMMAND")
                .help("Program that prints the token, with its arguments; runs whenever a token is needed"),
        )
        .arg(
            Arg::new("unchecked")
                .long("unchecked")
                .action(ArgAction::SetTrue)
                .help("Stores the token, or the command, without checking it with the service"),
        )
}

pub fn logout() -> Command {
    Command::new("logout")
        .about("Removes the token of the profile in use from the configuration file")
}

pub fn whoami() -> Command {
    Command::new("whoami").about("Shows whose token is in use, and where it comes from")
}

pub async fn log_in(session: &Session, matches: &ArgMatches) -> Result<()> {
    let mut file = ProfileFile::read(session.config_file()?)?;
    let first = file.names().is_empty();
    let name = in_use(session, &file);
    let from = match matches.get_one::<String>("command") {
        Some(command) => TokenFrom::Command(split(command)?),
        None => TokenFrom::Text(ask(session).await?),
    };
    if let Some(url) = session.base_url() {
        file.set(&name, "base_url", Some(&url))?;
    }
    if let Some(project) = &session.options.project {
        file.set(&name, "project", Some(project))?;
    }
    if !matches.get_flag("unchecked") {
        let url = file.setting(&name, "base_url");
        let profile = check(&from, url).await.map_err(|failure| {
            failure.only_hint("nothing was stored; --unchecked stores it without the check")
        })?;
        session.tell(format!("logged in as {}", described(&profile)));
    }
    file.set_token(&name, from)?;
    if first {
        file.set_default(&name);
    }
    file.write()?;
    session.tell(format!(
        "the profile `{name}` is in {}",
        file.path().display()
    ));
    Ok(())
}

/// A token from a prompt that shows nothing, or the first line of standard input.
async fn ask(session: &Session) -> Result<String> {
    let text = if io::stdin().is_terminal() {
        hidden::line(session, "Token (nothing is shown): ").await?
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        line
    };
    let token = text.trim();
    if token.is_empty() {
        return Err(Failure::usage("no token was given"));
    }
    Ok(token.to_owned())
}

fn split(command: &str) -> Result<Vec<String>> {
    words(command).ok_or_else(|| {
        Failure::usage("--command takes a program and its arguments; quotes come in pairs")
    })
}

/// The service's answer about the token.
async fn check(from: &TokenFrom, base_url: Option<String>) -> Result<Value> {
    let mut builder = match from {
        TokenFrom::Text(token) => Client::builder().token(token.as_str()),
        TokenFrom::Command(words) => {
            // `split` gives a word or more.
            let (program, arguments) = words.split_at(words.len().min(1));
            let command = TokenCommand::new(program.concat(), arguments);
            Client::builder().token_provider(command)
        }
    };
    if let Some(url) = base_url {
        builder = builder.base_url(url);
    }
    let client: Client = builder.build()?;
    profile(&client).await
}

async fn profile(client: &Client) -> Result<Value> {
    let request = client.request(mkio::http::Method::GET, "/api/v1/user/profile");
    Ok(request.send().await?.into_inner())
}

fn described(profile: &Value) -> String {
    let places = [
        "/spec/email",
        "/spec/loginEmail",
        "/email",
        "/metadata/name",
        "/name",
        "/id",
        "/metadata/id",
    ];
    let found = places
        .iter()
        .find_map(|place| profile.pointer(place)?.as_str());
    found.unwrap_or("a user without a name").to_owned()
}

pub fn log_out(session: &Session) -> Result<()> {
    let mut file = ProfileFile::read(session.config_file()?)?;
    let name = in_use(session, &file);
    if !file.names().contains(&name) || !file.remove_token(&name)? {
        let message = format!("the profile `{name}` has no token");
        return Err(Failure::new(Exit::Access, message));
    }
    file.write()?;
    session.tell(format!("removed the token of the profile `{name}`"));
    Ok(())
}

pub async fn who_am_i(session: &Session) -> Result<()> {
    let client = session.client()?;
    let file = ProfileFile::read(session.config_file()?)?;
    let profile = profile(&client).await?;
    let rights = client.request(mkio::http::Method::GET, "/api/v1/user/rbac");
    let rights = rights.send().await.map(mkio::Response::into_inner);
    let told = json!({
        "user": profile,
        "token_from": session.token_from(&file),
        "base_url": client.transport().base_url("media"),
        "project": client.transport().project(),
        "rights": rights.unwrap_or_default(),
    });
    if session.output.is_for_people() {
        return session.output.one(&for_people(&told), &[]);
    }
    session.output.one(&told, &[])
}

/// The same in lines that fit a screen: ids of scopes only where there are several of one kind.
fn for_people(told: &Value) -> Value {
    let text = |place: &str| path::text(told, place);
    let mut rights = Map::new();
    let scopes = told.pointer("/rights/rbac").and_then(Value::as_object);
    for (scope, all) in scopes.into_iter().flatten() {
        let all = all.as_object();
        let is_one = all.is_some_and(|all| all.len() == 1);
        for (id, of) in all.into_iter().flatten() {
            let scope = if is_one {
                scope.clone()
            } else {
                format!("{scope}/{id}")
            };
            let verbs = of.as_object().into_iter().flatten();
            // `get, update` is shorter than a list in JSON.
            let verbs = verbs.map(|(on, all)| {
                let all: Vec<String> = path::find(all, "*").into_iter().map(path::plain).collect();
                (on.clone(), Value::String(all.join(", ")))
            });
            rights.insert(scope, Value::Object(verbs.collect()));
        }
    }
    json!({
        "user": described(told.get("user").unwrap_or(&Value::Null)),
        "name": text("user/spec/name"),
        "organization": text("user/spec/activeOrganizationId"),
        "token_from": told.get("token_from"),
        "base_url": told.get("base_url"),
        "project": told.get("project"),
        "teams": text("rights/teams/*/name"),
        "rights": rights,
    })
}
