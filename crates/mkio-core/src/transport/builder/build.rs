//! From settings to a transport: what excludes what, and where the rest comes from.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::HeaderValue;

use super::{CLOUD, CLOUD_HOSTS, TransportBuilder, base_url::base_url, config_error};
use crate::{
    Result,
    apis::APIS,
    budget::Budget,
    config::{Environment, Profile, TokenSetting},
    retry::RetryBudget,
    token::{Token, TokenSource},
    transport::{CallSettings, Carrier, Clients, Core, Recipe, Route, Routes, Transport, tls},
};

/// Longest time for making a connection, unless set otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The sources of token and base URL that were not set in code, by number and name.
#[derive(Default)]
struct Origins {
    sources: usize,
    token: Option<(usize, String)>,
    base_url: Option<(usize, String)>,
}

impl Origins {
    /// A token goes only to the address it was given for: with it, or the default.
    fn check(&self) -> Result<()> {
        let (token, base_url) = match (&self.token, &self.base_url) {
            (Some(token), Some(base_url)) if token.0 != base_url.0 => (&token.1, &base_url.1),
            _ => return Ok(()),
        };
        Err(config_error(format!(
            "{token} was not given for {base_url}; nothing was sent. Let one source give both, or \
             set one of them in code with `token`, `token_provider` or `base_url`"
        )))
    }
}

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
        self.apply_sources()?;
        let user_agent = self.user_agent()?;
        let needs_tls = self.needs_tls();
        let routes = self.routes()?;
        let settings = &mut self.settings;
        let recipe = Recipe {
            connect_timeout: settings.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
            proxies: std::mem::take(&mut settings.proxies),
            certificates: std::mem::take(&mut settings.certificates),
            local_names: routes.local_names(),
        };
        let (http, carrier) = match (settings.http_client.take(), settings.dispatch.take()) {
            (Some(client), _) => (client.clone(), Carrier::Other(Arc::new(client))),
            (None, Some(dispatch)) => (recipe.client(false)?, Carrier::Other(dispatch)),
            (None, None) => {
                tls::refuse_without(needs_tls)?;
                let (client, clients) = Clients::new(recipe, routes.main().address())?;
                (client, Carrier::Own(clients))
            }
        };
        Ok(Transport {
            settings: Arc::new(CallSettings::default().with(&settings.options)),
            core: Arc::new(Core {
                project: settings.project.take(),
                user_agent,
                http,
                carrier: Arc::new(carrier),
                budget: Budget::new(settings.budget),
                metrics: settings.metrics.take(),
                retries: settings.retries(),
                allow_plain_http: settings.allow_plain_http,
                attachment: OnceLock::new(),
                routes,
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
                return Err(config_error(format!(
                    "`{one}` and `{other}` exclude each other; set one of them"
                )));
            }
        }
        Ok(())
    }

    /// Fills unset values from the environment, then from the profile: the one that is named
    /// here, else the one that the environment names, else the file's default.
    fn apply_sources(&mut self) -> Result<()> {
        let environment = match &self.settings.environment {
            Some(lookup) => Some(Environment::read(lookup)?),
            None => None,
        };
        let mut named = self.settings.profile.clone();
        let mut from = Origins::default();
        if let Some(environment) = environment {
            named = named.or(environment.profile);
            let variables = Profile {
                base_url: environment.base_url,
                project: environment.project,
                token: environment
                    .token
                    .map(|token| TokenSetting::Fixed(Token::new(token))),
                ..Profile::default()
            };
            self.apply_profile(variables, ["MKIO_TOKEN", "MKIO_BASE_URL"], &mut from);
        } else if named.is_none() {
            return Ok(());
        }
        let file = self.settings.config_file.as_deref();
        if let Some(profile) = Profile::load(file, named.as_deref())? {
            let token = format!("the token of {}", profile.place);
            let base_url = format!("the base URL of {}", profile.place);
            self.apply_profile(profile, [&token, &base_url], &mut from);
        }
        from.check()
    }

    /// Takes values that are not set yet. `names` are those of the token and the base URL.
    fn apply_profile(&mut self, profile: Profile, names: [&str; 2], from: &mut Origins) {
        let [token_name, base_url_name] = names;
        from.sources += 1;
        if let (None, Some(url)) = (&self.settings.base_url, profile.base_url) {
            self.settings.base_url = Some(url);
            from.base_url = Some((from.sources, base_url_name.to_owned()));
        }
        if self.settings.project.is_none() {
            self.settings.project = profile.project;
        }
        if self.settings.token.is_none()
            && self.settings.provider.is_none()
            && !self.settings.anonymous
            && let Some(token) = profile.token
        {
            from.token = Some((from.sources, token_name.to_owned()));
            match token {
                TokenSetting::Fixed(token) => self.settings.token = Some(token),
                TokenSetting::Provider(provider) => self.settings.provider = Some(provider),
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
            config_error("`user_agent_suffix` has characters that cannot stand in a header")
        })?;
        Ok(Some(value))
    }

    /// Some address begins with `https://`.
    fn needs_tls(&self) -> bool {
        let cloud = self.settings.base_url.as_deref().unwrap_or(CLOUD);
        let devices = self.settings.apis.values().map(String::as_str);
        let mut all = devices.chain([cloud]);
        all.any(|url| url.trim_start().starts_with("https:"))
    }

    /// Refuses a name that no API has.
    fn unknown_api(&self) -> Result<()> {
        let settings = &self.settings;
        let mut names = settings.apis.keys().chain(settings.api_tokens.keys());
        let Some(name) = names.find(|name| !APIS.contains(&name.as_str())) else {
            return Ok(());
        };
        Err(config_error(format!(
            "a base URL or token is set for `{name}`, but there is no such API; there are {}",
            APIS.join(", ")
        )))
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
        let retries = self.settings.retries();
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
            return Err(config_error(format!(
                "the {api} API has a token but no base URL of its own; set `api_base_url` too"
            )));
        }
        let token = match (self.settings.token.take(), self.settings.provider.take()) {
            (Some(token), _) => Some(TokenSetting::Fixed(token)),
            (None, provider) => provider.map(TokenSetting::Provider),
        };
        if token.is_none() && !self.settings.anonymous && own.is_empty() {
            return Err(config_error(
                "there is no token: set MKIO_TOKEN, name a profile that has one, or give the \
                 builder a `token` or `token_provider` (`anonymous` sends none)",
            ));
        }
        let token = token.map(source).transpose()?;
        let url = self.settings.base_url.as_deref().unwrap_or(CLOUD);
        let url = base_url("the base URL", url, token.is_some() && !plain)?;
        let cloud = url.scheme() == "https"
            && url.port().is_none()
            && url
                .host_str()
                .is_some_and(|host| CLOUD_HOSTS.contains(&host));
        Ok(Routes::new(
            Route::new(url, token, self.settings.anonymous, true, retry_budget()),
            own,
            cloud,
        ))
    }
}
