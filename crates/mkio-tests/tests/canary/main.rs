//! A token and secret values appear in no output, trace or error.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod complete;
mod media;
mod programs;
mod shown;
mod trace;
mod values;

use shown::Shown;

/// Every secret of this test holds this word.
const CANARY: &str = "hush-hush-canary";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_shown_anywhere() -> anyhow::Result<()> {
    let trace = trace::Trace::start()?;
    let mut shown = Shown::default();
    programs::run(&mut shown).await?;
    values::show(&mut shown).await?;
    // The blocking client refuses to work within a runtime.
    let mut shown = tokio::task::spawn_blocking(|| {
        let mut shown = shown;
        std::thread::scope(|scope| scope.spawn(|| values::blocking(&mut shown)).join())
            .expect("no panic")
            .map(|()| shown)
    })
    .await??;
    let text = trace.text();
    for part in ["TRACE", "mkio.call", "hyper_util", "mkio_emulator"] {
        assert!(text.contains(part), "nothing was traced of {part}");
    }
    shown.text(text);
    shown.check();
    complete::check(shown.types());
    Ok(())
}
