//! `mkio webhooks`: events on this machine.

use std::io::{self, Write};

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::{
    Client, Project,
    chrono::Utc,
    http::Method,
    webhook::{Event, EventType, Rule, SharedSecret, Webhook, deliveries},
};
use serde_json::{Value, json};

use crate::{
    failure::{Exit, Failure, Result},
    output::{Format, path},
    session::Session,
};

/// Header of the secret that events carry, unless another one is named.
const HEADER: &str = "x-mkio-secret";
/// Time between two looks at the deliveries of a rule.
const PACE: std::time::Duration = std::time::Duration::from_secs(5);

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

fn listen_command() -> Command {
    Command::new("listen")
                .about("Shows events until Ctrl-C: by a rule of its own, or from the deliveries of a rule")
                .after_help(
                    "The service has to reach --public-url, by a tunnel for example; the rule is removed in the end. \
                     --from-history needs no tunnel: it follows what the service tells of a rule's deliveries, reads the \
                     resources, and posts events that are marked as rebuilt.",
                )
                .arg(Arg::new("public-url").long("public-url").value_name("URL").help("Address under which the service reaches this program"))
                .arg(
                    Arg::new("listen")
                        .long("listen")
                        .value_name("ADDRESS:PORT")
                        .default_value("127.0.0.1:4090")
                        .help("Address that this program listens at"),
                )
                .arg(
                    Arg::new("from-history")
                        .long("from-history")
                        .value_name("RULE")
                        .conflicts_with("public-url")
                        .help("Rule whose deliveries are followed"),
                )
                .arg(
                    Arg::new("event")
                        .long("event")
                        .value_name("TYPE")
                        .action(ArgAction::Append)
                        .help("Only events of this type; may be repeated"),
                )
                .arg(Arg::new("limit").long("limit").value_name("N").value_parser(clap::value_parser!(u64)).help("Ends after so many events"))
                .arg(forward())
}

fn trigger_command() -> Command {
    Command::new("trigger")
        .about("Makes an event as the service documents it, and posts it; the service is not asked")
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
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .default_value("1")
                .value_parser(clap::value_parser!(u64))
                .help("The newest so many"),
        )
        .arg(forward().required(true))
        .arg(secret())
}

pub async fn run(session: &Session, verb: &str, matches: &ArgMatches) -> Result<()> {
    match verb {
        "trigger" => trigger(session, matches).await,
        "resend" => resend(session, matches).await,
        _ => listen(session, matches).await,
    }
}

fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.try_get_one::<String>(name).ok().flatten().cloned()
}

/// The type under its full name.
fn kind(name: &str) -> Result<String> {
    let full = if name.contains('.') {
        name.to_owned()
    } else {
        format!("MediaKind.{name}")
    };
    let known = EventType::KNOWN.iter().copied();
    if known.clone().any(|known| known == full) {
        return Ok(full);
    }
    let failure = Failure::usage(format!("there is no event `{name}`"));
    let names: Vec<&str> = known
        .map(|name| name.trim_start_matches("MediaKind."))
        .collect();
    Err(failure.hint(format!("there are {}", names.join(", "))))
}

/// A target of events: nothing but these headers goes there, above all no token.
struct Target {
    url: String,
    secret: Option<String>,
    http: mkio::reqwest::Client,
}

impl Target {
    fn new(matches: &ArgMatches) -> Result<Option<Self>> {
        let Some(url) = text(matches, "forward-to") else {
            return Ok(None);
        };
        let secret = text(matches, "secret-env").map(|name| {
            std::env::var(&name)
                .map_err(|_| Failure::usage(format!("{name}: there is no such variable")))
        });
        let http = mkio::http_client_builder()?.build();
        let http = http.map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        let secret = secret.transpose()?;
        Ok(Some(Self { url, secret, http }))
    }

    async fn post(&self, event: &Value) -> Result<u16> {
        let mut request = self
            .http
            .post(&self.url)
            .header("content-type", "application/cloudevents+json")
            .body(event.to_string());
        if let Some(secret) = &self.secret {
            request = request.header(HEADER, secret);
        }
        let answer = request.send().await.map_err(|error| {
            Failure::new(
                Exit::Later,
                format!("{}: {}", self.url, error.without_url()),
            )
        })?;
        Ok(answer.status().as_u16())
    }
}

async fn deliver(session: &Session, target: Option<&Target>, event: &Value) -> Result<()> {
    show(session, event)?;
    if let Some(target) = target {
        let status = target.post(event).await?;
        session.tell(format!("{}: {status}", target.url));
        if status >= 400 {
            return Err(Failure::new(
                Exit::Refused,
                format!("{} answered {status}", target.url),
            ));
        }
    }
    Ok(())
}

fn show(session: &Session, event: &Value) -> Result<()> {
    let mut out = io::stdout().lock();
    if session.output.format() == Format::Table {
        let part = |place: &str| path::text(event, place);
        let (time, kind, source) = (part("time"), part("type"), part("source"));
        writeln!(out, "{time} {kind} {source} {}", part("data/state"))?;
    } else {
        writeln!(out, "{event}")?;
    }
    out.flush().map_err(Failure::from)
}

fn event(kind: &str, source: &str, state: Option<&str>, resource: Value, rebuilt: bool) -> Value {
    let id = format!(
        "{kind}-{}",
        Utc::now().timestamp_nanos_opt().unwrap_or_default()
    );
    let project = source
        .split('/')
        .skip_while(|part| *part != "projects")
        .nth(1);
    let mut made = json!({
        "specversion": "1.0", "id": id, "type": kind, "source": source,
        "time": Utc::now().to_rfc3339(), "datacontenttype": "application/json",
        "data": {"projectName": project, "state": state, "resource": resource},
    });
    if rebuilt {
        made["mkiorebuilt"] = json!(true);
    }
    made
}

async fn trigger(session: &Session, matches: &ArgMatches) -> Result<()> {
    let kind = kind(&text(matches, "type").unwrap_or_default())?;
    let project = session
        .options
        .project
        .clone()
        .unwrap_or_else(|| "demo".to_owned());
    let (below, state) = match kind.as_str() {
        of if of.contains("Job") => ("transforms/transform/jobs/job", "Finished"),
        of if of.contains("Locator") => ("media/streamingLocators/locator", "Created"),
        of if of.contains("Operation") => (
            "live/liveChannels/channel/scheduledOperations/operation",
            "Completed",
        ),
        _ => ("live/liveChannels/channel", "Running"),
    };
    let source = text(matches, "source");
    let source = source.unwrap_or_else(|| format!("/api/v1/projects/{project}/{below}"));
    let state = text(matches, "state").unwrap_or_else(|| state.to_owned());
    let name = source.rsplit('/').next().unwrap_or_default();
    let made = event(&kind, &source, Some(&state), json!({"name": name}), false);
    let target = Target::new(matches)?;
    deliver(session, target.as_ref(), &made).await
}

fn project(session: &Session, client: &Client) -> Result<Project> {
    Ok(client.project(session.project(client)?))
}

/// An event that is made again from what the service tells of its delivery, and from the resource.
async fn rebuilt(client: &Client, told: &Value) -> Value {
    let (kind, source) = (path::text(told, "type"), path::text(told, "source"));
    let place = if source.starts_with("/api/") {
        source.clone()
    } else {
        format!("/api/v1{source}")
    };
    // Jobs are told without the API's part of their path.
    let place = match place.split_once("/transforms/") {
        Some((before, after)) if !before.ends_with("/media") => {
            format!("{before}/media/transforms/{after}")
        }
        _ => place,
    };
    let resource = client.request(Method::GET, place).send().await;
    let resource = resource.map(mkio::Response::into_inner).unwrap_or_default();
    let state = [
        "properties/state",
        "status/state",
        "properties/resourceState",
    ]
    .iter()
    .map(|place| path::text(&resource, place))
    .find(|state| !state.is_empty());
    event(&kind, &source, state.as_deref(), resource, true)
}

async fn resend(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let management = project(session, &client)?.management();
    let rule = text(matches, "rule").unwrap_or_default();
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(1);
    let failed = matches.get_flag("failed");
    let target = Target::new(matches)?;
    let mut history: Vec<Value> = Vec::new();
    let mut items = deliveries(&management, &rule);
    while let Some(item) = items.try_next().await? {
        let value = serde_json::to_value(&item).unwrap_or_default();
        if !failed || path::text(&value, "status") == "Failed" {
            history.push(value);
        }
    }
    history.sort_by_key(|told| path::text(told, "created"));
    let first = history
        .len()
        .saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for told in &history[first..] {
        let made = rebuilt(&client, told).await;
        deliver(session, target.as_ref(), &made).await?;
    }
    Ok(())
}

async fn listen(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let target = Target::new(matches)?;
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(u64::MAX);
    match text(matches, "from-history") {
        Some(rule) => follow(session, &client, &rule, target.as_ref(), limit).await,
        None => receive(session, &client, matches, target.as_ref(), limit).await,
    }
}

/// Follows the deliveries of a rule.
async fn follow(
    session: &Session,
    client: &Client,
    rule: &str,
    target: Option<&Target>,
    limit: u64,
) -> Result<()> {
    let management = project(session, client)?.management();
    let (mut seen, mut first, mut shown) = (Vec::new(), true, 0);
    session.tell(format!(
        "following the deliveries of {rule}; Ctrl-C ends it"
    ));
    loop {
        let mut items = deliveries(&management, rule);
        while let Some(item) = items.try_next().await? {
            let told = serde_json::to_value(&item).unwrap_or_default();
            let mark = ["created", "type", "source"].map(|place| path::text(&told, place));
            if seen.contains(&mark) {
                continue;
            }
            seen.push(mark);
            if !first {
                deliver(session, target, &rebuilt(client, &told).await).await?;
                shown += 1;
            }
        }
        first = false;
        if shown >= limit {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// Receives events by a rule of its own, which is removed in the end.
async fn receive(
    session: &Session,
    client: &Client,
    matches: &ArgMatches,
    target: Option<&Target>,
    limit: u64,
) -> Result<()> {
    let address = text(matches, "listen").unwrap_or_default();
    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener =
        listener.map_err(|error| Failure::usage(format!("--listen {address}: {error}")))?;
    let local = listener.local_addr()?;
    let public = text(matches, "public-url").unwrap_or_else(|| format!("http://{local}"));
    let management = project(session, client)?.management();
    let secret = SharedSecret::header(HEADER, random());
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let webhook = Webhook::builder()
        .secret(secret.clone())
        .on_event(move |event: Event| {
            let sender = sender.clone();
            async move {
                // Nobody reads any more: the program is about to end.
                let _ = sender.send(event);
                Ok(())
            }
        })
        .build()?;
    let router = webhook.router("/mkio/events");
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let name = format!("mkio-listen-{}", random());
    let url = format!("{}/mkio/events", public.trim_end_matches('/'));
    let mut rule = Rule::new(&name, url).secret(secret);
    let kinds = matches.get_many::<String>("event").into_iter().flatten();
    let kinds: Vec<EventType> = kinds
        .map(|name| kind(name).map(|name| EventType::from(name.as_str())))
        .collect::<Result<_>>()?;
    if !kinds.is_empty() {
        rule = rule.events(kinds);
    }
    rule.ensure(&management).await?;
    session.tell(format!(
        "the rule {name} sends events to {public}; Ctrl-C removes it"
    ));
    let mut shown = 0;
    let outcome = loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = tokio::signal::ctrl_c() => break Ok(()),
        };
        let Some(event) = event else { break Ok(()) };
        let value = serde_json::to_value(&event).unwrap_or_default();
        // What the target makes of one event does not end the others.
        if let Err(failure) = deliver(session, target, &value).await {
            session.tell(failure);
        }
        shown += 1;
        if shown >= limit {
            break Ok(());
        }
    };
    management.delete_webhook_rule(&name).send().await?;
    server.abort();
    outcome
}

/// A word that nobody guesses.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
