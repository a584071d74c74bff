//! Receives webhooks: a rule, a router, and a wait that an event ends before its next poll.
//!
//! The emulator delivers over loopback. On the service the URL of the rule has to be one that the service
//! reaches: `WEBHOOK_URL` names it, and `WEBHOOK_LISTEN` the address to listen at behind it.

use std::{env, time::Duration};

use anyhow::{Context, Result};
use mkio::{
    media::types::*,
    webhook::{Event, EventType, Rule, SharedSecret, Webhook, deliveries},
};
use tokio::sync::mpsc;

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    // A sender that knows the secret is taken for the service.
    let secret = SharedSecret::header("x-mkio-secret", "correct horse battery staple");
    let (tell, mut told) = mpsc::unbounded_channel();
    let webhook = Webhook::builder()
        .secret(secret.clone())
        .waits(place.client.waits())
        .on_event(move |event: Event| {
            let tell = tell.clone();
            async move {
                let state = event.data.state.as_deref().unwrap_or("?");
                drop(tell.send(format!("event {}: {} is {state}", event.kind, event.source)));
                Ok(())
            }
        })
        .build()?;
    let listen = env::var("WEBHOOK_LISTEN").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let local = format!("http://{}/mkio/events", listener.local_addr()?);
    let url = env::var("WEBHOOK_URL").unwrap_or(local);
    let router = webhook.router("/mkio/events");
    let server = tokio::spawn(async { axum::serve(listener, router).await });
    let server = Ended(server);

    let management = place.project.management();
    let name = place.name("jobs");
    place.undo(&name, management.delete_webhook_rule(&name).send());
    let events = [EventType::JobStarted, EventType::JobFinished];
    let rule = Rule::new(&name, url).events(events).secret(secret);
    rule.ensure(&management).await?;

    let job = job(place).await?;
    place.say(format!("the job is {}", job.state()));
    while let Ok(line) = told.try_recv() {
        place.say(line);
    }
    let mut history = deliveries(&management, &name);
    while let Some(delivery) = history.try_next().await? {
        let kind = delivery.type_.context("a delivery has a type")?;
        let status = delivery.status.context("a delivery has a status")?;
        place.say(format!("delivery of {kind}: {status}"));
    }
    drop(server);
    Ok(())
}

/// A server that ends with the example.
struct Ended(tokio::task::JoinHandle<std::io::Result<()>>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a job. It is polled so seldom that only an event ends the wait in time.
async fn job(place: &Place) -> Result<Job> {
    let media = place.project.media();
    let (input, file) = place.video().await?;
    let output = place.asset("output").await?;
    let transform = place.name("encode");
    place.undo(&transform, media.delete_transform(&transform).send());
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    let outputs = TransformPutProperties::new([preset]);
    media.create_or_update_transform(&transform, outputs).send().await?;
    place.undo_job(&transform, "job");
    let source = JobInputAsset::new(&input).with_files([file]);
    let job = JobPutProperties::new(source, [JobOutputAsset::new(&output)]);
    let wait = media.run_job(&transform, "job", job);
    let seldom = Duration::from_secs(300)..Duration::from_secs(600);
    Ok(wait.poll_every(seldom).await?)
}
