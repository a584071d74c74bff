//! Puts a transport together.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    fmt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use http::HeaderValue;
use url::Url;

use super::{CallOptions, CallSettings, Core, Dispatch, Route, Routes, Transport, origin};
use crate::{
    Error, ErrorKind, Result,
    budget::{Budget, RateBudget},
    config::{Environment, Lookup, Profile, TokenSetting},
    retry::{Quota, RetryPolicy},
    token::{Token, TokenProvider, TokenSource},
    wait::Waits,
};

/// Where the cloud APIs are.
const CLOUD: &str = "https://app.mk.io";

/// Builds a [`Transport`].
///
/// Settings made here come first. With [`with_env`](Self::with_env), environment variables fill
/// what was not set, and a profile fills what they leave open. A profile that is named here with
/// [`profile`](Self::profile) comes before the environment.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct TransportBuilder {
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
    certificates: Vec<reqwest::Certificate>,
    http_client: Option<reqwest::Client>,
    dispatch: Option<Arc<dyn Dispatch>>,
    options: CallOptions,
    budget: RateBudget,
}

/// Whom to talk to, and as whom.
impl TransportBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Bearer token for the cloud APIs. Excludes [`token_provider`](Self::token_provider).
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Asks this provider for the bearer token. Excludes [`token`](Self::token).
    pub fn token_provider(mut self, provider: impl TokenProvider + 'static) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// Sends requests without a token, for example to an emulator. Excludes a token.
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// Address of the service, by default `https://app.mk.io`. May have a path, which is put
    /// before every path.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Project for calls that name none.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(name.into());
        self
    }

    /// Takes settings from this profile of the profile file, before the environment.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Profile file to read instead of `mkio/config.toml` under the platform's configuration
    /// directory. It is read when a profile is named or [`with_env`](Self::with_env) is used.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_file = Some(path.into());
        self
    }

    /// Takes what is not set here from `MKIO_TOKEN`, `MKIO_BASE_URL` and `MKIO_PROJECT`, then from
    /// the profile that `MKIO_PROFILE` names, or the profile file's default.
    pub fn with_env(self) -> Self {
        self.with_env_from(|name| std::env::var_os(name))
    }

    /// The same with another source of variables.
    pub fn with_env_from(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Some(Arc::new(lookup));
        self
    }

    /// Gives one API a service of its own, for example `channels` a Beam device:
    /// `api_base_url("channels", "http://10.0.0.5:8080")`. The cloud token is never sent there, and
    /// the cloud's rate limits are not applied.
    pub fn api_base_url(mut self, api: impl Into<String>, url: impl Into<String>) -> Self {
        self.apis.insert(api.into(), url.into());
        self
    }

    /// Bearer token for an API with a service of its own. Without one, its requests carry none.
    pub fn api_token(mut self, api: impl Into<String>, token: impl Into<Token>) -> Self {
        self.api_tokens
            .insert(api.into(), TokenSetting::Fixed(token.into()));
        self
    }

    /// Asks this provider for the bearer token of an API with a service of its own.
    pub fn api_token_provider(
        mut self,
        api: impl Into<String>,
        provider: impl TokenProvider + 'static,
    ) -> Self {
        self.api_tokens
            .insert(api.into(), TokenSetting::Provider(Arc::new(provider)));
        self
    }

    /// Lets tokens travel unencrypted, over plain HTTP to other machines. Default: refused.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.allow_plain_http = allow;
        self
    }

    /// A provider is asked for a new token when the old one expires within this time.
    /// Default 60 s.
    pub fn refresh_margin(mut self, margin: Duration) -> Self {
        self.refresh_margin = Some(margin);
        self
    }
}

/// How to talk to it.
impl TransportBuilder {
    /// Added to the `User-Agent` header, for example `nightly-ingest/2.1`.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent_suffix = Some(suffix.into());
        self
    }

    /// Longest time for making a connection. Default 10 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Longest time for one attempt, its body included; for streamed bodies, longest silence.
    /// Default 60 s.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.options = self.options.attempt_timeout(limit);
        self
    }

    /// Longest time for a whole call: all attempts and all waits. Default 300 s.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.options = self.options.total_timeout(limit);
        self
    }

    /// How often and at what distance failed attempts are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options = self.options.retry(policy);
        self
    }

    /// How many requests per minute the client allows itself.
    pub fn rate_budget(mut self, budget: RateBudget) -> Self {
        self.budget = budget;
        self
    }

    /// Sends requests through a proxy; call it again for more. Without this, the usual environment
    /// variables (`HTTPS_PROXY`, …) apply.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxies.push(proxy);
        self
    }

    /// Trusts another root certificate besides the platform's; call it again for more.
    pub fn root_certificate(mut self, certificate: reqwest::Certificate) -> Self {
        self.certificates.push(certificate);
        self
    }

    /// Uses an HTTP client of yours. It brings its own connections, proxy, certificates and
    /// timeouts, so these cannot be set here. Turn its redirects and retries off: redirects that
    /// it follows to another origin are dropped, and its retries are not counted.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Sends requests in another way than over the network, for example to an emulator in the same
    /// process.
    pub fn dispatch(mut self, dispatch: impl Dispatch + 'static) -> Self {
        self.dispatch = Some(Arc::new(dispatch));
        self
    }
}

fn fault(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl TransportBuilder {
    /// Finishes the transport. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Kind [`Config`](ErrorKind::Config): two settings exclude each other, one is unusable, there
    /// is no token, or a token would travel over plain HTTP.
    pub fn build(mut self) -> Result<Transport> {
        self.refuse_contradictions()?;
        self.fill()?;
        let user_agent = self.user_agent()?;
        let http = match self.http_client.take() {
            Some(client) => client,
            None => self.client()?,
        };
        let dispatch = match self.dispatch.take() {
            Some(dispatch) => dispatch,
            None => Arc::new(http.clone()),
        };
        Ok(Transport {
            settings: CallSettings::default().with(&self.options),
            core: Arc::new(Core {
                project: self.project.take(),
                user_agent,
                http,
                dispatch,
                budget: Budget::new(self.budget),
                quota: Quota::default(),
                waits: Waits::default(),
                routes: self.routes()?,
            }),
        })
    }

    fn refuse_contradictions(&self) -> Result<()> {
        let own_client = self.http_client.is_some();
        let own_dispatch = self.dispatch.is_some();
        let proxy = !self.proxies.is_empty();
        let certificate = !self.certificates.is_empty();
        let pairs = [
            (
                "token",
                self.token.is_some(),
                "token_provider",
                self.provider.is_some(),
            ),
            ("token", self.token.is_some(), "anonymous", self.anonymous),
            (
                "token_provider",
                self.provider.is_some(),
                "anonymous",
                self.anonymous,
            ),
            ("http_client", own_client, "dispatch", own_dispatch),
            ("http_client", own_client, "proxy", proxy),
            ("http_client", own_client, "root_certificate", certificate),
            (
                "http_client",
                own_client,
                "connect_timeout",
                self.connect_timeout.is_some(),
            ),
            ("dispatch", own_dispatch, "proxy", proxy),
            ("dispatch", own_dispatch, "root_certificate", certificate),
            (
                "dispatch",
                own_dispatch,
                "connect_timeout",
                self.connect_timeout.is_some(),
            ),
        ];
        for (one, given, other, given_too) in pairs {
            if given && given_too {
                return Err(fault(format!(
                    "`{one}` and `{other}` exclude each other; set one of them"
                )));
            }
        }
        Ok(())
    }

    /// Fills what is not set from the named profile, the environment, and the profile that the
    /// environment names, in this order.
    fn fill(&mut self) -> Result<()> {
        let path = self.config_file.clone();
        if let Some(name) = self.profile.clone() {
            let profile = Profile::load(path.as_deref(), Some(&name))?;
            self.take(profile.unwrap_or_default());
        }
        let Some(lookup) = self.environment.clone() else {
            return Ok(());
        };
        let environment = Environment::read(&lookup)?;
        let named = environment.profile.clone();
        self.take(Profile {
            base_url: environment.base_url,
            project: environment.project,
            token: environment
                .token
                .map(|token| TokenSetting::Fixed(Token::new(token))),
            api: BTreeMap::new(),
        });
        if self.profile.is_none() {
            let profile = Profile::load(path.as_deref(), named.as_deref())?;
            self.take(profile.unwrap_or_default());
        }
        Ok(())
    }

    /// Takes what is not set yet.
    fn take(&mut self, profile: Profile) {
        if self.base_url.is_none() {
            self.base_url = profile.base_url;
        }
        if self.project.is_none() {
            self.project = profile.project;
        }
        if self.token.is_none() && self.provider.is_none() && !self.anonymous {
            match profile.token {
                Some(TokenSetting::Fixed(token)) => self.token = Some(token),
                Some(TokenSetting::Provider(provider)) => self.provider = Some(provider),
                None => {}
            }
        }
        for (api, (url, token)) in profile.api {
            // A token belongs to the address it was given for.
            if !self.apis.contains_key(&api) {
                if let (Some(token), false) = (token, self.api_tokens.contains_key(&api)) {
                    self.api_tokens.insert(api.clone(), token);
                }
                self.apis.insert(api, url);
            }
        }
    }

    fn user_agent(&self) -> Result<Option<HeaderValue>> {
        let own = concat!("mkio-rust/", env!("CARGO_PKG_VERSION"));
        let text = match (&self.user_agent_suffix, &self.http_client) {
            (Some(suffix), _) => format!("{own} {suffix}"),
            (None, None) => own.to_owned(),
            // Yours says who it is.
            (None, Some(_)) => return Ok(None),
        };
        let value = HeaderValue::from_str(&text).map_err(|_| {
            fault("`user_agent_suffix` has characters that cannot stand in a header")
        })?;
        Ok(Some(value))
    }

    fn client(&mut self) -> Result<reqwest::Client> {
        let connect_timeout = self.connect_timeout.unwrap_or(Duration::from_secs(10));
        // Both are done above, where tokens, verbs and budgets are known.
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout);
        for proxy in self.proxies.drain(..) {
            client = client.proxy(proxy);
        }
        if !self.certificates.is_empty() {
            client = client.tls_certs_merge(self.certificates.drain(..));
        }
        client.build().map_err(|error| {
            fault("the HTTP client cannot be built").with_source(error.without_url())
        })
    }

    fn routes(&mut self) -> Result<Routes> {
        let plain = self.allow_plain_http;
        let margin = self.refresh_margin.unwrap_or(Duration::from_secs(60));
        let source = |setting| match setting {
            TokenSetting::Fixed(token) => TokenSource::fixed(token),
            TokenSetting::Provider(provider) => Ok(TokenSource::provided(provider, margin)),
        };
        let mut own = HashMap::new();
        for (api, url) in std::mem::take(&mut self.apis) {
            let setting = format!("the base URL of the {api} API");
            let token = self.api_tokens.remove(&api).map(source).transpose()?;
            let url = base_url(&setting, &url, token.is_some() && !plain)?;
            own.insert(api, Route::new(url, token, true, false));
        }
        if let Some(api) = self.api_tokens.keys().next() {
            return Err(fault(format!(
                "the {api} API has a token but no base URL of its own; set `api_base_url` too"
            )));
        }
        let token = match (self.token.take(), self.provider.take()) {
            (Some(token), _) => Some(TokenSetting::Fixed(token)),
            (None, provider) => provider.map(TokenSetting::Provider),
        };
        if token.is_none() && !self.anonymous && own.is_empty() {
            return Err(fault(
                "there is no token: set MKIO_TOKEN, name a profile that has one, or give the \
                 builder a `token` or `token_provider` (`anonymous` sends none)",
            ));
        }
        let token = token.map(source).transpose()?;
        let url = self.base_url.as_deref().unwrap_or(CLOUD);
        let url = base_url("the base URL", url, token.is_some() && !plain)?;
        Ok(Routes::new(
            Route::new(url, token, self.anonymous, true),
            own,
        ))
    }
}

/// Reads a base URL. `guarded`: a token will travel there, so it must be encrypted.
fn base_url(setting: &str, text: &str, guarded: bool) -> Result<Url> {
    // Not shown as it is: it may hold a password.
    let url = Url::parse(text.trim()).map_err(|error| {
        fault(format!("{setting} is no URL; it looks like `{CLOUD}`")).with_source(error)
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(fault(format!(
            "{setting} must begin with https:// or http://"
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault(format!(
            "{setting} must not hold a user name or password"
        )));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault(format!(
            "{setting} must not have a query or fragment"
        )));
    }
    if guarded && url.scheme() == "http" && !origin::is_loopback(&url) {
        return Err(fault(format!(
            "{setting}, {}, would send the token unencrypted; use https, or allow it with \
             `allow_plain_http`",
            url.origin().ascii_serialization()
        )));
    }
    Ok(url)
}

impl fmt::Debug for TransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins = |url: &String| {
            Url::parse(url).map_or_else(
                |_| "unusable".to_owned(),
                |url| url.origin().ascii_serialization(),
            )
        };
        f.debug_struct("TransportBuilder")
            .field("base_url", &self.base_url.as_ref().map(origins))
            .field("token", &self.token)
            .field("project", &self.project)
            .field("profile", &self.profile)
            .field("options", &self.options)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
