//! Fetching ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn fetches_ahead_no_more_than_it_may() {
    for (prefetch, fetched) in [(0, 1), (1, 2), (2, 3), (9, 5)] {
        let script = list(FIVE);
        let mut assets = items(&script).prefetch(prefetch);
        assets.try_next().await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(script.calls(), fetched, "prefetch {prefetch}");
    }
}

#[tokio::test(start_paused = true)]
async fn fetching_ahead_hides_the_latency_behind_the_work() {
    let mut took = Vec::new();
    for prefetch in [0, 1] {
        let latency = Duration::from_millis(20);
        let script = Script::slow(latency, |seen| Ok(page(&[1; 50], seen)));
        let mut pages = pages(&script).prefetch(prefetch);
        let start = Instant::now();
        while pages.try_next().await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        took.push(start.elapsed());
    }
    assert_eq!(
        took,
        [Duration::from_millis(1500), Duration::from_millis(1010)]
    );
}

#[tokio::test(start_paused = true)]
async fn stops_fetching_when_dropped() {
    let script = Script::slow(Duration::from_millis(20), |seen| Ok(page(&[1; 50], seen)));
    let mut assets = items(&script).prefetch(10);
    assets.try_next().await.unwrap();
    drop(assets);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(script.calls() <= 2, "{}", script.calls());
}

#[tokio::test(start_paused = true)]
async fn any_number_of_pages_may_be_wanted_ahead() {
    let script = list(FIVE);
    let all: Vec<_> = items(&script)
        .prefetch(usize::MAX)
        .try_collect()
        .await
        .unwrap();
    assert_eq!((all.len(), script.calls()), (12, 5));
}

/// A future that is dropped before it is ready has taken nothing.
#[tokio::test(start_paused = true)]
async fn a_dropped_try_next_loses_nothing() {
    for prefetch in [0, 1, 3] {
        let script = Script::slow(Duration::from_millis(20), |seen| Ok(page(FIVE, seen)));
        let mut assets = items(&script).prefetch(prefetch);
        let mut all = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_millis(3), assets.try_next());
            match next.await {
                Err(_) => {
                    // The place holds in the middle of a request, too.
                    let token = assets.resume_token();
                    let rest: Vec<_> = items(&script).resume(&token).try_collect().await.unwrap();
                    assert_eq!(rest, (all.len() as u32..12).collect::<Vec<_>>());
                }
                Ok(next) => match next.unwrap() {
                    Some(asset) => all.push(asset),
                    None => break,
                },
            }
        }
        assert_eq!(all, (0..12).collect::<Vec<_>>(), "prefetch {prefetch}");
    }
}

/// What goes wrong beside the list is told, not taken for its end.
#[tokio::test(start_paused = true)]
async fn a_panic_while_fetching_ahead_is_the_readers() {
    let script = Script::new(|seen| {
        assert_ne!(seen.parameter("$skiptoken"), Some("1"), "the second page");
        Ok(page(FIVE, seen))
    });
    let mut assets = items(&script);
    for expected in 0..3 {
        assert_eq!(assets.try_next().await.unwrap(), Some(expected));
    }
    let read = tokio::spawn(async move { assets.try_next().await });
    assert!(read.await.unwrap_err().is_panic());
}

#[test]
fn a_list_whose_runtime_has_ended_is_not_at_its_end() {
    let script = list(FIVE);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let mut assets = items(&script);
    let one = runtime();
    assert_eq!(one.block_on(assets.try_next()).unwrap(), Some(0));
    drop(one);
    let two = runtime();
    let mut all = vec![0];
    let error = loop {
        match two.block_on(assets.try_next()) {
            Ok(asset) => all.push(asset.expect("an error before the end")),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Paging);
    assert_eq!(error.operation_id(), Some("list_assets"));
    let rest = items(&script).resume(&assets.resume_token());
    all.extend(two.block_on(rest.try_collect::<Vec<_>>()).unwrap());
    assert_eq!(all, (0..12).collect::<Vec<_>>());
}

/// Fetched ahead or not, a page is let go of when the next one is handed out.
#[tokio::test(start_paused = true)]
async fn a_failing_page_does_not_hold_up_those_before_it() {
    let failed = Arc::new(AtomicBool::new(false));
    let seen_failing = failed.clone();
    let script = Script::new(move |seen| {
        if seen.parameter("$skiptoken") == Some("3") {
            seen_failing.store(true, Ordering::Relaxed);
            return Err(Error::new(ErrorKind::Connection, "gone"));
        }
        Ok(page(FIVE, seen))
    });
    let mut assets = items(&script).prefetch(9);
    assert_eq!(assets.try_next().await.unwrap(), Some(0));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(failed.load(Ordering::Relaxed), "it was fetched ahead");
    for expected in 1..7 {
        assert_eq!(assets.try_next().await.unwrap(), Some(expected));
    }
    let error = assets.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}
