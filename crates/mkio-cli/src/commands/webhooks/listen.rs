//! `mkio webhooks listen`: events as they come.

use std::{collections::HashSet, time::Duration};

use clap::ArgMatches;
use mkio::{
    Client,
    management::ProjectClient,
    webhook::{Event, EventType, Rule, SharedSecret, Webhook, deliveries},
};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    event, management, show,
    target::{HEADER, Target},
};
use crate::{
    failure::{Exit, Failure, Result},
    options::text,
    output::path,
    session::Session,
};

/// The wanted events, and their target.
struct Listening<'a> {
    session: &'a Session,
    client: &'a Client,
    target: Option<Target>,
    /// Types that are wanted; all when there are none.
    kinds: Vec<String>,
    /// Events after which it ends.
    left: u64,
}

pub async fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let client = session.client()?;
    let names = matches.get_many::<String>("event").into_iter().flatten();
    let mut listening = Listening {
        session,
        client: &client,
        target: Target::new(matches)?,
        kinds: names.map(|name| event::kind(name)).collect::<Result<_>>()?,
        left: matches.get_one::<u64>("limit").copied().unwrap_or(u64::MAX),
    };
    let Some(rule) = text(matches, "from-history") else {
        return receive(&mut listening, matches).await;
    };
    let every = matches.get_one::<Duration>("every").copied();
    let work = listening.follow(&rule, every.unwrap_or_default());
    tokio::select! {
        biased;
        () = session.interrupted() => Ok(()),
        outcome = work => outcome,
    }
}

impl Listening<'_> {
    /// Shows and forwards an event; gives whether more are wanted.
    async fn take(&mut self, event: &Value) -> Result<bool> {
        show(self.session, event)?;
        if let Some(target) = &self.target {
            // A failure of the target must not end the others.
            if let Err(failure) = target.post(self.session, event).await {
                self.session.tell(failure);
            }
        }
        self.left = self.left.saturating_sub(1);
        Ok(self.left > 0)
    }

    /// Follows the deliveries of a rule.
    async fn follow(&mut self, rule: &str, every: Duration) -> Result<()> {
        let management = management(self.session, self.client)?;
        let mut known = HashSet::new();
        let mut begun = false;
        loop {
            match history(&management, rule).await {
                Ok(all) => {
                    if begun && !self.forward(&all, &mut known).await? {
                        return Ok(());
                    }
                    // Deliveries that left the history do not come back.
                    known = all.iter().map(mark).collect();
                    if !begun {
                        self.session.tell(format!(
                            "following the deliveries of {rule}; Ctrl-C ends it"
                        ));
                    }
                    begun = true;
                }
                Err(failure) if !begun && !passes(&failure) => return Err(failure),
                Err(failure) => self.session.tell(format!("{rule}: {failure}")),
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Takes new deliveries; gives whether more are wanted.
    async fn forward(&mut self, all: &[Value], known: &mut HashSet<Mark>) -> Result<bool> {
        for told in all {
            let wanted =
                |kinds: &[String]| kinds.is_empty() || kinds.contains(&path::text(told, "type"));
            // A delivery that is retried is in the history again.
            if !known.insert(mark(told)) || !wanted(&self.kinds) {
                continue;
            }
            let event = event::rebuilt(self.session, self.client, told).await;
            if !self.take(&event).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Identifies a delivery.
type Mark = [String; 3];

fn mark(told: &Value) -> Mark {
    ["created", "type", "source"].map(|place| path::text(told, place))
}

/// Another poll may succeed.
fn passes(failure: &Failure) -> bool {
    matches!(failure.exit, Exit::Later | Exit::Timeout)
}

/// All deliveries of the history, in the order in which they were made.
pub async fn history(management: &ProjectClient, rule: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut items = deliveries(management, rule);
    while let Some(item) = items.try_next().await? {
        all.push(serde_json::to_value(&item).unwrap_or_default());
    }
    all.sort_by_key(|told| path::text(told, "created"));
    Ok(all)
}

/// Receives events by a rule of its own, which is removed in the end.
async fn receive(listening: &mut Listening<'_>, matches: &ArgMatches) -> Result<()> {
    let session = listening.session;
    session.guard("make a webhook rule for a while")?;
    let address = text(matches, "listen").unwrap_or_default();
    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener =
        listener.map_err(|error| Failure::usage(format!("--listen {address}: {error}")))?;
    let local = listener.local_addr()?;
    let public = text(matches, "public-url").unwrap_or_else(|| format!("http://{local}"));
    let management = management(session, listening.client)?;
    let secret = SharedSecret::header(HEADER, random());
    let (webhook, mut events) = receiver(secret.clone())?;
    let router = webhook.router("/mkio/events");
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let name = format!("mkio-listen-{}", random());
    let url = format!("{}/mkio/events", public.trim_end_matches('/'));
    let mut rule = Rule::new(&name, url).secret(secret);
    if !listening.kinds.is_empty() {
        let kinds = listening.kinds.iter();
        rule = rule.events(kinds.map(|name| EventType::from(name.as_str())));
    }
    let work = async {
        rule.ensure(&management).await?;
        session.tell(format!(
            "the rule {name} sends events to {public}; Ctrl-C removes it"
        ));
        while let Some(event) = events.recv().await {
            let event = serde_json::to_value(&event).unwrap_or_default();
            if !listening.take(&event).await? {
                break;
            }
        }
        Ok(())
    };
    // However this ends, the rule is removed.
    let outcome = tokio::select! {
        biased;
        () = session.interrupted() => {
            session.tell(format!("removing the rule {name}"));
            Ok(())
        }
        outcome = work => outcome,
    };
    let removed = remove(session, &management, &name).await;
    server.abort();
    Failure::both(outcome, removed)
}

async fn remove(session: &Session, management: &ProjectClient, name: &str) -> Result<()> {
    match management.delete_webhook_rule(name).send().await {
        Err(error) if !error.is_not_found() => {
            let delete = session.command(&["webhook", "rule", "delete", name]);
            Err(Failure::from(error).hint(format!("it is left: {delete} removes it")))
        }
        _ => Ok(()),
    }
}

/// A webhook, and the events that it has taken.
fn receiver(secret: SharedSecret) -> Result<(Webhook, UnboundedReceiver<Event>)> {
    let (sender, events) = tokio::sync::mpsc::unbounded_channel();
    let webhook = Webhook::builder()
        .secret(secret)
        .on_event(move |event: Event| {
            let sender = sender.clone();
            async move {
                // Without a reader the program is about to end.
                let _ = sender.send(event);
                Ok(())
            }
        })
        .build()?;
    Ok((webhook, events))
}

/// A random word.
fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
