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
    tokio::time::advance(Duration::from_secs(11)).await;
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
async fn a_401_causes_one_renewal_and_one_repetition_for_all_calls() {
    for operation in [&GET, &POST] {
        let script = Script::rule(|seen| match seen.bearer() {
            Some("new") => Reply::ok(),
            _ => Reply::status(401).after(Duration::from_millis(50)),
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
async fn a_second_401_is_the_answer() {
    let script = Script::new([Reply::status(401)]);
    let (provider, asked) = provider([Ok("tok".to_owned())]);
    let transport = base(&script).token_provider(provider).build().unwrap();
    let error = call(&transport, &GET).await.unwrap_err();
    assert!(error.is_denied() && error.kind() == ErrorKind::Api);
    assert_eq!((error.attempts(), script.count()), (2, 2));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_token_that_is_rejected_is_not_sent_again() {
    let script = Script::new([Reply::status(401)]);
    let error = call(&transport(&script), &GET).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), script.count()), (401, 1));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_after_a_401_is_the_cause() {
    let script = Script::new([Reply::status(401)]);
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
        Some("second") => Reply::ok(),
        _ => Reply::status(401),
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
