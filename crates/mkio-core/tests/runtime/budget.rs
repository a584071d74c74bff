//! The rate budget: who waits, for how long, and who does not.

use std::time::Duration;

use futures::future::join_all;
use mkio_core::{CallOptions, Jitter, Priority, RateBudget, RetryPolicy, Transport};
use tokio::time::Instant;

use crate::support::*;

const SECOND: Duration = Duration::from_secs(1);

fn with_budget(script: &Script, budget: RateBudget) -> Transport {
    builder(script)
        .rate_budget(budget)
        .total_timeout(3600 * SECOND)
        .build()
        .unwrap()
}

/// The largest number of requests within any 60 s.
fn busiest_minute(script: &Script, reads: bool) -> usize {
    let times: Vec<Instant> = script
        .seen()
        .iter()
        .filter(|seen| (seen.method == "GET") == reads)
        .map(|seen| seen.at)
        .collect();
    (0..times.len())
        .map(|first| {
            let end = times[first] + 60 * SECOND;
            times[first..]
                .iter()
                .take_while(|time| **time < end)
                .count()
        })
        .max()
        .unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn no_minute_holds_more_than_the_service_allows() {
    let script = Script::new([]);
    let transport = builder(&script)
        .rate_budget(RateBudget::default())
        .total_timeout(3600 * SECOND)
        .build()
        .unwrap();
    let started = Instant::now();
    let calls = (0..9000).map(|n| {
        let transport = transport.clone();
        let operation = if n % 3 == 0 { &POST } else { &GET };
        async move { call(&transport, operation).await.unwrap().call() }
    });
    let calls = join_all(calls).await;
    let (reads, writes) = (
        busiest_minute(&script, true),
        busiest_minute(&script, false),
    );
    assert!((1800..=2000).contains(&reads), "{reads}");
    assert!((900..=1000).contains(&writes), "{writes}");
    // 6,000 reads at up to 2,000 a minute take at least two minutes, and not much longer.
    let took = started.elapsed();
    assert!((120 * SECOND..240 * SECOND).contains(&took), "{took:?}");
    let longest = calls.iter().map(|call| call.budget_wait).max().unwrap();
    assert!(longest > 100 * SECOND, "{longest:?}");
    assert!(calls.iter().any(|call| call.budget_wait.is_zero()));
}

#[tokio::test(start_paused = true)]
async fn a_few_calls_do_not_wait() {
    let script = Script::new([]);
    let transport = with_budget(&script, RateBudget::default());
    for _ in 0..90 {
        call(&transport, &GET).await.unwrap();
        call(&transport, &POST).await.unwrap();
    }
    assert!(script.gaps().iter().all(Duration::is_zero));
}

#[tokio::test(start_paused = true)]
async fn projects_and_the_organization_are_counted_apart_and_clones_together() {
    let script = Script::new([]);
    let transport = with_budget(&script, RateBudget::default().reads(1).writes(1));
    let started = Instant::now();
    for path in [
        "/api/v1/projects/acme/media/assets",
        "/api/v1/projects/zeta/media/assets",
        "/api/v1/organization",
    ] {
        let request = request_to(&transport, &GET, path);
        transport.clone().exec(request, &GET).await.unwrap();
        let request = request_to(&transport, &POST, path);
        transport.clone().exec(request, &POST).await.unwrap();
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    let again = [
        "/projects/acme/live/sites",
        "/locations",
        "/projects/new/live/sites",
    ];
    let waits = join_all(again.map(|path| {
        let transport = transport.clone();
        async move {
            let request = request_to(&transport, &GET, &format!("/api/v1{path}"));
            transport.exec(request, &GET).await.unwrap();
            started.elapsed()
        }
    }));
    assert_eq!(waits.await, [60 * SECOND, 60 * SECOND, Duration::ZERO]);
}

#[tokio::test(start_paused = true)]
async fn a_429_pauses_its_key_for_all_and_no_other() {
    let script = Script::rule(|seen| {
        if seen.url.query() == Some("first") && seen.at.elapsed().is_zero() {
            Scripted::status(429).with("retry-after", 20)
        } else {
            Scripted::ok()
        }
    });
    let transport = with_budget(&script, RateBudget::default());
    let once = transport.with(CallOptions::new().retry(RetryPolicy::none()));
    let request = request_to(&once, &GET, &format!("{PATH}?first"));
    once.exec(request, &GET).await.unwrap_err();
    let started = Instant::now();
    call(&transport, &POST).await.unwrap();
    let other = request_to(&transport, &GET, "/api/v1/projects/zeta/media/assets");
    transport.exec(other, &GET).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    let waited = call(&transport.clone(), &GET)
        .await
        .unwrap()
        .call()
        .budget_wait;
    assert_eq!(started.elapsed(), 20 * SECOND);
    assert_eq!(waited, 20 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_outlast_the_pause_fails_at_once() {
    let script = Script::new([
        Scripted::status(429).with("retry-after", 60),
        Scripted::ok(),
    ]);
    let transport = with_budget(&script, RateBudget::default());
    let options = CallOptions::new().retry(RetryPolicy::none());
    call(&transport.with(options), &GET).await.unwrap_err();
    let started = Instant::now();
    for seconds in [10, 60] {
        let hasty = transport.with(options.total_timeout(seconds * SECOND));
        let error = call(&hasty, &GET).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!((started.elapsed(), script.count()), (Duration::ZERO, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn switched_off_nothing_waits() {
    let script = Script::new([
        Scripted::status(429).with("retry-after", 60),
        Scripted::ok(),
    ]);
    let transport = with_budget(&script, RateBudget::off());
    let once = transport.with(CallOptions::new().retry(RetryPolicy::none()));
    call(&once, &GET).await.unwrap_err();
    let started = Instant::now();
    for _ in 0..5000 {
        call(&transport, &POST).await.unwrap();
        call(&transport, &GET).await.unwrap();
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn pollers_take_what_foreground_calls_leave() {
    let script = Script::new([]);
    // 20 at once, then 3 a second.
    let transport = with_budget(&script, RateBudget::default().reads(200).writes(200));
    let poller = transport.with(CallOptions::new().priority(Priority::Background));
    let run = |transport: Transport, name: &'static str, count: usize| {
        let calls = (0..count).map(move |_| {
            let transport = transport.clone();
            async move {
                let request = request_to(&transport, &GET, &format!("{PATH}?{name}"));
                transport.exec(request, &GET).await.unwrap();
            }
        });
        join_all(calls)
    };
    // Pollers come first, and leave half of what may go at once to others.
    let polls = tokio::spawn(run(poller, "poll", 40));
    tokio::time::sleep(SECOND / 1000).await;
    let started = Instant::now();
    run(transport.clone(), "call", 10).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    // While foreground calls queue, pollers get one turn in ten.
    run(transport, "call", 30).await;
    let seen = script.seen();
    let last_call = seen
        .iter()
        .rposition(|seen| seen.url.query() == Some("call"))
        .unwrap();
    let polls_before = seen[..last_call]
        .iter()
        .filter(|seen| seen.url.query() == Some("poll"))
        .count();
    assert_eq!(polls_before, 10 + 3);
    polls.await.unwrap();
    assert_eq!(script.count(), 80);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_foreground_call_does_not_hold_pollers_up() {
    let script = Script::new([]);
    let transport = with_budget(&script, RateBudget::default().reads(1).writes(1));
    let poller = transport.with(CallOptions::new().priority(Priority::Background));
    call(&transport, &GET).await.unwrap();
    let waiting = tokio::spawn({
        let transport = transport.clone();
        async move { call(&transport, &GET).await.map(drop) }
    });
    tokio::time::sleep(SECOND).await;
    let poll = tokio::spawn(async move { call(&poller, &GET).await.map(drop) });
    tokio::time::sleep(SECOND).await;
    waiting.abort();
    poll.await.unwrap().unwrap();
    assert_eq!(script.count(), 2);
    assert!(script.gaps()[0] < 62 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn retries_take_turns_too() {
    let script = Script::new([Scripted::status(500), Scripted::ok()]);
    let transport = builder(&script)
        .rate_budget(RateBudget::default().reads(1).writes(1))
        .retry(RetryPolicy::default().jitter(Jitter::None))
        .build()
        .unwrap();
    let call = call(&transport, &GET).await.unwrap().call();
    assert_eq!(script.gaps(), [60 * SECOND]);
    assert_eq!(call.budget_wait, 60 * SECOND - SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn an_operation_with_a_tighter_limit_does_not_hold_others_up_for_long() {
    // A second backup of one device is answered with 429 for as long as the first one runs.
    let script = Script::rule(|seen| match seen.url.query() {
        Some("backup") => Scripted::status(429),
        _ => Scripted::ok(),
    });
    let transport = with_budget(&script, RateBudget::default());
    let backup = tokio::spawn({
        let transport = transport.clone();
        let request = request_to(&transport, &POST, &format!("{PATH}?backup"));
        async move { transport.exec(request, &POST).await.map(drop) }
    });
    let mut longest = Duration::ZERO;
    while !backup.is_finished() {
        let call = call(&transport, &PUT).await.unwrap().call();
        longest = longest.max(call.budget_wait);
        tokio::time::sleep(SECOND / 10).await;
    }
    assert_eq!(backup.await.unwrap().unwrap_err().attempts(), 10);
    assert!(longest <= SECOND + SECOND / 100, "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_operation_holds_up_itself_and_a_second_one_holds_up_all() {
    let script = Script::rule(|seen| {
        let early = seen.at.elapsed().is_zero();
        match seen.url.query() {
            Some("throttled") if early => Scripted::status(429).with("retry-after", 60),
            _ => Scripted::ok(),
        }
    });
    let transport = with_budget(&script, RateBudget::default());
    let once = transport.with(CallOptions::new().retry(RetryPolicy::none()));
    let post = |name: &str| {
        let path = format!("/api/v1/projects/acme/fleets/devices/{name}");
        let transport = once.clone();
        async move {
            let request = request_to(&transport, &POST, &path);
            transport.exec(request, &POST).await.map(drop)
        }
    };
    let started = Instant::now();
    post("one/reboot?throttled").await.unwrap_err();
    for other in ["one/backup", "two/reboot", "three"] {
        post(other).await.unwrap();
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    post("one/reboot").await.unwrap();
    assert_eq!(started.elapsed(), 60 * SECOND);

    let started = Instant::now();
    post("one/reboot?throttled").await.unwrap_err();
    post("two/reboot?throttled").await.unwrap_err();
    post("three").await.unwrap();
    assert_eq!(started.elapsed(), 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_stream_holds_up_its_own_path() {
    let script = Script::rule(|seen| match seen.url.query() {
        Some("throttled") => Scripted::status(429).with("retry-after", 60),
        _ => Scripted::ok(),
    });
    let transport = with_budget(&script, RateBudget::default());
    let path = |name: &str| format!("/api/v1/projects/acme/fleets/devices/{name}");
    let started = Instant::now();
    let mut request = request_to(&transport, &POST, &path("one/restore?throttled"));
    let pieces = futures::stream::iter([Ok::<_, std::io::Error>("{}")]);
    *request.body_mut() = Some(reqwest::Body::wrap_stream(pieces));
    transport.exec(request, &POST).await.unwrap_err();
    for (name, waited) in [("two/restore", 0), ("one/restore", 60)] {
        let request = request_to(&transport, &POST, &path(name));
        transport.exec(request, &POST).await.unwrap();
        assert_eq!(started.elapsed(), waited * SECOND, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_while_the_service_answers_nothing_but_429() {
    let script = Script::new([Scripted::status(429)]);
    let transport = builder(&script)
        .rate_budget(RateBudget::default())
        .retry(RetryPolicy::default().max_attempts(4).jitter(Jitter::None))
        .build()
        .unwrap();
    let started = Instant::now();
    call(&transport, &GET).await.unwrap_err();
    assert_eq!(script.gaps(), [SECOND, 2 * SECOND, 4 * SECOND]);
    // The fourth pause goes on for other calls.
    let policy = CallOptions::new().retry(RetryPolicy::none());
    call(&transport.with(policy), &GET).await.unwrap_err();
    assert_eq!(started.elapsed(), 15 * SECOND);
}
