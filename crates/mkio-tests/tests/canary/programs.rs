//! Programs with secrets: against the emulator, over real connections, with failures.

use std::time::Duration;

use http::Method;
use mkio::management::types::{TokenType, UserTokenPost};
use mkio::media::types::*;
use mkio::webhook::{Rule, SharedSecret, Webhook, deliveries};
use mkio::{Client, RateBudget, RetryPolicy};
use mkio_emulator::Emulator;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::CANARY;
use crate::shown::Shown;

fn body<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the type takes this body")
}

pub async fn run(shown: &mut Shown) -> anyhow::Result<()> {
    let builder = Emulator::builder()
        .token(format!("{CANARY}-token"))
        .seed(3)
        .page_size(2, 2)
        .time_scale(400.0)
        .seed_requests(
            json!([{
                "method": "PUT",
                "path": "/api/v1/projects/demo/media/storage/seeded",
                "body": azure(),
            }])
            .to_string(),
        );
    shown.debug(&builder);
    for refused in [
        builder.clone().token(format!("{CANARY}\n{CANARY}")),
        builder.clone().seed_requests(
            json!([{"method": "PUT", "path": "media/storage/s", "body": {
                "spec": {"type": "Microsoft.Storage", "credential": {"sasToken": CANARY}},
            }}])
            .to_string(),
        ),
    ] {
        match refused.start().await {
            Ok(_) => anyhow::bail!("this emulator should not start"),
            Err(error) => {
                shown.debug(&error);
                shown.display(&error);
            }
        }
    }
    let emulator = builder.start().await?;
    shown.debug(&emulator);
    shown.debug(&emulator.control());
    let settings = Client::builder()
        .base_url(emulator.base_url())
        .api_base_url("channels", emulator.base_url())
        .token(emulator.token())
        .project(emulator.project())
        .rate_budget(RateBudget::off())
        .retry(
            RetryPolicy::default()
                .max_attempts(2)
                .max_backoff(Duration::from_millis(1)),
        );
    shown.debug(&settings);
    let client = settings.build()?;
    shown.debug(&client);
    shown.debug(&client.transport());
    shown.debug(&client.default_project()?);
    written(shown, &client).await?;
    listed(shown, &client).await?;
    waited(shown, &client).await?;
    received(shown, &emulator, &client).await?;
    crate::media::show(shown, &emulator).await?;
    failed(shown, &emulator, &client).await?;
    shown.debug(&emulator.control());
    Ok(())
}

fn azure() -> Value {
    json!({"spec": {
        "type": "Microsoft.Storage",
        "url": "https://account.blob.core.windows.net",
        "credential": {"sasToken": format!("?sv=2026&sig={CANARY}")},
    }})
}

fn policy() -> Value {
    json!({"properties": {"options": [{
        "configuration": {"@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration"},
        "restriction": {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
            "audience": "a",
            "issuer": "i",
            "restrictionTokenType": "Jwt",
            "primaryVerificationKey": {
                "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey",
                "keyValue": CANARY,
            },
        },
    }]}})
}

/// Requests whose bodies hold secrets, and what is read back.
async fn written(shown: &mut Shown, client: &Client) -> anyhow::Result<()> {
    let media = client.default_project()?.media();
    let management = client.default_project()?.management();
    shown.debug(&media);
    shown.debug(&management);
    shown.debug(&client.management());
    shown.debug(&client.channels());
    shown.debug(&client.default_project()?.fleets());
    shown.debug(&client.default_project()?.infrastructure());
    shown.debug(&client.default_project()?.live());
    shown.debug(&client.default_project()?.templates());

    transports(shown, client).await?;
    let storage: StoragePut = body(azure());
    shown.debug(&storage);
    let request = media.create_or_update_storage("azure", storage);
    shown.debug(&request);
    shown.debug(&request.send().await?);
    shown.debug(&media.get_storage("azure").send().await?);

    let request = media.create_content_key_policy("policy", body::<ContentKeyPolicyPut>(policy()));
    shown.debug(&request);
    shown.debug(&request.send().await?);
    let secrets = media
        .get_content_key_policy_secrets("policy")
        .send()
        .await?;
    anyhow::ensure!(
        String::from_utf8_lossy(secrets.raw()).contains(CANARY),
        "the emulator keeps the key"
    );
    shown.debug(&secrets);

    let token = UserTokenPost::new(TokenType::FullAccess, uuid::Uuid::new_v4().to_string());
    // Whether the organization is the token's or not, nothing of either is shown.
    match management.client().create_user_token(token).send().await {
        Ok(token) => shown.debug(&token),
        Err(error) => shown.error(&error),
    }

    let secret = SharedSecret::header("x-mkio-secret", CANARY);
    shown.debug(&secret);
    shown.debug(&SharedSecret::query("secret", CANARY));
    let url = format!("http://{CANARY}:{CANARY}@127.0.0.1:9/{CANARY}?key={CANARY}");
    shown.debug(
        &Rule::new("jobs", url)
            .header("x-key", CANARY)
            .query_param("key", CANARY),
    );
    let rule = Rule::new("jobs", "http://127.0.0.1:9/events").secret(secret);
    shown.debug(&rule);
    shown.debug(&rule.ensure(&management).await?);
    shown.debug(&deliveries(&management, "jobs"));

    let request = client
        .request(Method::PUT, "/api/v1/projects/demo/media/storage/raw")
        .query("sig", CANARY)
        .header("x-key", CANARY)
        .json(&azure());
    shown.debug(&request);
    shown.debug(&request.send().await?.map(drop));
    Ok(())
}

/// Addresses that hold keys, written, read, listed, changed and sent in events.
async fn transports(shown: &mut Shown, client: &Client) -> anyhow::Result<()> {
    let media = client.default_project()?.media();
    let pull = json!({
        "type": "SRTCaller",
        "url": format!("srt://user:{CANARY}@192.0.2.1:1?passphrase={CANARY}"),
        "passPhrase": format!("{CANARY}-1"),
    });
    let push = json!({
        "type": "RTMP",
        "url": format!("rtmp://192.0.2.1/live/{CANARY}?key={CANARY}"),
        "streamKey": CANARY,
    });
    let shape = |name: &str, transport: &Value| {
        json!({
            "metadata": {"name": name, "displayName": name},
            "spec": {"contentName": "news", "networkName": "internet", "transport": transport},
        })
    };
    let content: ContentPut = body(json!({"metadata": {"displayName": "News"}}));
    media.create_content("news", content).send().await?;
    let source = media.create_source("pull", body::<SourcePut>(shape("pull", &pull)));
    shown.debug(&source);
    record(shown, source.send().await);
    record(shown, media.get_source("pull").send().await);
    record(shown, media.list_sources().send().await);
    let edit = media.edit_source("pull", |source| source.clone());
    shown.debug(&edit);
    record(shown, edit.send().await);
    let destination = shape("push", &push);
    let destination = media.create_destination("push", body::<DestinationPut>(destination));
    shown.debug(&destination);
    record(shown, destination.send().await);
    record(shown, media.list_destinations().send().await);
    for (kind, name, transport) in [("sources", "pull", &pull), ("destinations", "push", &push)] {
        let event = json!({
            "id": name,
            "type": "MediaKind.ResourceUpdated",
            "source": format!("/api/v1/projects/demo/media/{kind}/{name}"),
            "data": {"resource": shape(name, transport), "note": transport},
            "extension": transport,
        });
        let event = mkio::webhook::Event::from_json(event.to_string().as_bytes())?;
        shown.debug(&event);
        shown.debug(&event.data);
        shown.debug(&event.state_event());
        if let Ok(resource) = event.resource() {
            shown.debug(&resource);
        }
    }
    Ok(())
}

/// Whether the service takes it or not, nothing of it is shown.
fn record<T: std::fmt::Debug>(shown: &mut Shown, result: mkio::Result<T>) {
    match result {
        Ok(value) => shown.debug(&value),
        Err(error) => shown.error(&error),
    }
}

async fn listed(shown: &mut Shown, client: &Client) -> anyhow::Result<()> {
    let media = client.default_project()?.media();
    let mut items = media.list_storages().items();
    shown.debug(&items);
    while let Some(storage) = items.try_next().await? {
        shown.debug(&storage);
        shown.debug(&items);
        shown.debug(&items.resume_token());
    }
    let mut pages = media.list_content_key_policies().pages();
    while let Some(page) = pages.try_next().await? {
        shown.debug(&page);
        shown.debug(&pages);
    }
    Ok(())
}

async fn waited(shown: &mut Shown, client: &Client) -> anyhow::Result<()> {
    let media = client.default_project()?.media();
    let mut wait = media.wait_for_content_key_policy("policy");
    shown.debug(&wait);
    shown.debug(&wait.describe()?);
    while let Some(change) = wait.try_next().await? {
        shown.debug(&change);
        shown.debug(&change.state);
    }
    shown.debug(&wait.await?);
    shown.debug(&client.transport().waits());
    let goal = media
        .wait_for_content_key_policy("policy")
        .until(|_: &_| false)
        .timeout(Duration::from_millis(1));
    shown.failure(goal.await);
    Ok(())
}

async fn received(shown: &mut Shown, emulator: &Emulator, client: &Client) -> anyhow::Result<()> {
    let builder = Webhook::builder()
        .secret(SharedSecret::header("x-mkio-secret", CANARY))
        .waits(client.transport().waits())
        .on_event(|_| async { Err("the program failed".into()) });
    shown.debug(&builder);
    let webhook = builder.build()?;
    shown.debug(&webhook);
    let event = json!({
        "id": "1",
        "type": "MediaKind.ChannelInstanceStarted",
        "source": "/api/v1/projects/demo/media/liveEvents/e",
        "data": {"state": "Running", "resource": {"properties": {"input": {"accessToken": CANARY}}}},
    });
    for (secret, text) in [
        ("wrong", event.to_string()),
        (CANARY, event.to_string()),
        (CANARY, format!("{{\"id\": {{\"{CANARY}\": \"{CANARY}\"")),
    ] {
        let request = http::Request::post(format!("/events?secret={CANARY}"))
            .header("x-mkio-secret", secret)
            .body(text)?;
        let response = webhook.handle(request).await;
        shown.display(&response.body());
    }
    let event = mkio::webhook::Event::from_json(event.to_string().as_bytes())?;
    shown.debug(&event);
    shown.debug(&event.kind);
    shown.debug(&event.data);
    shown.debug(&event.resource()?);
    shown.debug(&event.state_event());
    shown.debug(&emulator.control());
    Ok(())
}

/// Every way to fail, with responses that repeat the request.
async fn failed(shown: &mut Shown, emulator: &Emulator, client: &Client) -> anyhow::Result<()> {
    let media = client.default_project()?.media();
    let put = || {
        media
            .create_or_update_storage("azure", body::<StoragePut>(azure()))
            .send()
    };
    for fault in [
        "* * status=400",
        "* * status=401",
        "* * status=429",
        "* * status=500",
        "* * html",
        "* * reset=before",
        "* * reset=after",
        "* * cut=10",
    ] {
        emulator.control().clear_faults();
        emulator.control().faults(fault)?;
        shown.failure(put().await);
    }
    emulator.control().clear_faults();
    // Refused by the service, which names what it was sent.
    let request = client
        .request(Method::PUT, "/api/v1/projects/demo/media/storage/other")
        .json(&json!({"spec": {"credential": {"sasToken": CANARY}}}));
    shown.failure(request.send().await);
    let stranger = Client::builder()
        .base_url(emulator.base_url())
        .token(format!("{CANARY}-of-nobody"))
        .project("demo")
        .build()?;
    shown.failure(
        stranger
            .default_project()?
            .media()
            .list_assets()
            .send()
            .await,
    );
    Ok(())
}
