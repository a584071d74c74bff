//! The SDK's client.

use mkio::{Client, RateBudget, media::ProjectClient};

/// The token of all requests.
pub const TOKEN: &str = "bench-token";

/// The SDK's client of one project's assets.
pub fn sdk(base_url: &str) -> ProjectClient {
    client(base_url).project("acme").media()
}

/// The SDK's client. Its rate budget is at work, and too large to make anything wait.
pub fn client(base_url: &str) -> Client {
    let settings = Client::builder()
        .base_url(base_url)
        .token(TOKEN)
        .rate_budget(RateBudget::default().reads(600_000_000).writes(600_000_000));
    settings.build().expect("the settings are complete")
}
