//! Waits for jobs that do whatever they like, with the paused clock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use tokio::{task::JoinSet, time::Instant};

use super::{
    service::{Service, status},
    sharing::{job, path, seconds},
};
use crate::wait::{Reason, WaitFailure};

/// How a scripted job goes on.
#[derive(Debug, Clone)]
enum Fate {
    Finishes(u64),
    Fails(u64),
    Vanishes(u64),
    NeverAppears,
    AppearsLateAndFinishes(u64),
    Hangs,
    Dropped,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        8 => (0..600u64).prop_map(Fate::Finishes),
        2 => (0..600u64).prop_map(Fate::Fails),
        1 => (120..600u64).prop_map(Fate::Vanishes),
        1 => Just(Fate::NeverAppears),
        1 => (20..600u64).prop_map(Fate::AppearsLateAndFinishes),
        1 => Just(Fate::Hangs),
        1 => Just(Fate::Dropped),
    ];
    prop::collection::vec(fate, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the jobs, and with every seventh request failing: each wait ends as it
    /// should and in time, and there are few requests.
    #[test]
    fn every_wait_ends_as_it_should(fates in fates(), page in 1..50usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check(fates, page));
    }
}

async fn check(fates: Vec<Fate>, page: usize) {
    let service = Service::new();
    service.page_size(page.max(10));
    let calls = Arc::new(AtomicUsize::new(0));
    service.fault(move |_| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        (call % 7 == 6).then(|| status(503))
    });
    let mut running = JoinSet::new();
    let mut dropped = BTreeMap::new();
    for (number, fate) in fates.iter().cloned().enumerate() {
        let name = format!("job-{number}");
        let at = path(&name);
        match &fate {
            Fate::Finishes(end) => service.at(&at, &[(0, "Queued"), (*end, "Finished")]),
            Fate::Fails(end) => service.at(&at, &[(0, "Queued"), (*end, "Error")]),
            Fate::Vanishes(end) => service.at(&at, &[(0, "Queued"), (*end, "")]),
            Fate::AppearsLateAndFinishes(end) => {
                service.at(&at, &[(15, "Queued"), (*end, "Finished")]);
            }
            Fate::Hangs | Fate::Dropped => service.at(&at, &[(0, "Processing")]),
            Fate::NeverAppears => {}
        }
        let wait = job(&service, &name)
            .timeout(seconds(1000))
            .missing_for(seconds(60));
        if let Fate::Dropped = fate {
            dropped.insert(number, wait);
        } else {
            let start = Instant::now();
            running.spawn(async move { (fate, wait.await, start.elapsed()) });
        }
    }
    for (_, mut wait) in dropped {
        wait.try_next().await.unwrap();
    }
    // A poll interval, and a few failed tries with their backoff.
    let slack = seconds(30 + 90);
    while let Some(ended) = running.join_next().await {
        let (fate, outcome, elapsed) = ended.unwrap();
        let reason = outcome
            .as_ref()
            .err()
            .and_then(WaitFailure::of)
            .map(|failure| failure.reason);
        let (expected, from) = match &fate {
            Fate::Finishes(end) | Fate::AppearsLateAndFinishes(end) => (None, *end),
            Fate::Fails(end) => (Some(Reason::State), *end),
            Fate::Vanishes(end) => (Some(Reason::Gone), *end),
            Fate::NeverAppears => (Some(Reason::NotFound), 60),
            Fate::Hangs | Fate::Dropped => (Some(Reason::Timeout), 1000),
        };
        assert_eq!(
            (reason, outcome.is_ok()),
            (expected, expected.is_none()),
            "{fate:?}: {outcome:?}"
        );
        assert!(
            elapsed >= seconds(from) && elapsed <= seconds(from) + slack,
            "{fate:?}: {elapsed:?}"
        );
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(service.waits().pollers(), 0);
}
