//! From settings to a transport: what excludes what, and where the rest comes from.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use http::HeaderValue;
use url::Url;

use super::{CLOUD, TransportBuilder, base_url::base_url, fault};
use crate::{
    Result,
    budget::Budget,
    config::{Environment, Profile, TokenSetting},
    retry::{DEFAULT_RETRIES, RetryBudget},
    token::{Token, TokenSource},
    transport::{CallSettings, Carrier, Core, Route, Routes, Transport, origin},
    wait::Waits,
};

/// Names of the APIs, as [`Operation::api`](crate::Operation::api) has them.
const APIS: [&str; 7] = [
    "media",
    "management",
    "fleets",
    "infrastructure",
    "live",
    "templates",
    "channels",
];

impl<C> TransportBuilder<C> {
    /// Finishes the transport, or the client that is made from it. Nothing is sent.
    ///
    /// # Errors
    ///
    /// Kind [`Config`](crate::ErrorKind::Config): two settings exclude each other, one is unusable, there
    /// is no token, or a token would travel over plain HTTP. Kind [`Token`](crate::ErrorKind::Token): the
    /// token is empty or has characters that cannot stand in a header.
    pub fn build(self) -> Result<C>
    where
        C: From<Transport>,
    {
        self.transport().map(C::from)
    }

    fn transport(mut self) -> Result<Transport> {
        self.refuse_contradictions()?;
        self.fill()?;
        let user_agent = self.user_agent()?;
        let (http, carrier) = match (
            self.settings.http_client.take(),
            self.settings.dispatch.take(),
        ) {
            (Some(client), _) => (client.clone(), Carrier::Other(Arc::new(client))),
            (None, Some(dispatch)) => (self.client()?, Carrier::Other(dispatch)),
            (None, None) => {
                let client = self.client()?;
                (client.clone(), Carrier::Own(client))
            }
        };
        Ok(Transport {
            settings: CallSettings::default().with(&self.settings.options),
            core: Arc::new(Core {
                project: self.settings.project.take(),
                user_agent,
                http,
                carrier,
                budget: Budget::new(self.settings.budget),
                waits: Waits::default(),
                routes: self.routes()?,
            }),
        })
    }

    fn refuse_contradictions(&self) -> Result<()> {
        let own_client = self.settings.http_client.is_some();
        let own_dispatch = self.settings.dispatch.is_some();
        let proxy = !self.settings.proxies.is_empty();
        let certificate = !self.settings.certificates.is_empty();
        let pairs = [
            (
                "token",
                self.settings.token.is_some(),
                "token_provider",
                self.settings.provider.is_some(),
            ),
            (
                "token",
                self.settings.token.is_some(),
                "anonymous",
                self.settings.anonymous,
            ),
            (
                "token_provider",
                self.settings.provider.is_some(),
                "anonymous",
                self.settings.anonymous,
            ),
            ("http_client", own_client, "dispatch", own_dispatch),
            ("http_client", own_client, "proxy", proxy),
            ("http_client", own_client, "root_certificate", certificate),
            (
                "http_client",
                own_client,
                "connect_timeout",
                self.settings.connect_timeout.is_some(),
            ),
            ("dispatch", own_dispatch, "proxy", proxy),
            ("dispatch", own_dispatch, "root_certificate", certificate),
            (
                "dispatch",
                own_dispatch,
                "connect_timeout",
                self.settings.connect_timeout.is_some(),
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

    /// Fills what is not set from the environment, then from the profile: the one that is named
    /// here, else the one that the environment names, else the file's default.
    fn fill(&mut self) -> Result<()> {
        let environment = match &self.settings.environment {
            Some(lookup) => Some(Environment::read(lookup)?),
            None => None,
        };
        let mut named = self.settings.profile.clone();
        if let Some(environment) = environment {
            named = named.or(environment.profile);
            self.take(Profile {
                base_url: environment.base_url,
                project: environment.project,
                token: environment
                    .token
                    .map(|token| TokenSetting::Fixed(Token::new(token))),
                api: BTreeMap::new(),
            });
        } else if named.is_none() {
            return Ok(());
        }
        let file = self.settings.config_file.as_deref();
        let profile = Profile::load(file, named.as_deref())?;
        self.take(profile.unwrap_or_default());
        Ok(())
    }

    /// Takes what is not set yet.
    fn take(&mut self, profile: Profile) {
        if self.settings.base_url.is_none() {
            self.settings.base_url = profile.base_url;
        }
        if self.settings.project.is_none() {
            self.settings.project = profile.project;
        }
        if self.settings.token.is_none()
            && self.settings.provider.is_none()
            && !self.settings.anonymous
        {
            match profile.token {
                Some(TokenSetting::Fixed(token)) => self.settings.token = Some(token),
                Some(TokenSetting::Provider(provider)) => self.settings.provider = Some(provider),
                None => {}
            }
        }
        for (api, (url, token)) in profile.api {
            // A token belongs to the address it was given for.
            if !self.settings.apis.contains_key(&api) {
                if let (Some(token), false) = (token, self.settings.api_tokens.contains_key(&api)) {
                    self.settings.api_tokens.insert(api.clone(), token);
                }
                self.settings.apis.insert(api, url);
            }
        }
    }

    fn user_agent(&self) -> Result<Option<HeaderValue>> {
        let own = concat!("mkio-rust/", env!("CARGO_PKG_VERSION"));
        let text = match (&self.settings.user_agent_suffix, &self.settings.http_client) {
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
        let connect_timeout = self
            .settings
            .connect_timeout
            .unwrap_or(Duration::from_secs(10));
        // Both are done above, where tokens, verbs and budgets are known.
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout);
        // The environment's proxies are for what is far away: a token for this machine stays here.
        if self.settings.proxies.is_empty() && self.is_local() {
            client = client.no_proxy();
        }
        for proxy in self.settings.proxies.drain(..) {
            client = client.proxy(proxy);
        }
        if !self.settings.certificates.is_empty() {
            client = client.tls_certs_merge(self.settings.certificates.drain(..));
        }
        client.build().map_err(|error| {
            fault("the HTTP client cannot be built").with_source(error.without_url())
        })
    }

    /// The service is on this machine.
    fn is_local(&self) -> bool {
        let url = self.settings.base_url.as_deref().map(Url::parse);
        url.is_some_and(|url| url.is_ok_and(|url| origin::is_loopback(&url)))
    }

    /// The name of an API that is none.
    fn unknown_api(&self) -> Result<()> {
        let settings = &self.settings;
        let mut names = settings.apis.keys().chain(settings.api_tokens.keys());
        match names.find(|name| !APIS.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(fault(format!(
                "there is no API `{name}` to have a base URL or token; there are {}",
                APIS.join(", ")
            ))),
        }
    }

    fn routes(&mut self) -> Result<Routes> {
        self.unknown_api()?;
        let plain = self.settings.allow_plain_http;
        let margin = self
            .settings
            .refresh_margin
            .unwrap_or(Duration::from_secs(60));
        let source = |setting| match setting {
            TokenSetting::Fixed(token) => TokenSource::fixed(token),
            TokenSetting::Provider(provider) => Ok(TokenSource::provided(provider, margin)),
        };
        let retries = self.settings.retry_budget.unwrap_or(DEFAULT_RETRIES);
        let retry_budget = || RetryBudget::new(retries);
        let mut own = HashMap::new();
        for (api, url) in std::mem::take(&mut self.settings.apis) {
            let setting = format!("the base URL of the {api} API");
            let token = self
                .settings
                .api_tokens
                .remove(&api)
                .map(source)
                .transpose()?;
            let url = base_url(&setting, &url, token.is_some() && !plain)?;
            own.insert(api, Route::new(url, token, true, false, retry_budget()));
        }
        if let Some(api) = self.settings.api_tokens.keys().next() {
            return Err(fault(format!(
                "the {api} API has a token but no base URL of its own; set `api_base_url` too"
            )));
        }
        let token = match (self.settings.token.take(), self.settings.provider.take()) {
            (Some(token), _) => Some(TokenSetting::Fixed(token)),
            (None, provider) => provider.map(TokenSetting::Provider),
        };
        if token.is_none() && !self.settings.anonymous && own.is_empty() {
            return Err(fault(
                "there is no token: set MKIO_TOKEN, name a profile that has one, or give the \
                 builder a `token` or `token_provider` (`anonymous` sends none)",
            ));
        }
        let token = token.map(source).transpose()?;
        let url = self.settings.base_url.as_deref().unwrap_or(CLOUD);
        let url = base_url("the base URL", url, token.is_some() && !plain)?;
        let cloud = Url::parse(CLOUD).is_ok_and(|cloud| origin::equal(&cloud, &url));
        Ok(Routes::new(
            Route::new(url, token, self.settings.anonymous, true, retry_budget()),
            own,
            cloud,
        ))
    }
}
