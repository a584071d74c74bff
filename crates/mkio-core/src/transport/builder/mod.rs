//! Puts a transport together.

pub(super) mod base_url;
mod build;

use std::{
    collections::BTreeMap, ffi::OsString, fmt, marker::PhantomData, path::PathBuf, sync::Arc,
    time::Duration,
};

use url::Url;

use super::{CallOptions, Dispatch, tls};
use crate::{
    Error, ErrorKind, Metrics, Transport,
    budget::RateBudget,
    config::{Lookup, TokenSetting},
    retry::{DEFAULT_RETRIES, RetryPolicy},
    token::{Token, TokenProvider},
};

/// Where the cloud APIs are.
const CLOUD: &str = "https://app.mk.io";

/// The hosts that serve them.
const CLOUD_HOSTS: [&str; 2] = ["app.mk.io", "api.mk.io"];

/// Builds a [`Transport`](crate::Transport).
///
/// Settings made here come first. With [`with_env`](Self::with_env), environment variables fill
/// unset values, and the profile fills the values that are still unset, also a profile that is
/// named in code: to use nothing but a profile, name it with [`profile`](Self::profile) and leave
/// `with_env` out.
///
/// A token is sent only to the address it was given for. A token of one source (environment,
/// profile) with a base URL of the other one is an error, unless one of the two is set here.
///
/// # Profiles
///
/// The profile file is `mkio/config.toml` under `$XDG_CONFIG_HOME` (by default `~/.config`), on
/// Windows under `%APPDATA%`. On Unix only its owner may have access to it.
///
/// ```toml
/// default = "prod"                      # used when no profile is named
///
/// [profiles.prod]
/// project = "acme"
/// token_command = ["op", "read", "op://video/mkio/token"]
///
/// [profiles.stage]
/// base_url = "https://stage.example"
/// protected = true                      # the command line asks before changes
/// token_file = "stage.token"            # relative to this file; `~/` is the home directory
///
/// [profiles.stage.api.channels]         # an API with a service of its own
/// base_url = "http://10.0.0.5:8080"     # its token is optional, and never the one above
/// ```
///
/// A profile has one of `token`, `token_file` and `token_command`; files and commands are asked
/// again whenever a new token is needed.
#[must_use = "a builder does nothing until it is built"]
pub struct TransportBuilder<C = Transport> {
    settings: Settings,
    makes: PhantomData<fn() -> C>,
}

#[derive(Clone, Default)]
struct Settings {
    token: Option<Token>,
    provider: Option<Arc<dyn TokenProvider>>,
    anonymous: bool,
    base_url: Option<String>,
    project: Option<String>,
    profile: Option<String>,
    config_file: Option<PathBuf>,
    environment: Option<Lookup>,
    apis: BTreeMap<String, String>,
    api_tokens: BTreeMap<String, TokenSetting>,
    allow_plain_http: bool,
    refresh_margin: Option<Duration>,
    user_agent_suffix: Option<String>,
    connect_timeout: Option<Duration>,
    proxies: Vec<reqwest::Proxy>,
    certificates: Vec<tls::Certificate>,
    http_client: Option<reqwest::Client>,
    dispatch: Option<Arc<dyn Dispatch>>,
    options: CallOptions,
    retry_budget: Option<u32>,
    budget: RateBudget,
    metrics: Option<Arc<dyn Metrics>>,
}

impl Settings {
    /// Retries in a full retry budget.
    fn retries(&self) -> u32 {
        self.retry_budget.unwrap_or(DEFAULT_RETRIES)
    }
}

impl<C> TransportBuilder<C> {
    /// No settings yet. `C` is the type that is built: a [`Transport`], or a client that is made from
    /// one.
    pub fn new() -> Self {
        Self {
            settings: Settings::default(),
            makes: PhantomData,
        }
    }
}

impl<C> Default for TransportBuilder<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Clone for TransportBuilder<C> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            makes: PhantomData,
        }
    }
}

/// Addresses and credentials.
impl<C> TransportBuilder<C> {
    /// Bearer token for the cloud APIs. Excludes [`token_provider`](Self::token_provider).
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.settings.token = Some(token.into());
        self
    }

    /// Asks this provider for the bearer token. Excludes [`token`](Self::token).
    pub fn token_provider(mut self, provider: impl TokenProvider + 'static) -> Self {
        self.settings.provider = Some(Arc::new(provider));
        self
    }

    /// Sends requests without a token, for example to an emulator. Excludes a token.
    pub fn anonymous(mut self) -> Self {
        self.settings.anonymous = true;
        self
    }

    /// Address of the service, by default `https://app.mk.io`. May have a path, which is put
    /// before every path; an `/api/v1` at its end is left out, since every path has it.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base_url = Some(url.into());
        self
    }

    /// Project for calls that name none.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.settings.project = Some(name.into());
        self
    }

    /// Takes settings that have no other value from this profile of the profile file. It comes before
    /// the one that `MKIO_PROFILE` names.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.settings.profile = Some(name.into());
        self
    }

    /// Profile file to read instead of `mkio/config.toml` under the operating system's configuration
    /// directory. It is read when a profile is named or [`with_env`](Self::with_env) is used.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.config_file = Some(path.into());
        self
    }

    /// Takes unset values from `MKIO_TOKEN`, `MKIO_BASE_URL` and `MKIO_PROJECT`, then from the
    /// profile that `MKIO_PROFILE` names, or the profile file's default.
    pub fn with_env(self) -> Self {
        self.with_env_from(|name| std::env::var_os(name))
    }

    /// The same with another source of variables.
    pub fn with_env_from(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.settings.environment = Some(Arc::new(lookup));
        self
    }

    /// Sets the address of an API that has a service of its own, by the API's name (see
    /// [`Operation::api`](crate::Operation::api)): `api_base_url("channels",
    /// "http://10.0.0.5:8080")` is that of a Beam device. The cloud token is never sent there, and
    /// the cloud's rate limits are not applied.
    pub fn api_base_url(mut self, api: impl Into<String>, url: impl Into<String>) -> Self {
        self.settings.apis.insert(api.into(), url.into());
        self
    }

    /// Bearer token for an API with a service of its own. Without one, its requests carry none.
    pub fn api_token(mut self, api: impl Into<String>, token: impl Into<Token>) -> Self {
        self.settings
            .api_tokens
            .insert(api.into(), TokenSetting::Fixed(token.into()));
        self
    }

    /// Asks this provider for the bearer token of an API with a service of its own.
    pub fn api_token_provider(
        mut self,
        api: impl Into<String>,
        provider: impl TokenProvider + 'static,
    ) -> Self {
        self.settings
            .api_tokens
            .insert(api.into(), TokenSetting::Provider(Arc::new(provider)));
        self
    }

    /// Allows tokens over plain HTTP to hosts that are not loopback. Default `false`.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.settings.allow_plain_http = allow;
        self
    }

    /// A provider is asked for a new token when the old one expires within this time.
    /// Default 60 s.
    pub fn refresh_margin(mut self, margin: Duration) -> Self {
        self.settings.refresh_margin = Some(margin);
        self
    }
}

/// How requests are sent.
impl<C> TransportBuilder<C> {
    /// Added to the `User-Agent` header, for example `nightly-ingest/2.1`.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.settings.user_agent_suffix = Some(suffix.into());
        self
    }

    /// Longest time for making a connection. Default 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = Some(limit);
        self
    }

    /// Longest time for one attempt, its body included; for streamed bodies, longest silence.
    /// Default 60 s.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.settings.options = self.settings.options.attempt_timeout(limit);
        self
    }

    /// Longest time for a whole call: all attempts and all waits. Default 300 s.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.settings.options = self.settings.options.total_timeout(limit);
        self
    }

    /// Most bytes of a response body, unless it is streamed. Default 100 MiB. A larger one is an error
    /// of kind [`Decode`](ErrorKind::Decode).
    pub fn response_limit(mut self, bytes: u64) -> Self {
        self.settings.options = self.settings.options.response_limit(bytes);
        self
    }

    /// How often and at what distance failed attempts are retried. Default: [`RetryPolicy::default`].
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.options = self.settings.options.retry(policy);
        self
    }

    /// Retries that all calls to one service may spend while it keeps failing (a token bucket).
    /// Answered calls refill it; retries keep flowing while about two thirds of the calls succeed.
    /// Default 100 for each service. With 0, a call is retried only where the service asks for it:
    /// after a 429, and after a 503 with a `Retry-After` of a second or more. These retries never
    /// count.
    pub fn retry_budget(mut self, retries: u32) -> Self {
        self.settings.retry_budget = Some(retries);
        self
    }

    /// How many requests per minute the client allows itself. Default: 2,000 reads and 1,000 writes for each
    /// project.
    pub fn rate_budget(mut self, budget: RateBudget) -> Self {
        self.settings.budget = budget;
        self
    }

    /// Receives counts and times of calls, attempts, budget waits and polls. Default: none.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.settings.metrics = Some(Arc::new(metrics));
        self
    }

    /// Sends requests through a proxy; call it again for more. Without this, the usual environment
    /// variables (`HTTPS_PROXY`, …) apply to every request that does not go to this machine.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.settings.proxies.push(proxy);
        self
    }

    /// Trusts another root certificate besides those of the operating system; call it again for more.
    #[cfg(feature = "__tls")]
    pub fn root_certificate(mut self, certificate: reqwest::Certificate) -> Self {
        self.settings.certificates.push(certificate);
        self
    }

    /// Uses an HTTP client of yours. Its connection pool, proxy, certificates, timeouts and
    /// `User-Agent` apply, so those cannot be set here. Start it with
    /// [`http_client_builder`](crate::http_client_builder), or disable its redirects and retries: a
    /// response from another origin, or of a redirected write, is rejected, and its retries are not
    /// counted.
    ///
    /// Its connections belong to the tokio runtime that made them; give each runtime a client of its
    /// own if one of them may stand still. Without this setting that is done for you.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.settings.http_client = Some(client);
        self
    }

    /// Sends requests in another way than over the network, for example to an emulator in the same
    /// process.
    pub fn dispatch(mut self, dispatch: impl Dispatch + 'static) -> Self {
        self.settings.dispatch = Some(Arc::new(dispatch));
        self
    }
}

fn config_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl<C> fmt::Debug for TransportBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins = |url: &String| {
            Url::parse(url).map_or_else(
                |_| "unusable".to_owned(),
                |url| url.origin().ascii_serialization(),
            )
        };
        f.debug_struct("TransportBuilder")
            .field("base_url", &self.settings.base_url.as_ref().map(origins))
            .field("token", &self.settings.token)
            .field("project", &self.settings.project)
            .field("profile", &self.settings.profile)
            .field("options", &self.settings.options)
            .field("budget", &self.settings.budget)
            .finish_non_exhaustive()
    }
}
