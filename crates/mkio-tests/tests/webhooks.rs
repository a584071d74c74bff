//! Webhooks over sockets: the emulator delivers to the router.

use std::time::Duration;

use anyhow::Context;
use mkio::management::types::WebhookDeliveryStatus;
use mkio::media::ProjectClient;
use mkio::media::types::*;
use mkio::webhook::{Event, EventResource, EventType, Rule, SharedSecret, Webhook, deliveries};
use mkio::{Client, Project};
use mkio_emulator::Emulator;
use tokio::sync::mpsc;

/// Guards against a test that would not end; no test needs it.
const GUARD: Duration = Duration::from_secs(60);

struct Place {
    emulator: Emulator,
    client: Client,
    project: Project,
    url: String,
    events: mpsc::UnboundedReceiver<Event>,
}

fn secret() -> SharedSecret {
    SharedSecret::header("x-mkio-secret", "correct horse battery staple")
}

fn in_query() -> SharedSecret {
    SharedSecret::query("the key", "a+b/c= d&e%26#ü")
}

impl Place {
    /// An emulator, a client of it, and a webhook that verifies events and passes them to the client's waits.
    async fn start() -> anyhow::Result<Self> {
        let emulator = Emulator::builder()
            .project("demo")
            .time_scale(200.0)
            .start()
            .await?;
        let client = Client::builder()
            .base_url(emulator.base_url())
            .token(emulator.token())
            .project(emulator.project())
            .build()?;
        let (sender, events) = mpsc::unbounded_channel();
        let webhook = Webhook::builder()
            .secret(secret())
            .secret(in_query())
            .waits(client.waits())
            .on_event(move |event| {
                let sent = sender.send(event);
                async move { sent.map_err(Into::into) }
            })
            .build()?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/mkio/events", listener.local_addr()?);
        let serve = axum::serve(listener, webhook.router("/mkio/events"));
        tokio::spawn(serve.into_future());
        let project = client.default_project()?;
        Ok(Self {
            emulator,
            client,
            project,
            url,
            events,
        })
    }

    fn rule(&self) -> Rule {
        Rule::new("jobs", &*self.url).events([EventType::JobFinished])
    }

    /// Waits until a delivery has this status; gives how many deliveries there are.
    async fn delivery(&self, status: &WebhookDeliveryStatus) -> mkio::Result<usize> {
        let management = self.project.management();
        loop {
            let all: Vec<_> = deliveries(&management, "jobs").try_collect().await?;
            if all
                .iter()
                .any(|found| found.status.as_ref() == Some(status))
            {
                return Ok(all.len());
            }
        }
    }

    /// Makes a job that has not begun: the clock stands still.
    async fn job(&self) -> anyhow::Result<ProjectClient> {
        self.emulator.control().pause();
        let media = self.project.media();
        let storage = media.list_storages().items().try_next().await?;
        let storage = storage
            .and_then(|storage| storage.metadata?.name)
            .context("a storage account")?;
        for asset in ["input", "output"] {
            media
                .create_or_update_asset(asset, AssetPut::new(AssetPutProperties::new(&*storage)))
                .send()
                .await?;
        }
        self.emulator.control().step(Duration::from_secs(60));
        let preset = BuiltInStandardEncoderPreset::new("H264SingleBitrate720p");
        let transform = TransformPutProperties::new([preset]);
        media
            .create_or_update_transform("encode", TransformPut::new(transform))
            .send()
            .await?;
        let input = JobInputAsset::new("input").with_files(["intro.mp4"]);
        let job = JobPutProperties::new(input, [JobOutputAsset::new("output")]);
        media
            .create_job("encode", "job", JobPut::new(job))
            .send()
            .await?;
        Ok(media)
    }
}

#[tokio::test]
async fn a_finished_job_is_told_once_verified_and_typed() -> anyhow::Result<()> {
    let mut place = Place::start().await?;
    let management = place.project.management();
    let first = place.rule().secret(secret()).ensure(&management).await?;
    let again = place.rule().secret(secret()).ensure(&management).await?;
    assert_eq!(first.metadata, again.metadata);
    assert_eq!(again.spec().enabled(), Some(true));
    let rules = management.list_webhook_rules().send().await?;
    assert_eq!(rules.value.as_ref().map(Vec::len), Some(1));

    place.job().await?;
    place.emulator.control().resume();
    let event = tokio::time::timeout(GUARD, place.events.recv()).await?;
    let event = event.context("an event")?;
    assert_eq!(event.kind, EventType::JobFinished);
    assert_eq!(event.data.project_name.as_deref(), Some("demo"));
    let Some(EventResource::Job(job)) = event.resource()? else {
        anyhow::bail!("the resource is not a job: {event:?}");
    };
    assert_eq!(job.name.as_deref(), Some("job"));
    assert_eq!(job.state(), JobState::Finished);

    // The outcome is written after the receiver has answered.
    let sent = tokio::time::timeout(GUARD, place.delivery(&WebhookDeliveryStatus::Sent)).await??;
    assert_eq!(sent, 1);
    assert!(place.events.try_recv().is_err(), "the event came twice");
    Ok(())
}

#[tokio::test]
async fn an_event_without_the_secret_is_refused() -> anyhow::Result<()> {
    let mut place = Place::start().await?;
    let management = place.project.management();
    // The rule has had it, and has it no more.
    place.rule().secret(secret()).ensure(&management).await?;
    let rule = place.rule().ensure(&management).await?;
    assert_eq!(rule.spec().authentication, None);
    place.job().await?;
    place.emulator.control().resume();
    let refused = place.delivery(&WebhookDeliveryStatus::Retrying);
    tokio::time::timeout(GUARD, refused).await??;
    assert!(place.events.try_recv().is_err(), "the event was accepted");
    Ok(())
}

/// Next to what the rule adds without secrecy.
#[tokio::test]
async fn a_secret_in_the_query_arrives_whole() -> anyhow::Result<()> {
    let mut place = Place::start().await?;
    let management = place.project.management();
    let rule = place
        .rule()
        .query_param("team", "news & more")
        .header("x-from", "mkio");
    rule.secret(in_query()).ensure(&management).await?;
    place.job().await?;
    place.emulator.control().resume();
    let event = tokio::time::timeout(GUARD, place.events.recv()).await?;
    assert_eq!(event.context("an event")?.kind, EventType::JobFinished);
    Ok(())
}

#[tokio::test]
async fn an_event_ends_a_wait_that_would_not_poll_for_hours() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let management = place.project.management();
    place.rule().secret(secret()).ensure(&management).await?;
    let media = place.job().await?;
    let hours = Duration::from_secs(3600)..Duration::from_secs(7200);
    let mut wait = media.wait_for_job("encode", "job").poll_every(hours);
    // The first poll has been, and found a job that has not ended.
    let first = wait.try_next().await?.context("a change")?;
    assert_ne!(first.state, JobState::Finished);
    assert_eq!(place.client.waits().pollers(), 1);
    place.emulator.control().resume();
    let job = tokio::time::timeout(GUARD, wait).await??;
    assert_eq!(job.state(), JobState::Finished);
    Ok(())
}
