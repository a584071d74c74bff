//! What is retried, how often, and when.

use std::time::Duration;

use http::StatusCode;
use mkio_core::{CallOptions, ErrorKind, Jitter, Operation, RetryPolicy};

use crate::support::*;

const SECOND: Duration = Duration::from_secs(1);

fn exact() -> RetryPolicy {
    RetryPolicy::default().jitter(Jitter::None)
}

#[tokio::test(start_paused = true)]
async fn which_failures_are_retried_for_which_verbs() {
    let safe: [&Operation; 4] = [&GET, &PUT, &DELETE, &PATCH];
    let unsafe_: [&Operation; 2] = [&POST, &JSON_PATCH];
    let always = [
        Scripted::status(429),
        Scripted::status(503),
        Scripted::NotSent,
    ];
    let when_safe = [
        Scripted::status(408),
        Scripted::status(500),
        Scripted::status(502),
        Scripted::status(504),
        Scripted::Broken,
        Scripted::Silence,
        Scripted::Half(200, r#"{"na"#.to_owned()),
        Scripted::Response(502, vec![], "<html>bad gateway</html>".to_owned()),
    ];
    let never = [400, 401, 403, 404, 409, 422, 501].map(Scripted::status);
    for operation in safe.into_iter().chain(unsafe_) {
        let is_safe = safe.contains(&operation);
        let rows = always
            .iter()
            .map(|scripted| (scripted, true))
            .chain(when_safe.iter().map(|scripted| (scripted, is_safe)))
            .chain(never.iter().map(|scripted| (scripted, false)));
        for (scripted, retried) in rows {
            let script = Script::new([scripted.clone(), Scripted::ok()]);
            let result = call(&transport(&script), operation_of(operation)).await;
            let what = format!("{} {scripted:?}: {result:?}", operation.id);
            assert_eq!(result.is_ok(), retried, "{what}");
            assert_eq!(script.count(), if retried { 2 } else { 1 }, "{what}");
            if let Ok(response) = result {
                assert_eq!(response["name"], "intro");
                assert_eq!(response.call().attempts, 2);
            }
        }
    }
}

fn operation_of(operation: &Operation) -> &'static Operation {
    [&GET, &PUT, &DELETE, &PATCH, &POST, &JSON_PATCH]
        .into_iter()
        .find(|known| *known == operation)
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_patch_whose_body_is_a_list_is_not_retried_after_a_fault() {
    let script = Script::new([Scripted::status(500), Scripted::ok()]);
    let transport = transport(&script);
    let mut request = request(&transport, &PATCH);
    *request.body_mut() = Some(r#"[{"op":"add","path":"/spec/roles/-","value":"x"}]"#.into());
    let error = transport.exec(request, &PATCH).await.unwrap_err();
    assert_eq!(script.count(), 1);
    assert!(error.outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn waits_double_from_half_a_second() {
    let script = Script::new([Scripted::status(500)]);
    let transport = builder(&script)
        .retry(exact().max_attempts(5))
        .build()
        .unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    let gaps: Vec<_> = script.gaps().iter().map(Duration::as_secs_f64).collect();
    assert_eq!(gaps, [0.5, 1.0, 2.0, 4.0]);
    assert_eq!(error.attempts(), 5);
    assert_eq!(error.elapsed(), 7500 * SECOND / 1000);
    assert_eq!(
        error.to_string(),
        "GET 'intro': 500 Internal Server Error: E500: no luck (ref r-500; 5 attempts in 7.5 s)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_429_has_a_first_wait_of_its_own() {
    let script = Script::new([Scripted::status(429), Scripted::ok()]);
    let policy = exact().throttled_backoff(7 * SECOND);
    let transport = builder(&script).retry(policy).build().unwrap();
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.gaps(), [7 * SECOND]);
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_the_waits() {
    let mut waits = Vec::new();
    for _ in 0..200 {
        let script = Script::new([Scripted::status(500), Scripted::ok()]);
        call(&transport(&script), &GET).await.unwrap();
        waits.push(script.gaps()[0]);
    }
    assert!(waits.iter().all(|wait| *wait <= SECOND / 2 + SECOND / 500));
    assert!(waits.iter().any(|wait| *wait < SECOND / 10));
    assert!(waits.iter().any(|wait| *wait > SECOND * 2 / 5));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_followed_up_to_the_cap() {
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let later = "Wed, 21 Oct 2015 07:28:42 GMT";
    for (scripted, wait) in [
        (Scripted::status(429).with("retry-after", 7), 7),
        (Scripted::status(503).with("retry-after", 3), 3),
        (Scripted::status(500).with("retry-after", 9), 9),
        (Scripted::status(503).with("retry-after", 100_000), 20),
        (
            Scripted::status(503)
                .with("date", date)
                .with("retry-after", later),
            20,
        ),
        (Scripted::status(429), 1),
    ] {
        let script = Script::new([scripted.clone(), Scripted::ok()]);
        let policy = exact().max_retry_after(20 * SECOND);
        let transport = builder(&script).retry(policy).build().unwrap();
        call(&transport, &GET).await.unwrap();
        assert_eq!(script.gaps(), [wait * SECOND], "{scripted:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_all_clocks_ends_the_call() {
    let endless = "18446744073709549568";
    let script = Script::new([Scripted::status(503).with("retry-after", endless)]);
    let transport = builder(&script)
        .retry(exact().max_retry_after(Duration::MAX))
        .total_timeout(Duration::MAX)
        .build()
        .unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!((error.attempts(), script.count()), (1, 1));
    assert!(error.to_string().contains("leaves no time"), "{error}");
    assert!(error.retry_after().unwrap() > Duration::from_secs(u64::MAX / 2));
}

#[tokio::test(start_paused = true)]
async fn the_error_tells_what_the_service_asked_for() {
    let script = Script::new([Scripted::status(429).with("retry-after", 100)]);
    let transport = builder(&script).retry(RetryPolicy::none()).build().unwrap();
    let error = call(&transport, &POST).await.unwrap_err();
    assert!(error.is_rate_limited() && error.is_retryable());
    assert_eq!(error.retry_after(), Some(100 * SECOND));
    assert_eq!((error.attempts(), script.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_may_bring_its_own_policy() {
    let script = Script::new([Scripted::status(500)]);
    let transport = transport(&script);
    let single = transport.with(CallOptions::new().retry(RetryPolicy::none()));
    assert_eq!(call(&single, &GET).await.unwrap_err().attempts(), 1);
    assert_eq!(call(&transport, &GET).await.unwrap_err().attempts(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_streamed_body_is_sent_once() {
    for scripted in [
        Scripted::status(503),
        Scripted::NotSent,
        Scripted::status(429),
    ] {
        let script = Script::new([scripted, Scripted::ok()]);
        let transport = transport(&script);
        let mut request = request(&transport, &PUT);
        let pieces = futures::stream::iter([Ok::<_, std::io::Error>("{}")]);
        *request.body_mut() = Some(reqwest::Body::wrap_stream(pieces));
        let error = transport.exec(request, &PUT).await.unwrap_err();
        assert_eq!(script.count(), 1);
        assert!(
            error.to_string().contains("cannot be sent again"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_sends_the_same_request() {
    let script = Script::new([Scripted::status(503), Scripted::ok()]);
    let transport = transport(&script);
    let mut request = request(&transport, &POST);
    *request.body_mut() = Some(r#"{"a":1}"#.into());
    request.headers_mut().insert("x-own", "1".parse().unwrap());
    transport.exec(request, &POST).await.unwrap();
    let seen = script.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, r#"{"a":1}"#);
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(seen[0].headers, seen[1].headers);
    assert_eq!(
        (&seen[0].url, &seen[0].method),
        (&seen[1].url, &seen[1].method)
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_spends_the_retry_budget_and_success_refills_it() {
    let script = Script::rule(|seen| match seen.url.query() {
        Some("down") => Scripted::status(500),
        _ => Scripted::ok(),
    });
    let transport = transport(&script);
    let down = format!("{PATH}?down");
    let mut retries = 0;
    let spent = loop {
        let request = request_to(&transport, &GET, &down);
        let error = transport.clone().exec(request, &GET).await.unwrap_err();
        retries += error.attempts() - 1;
        if error.to_string().contains("retry budget") {
            break error;
        }
    };
    assert_eq!(spent.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(retries, 100);
    for _ in 0..5 {
        call(&transport, &GET).await.unwrap();
    }
    let request = request_to(&transport, &GET, &down);
    assert_eq!(
        transport.exec(request, &GET).await.unwrap_err().attempts(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn throttling_does_not_spend_the_retry_budget() {
    let script = Script::new([Scripted::status(429).with("retry-after", 1)]);
    let transport = transport(&script);
    for _ in 0..30 {
        assert_eq!(call(&transport, &GET).await.unwrap_err().attempts(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_outcome_says_so() {
    // The first attempt created it, its response was lost.
    let script = Script::new([Scripted::Broken, Scripted::status(409)]);
    let error = call(&transport(&script), &PUT).await.unwrap_err();
    assert!(error.is_conflict() && error.outcome_unknown());
    assert!(
        error.to_string().contains("may have taken effect"),
        "{error}"
    );
    for (scripted, operation) in [
        (vec![Scripted::status(409)], &PUT),
        (vec![Scripted::status(429), Scripted::status(409)], &PUT),
        (vec![Scripted::NotSent, Scripted::status(409)], &PUT),
        (vec![Scripted::Broken, Scripted::status(404)], &GET),
    ] {
        let error = call(&transport(&Script::new(scripted)), operation)
            .await
            .unwrap_err();
        assert!(!error.outcome_unknown(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_write_that_was_refused_or_not_sent_had_no_effect_for_certain() {
    let envelope = |status: u16| {
        let body =
            format!(r#"{{"error":{{"code":"E","detail":"x"}},"status":{status},"ref":"r"}}"#);
        Scripted::json(200, &body)
    };
    let statuses = [302, 303, 500, 501, 502, 503, 504, 507, 520, 523, 526, 599];
    let open = statuses.map(Scripted::status).into_iter().chain([
        Scripted::Broken,
        Scripted::Silence,
        Scripted::Half(200, "{".to_owned()),
        Scripted::json(200, "<html>"),
        Scripted::json(200, r#"{"name""#),
        envelope(500),
        envelope(200),
    ]);
    let certain = [400, 401, 403, 404, 409, 422, 429].map(Scripted::status);
    let certain = certain
        .into_iter()
        .chain([Scripted::NotSent, envelope(404)]);
    let rows = open
        .map(|scripted| (scripted, true))
        .chain(certain.map(|scripted| (scripted, false)));
    for (scripted, unknown) in rows {
        for operation in [&POST, &PUT, &DELETE, &PATCH, &GET] {
            let script = Script::new([scripted.clone()]);
            let transport = builder(&script).retry(RetryPolicy::none()).build().unwrap();
            let error = match call(&transport, operation).await {
                Err(error) => error,
                Ok(value) => panic!("{scripted:?}: {value:?}"),
            };
            let unknown = unknown && !operation.is_read();
            assert_eq!(
                error.outcome_unknown(),
                unknown,
                "{} {scripted:?}: {error}",
                operation.id
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_tiny_retry_after_does_not_beat_the_backoff() {
    for status in [429, 503] {
        let script = Script::new([Scripted::status(status).with("retry-after", "0.000001")]);
        let policy = exact().max_attempts(4);
        let transport = builder(&script).retry(policy).build().unwrap();
        call(&transport, &GET).await.unwrap_err();
        let first = if status == 429 { SECOND } else { SECOND / 2 };
        assert_eq!(script.gaps(), [first, 2 * first, 4 * first], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_an_error_with_its_cause() {
    let script = Script::new([Scripted::Broken]);
    let error = call(&transport(&script), &POST).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!((error.status(), error.is_retryable()), (None, true));
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "connection reset");
}

#[tokio::test(start_paused = true)]
async fn a_lost_body_keeps_the_status() {
    let script = Script::new([Scripted::Half(201, "{".to_owned())]);
    let error = call(&transport(&script), &POST).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(error.status(), Some(StatusCode::CREATED));
    // Part of an error's body is better than none.
    let script = Script::new([Scripted::Half(400, "<p>too la".to_owned())]);
    let error = call(&transport(&script), &POST).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    assert_eq!(error.body(), "<p>too la");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_one_service_spends_no_retries_of_another() {
    let failed = std::sync::atomic::AtomicBool::new(false);
    let script = Script::rule(move |seen| match seen.url.host_str() {
        Some("device.example") => Scripted::NotSent,
        _ if !failed.swap(true, std::sync::atomic::Ordering::Relaxed) => Scripted::status(500),
        _ => Scripted::ok(),
    });
    let transport = builder(&script)
        .api_base_url("channels", "https://device.example")
        .build()
        .unwrap();
    for _ in 0..20 {
        let list = transport.request(http::Method::GET, "/api/channels/");
        list.api("channels").send().await.unwrap_err();
    }
    call(&transport, &GET).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_response_that_is_no_fault_refills_the_retry_budget() {
    let script = Script::new([Scripted::status(500)]);
    let transport = transport(&script);
    while call(&transport, &GET).await.unwrap_err().attempts() > 1 {}
    // Checks whether something is there, which mostly is not.
    let checks = Script::rule({
        let count = std::sync::atomic::AtomicUsize::new(0);
        move |_| match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0..500 => Scripted::status(404),
            n if n % 2 == 0 => Scripted::status(500),
            _ => Scripted::status(404),
        }
    });
    let transport = builder(&checks).build().unwrap();
    for _ in 0..500 {
        call(&transport, &GET).await.unwrap_err();
    }
    for _ in 0..300 {
        let error = call(&transport, &GET).await.unwrap_err();
        assert_eq!(
            (error.attempts(), error.is_not_found()),
            (2, true),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_wait_at_all_is_no_pace() {
    let script = Script::new([Scripted::status(503).with("retry-after", 0)]);
    let transport = transport(&script);
    while call(&transport, &GET).await.unwrap_err().attempts() > 1 {
        assert!(script.count() < 200, "the retry budget does not end this");
    }
}

#[tokio::test(start_paused = true)]
async fn the_retry_budget_is_settable() {
    for (retries, requests) in [(0, 3), (2, 5)] {
        let script = Script::new([Scripted::status(500)]);
        let transport = builder(&script).retry_budget(retries).build().unwrap();
        for _ in 0..3 {
            let error = call(&transport, &GET).await.unwrap_err();
            assert_eq!(error.gave_up(), Some("the retry budget is spent"));
        }
        assert_eq!(script.count(), requests);
    }
}
