//! The examples run and print the expected lines. Each is a program: it sets the process's subscriber.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// What a program writes to both streams.
fn output(program: &str) -> Result<String> {
    let mut command = Command::new(program);
    for variable in ["RUST_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        command.env_remove(variable);
    }
    let output = command.output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    ensure!(output.status.success(), "{text}");
    Ok(text)
}

#[test]
fn tracing_shows_calls_and_attempts() -> Result<()> {
    let text = output(env!("CARGO_BIN_EXE_tracing"))?;
    assert!(text.contains("mkio.call"), "{text}");
    assert!(text.contains("inventory"), "{text}");
    assert!(text.contains("as expected: "), "{text}");
    Ok(())
}

#[test]
fn spans_reach_a_collector() -> Result<()> {
    let text = output(env!("CARGO_BIN_EXE_tracing_otel"))?;
    let (_, got) = text.split_once("the receiver got ").context("no spans")?;
    let bytes: usize = got.split(' ').next().context("a number")?.parse()?;
    assert!(bytes > 100, "{text}");
    Ok(())
}

#[test]
fn metrics_are_named_with_their_units() -> Result<()> {
    let text = output(env!("CARGO_BIN_EXE_metrics_otel"))?;
    for metric in [
        "mkio.call.duration (s)",
        "http.client.request.duration (s)",
        "mkio.polled ()",
    ] {
        assert!(text.contains(metric), "{metric}: {text}");
    }
    Ok(())
}
