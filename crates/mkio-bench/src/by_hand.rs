//! The HTTP client of the calls written by hand.

/// The client that a hand-written call would use.
pub fn by_hand() -> reqwest::Client {
    let builder = mkio::http_client_builder().expect("the build has TLS");
    builder
        .connect_timeout(std::time::Duration::from_secs(10))
        .timeout(std::time::Duration::from_secs(60))
        .build()
        .expect("the settings are usable")
}
