//! `mkio live`: a live event from start to stop.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use mkio::{
    Project, Wait,
    media::{
        ProjectClient,
        types::{LiveEventState, LiveOutputPut, LiveOutputPutProperties, StreamingEndpointState},
    },
    playback::playback_urls,
    wait::State,
};
use serde_json::{Value, json};

use super::{assets, call, publish::locators_of};
use crate::{
    failure::{Failure, Result},
    options,
    output::{List, path},
    session::{Arguments, Session},
    tree::{self, PROJECT},
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
                .about("Starts a live event, waits until it runs, and prints its ingest and preview addresses")
                .after_help(
                    "It plays where its live outputs write to assets with locators, at streaming endpoints that run. An \
                     endpoint costs money while it runs, so it is started only by its name.\n\nExample: mkio live start show \
                     --endpoint default",
                )
                .arg(name())
                .arg(
                    Arg::new("endpoint")
                        .long("endpoint")
                        .value_name("NAME")
                        .help("Streaming endpoint that is started, too, unless it runs"),
                )
                .arg(tree::wait_anyway()),
        )
        .subcommand(
            Command::new("stop")
                .about("Stops a live event and waits until it has stopped")
                .arg(name())
                .arg(tree::wait_anyway()),
        )
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
                .arg(Arg::new("asset").long("to").value_name("ASSET").help("Asset of the recording; created if missing"))
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
    let text = |name: &str| options::text(matches, name);
    let name = text("name").unwrap_or_default();
    session.guard(&format!("live {verb} {name}"))?;
    match verb {
        "start" => start(session, &project, &name, text("endpoint")).await,
        "stop" => {
            let wait = bringing(&project, "stop_live_event", ("event_name", &name))?;
            let watched = vec![Watched::new(name, wait)];
            waiting::all(session, watched, Ends::Together)
                .await
                .map(drop)
        }
        _ => record(session, &project, &name, matches).await,
    }
}

/// A call that acts on the named resource, and waits for it.
fn bringing(
    project: &Project,
    operation: &str,
    (parameter, name): (&str, &str),
) -> Result<Wait<Value, State>> {
    let entry = call::find(operation)?;
    let arguments = Arguments::from_iter([
        (PROJECT.to_owned(), json!(project.name())),
        (parameter.to_owned(), json!(name)),
    ]);
    let wait = entry.call_and_wait(project.transport(), &arguments)?;
    Ok(wait)
}

/// Starts the event, and the endpoint if one is named.
async fn start(
    session: &Session,
    project: &Project,
    name: &str,
    endpoint: Option<String>,
) -> Result<()> {
    let media = project.media();
    // Before anything is started for a missing event.
    media.get_live_event(name).send().await?;
    if let Some(endpoint) = &endpoint {
        media.get_streaming_endpoint(endpoint).send().await?;
    }
    let wait = bringing(project, "start_live_event", ("event_name", name))?;
    let mut watched = vec![Watched::new(name.to_owned(), wait)];
    if let Some(endpoint) = endpoint {
        let parameter = ("endpoint_name", &*endpoint);
        let wait = bringing(project, "start_streaming_endpoint", parameter)?;
        watched.push(Watched::new(format!("endpoint {endpoint}"), wait));
    }
    let mut ended = waiting::all(session, watched, Ends::Together)
        .await?
        .into_iter();
    let event = ended.find(|(of, _)| of == name);
    let event = event.map(|(_, event)| event).unwrap_or_default();
    let read = call::find("media.get_live_event")?;
    let shown = session.shown(event.clone(), |event| read.mask(event));
    let at = "/properties/input/endpoints";
    if shown.pointer(at) != event.pointer(at) {
        session.tell("an address holds the event's access token: --show-secrets shows it");
    }
    let mut list = session.output.list(&["what", "protocol", "url"]);
    places(&mut list, &shown)?;
    playback(session, &media, name, &mut list).await?;
    list.end()
}

/// The playback addresses of the event's recordings.
async fn playback(
    session: &Session,
    media: &ProjectClient,
    event: &str,
    list: &mut List<'_>,
) -> Result<()> {
    let mut endpoints = media.list_streaming_endpoints().items();
    let (mut runs, mut first) = (false, None);
    while let Some(endpoint) = endpoints.try_next().await? {
        let state = endpoint.properties().resource_state();
        runs |= state == Some(&StreamingEndpointState::Running);
        first = first.or_else(|| endpoint.name().map(str::to_owned));
    }
    if !runs {
        let name = first.as_deref().unwrap_or("NAME");
        let start = session.command(&["endpoint", "start", name, "--wait"]);
        session.tell(format!("no streaming endpoint runs: {start} starts one"));
    }
    let mut outputs = media.list_live_outputs(event).items();
    while let Some(output) = outputs.try_next().await? {
        let Some(asset) = output.properties().asset_name() else {
            continue;
        };
        for locator in locators_of(media, asset).await? {
            let playback = playback_urls(media, locator).await?;
            let streams = playback.streams.iter();
            for stream in streams.filter(|stream| stream.endpoint.running) {
                list.item(json!({
                    "what": "playback",
                    "protocol": stream.protocol.to_string(),
                    "url": stream.url,
                }))?;
            }
        }
    }
    Ok(())
}

/// The ingest and preview addresses of the event.
fn places(list: &mut List<'_>, event: &Value) -> Result<()> {
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
    Ok(())
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
    // Before anything is made for a missing event.
    let told = media.get_live_event(event).send().await?;
    if told.properties().resource_state() != Some(&LiveEventState::Running) {
        let start = session.command(&["live", "start", event]);
        session.tell(format!(
            "{event} does not run, so nothing comes in yet: {start} starts it"
        ));
    }
    assets::make(session, project, &asset, None, matches).await?;
    let properties = LiveOutputPutProperties::new()
        .asset_name(&asset)
        .archive_window_length(text("window").unwrap_or_default());
    let body = LiveOutputPut::new(properties);
    // From here on, so that Ctrl-C leaves no running recording behind.
    let interrupted = session.interrupted();
    let created = media.create_live_output(event, &output, body).send().await;
    created.map_err(|error| {
        let unknown = error.outcome_unknown();
        let failure = Failure::from(error);
        let hint = unknown.then(|| format!("if it records: {}", ending(session, event, &output)));
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
    // However this ends, the recording is ended, too.
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
        Failure::from(error).hint(format!(
            "it may still be recording: {}",
            ending(session, event, &output)
        ))
    });
    Failure::both(outcome, ended)?;
    session.output.one(
        &json!({"event": event, "output": output, "asset": asset}),
        &[],
    )
}

/// The command that ends a recording.
fn ending(session: &Session, event: &str, output: &str) -> String {
    session.command(&["live-output", "delete", event, output])
}
