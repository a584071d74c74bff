//! The task that runs the steps of the platform when they are due, and delivers webhooks.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::crypto::CryptoProvider;
use tokio::task::JoinSet;

use crate::{
    engine::Engine,
    platform::webhooks::{Delivery, TIMEOUT},
};

/// Deliveries under way at a time; others wait their turn.
const AT_A_TIME: usize = 64;

/// Pause after a panic of the emulator.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Sends every name to this machine. Rules name loopback hosts only; no name server is asked about `hooks.localhost`.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses = [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ];
        let addresses = addresses.map(|address| SocketAddr::new(address, 0));
        let addresses: Addrs = Box::new(addresses.into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

/// The client that delivers: it follows no redirects, uses no proxy, and stays on this machine unless `remote` is set.
pub(super) fn client(remote: bool) -> reqwest::Result<reqwest::Client> {
    // reqwest takes the provider that the process has; rustls itself sets one in this way.
    if CryptoProvider::get_default().is_none() {
        // If another thread was faster, its provider is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    let builder = if remote {
        builder
    } else {
        builder.dns_resolver(Arc::new(Loopback))
    };
    builder.build()
}

/// Runs until the task is dropped.
pub(super) async fn run(engine: Arc<Engine>, http: reqwest::Client) {
    let mut tries = JoinSet::new();
    loop {
        // Listening before looking, so that no change is missed in between.
        let woken = engine.woken.notified();
        let changed = engine.clock.changed();
        let look = || {
            let mut world = engine.world();
            let room = AT_A_TIME.saturating_sub(tries.len());
            let deliveries = world.due_deliveries(room);
            let more = tries.len() + deliveries.len() < AT_A_TIME;
            (deliveries, world.next_due(more))
        };
        // A panic of one step must not keep the others from running.
        let looked = catch_unwind(AssertUnwindSafe(look));
        let instant = match looked {
            Ok((deliveries, due)) => {
                for delivery in deliveries {
                    tries.spawn(attempt(engine.clone(), http.clone(), delivery));
                }
                due.and_then(|due| engine.clock.instant_of(due))
            }
            Err(_) => {
                tracing::error!("a step of the platform failed; the next ones go on");
                Some(tokio::time::Instant::now() + AFTER_PANIC)
            }
        };
        let wait = async {
            match instant {
                Some(instant) => tokio::time::sleep_until(instant).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = woken => {}
            () = changed => {}
            () = wait => {}
            Some(_) = tries.join_next() => {}
        }
    }
}

async fn attempt(engine: Arc<Engine>, http: reqwest::Client, delivery: Delivery) {
    let request = http
        .post(&delivery.url)
        .timeout(TIMEOUT)
        .headers(delivery.headers)
        .body(delivery.body);
    let taken = match request.send().await {
        Ok(response) if response.status().is_success() => true,
        Ok(response) => {
            tracing::debug!(
                status = response.status().as_u16(),
                "a webhook was not taken"
            );
            false
        }
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "a webhook was not taken");
            false
        }
    };
    let mut world = engine.world();
    let (now, attempts) = (world.now, world.settings.webhook_attempts);
    if world.home == delivery.home {
        world.outbox.report(delivery.id, taken, now, attempts);
    }
    drop(world);
    engine.woken.notify_waiters();
}
