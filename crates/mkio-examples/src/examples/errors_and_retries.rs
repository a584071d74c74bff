//! The content of an error, errors to expect, and an own policy for retries.

use std::time::Duration;

use anyhow::{Result, bail};
use mkio::{CallOptions, ErrorKind, Jitter, RetryPolicy};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let media = place.project.media();

    // Expected errors have methods of their own.
    match media.get_asset("nowhere").send().await {
        Ok(_) => bail!("there is an asset that nobody has made"),
        Err(error) if error.is_not_found() => place.say(format!("expected: {error}")),
        Err(error) => return Err(error.into()),
    }
    // Others are reported: quote the reference to the service's support.
    let Err(error) = media.create_or_update_asset("a", mkio::media::types::AssetPutProperties::new("nowhere")).send().await else {
        bail!("an asset in a storage account that there is not");
    };
    place.say(format!(
        "status {:?}, code {:?}, reference {}, after {} attempts",
        error.status(),
        error.code(),
        error.reference().is_some(),
        error.attempts(),
    ));
    let advice = match error.kind() {
        ErrorKind::Api if error.is_denied() => "ask for the right",
        ErrorKind::Api if error.is_retryable() => "try again later",
        ErrorKind::Api => "change the request",
        ErrorKind::Connection | ErrorKind::Timeout if error.outcome_unknown() => "read the resource: it may be done",
        ErrorKind::Connection | ErrorKind::Timeout => "try again",
        _ => "read the message",
    };
    place.say(format!("advice: {advice}"));

    // Three attempts within two seconds, for these calls alone.
    let policy = RetryPolicy::default()
        .max_attempts(3)
        .initial_backoff(Duration::from_millis(100))
        .jitter(Jitter::None);
    let hasty = media.with(CallOptions::new().retry(policy).total_timeout(Duration::from_secs(2)));
    if let Some(emulator) = &place.emulator {
        emulator.control().faults("GET */media/assets status=503 times=2")?;
    }
    let assets = hasty.list_assets().top(1).send().await?;
    place.say(format!("the list came at attempt {}", assets.call().attempts));

    if let Some(emulator) = &place.emulator {
        emulator.control().faults("GET */media/assets status=503 times=3")?;
        let Err(error) = hasty.list_assets().send().await else {
            bail!("three failures and three attempts");
        };
        place.say(format!("gave up: {error}"));
    }
    Ok(())
}
