//! TLS. Which library does the cryptography is chosen by feature.

use crate::{Error, ErrorKind, Result};

#[cfg(feature = "__tls")]
pub(crate) type Certificate = reqwest::Certificate;
/// Without TLS there is none.
#[cfg(not(feature = "__tls"))]
#[derive(Clone)]
pub(crate) enum Certificate {}

/// Starts an HTTP client for [`TransportBuilder::http_client`](crate::TransportBuilder::http_client).
///
/// It follows no redirects and retries nothing: the transport does both. TLS works as the features of this
/// crate say. `reqwest::Client::new()` panics with the feature `rustls-ring` as long as the process has no
/// crypto provider; this function and every `build()` of a transport set one.
///
/// ```
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let http = mkio_core::http_client_builder()?.user_agent("mine/1.0").build()?;
/// let builder = mkio_core::Transport::builder().http_client(http);
/// # Ok(())
/// # }
/// # run().unwrap();
/// ```
///
/// # Errors
///
/// Kind [`Config`](ErrorKind::Config): the feature `rustls-no-provider` is on and the process has no crypto
/// provider.
pub fn http_client_builder() -> Result<reqwest::ClientBuilder> {
    provide()?;
    Ok(reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never()))
}

/// Gives the process a crypto provider if it has none, as rustls does for itself: reqwest panics without one.
#[cfg(all(feature = "rustls-no-provider", not(feature = "rustls-aws-lc")))]
fn provide() -> Result<()> {
    use rustls::crypto::CryptoProvider;

    #[cfg(feature = "rustls-ring")]
    if CryptoProvider::get_default().is_none() {
        // When another thread was faster, its provider is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    if CryptoProvider::get_default().is_none() {
        return Err(Error::new(
            ErrorKind::Config,
            "the process has no crypto provider: call `CryptoProvider::install_default` of rustls first, or turn \
             on the feature `rustls-ring` or `rustls-aws-lc`",
        ));
    }
    Ok(())
}

/// reqwest brings a provider, or there is no TLS.
#[cfg(not(all(feature = "rustls-no-provider", not(feature = "rustls-aws-lc"))))]
fn provide() -> Result<()> {
    Ok(())
}

/// Refuses a transport that needs TLS where there is none.
pub(super) fn refuse_without(needs_tls: bool) -> Result<()> {
    if cfg!(feature = "__tls") || !needs_tls {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Config,
        "an https:// address needs TLS: turn on one of the features `rustls-ring`, `rustls-aws-lc` and \
         `rustls-no-provider`, or give an `http_client`",
    ))
}

/// Makes a client trust these certificates, too.
#[cfg_attr(
    not(feature = "__tls"),
    allow(unused_variables, reason = "there are none")
)]
pub(super) fn trusting(
    client: reqwest::ClientBuilder,
    certificates: &[Certificate],
) -> reqwest::ClientBuilder {
    #[cfg(feature = "__tls")]
    if !certificates.is_empty() {
        return client.tls_certs_merge(certificates.iter().cloned());
    }
    client
}
