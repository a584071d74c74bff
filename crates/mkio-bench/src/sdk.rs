//! The SDK's client.

use mkio::{Client, RateBudget, media::ProjectClient};

/// The token of all requests.
pub const TOKEN: &str = "bench-token";

/// The SDK's client. Its rate budget is at work, and too large to make anything wait.
pub fn sdk(base_url: &str) -> ProjectClient {
    let settings = Client::builder()
        .base_url(base_url)
        .token(TOKEN)
        .rate_budget(RateBudget::per_minute(600_000_000, 600_000_000));
    let client = settings.build().expect("the settings are complete");
    client.project("acme").media()
}
