//! The task that keeps the platform moving when nobody asks, and delivers webhooks.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::core::engine::Engine;
use crate::core::webhooks::{Delivery, TIMEOUT};

/// Runs until the task is dropped.
pub(super) async fn run(engine: Arc<Engine>, http: reqwest::Client) {
    let mut tries = JoinSet::new();
    loop {
        // Listening before looking, so that no change is missed in between.
        let woken = engine.woken.notified();
        let due = {
            let mut world = engine.world();
            for delivery in world.due_deliveries() {
                tries.spawn(attempt(engine.clone(), http.clone(), delivery));
            }
            world.next_due()
        };
        let instant = due.and_then(|due| engine.clock.instant_of(due));
        let wait = async {
            match instant {
                Some(instant) => tokio::time::sleep_until(instant).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = woken => {}
            () = engine.clock.changed() => {}
            () = wait => {}
            Some(_) = tries.join_next() => {}
        }
    }
}

async fn attempt(engine: Arc<Engine>, http: reqwest::Client, delivery: Delivery) {
    let mut request = http
        .post(&delivery.url)
        .timeout(TIMEOUT)
        .header("content-type", "application/json")
        .body(delivery.body);
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let taken = match request.send().await {
        Ok(response) => response.status().is_success(),
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "a webhook was not taken");
            false
        }
    };
    let mut world = engine.world();
    let (now, attempts) = (world.now, world.settings.webhook_attempts);
    world.outbox.report(delivery.id, taken, now, attempts);
    drop(world);
    engine.woken.notify_waiters();
}
