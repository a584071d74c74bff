//! The SDK's client.

use mkio::{Client, RateBudget, media::ProjectClient};

/// The token of all requests.
pub const TOKEN: &str = "bench-token";

/// The SDK's client, without the rate budget: its waits are no work.
pub fn sdk(base_url: &str) -> ProjectClient {
    let settings = Client::builder()
        .base_url(base_url)
        .token(TOKEN)
        .rate_budget(RateBudget::off());
    let client = settings.build().expect("the settings are complete");
    client.project("acme").media()
}
