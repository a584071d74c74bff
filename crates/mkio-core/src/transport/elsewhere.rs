//! Transports to other hosts than the service's.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use super::{Core, Route, Routes, Transport, builder::base_url};
use crate::{RateBudget, Result, Token, budget::Budget, retry::RetryBudget, token::TokenSource};

impl Transport {
    /// A transport to another host with a token of its own, such as the host that serves the files of
    /// an asset.
    ///
    /// It shares connections, proxies, certificates, `User-Agent` and the settings of calls with this
    /// one. Its requests carry `token`, go to `url` and below it, and count in no rate budget. The
    /// token of this transport never goes there.
    ///
    /// # Errors
    ///
    /// Kind [`Config`](crate::ErrorKind::Config) when `url` is not a base URL, or is one of plain HTTP that
    /// leads away from this machine without `allow_plain_http`; kind
    /// [`Token`](crate::ErrorKind::Token) when the token is unusable.
    pub fn to_host(&self, url: &str, token: impl Into<Token>) -> Result<Self> {
        let core = &self.core;
        let address = base_url::address("the host's URL", url, !core.allow_plain_http)?;
        let token = TokenSource::fixed(token.into())?;
        let retries = RetryBudget::new(core.retries);
        let route = Route::new(address, Some(token), false, false, retries);
        Ok(Self {
            settings: Arc::clone(&self.settings),
            core: Arc::new(Core {
                project: None,
                user_agent: core.user_agent.clone(),
                http: core.http.clone(),
                carrier: Arc::clone(&core.carrier),
                budget: Budget::new(RateBudget::off()),
                metrics: core.metrics.clone(),
                retries: core.retries,
                allow_plain_http: core.allow_plain_http,
                attachment: OnceLock::new(),
                routes: Routes::new(route, HashMap::new(), false),
            }),
        })
    }
}
