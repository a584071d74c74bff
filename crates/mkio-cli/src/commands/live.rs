//! `mkio live`: a live event from start to stop.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use mkio::{
    Project,
    media::types::{LiveOutputPut, LiveOutputPutProperties},
};
use serde_json::{Value, json};

use super::{assets, call};
use crate::{
    failure::{Failure, Result},
    options,
    output::path,
    session::{Arguments, Session},
    waiting::{self, Ends, Watched},
};

pub fn command() -> Command {
    let name = || {
        Arg::new("name")
            .value_name("EVENT")
            .required(true)
            .help("The live event")
    };
    Command::new("live")
        .about("Starts, stops and records live events of the Media API")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("start")
                .about("Starts a live event, waits until it runs, and prints where to send and to look")
                .arg(name()),
        )
        .subcommand(Command::new("stop").about("Stops a live event and waits until it stands").arg(name()))
        .subcommand(
            Command::new("record")
                .about("Records a live event into an asset for some time, then ends the recording")
                .arg(name())
                .arg(
                    Arg::new("for")
                        .long("for")
                        .value_name("TIME")
                        .required(true)
                        .value_parser(options::duration)
                        .help("How long: 90s, 2h"),
                )
                .arg(Arg::new("live-output").long("live-output").value_name("NAME").help("Name of the live output"))
                .arg(Arg::new("asset").long("to").value_name("ASSET").help("Asset of the recording; made if need be"))
                .arg(Arg::new("storage").long("storage").value_name("NAME").help("Storage account of a new asset"))
                .arg(
                    Arg::new("window")
                        .long("window")
                        .value_name("DURATION")
                        .default_value("PT25H")
                        .help("How far back viewers may go, in ISO 8601"),
                ),
        )
}

pub async fn run(session: &Session, verb: &str, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let project = client.project(session.project(&client)?);
    let name = options::text(matches, "name").unwrap_or_default();
    session.guard(&format!("live {verb} {name}"))?;
    match verb {
        "start" => {
            let event = bring(session, &project, "start_live_event", &name).await?;
            let read = call::find("media.get_live_event")?;
            let shown = session.shown(event.clone(), |event| read.mask(event));
            let at = "/properties/input/endpoints";
            if shown.pointer(at) != event.pointer(at) {
                session.tell("an address holds the event's access token: --show-secrets shows it");
            }
            places(session, &shown)
        }
        "stop" => bring(session, &project, "stop_live_event", &name)
            .await
            .map(drop),
        _ => record(session, &project, &name, matches).await,
    }
}

async fn bring(session: &Session, project: &Project, operation: &str, name: &str) -> Result<Value> {
    let entry = call::find(operation)?;
    let arguments = Arguments::from_iter([
        ("project_name".to_owned(), json!(project.name())),
        ("event_name".to_owned(), json!(name)),
    ]);
    let wait = entry.call_and_wait(project.transport(), &arguments)?;
    let watched = vec![Watched::new(name.to_owned(), wait)];
    let mut ended = waiting::all(session, watched, Ends::Together).await?;
    Ok(ended.pop().map(|(_, value)| value).unwrap_or_default())
}

/// Where the event takes its stream, and where it shows it.
fn places(session: &Session, event: &Value) -> Result<()> {
    let mut list = session.output.list(&["what", "protocol", "url"]);
    for (what, place) in [
        ("ingest", "properties/input/endpoints/*"),
        ("preview", "properties/preview/endpoints/*"),
    ] {
        for endpoint in path::find(event, place) {
            list.item(json!({
                "what": what,
                "protocol": path::text(endpoint, "protocol"),
                "url": path::text(endpoint, "url"),
            }))?;
        }
    }
    list.end()
}

async fn record(
    session: &Session,
    project: &Project,
    event: &str,
    matches: &ArgMatches,
) -> Result<()> {
    let text = |name: &str| options::text(matches, name);
    let stamp = mkio::chrono::Utc::now().format("%Y%m%d%H%M%S");
    let output = text("live-output").unwrap_or_else(|| format!("record-{stamp}"));
    let asset = text("asset").unwrap_or_else(|| format!("{event}-{stamp}"));
    let time = matches
        .get_one::<Duration>("for")
        .copied()
        .unwrap_or_default();
    let media = project.media();
    // Before anything is made for an event that is not there.
    media.get_live_event(event).send().await?;
    assets::make(session, project, &asset, None, matches).await?;
    let properties = LiveOutputPutProperties::new()
        .asset_name(&asset)
        .archive_window_length(text("window").unwrap_or_default());
    let body = LiveOutputPut::new(properties);
    // Heard from here on, so that Ctrl-C leaves no recording behind that goes on.
    let interrupted = session.interrupted();
    let created = media.create_live_output(event, &output, body).send().await;
    created.map_err(|error| {
        let unknown = error.outcome_unknown();
        let failure = Failure::from(error);
        let hint = unknown.then(|| format!("if it records: {}", ending(event, &output)));
        hint.into_iter().fold(failure, Failure::hint)
    })?;
    let work = async {
        media.wait_for_live_output(event, &output).await?;
        session.tell(format!(
            "recording {event} into {asset} by {output} for {}; Ctrl-C ends it earlier",
            humantime::format_duration(time)
        ));
        tokio::time::sleep(time).await;
        Ok(())
    };
    // Whatever ends it, and wherever it is then: nothing is recorded any more.
    let outcome = tokio::select! {
        biased;
        () = interrupted => {
            session.tell(format!("ending the recording {output}"));
            Ok(())
        }
        outcome = work => outcome,
    };
    let ended = media.delete_live_output_and_wait(event, &output).await;
    let ended = ended.map(drop).map_err(|error| {
        Failure::from(error).hint(format!("it may record on: {}", ending(event, &output)))
    });
    Failure::both(outcome, ended)?;
    session.output.one(
        &json!({"event": event, "output": output, "asset": asset}),
        &[],
    )
}

/// The command that ends a recording.
fn ending(event: &str, output: &str) -> String {
    format!("mkio live-output delete {event} {output}")
}
