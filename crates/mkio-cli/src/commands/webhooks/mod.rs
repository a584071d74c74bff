//! `mkio webhooks`: events on this machine.

mod event;
mod listen;
mod target;

use std::io::{self, Write};

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::{Client, management::ProjectClient};
use serde_json::Value;

use self::target::Target;
use crate::{
    failure::{Failure, Result},
    options::{self, text},
    output::{self, path},
    session::Session,
};

pub fn command() -> Command {
    Command::new("webhooks")
        .about("Receives, makes and repeats webhook events")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(listen_command())
        .subcommand(trigger_command())
        .subcommand(resend_command())
}

fn forward() -> Arg {
    Arg::new("forward-to")
        .long("forward-to")
        .value_name("URL")
        .help("Address that events are posted to, such as http://localhost:3000/events")
}

fn secret() -> Arg {
    Arg::new("secret-env")
        .long("secret-env")
        .value_name("VARIABLE")
        .help("Variable with the secret that events carry in the header x-mkio-secret")
}

fn limit() -> Arg {
    Arg::new("limit")
        .long("limit")
        .value_name("N")
        .value_parser(options::count)
}

fn listen_command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("listen")
        .about("Shows events until Ctrl-C: by a rule of its own, or from the deliveries of a rule")
        .after_help(
            "The service has to reach --public-url, by a tunnel for example; the rule is removed in the end. \
             --from-history needs no tunnel: it follows what the service tells of a rule's deliveries, reads the \
             resources, and posts events that are marked as rebuilt.",
        )
        .arg(text("public-url", "URL", "Address under which the service reaches this program"))
        .arg(
            text("listen", "ADDRESS:PORT", "Address that this program listens at")
                .default_value("127.0.0.1:4090"),
        )
        .arg(
            text("from-history", "RULE", "Rule whose deliveries are followed")
                .conflicts_with("public-url"),
        )
        .arg(
            text("every", "TIME", "Time between two looks at the deliveries")
                .value_parser(options::duration)
                .default_value("5s"),
        )
        .arg(
            text("event", "TYPE", "Only events of this type; may be repeated")
                .action(ArgAction::Append),
        )
        .arg(limit().help("Ends after this many events"))
        .arg(forward())
        .arg(secret())
}

fn trigger_command() -> Command {
    Command::new("trigger")
        .about("Makes an event as the service documents it, and posts it; sends nothing to the service")
        .arg(
            Arg::new("type")
                .value_name("TYPE")
                .required(true)
                .help("JobFinished, MediaKind.ChannelInstanceStarted, …"),
        )
        .arg(
            Arg::new("source")
                .long("source")
                .value_name("PATH")
                .help("Path of the resource"),
        )
        .arg(
            Arg::new("state")
                .long("state")
                .value_name("STATE")
                .help("State of the resource"),
        )
        .arg(forward())
        .arg(secret())
}

fn resend_command() -> Command {
    Command::new("resend")
        .about("Rebuilds events of a rule's deliveries from the resources, and posts them")
        .arg(
            Arg::new("rule")
                .value_name("RULE")
                .required(true)
                .help("The rule"),
        )
        .arg(
            Arg::new("failed")
                .long("failed")
                .action(ArgAction::SetTrue)
                .help("Only those whose delivery has failed"),
        )
        .arg(limit().default_value("1").help("How many of the newest"))
        .arg(forward().required(true))
        .arg(secret())
}

pub async fn run(session: &Session, verb: &str, matches: &ArgMatches) -> Result<()> {
    match verb {
        "trigger" => trigger(session, matches).await,
        "resend" => resend(session, matches).await,
        _ => listen::run(session, matches).await,
    }
}

fn management(session: &Session, client: &Client) -> Result<ProjectClient> {
    let project = client.project(session.project(client)?);
    Ok(project.management())
}

/// Writes an event; secrets of its resource are hidden.
fn show(session: &Session, event: &Value) -> Result<()> {
    let event = session.shown(event.clone(), event::mask);
    if !session.output.is_for_people() {
        return session.output.each(&event, &PLACES);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}", line(&event))?;
    out.flush().map_err(Failure::from)
}

/// Members of an event's line.
const PLACES: [&str; 4] = ["time", "type", "source", "data/state"];

/// An event on one line. Its texts come from others, so they are escaped.
fn line(event: &Value) -> String {
    output::plain(&PLACES.map(|place| path::text(event, place)).join(" "))
}

async fn trigger(session: &Session, matches: &ArgMatches) -> Result<()> {
    let kind = event::kind(&text(matches, "type").unwrap_or_default())?;
    let given = session.project(&session.offline_client()?).ok();
    let project = given.as_deref().unwrap_or("demo");
    let (source, state) = (text(matches, "source"), text(matches, "state"));
    let made = event::made(&kind, project, source, state)?;
    let target = Target::new(matches)?;
    show(session, &made)?;
    match target {
        Some(target) => target.post(session, &made).await,
        None => Ok(()),
    }
}

async fn resend(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let rule = text(matches, "rule").unwrap_or_default();
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(1);
    let failed = matches.get_flag("failed");
    let target = Target::new(matches)?;
    let mut all = listen::history(&management(session, &client)?, &rule).await?;
    all.retain(|told| !failed || path::text(told, "status") == "Failed");
    let newest = usize::try_from(limit).unwrap_or(usize::MAX);
    let first = all.len().saturating_sub(newest);
    for told in &all[first..] {
        let made = event::rebuilt(session, &client, told).await;
        show(session, &made)?;
        if let Some(target) = &target {
            target.post(session, &made).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line_that_moves_no_cursor() {
        let event =
            json!({"time": "t", "type": "k", "source": "/a\n\u{1b}[2J", "data": {"state": "S\r"}});
        assert_eq!(line(&event), "t k /a  [2J S ");
    }
}
