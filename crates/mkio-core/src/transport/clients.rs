//! The HTTP clients of a transport.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::RwLock,
    time::Duration,
};

use reqwest::Client;
use tokio::runtime::{Handle, Id};
use url::Url;

use super::{DispatchError, origin, tls};
use crate::{
    Error, ErrorKind, Result,
    sync::{read, write},
};

/// Clients that are kept; the oldest goes first. A request that is under way keeps its own.
const MANY: usize = 16;

/// What every client of a transport is made with.
pub(crate) struct Recipe {
    pub(crate) connect_timeout: Duration,
    pub(crate) proxies: Vec<reqwest::Proxy>,
    pub(crate) certificates: Vec<tls::Certificate>,
    /// Names of this machine. DNS may know others by them.
    pub(crate) local_names: Vec<String>,
}

impl Recipe {
    /// The environment's proxies are for other machines: a token for this one stays here.
    fn avoids_proxies(&self, url: &Url) -> bool {
        self.proxies.is_empty() && origin::is_loopback(url)
    }

    pub(crate) fn client(&self, avoid_proxies: bool) -> Result<Client> {
        // Redirects and retries are done above, where tokens, methods and budgets are known.
        let mut client = tls::http_client_builder()?.connect_timeout(self.connect_timeout);
        if avoid_proxies {
            client = client.no_proxy();
        }
        for name in &self.local_names {
            let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            client = client.resolve_to_addrs(name, &loopback.map(|address| (address, 0).into()));
        }
        for proxy in &self.proxies {
            client = client.proxy(proxy.clone());
        }
        let client = tls::trusting(client, &self.certificates);
        client.build().map_err(|error| {
            Error::new(ErrorKind::Config, "the HTTP client cannot be built")
                .with_source(error.without_url())
        })
    }
}

/// One client for each tokio runtime and each use of proxies.
///
/// A connection belongs to the runtime that made it: when that stands still, so does every request
/// on the connection.
pub(crate) struct Clients {
    recipe: Recipe,
    made: RwLock<Vec<Made>>,
}

struct Made {
    /// `None` until a runtime takes it.
    runtime: Option<Id>,
    avoids_proxies: bool,
    client: Client,
}

impl Clients {
    /// Makes the client that requests to `url` need; it also shows that the recipe is usable.
    pub(crate) fn new(recipe: Recipe, url: &Url) -> Result<(Client, Self)> {
        let avoids_proxies = recipe.avoids_proxies(url);
        let client = recipe.client(avoids_proxies)?;
        let first = Made {
            runtime: None,
            avoids_proxies,
            client: client.clone(),
        };
        let made = RwLock::new(vec![first]);
        Ok((client, Self { recipe, made }))
    }

    /// The client for a request to `url` on this runtime.
    pub(super) fn client(&self, url: &Url) -> Result<Client, DispatchError> {
        let runtime = Handle::try_current().ok().map(|handle| handle.id());
        let avoids_proxies = self.recipe.avoids_proxies(url);
        let fits = |made: &Made| made.runtime == runtime && made.avoids_proxies == avoids_proxies;
        {
            let made = read(&self.made);
            if let Some(found) = made.iter().find(|made| fits(made)) {
                return Ok(found.client.clone());
            }
        }
        let mut made = write(&self.made);
        let free =
            |made: &&mut Made| made.runtime.is_none() && made.avoids_proxies == avoids_proxies;
        if let Some(free) = made.iter_mut().find(free) {
            free.runtime = runtime;
            return Ok(free.client.clone());
        }
        let client = self
            .recipe
            .client(avoids_proxies)
            .map_err(DispatchError::not_sent)?;
        if made.len() >= MANY {
            made.remove(0);
        }
        made.push(Made {
            runtime,
            avoids_proxies,
            client: client.clone(),
        });
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runtime_has_its_client_and_the_oldest_of_many_goes() {
        let recipe = Recipe {
            connect_timeout: Duration::from_secs(1),
            proxies: Vec::new(),
            certificates: Vec::new(),
            local_names: Vec::new(),
        };
        let url = Url::parse("https://h").unwrap();
        let (_, clients) = Clients::new(recipe, &url).unwrap();
        let mut runtimes = Vec::new();
        for n in 1..=MANY + 2 {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let runtime = runtime.unwrap();
            for _ in 0..2 {
                runtime.block_on(async { clients.client(&url).map(drop).unwrap() });
            }
            runtimes.push(runtime);
            let kept: Vec<_> = read(&clients.made)
                .iter()
                .map(|made| made.runtime)
                .collect();
            let last = runtimes.iter().map(|runtime| Some(runtime.handle().id()));
            let last: Vec<_> = last.skip(n.saturating_sub(MANY)).collect();
            assert_eq!(kept, last);
        }
    }
}
