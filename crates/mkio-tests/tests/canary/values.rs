//! Values that programs make themselves.

use std::time::Duration;

use mkio::media::{
    fields,
    types::{JobState, StorageCredentialPost, StorageList},
};
use mkio::wait::{ResourceError, StateEvent, WaitFailure};
use mkio::{
    ByteStream, CallInfo, CallOptions, Client, Dispatch, DispatchError, DispatchFuture, ErrorKind,
    Jitter, Nullable, Priority, RateBudget, RetryPolicy, Secret, StateRef, Timestamp, Token,
    TokenCommand, TokenFile, UrlText, token_fn,
};
use mkio_core::glue::RequestBuilder;
use serde_json::json;

use crate::CANARY;
use crate::shown::Shown;

/// Answers everything with secrets, in a header and in the body.
struct Telltale;

impl Dispatch for Telltale {
    fn dispatch(&self, _: mkio::reqwest::Request) -> DispatchFuture<'_> {
        Box::pin(async {
            let list = json!({"value": [{"spec": {
                "type": "AWS.S3",
                "credential": {"accessKeyId": "id", "secretAccessKey": CANARY},
            }}]});
            let response = http::Response::builder()
                .header("x-secret", CANARY)
                .body(list.to_string());
            response.map(Into::into).map_err(DispatchError::not_sent)
        })
    }
}

/// The same list by its name, and the catalog.
async fn by_name(shown: &mut Shown, client: &Client) -> anyhow::Result<()> {
    let catalog = &mkio::media::dynamic::CATALOG;
    let entry = catalog.entry("list_storages")?;
    let arguments = serde_json::Map::from_iter([("project_name".to_owned(), json!("acme"))]);
    let response = entry.call(client.transport(), &arguments).await?;
    anyhow::ensure!(
        response.json().to_string().contains(CANARY),
        "for those who ask"
    );
    shown.text(response.json_masked().to_string());
    shown.debug(&response);
    shown.debug(&response.into_inner());
    let mut pages = entry.pages(client.transport(), &arguments)?;
    let page = pages.try_next().await?.map(mkio::Response::into_inner);
    shown.debug(&page);
    shown.debug(catalog);
    shown.debug(entry);
    shown.debug(&(
        &entry.parameters[0],
        entry.parameters[0].place,
        &entry.response,
    ));
    let put = catalog.entry("create_or_update_transform")?;
    shown.debug(&(&put.body, put.write));
    let cancel = catalog.entry("cancel_job")?;
    shown.debug(&cancel.waiting);
    shown.debug(&cancel.waiting.as_ref().map(|waiting| waiting.effect));
    let action = &catalog.actions[0];
    shown.debug(action);
    shown.debug(&action.steps[0]);
    let of = catalog
        .type_of("Storage")
        .ok_or_else(|| anyhow::anyhow!("a type"))?;
    shown.debug(&(of, &of.shape, &of.fields()[0], of.fields()[0].ty));
    shown.debug(&mkio::dynamic::Mark::Secret);
    Ok(())
}

pub async fn show(shown: &mut Shown) -> anyhow::Result<()> {
    let device = format!("https://{CANARY}.example/{CANARY}");
    let builder = Client::builder()
        .token_provider(token_fn(|| async { Ok(Token::new(CANARY)) }))
        .api_base_url("channels", "https://device.example")
        .api_token("channels", CANARY)
        .dispatch(Telltale);
    shown.debug(&builder);
    let client = builder.build()?;
    shown.debug(&client);
    let media = client.project("acme").media();
    let response = media.list_storages().send().await?;
    anyhow::ensure!(
        response.headers()["x-secret"] == CANARY && !response.raw().is_empty(),
        "headers and body are there for those who ask"
    );
    shown.debug(&response);
    shown.debug(&response.call());
    by_name(shown, &client).await?;
    let list: StorageList = response.into_inner();
    shown.debug(&list);
    let body: StorageCredentialPost = serde_json::from_value(json!({"spec": {
        "type": "AWS.S3", "accessKeyId": "id", "secretAccessKey": CANARY,
    }}))?;
    let request = media.create_storage_credential("s", body);
    shown.debug(&request.header("x-secret", CANARY));
    let operation = &mkio::media::operations::GET_ASSET;
    let mut request = RequestBuilder::new(client.transport(), operation, &["acme", "a"]);
    request.header("x-secret", CANARY);
    request.json(&json!({"passphrase": CANARY}));
    shown.debug(&request);
    shown.debug(
        &media
            .edit_asset("a", |asset| asset)
            .header("x-secret", CANARY),
    );
    shown.debug(&StateRef::new(Some(&JobState::Finished)));
    let stream = client
        .request(http::Method::GET, format!("/x?sig={CANARY}"))
        .send_stream()
        .await?;
    shown.debug(&stream);
    shown.debug::<ByteStream>(&stream.into_inner());

    shown.debug(&Token::new(CANARY));
    shown.debug(&TokenFile::new("/run/mkio/token"));
    shown.debug(&TokenCommand::new("vault", [CANARY]));
    shown.debug(&Secret::new(CANARY));
    shown.debug(&Nullable::Value(Secret::new(CANARY)));
    shown.debug(&UrlText::from(format!(
        "rtmp://h/live/{CANARY}?key={CANARY}"
    )));
    shown.debug(&Timestamp::from("2026-01-31T12:00:00Z"));
    shown.debug(&DispatchError::broken("the cable was cut"));
    shown.debug(&(CallInfo::default(), CallOptions::new()));
    shown.debug(&(RetryPolicy::default(), Jitter::Full));
    shown.debug(&(RateBudget::default(), Priority::Background));

    let name = fields::storages::NAME;
    shown.debug(&name);
    shown.debug(&name.eq("storage1"));
    shown.debug(&name.asc());
    shown.debug(&mkio::query::OrderBy::from(name.desc()));

    let event = StateEvent::new("/api/v1/projects/acme/media/storage/s")
        .state("Ready")
        .resource(json!({"credential": CANARY}));
    shown.debug(&event);
    shown.debug(&mkio::media::waits::JOB);
    shown.debug(&mkio::media::waits::JOB.list);
    shown.debug(&mkio::media::waits::JOB.goals[0]);
    shown.debug(&mkio::media::waits::JOB.kind("Finished"));
    shown.debug(&mkio::wait::State::from("Ready"));
    shown.debug(&ResourceError::default());
    refused(shown, &device);
    failure(shown, &media).await;
    Ok(())
}

/// Settings that cannot be used.
fn refused(shown: &mut Shown, device: &str) {
    for builder in [
        Client::builder().token(format!("{CANARY}\n{CANARY}")),
        Client::builder().base_url(format!("https://{CANARY}:{CANARY}@h/?{CANARY}")),
        Client::builder().api_token("channels", CANARY),
        Client::builder().token(CANARY).anonymous(),
        Client::builder()
            .token("t")
            .base_url(format!("{device}?sig={CANARY}")),
    ] {
        shown.failure(builder.build());
    }
}

/// A wait that fails owns the resource, and shows nothing of it.
async fn failure(shown: &mut Shown, media: &mkio::media::ProjectClient) {
    let wait = media
        .wait_for_job("t", "j")
        .timeout(Duration::from_millis(1));
    let error = wait.await.expect_err("there is no such job");
    shown.error(&error);
    let failure = WaitFailure::of(&error).expect("a wait's error");
    shown.debug(failure);
    shown.display(failure);
    shown.debug(&failure.reason);
    let error = mkio::Error::new(ErrorKind::Wait, "it failed").with_value(CANARY.to_owned());
    shown.error(&error);
}

pub fn blocking(shown: &mut Shown) -> anyhow::Result<()> {
    let client = Client::builder().token(CANARY).dispatch(Telltale).build()?;
    let client = mkio::blocking::Client::new(client)?;
    shown.debug(&client);
    let media = client.project("acme").media();
    let mut storages = client.iter(media.list_storages().items());
    shown.debug(&storages);
    while let Some(storage) = storages.next().transpose()? {
        shown.debug(&storage);
    }
    shown.debug(&storages);
    Ok(())
}
