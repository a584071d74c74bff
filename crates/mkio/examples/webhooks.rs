//! Receives webhooks: a rule, a router, and a wait that an event ends before it would look again.
//!
//! Runs on an emulator inside this process, which delivers over loopback. On the service the URL of
//! the rule has to be one that the service reaches.

use std::time::Duration;

use anyhow::{Context, Result};
use mkio::media::types::*;
use mkio::webhook::{Event, EventType, Rule, SharedSecret, Webhook, deliveries};
use mkio::{Client, Project};
use mkio_emulator::Emulator;

#[tokio::main]
async fn main() -> Result<()> {
    let emulator = Emulator::builder().time_scale(30.0).start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .project(emulator.project())
        .build()?;
    let project = client.default_project()?;

    // Only the service knows the secret.
    let secret = SharedSecret::header("x-mkio-secret", "correct horse battery staple");
    let webhook = Webhook::builder()
        .secret(secret.clone())
        .waits(client.transport().waits())
        .on_event(|event: Event| async move {
            let state = event.data.state.as_deref().unwrap_or("?");
            println!("event {}: {} is {state}", event.kind, event.source);
            Ok(())
        })
        .build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/mkio/events", listener.local_addr()?);
    let router = webhook.router("/mkio/events");
    tokio::spawn(async { axum::serve(listener, router).await });

    let management = project.management();
    let events = [EventType::JobStarted, EventType::JobFinished];
    let rule = Rule::new("jobs", url).events(events).secret(secret);
    rule.ensure(&management).await?;

    let job = job(&project).await?;
    let wait = project
        .media()
        .run_job("encode", "job-1", job)
        // So seldom that only an event can tell in time.
        .poll_every(Duration::from_secs(300)..Duration::from_secs(600));
    let job = wait.await?;
    println!("the job is {}", job.state());

    let mut history = deliveries(&management, "jobs");
    while let Some(delivery) = history.try_next().await? {
        let status = delivery.status.context("a delivery has a status")?;
        let kind = delivery.type_.context("a delivery has a type")?;
        println!("delivery of {kind}: {status}");
    }
    Ok(())
}

/// Assets and a transform, and the job that uses them.
async fn job(project: &Project) -> Result<JobPut> {
    let media = project.media();
    for name in ["input", "output"] {
        let asset = AssetPut::new(AssetPutProperties::new("storage1"));
        let request = media.create_or_update_asset(name, asset);
        request.send().await?;
        media.wait_for_asset(name).await?;
    }
    let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
    let transform = TransformPutProperties::new([TransformOutput::new(preset)]);
    media
        .create_or_update_transform("encode", TransformPut::new(transform))
        .send()
        .await?;
    let input = JobInputAsset::new("input").with_files(["intro.mp4"]);
    let output = JobOutputAsset::new("output");
    Ok(JobPut::new(JobPutProperties::new(input, [output])))
}
