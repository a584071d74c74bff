//! An HTTP client of one's own below the SDK: `reqwest` with middleware that counts requests. Token, rate
//! budget, retries and errors stay above it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::Result;
use mkio::{Client, Dispatch, DispatchError, DispatchFuture, http::Extensions};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use crate::place::Place;

/// The middleware: yours may sign, cache or record.
struct Counter(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Middleware for Counter {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        self.0.fetch_add(1, Ordering::Relaxed);
        next.run(request, extensions).await
    }
}

/// Sends each request through the middleware, once.
struct Carrier(ClientWithMiddleware);

impl Dispatch for Carrier {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        Box::pin(async move {
            self.0.execute(request).await.map_err(|error| match error {
                reqwest_middleware::Error::Reqwest(error) => error.into(),
                // The request may have been sent: the SDK retries only calls for which that is
                // safe.
                error => DispatchError::broken(error),
            })
        })
    }
}

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let requests = Arc::new(AtomicUsize::new(0));
    // Redirects and retries are off in it: the SDK does both, and knows tokens and budgets.
    let http = mkio::http_client_builder()?.build()?;
    let http = ClientBuilder::new(http).with(Counter(Arc::clone(&requests))).build();
    let settings = match &place.emulator {
        Some(emulator) => Client::builder()
            .base_url(emulator.base_url())
            .token(emulator.token())
            .project(emulator.project()),
        None => Client::builder().with_env(),
    };
    let client: Client = settings.dispatch(Carrier(http)).build()?;
    let media = client.default_project()?.media();
    if let Some(emulator) = &place.emulator {
        emulator.control().faults("GET */media/assets status=503 times=1")?;
    }
    let assets = media.list_assets().top(1).send().await?;
    place.say(format!(
        "{} requests for a call of {} attempts",
        requests.load(Ordering::Relaxed),
        assets.call().attempts
    ));
    Ok(())
}
