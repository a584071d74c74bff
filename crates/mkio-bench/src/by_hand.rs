//! The HTTP client of the calls written by hand.

/// The client that a hand-written call would use.
pub fn by_hand() -> reqwest::Client {
    reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(10))
        .timeout(std::time::Duration::from_secs(60))
        .build()
        .expect("the settings are usable")
}
