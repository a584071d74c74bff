//! Tokens: sent where they belong, renewed in time, asked for once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::join_all;
use mkio_core::{ErrorKind, Token, TokenCommand, TokenFile, TokenProvider, token_fn};

use crate::support::*;

/// A JWT that expires so many seconds from now.
fn jwt(seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let claims = format!(r#"{{"exp":{}}}"#, now.as_secs() as i64 + seconds);
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

/// Gives the tokens in order, the last one for ever, and counts how often it was asked.
fn provider(
    tokens: impl IntoIterator<Item = Result<String, &'static str>>,
) -> (impl TokenProvider, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    tokens.reverse();
    let tokens = Arc::new(Mutex::new(tokens));
    let count = Arc::clone(&asked);
    let provider = token_fn(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let mut tokens = tokens.lock().unwrap();
        let next = match tokens.len() {
            1 => tokens[0].clone(),
            _ => tokens.pop().unwrap(),
        };
        async move {
            // Long enough for concurrent calls to queue.
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(Token::new(next?))
        }
    });
    (provider, asked)
}

fn base(script: &Script) -> mkio_core::TransportBuilder {
    mkio_core::Transport::builder().dispatch(script.clone())
}

#[tokio::test(start_paused = true)]
async fn the_header_is_bearer_and_sensitive() {
    let script = Script::new([]);
    let transport = base(&script).token("  tok-1\n").build().unwrap();
    call(&transport, &GET).await.unwrap();
    let header = script.seen()[0].headers["authorization"].clone();
    assert_eq!(header, "Bearer tok-1");
    assert!(header.is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_fails_before_anything_is_sent() {
    let script = Script::new([]);
    let transport = base(&script).token(jwt(-90)).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Token, 0));
    assert!(error.is_denied());
    let line = error.to_string();
    assert!(
        line.contains("expired at 20") && line.contains("s ago"),
        "{line}"
    );
    assert_eq!(script.count(), 0);
    // A provider that gives nothing better ends the same way.
    let (provider, asked) = provider([Ok(jwt(-90))]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!((script.count(), asked.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_soon_is_renewed() {
    let script = Script::new([]);
    let second = jwt(3600);
    let (provider, asked) = provider([Ok(jwt(30)), Ok(second.clone())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    call(&transport, &GET).await.unwrap();
    // Just renewed: left alone for ten seconds.
    call(&transport, &GET).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    tokio::time::advance(Duration::from_secs(10)).await;
    for _ in 0..3 {
        call(&transport, &GET).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(script.seen()[4].bearer(), Some(second.as_str()));
}

#[tokio::test(start_paused = true)]
async fn the_margin_is_settable_and_a_good_token_is_kept() {
    for (margin, questions) in [(10, 1), (3600, 2)] {
        let script = Script::new([]);
        let (provider, asked) = provider([Ok(jwt(1800))]);
        let transport = base(&script)
            .token_provider(provider)
            .refresh_margin(Duration::from_secs(margin))
            .build()
            .unwrap();
        call(&transport, &GET).await.unwrap();
        tokio::time::advance(Duration::from_secs(20)).await;
        call(&transport, &GET).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), questions, "margin {margin}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_early_renewal_keeps_the_token_that_still_works() {
    let script = Script::new([]);
    let first = jwt(30);
    let (provider, asked) = provider([Ok(first.clone()), Err("vault sealed")]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    for _ in 0..5 {
        tokio::time::advance(Duration::from_secs(6)).await;
        call(&transport, &GET).await.unwrap();
    }
    assert!(
        script
            .seen()
            .iter()
            .all(|seen| seen.bearer() == Some(&first))
    );
    // Not once per call: after a failure the provider is left alone for a while.
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn concurrent_first_calls_ask_once() {
    let script = Script::new([]);
    let (provider, asked) = provider([Ok("tok".to_owned())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let calls = join_all((0..50).map(|_| call(&transport, &GET))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_share_a_failure_and_later_ones_ask_again() {
    let script = Script::new([]);
    let (provider, asked) = provider([Err("vault sealed"), Ok("tok".to_owned())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let calls = join_all((0..50).map(|_| call(&transport, &GET))).await;
    for result in calls {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "vault sealed");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    call(&transport, &GET).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_401_causes_one_renewal_and_one_retry_for_all_calls() {
    for operation in [&GET, &POST] {
        let script = Script::rule(|seen| match seen.bearer() {
            Some("new") => Scripted::ok(),
            _ => Scripted::status(401).after(Duration::from_millis(50)),
        });
        let (provider, asked) = provider([Ok("old".to_owned()), Ok("new".to_owned())]);
        let transport = base(&script).token_provider(provider).build().unwrap();
        let calls = join_all((0..40).map(|_| call(&transport, operation))).await;
        for response in calls {
            assert_eq!(response.unwrap().call().attempts, 2);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert_eq!(script.count(), 80);
        call(&transport, operation).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_401_is_the_response() {
    let script = Script::new([Scripted::status(401)]);
    let (provider, asked) = provider([Ok("tok".to_owned())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert!(error.is_denied() && error.kind() == ErrorKind::Api);
    assert_eq!((error.attempts(), script.count()), (2, 2));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_token_that_is_rejected_is_not_sent_again() {
    let script = Script::new([Scripted::status(401)]);
    let error = call(&transport(&script), &GET).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), script.count()), (401, 1));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_after_a_401_is_the_cause() {
    let script = Script::new([Scripted::status(401)]);
    let (provider, _) = provider([Ok("tok".to_owned()), Err("vault sealed")]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!(error.reference(), Some("r-401"));
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("gave no token"), "{cause}");
    assert_eq!(cause.source().unwrap().to_string(), "vault sealed");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_meets_the_total_timeout() {
    let script = Script::new([]);
    let provider = token_fn(std::future::pending);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(error.to_string().contains("token provider"), "{error}");
    assert_eq!(error.elapsed(), Duration::from_secs(300));
}

#[tokio::test(start_paused = true)]
async fn unusable_tokens_are_named_but_not_shown() {
    let script = Script::new([]);
    for token in ["", "   ", "hunter2\nx"] {
        let error = base(&script).token(token).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_may_come_with_its_expiry() {
    let script = Script::new([]);
    let token = Token::new("opaque").expires_at(SystemTime::now() - Duration::from_secs(5));
    let transport = base(&script).token(token).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!((error.kind(), script.count()), (ErrorKind::Token, 0));
}

#[tokio::test]
async fn tokens_from_files_are_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let write = |text: &str, mode: u32| {
        std::fs::write(&path, text).unwrap();
        set_mode(&path, mode);
    };
    let script = Script::rule(|seen| match seen.bearer() {
        Some("second") => Scripted::ok(),
        _ => Scripted::status(401),
    });
    let transport = base(&script)
        .token_provider(TokenFile::new(&path))
        .build()
        .unwrap();
    let cause = |error: mkio_core::Error| std::error::Error::source(&error).unwrap().to_string();

    let error = call(&transport, &GET).await.unwrap_err();
    assert!(cause(error).contains("cannot read"));
    write("  \n", 0o600);
    let error = call(&transport, &GET).await.unwrap_err();
    assert!(cause(error).contains("is empty"));
    #[cfg(unix)]
    {
        write("first", 0o644);
        let error = call(&transport, &GET).await.unwrap_err();
        let cause = cause(error);
        assert!(
            cause.contains("mode 644") && cause.contains("chmod 600"),
            "{cause}"
        );
    }
    write("first\n", 0o600);
    assert!(call(&transport, &GET).await.unwrap_err().is_denied());
    assert_eq!(script.seen()[0].bearer(), Some("first"));
    write("second\n", 0o440);
    call(&transport, &GET).await.unwrap();
}

#[cfg(unix)]
pub fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
pub fn set_mode(_: &std::path::Path, _: u32) {}

#[cfg(unix)]
#[tokio::test]
async fn tokens_from_commands() {
    let script = Script::new([]);
    let sh = |line: &str| TokenCommand::new("sh", ["-c", line]);
    let transport = |command| base(&script).token_provider(command).build().unwrap();
    call(&transport(sh("echo from-$((40 + 2))")), &GET)
        .await
        .unwrap();
    assert_eq!(script.seen()[0].bearer(), Some("from-42"));
    for (command, expected) in [
        (sh("echo hunter2; exit 3"), "exit status: 3"),
        (sh("true"), "wrote nothing"),
        (
            TokenCommand::new("/no/such/program", ["hunter2"]),
            "cannot run",
        ),
    ] {
        let error = call(&transport(command), &GET).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(expected), "{cause}");
        assert!(!format!("{error:?} {cause}").contains("hunter2"));
    }
}

/// Gives `first`, and after it nothing for so long, then `later`.
fn slow(first: String, wait: Duration, later: String) -> (impl TokenProvider, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let provider = token_fn(move || {
        let asked = count.fetch_add(1, Ordering::SeqCst);
        let (first, later) = (first.clone(), later.clone());
        async move {
            if asked == 0 {
                return Ok(Token::new(first));
            }
            tokio::time::sleep(wait).await;
            Ok(Token::new(later))
        }
    });
    (provider, asked)
}

#[tokio::test(start_paused = true)]
async fn a_slow_renewal_does_not_stop_calls_whose_token_is_still_valid() {
    let script = Script::new([]);
    let (old, new) = (jwt(30), jwt(3600));
    let (provider, asked) = slow(old.clone(), Duration::from_secs(60), new.clone());
    let transport = base(&script).token_provider(provider).build().unwrap();
    call(&transport, &GET).await.unwrap();
    tokio::time::advance(Duration::from_secs(11)).await;
    // The first waits for a moment, those after it do not wait at all.
    let waits = [5, 0, 0].map(Duration::from_secs);
    for wait in waits {
        let response = call(&transport, &GET).await.unwrap();
        assert_eq!(response.call().elapsed, wait);
        assert_eq!(script.seen().last().unwrap().bearer(), Some(&*old));
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen().last().unwrap().bearer(), Some(&*new));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_early_does_not_break_a_renewal_off() {
    let script = Script::new([]);
    let (provider, asked) = provider([Ok("tok".to_owned())]);
    let provider = token_fn({
        let provider = Arc::new(provider);
        move || {
            let provider = Arc::clone(&provider);
            async move {
                tokio::time::sleep(Duration::from_secs(3)).await;
                provider.token().await
            }
        }
    });
    let transport = base(&script)
        .token_provider(provider)
        .total_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    call(&transport, &GET).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_is_an_error_of_the_call() {
    let script = Script::new([]);
    let asked = AtomicUsize::new(0);
    let provider = token_fn(move || {
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert!(!first, "the vault has no door");
            Ok(Token::new("tok"))
        }
    });
    let transport = base(&script).token_provider(provider).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token);
    assert!(error.to_string().contains("without a token"), "{error}");
    // The next call asks again.
    call(&transport, &GET).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_a_401_makes_a_token_new() {
    for status in [400, 403, 404, 429, 500, 503] {
        let script = Script::new([Scripted::status(status)]);
        let (provider, asked) = provider([Ok("tok".to_owned())]);
        let transport = base(&script).token_provider(provider).build().unwrap();
        call(&transport, &GET).await.unwrap_err();
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_due_after_the_wait_for_a_turn_is_renewed_before_it_is_sent() {
    let script = Script::new([]);
    let (first, second) = (jwt(30), jwt(3600));
    let (provider, _) = provider([Ok(first.clone()), Ok(second.clone())]);
    let transport = base(&script)
        .token_provider(provider)
        .rate_budget(mkio_core::RateBudget::default().reads(1).writes(1))
        .build()
        .unwrap();
    for _ in 0..2 {
        call(&transport, &GET).await.unwrap();
    }
    let seen = script.seen();
    let sent: Vec<_> = seen.iter().map(|seen| seen.bearer().unwrap()).collect();
    assert_eq!(sent, [first, second]);
}

#[tokio::test(start_paused = true)]
async fn a_late_token_takes_no_turn_from_others() {
    let script = Script::new([]);
    let transport = base(&script)
        .token(jwt(-90))
        .rate_budget(mkio_core::RateBudget::default().reads(1).writes(1))
        .total_timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    for _ in 0..3 {
        let error = call(&transport, &GET).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token, "{error}");
        assert_eq!(error.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_after_a_401_keeps_the_response() {
    let script = Script::new([Scripted::status(401)]);
    let (provider, asked) = provider([Ok("tok".to_owned()), Ok(jwt(-90))]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert_eq!(error.reference(), Some("r-401"));
    assert_eq!((error.attempts(), asked.load(Ordering::SeqCst)), (1, 2));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("expired"), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_rejected_again_is_not_repeated_by_every_call() {
    let script = Script::rule(|seen| match seen.bearer() {
        Some("new") => Scripted::ok(),
        _ => Scripted::status(401),
    });
    let old = || Ok("old".to_owned());
    let tokens = [old(), old(), old(), old(), Ok("new".to_owned())];
    let (provider, _) = provider(tokens);
    let transport = base(&script).token_provider(provider).build().unwrap();
    for requests in [2, 3, 4] {
        call(&transport, &GET).await.unwrap_err();
        assert_eq!(script.count(), requests);
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    // The next question gets another token, which is tried at once.
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_gives_the_refused_token_again_is_left_alone() {
    let script = Script::new([Scripted::status(401)]);
    let (provider, asked) = provider([Ok("old".to_owned())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    for _ in 0..100 {
        let error = call(&transport, &GET).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), 401);
    }
    let first = asked.load(Ordering::SeqCst);
    assert!(first <= 3, "asked {first} times");
    join_all((0..100).map(|_| call(&transport, &GET))).await;
    assert_eq!(asked.load(Ordering::SeqCst), first);
    // It may have a better one after a while.
    tokio::time::advance(Duration::from_secs(10)).await;
    for _ in 0..100 {
        call(&transport, &GET).await.unwrap_err();
    }
    assert_eq!(asked.load(Ordering::SeqCst), first + 1);
}

/// For a second after the first time, then twice as long each time, up to ten seconds.
#[tokio::test(start_paused = true)]
async fn a_provider_that_goes_on_giving_the_refused_token_is_asked_less_and_less() {
    let script = Script::new([Scripted::status(401)]);
    let (provider, asked) = provider([Ok("old".to_owned())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    call(&transport, &GET).await.unwrap_err();
    let mut questions = Vec::new();
    for calls in 0..40 {
        let before = asked.load(Ordering::SeqCst);
        call(&transport, &GET).await.unwrap_err();
        if asked.load(Ordering::SeqCst) > before {
            questions.push(calls);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(questions, [0, 1, 3, 7, 15, 25, 35]);
}

#[tokio::test(start_paused = true)]
async fn a_scheme_in_front_of_a_token_is_left_out() {
    let script = Script::new([]);
    for text in [
        "Bearer tok",
        "bearer  tok\n",
        " BEARER\ttok",
        "Authorization: Bearer tok",
        "tok",
    ] {
        let transport = base(&script).token(text).build().unwrap();
        call(&transport, &GET).await.unwrap();
        assert_eq!(
            script.seen().last().unwrap().bearer(),
            Some("tok"),
            "{text:?}"
        );
        let jwt = jwt(-90);
        let token = Token::new(text.replace("tok", &jwt));
        assert!(token.expires().is_some(), "{text:?}");
    }
    for text in ["Bearer", "Bearer ", "\"tok\"", "'tok'", "Basic dG9r"] {
        let error = base(&script).token(text).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token, "{text}");
        assert!(!format!("{error:?}").contains("tok\""), "{error}");
    }
    // A token may begin like the scheme.
    let transport = base(&script).token("bearertok").build().unwrap();
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen().last().unwrap().bearer(), Some("bearertok"));
}

/// A runtime that ends, or stands still, takes no renewal of others with it.
#[test]
fn a_renewal_does_not_hang_on_the_runtime_that_began_it() {
    for ends in [true, false] {
        let script = Script::new([]);
        let asked = Arc::new(AtomicUsize::new(0));
        let provider = token_fn({
            let asked = Arc::clone(&asked);
            move || {
                let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
                async move {
                    if first {
                        std::future::pending::<()>().await;
                    }
                    Ok(Token::new("tok"))
                }
            }
        });
        let transport = base(&script).token_provider(provider).build().unwrap();
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().start_paused(true).build().unwrap()
        };
        let first = runtime();
        first.block_on(async {
            let hasty = tokio::time::timeout(Duration::from_secs(1), call(&transport, &GET));
            hasty.await.unwrap_err();
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let kept = if ends { None } else { Some(first) };
        runtime().block_on(call(&transport, &GET)).unwrap();
        drop(kept);
    }
}

#[tokio::test(start_paused = true)]
async fn a_streamed_body_that_meets_a_401_renews_the_token_for_the_next_call() {
    let script = Script::rule(|seen| match seen.bearer() {
        Some("new") => Scripted::ok(),
        _ => Scripted::status(401),
    });
    let (provider, _) = provider([Ok("old".to_owned()), Ok("new".to_owned())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let upload = || {
        let pieces = futures::stream::iter([Ok::<_, std::io::Error>("tar")]);
        let body = mkio_core::reqwest::Body::wrap_stream(pieces);
        let request = transport.request(http::Method::POST, "/api/v1/upload");
        request.body(body, "application/octet-stream").send()
    };
    let error = upload().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), script.count()), (401, 1));
    assert!(error.gave_up().unwrap().contains("stream"), "{error}");
    upload().await.unwrap();
}
