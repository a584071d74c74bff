//! Where the requests of an API go, and with which token.

use std::{collections::HashMap, fmt};

use url::Url;

use crate::{Error, ErrorKind, Operation, Result, retry::Quota, token::TokenSource};

/// APIs that every device serves itself; the cloud has none of them.
const ON_DEVICES: [&str; 1] = ["channels"];

/// One service: its address and its token.
pub(crate) struct Route {
    base: String,
    url: Url,
    pub(crate) token: Option<TokenSource>,
    /// Requests without a token are fine here.
    pub(crate) anonymous: bool,
    /// The service counts requests per minute.
    pub(crate) budgeted: bool,
    /// Repetitions that are left: an outage here is none elsewhere.
    pub(crate) quota: Quota,
}

impl Route {
    pub(crate) fn new(
        url: Url,
        token: Option<TokenSource>,
        anonymous: bool,
        budgeted: bool,
        quota: Quota,
    ) -> Self {
        Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            url,
            token,
            anonymous,
            budgeted,
            quota,
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The URL of a path or link at this service.
    ///
    /// An absolute link is taken as it is. A path is appended to the base URL; one that already
    /// has the base URL's own path in front, as links in answers may, is not given it twice.
    pub(crate) fn resolve(&self, link: &str) -> Result<Url> {
        let refuse = |why: &str| {
            // The query stays out of the message: it may hold anything.
            let shown = link.split(['?', '#']).next().unwrap_or_default();
            Error::new(ErrorKind::InvalidRequest, format!("`{shown}` {why}"))
        };
        if !link.starts_with('/') || link.starts_with("//") {
            return match Url::parse(link) {
                Ok(url) => Ok(url),
                Err(_) => Err(refuse(
                    "is neither a path that begins with one `/` nor an absolute URL",
                )),
            };
        }
        let prefix = self.url.path().trim_end_matches('/');
        let rest = link
            .strip_prefix(prefix)
            .filter(|rest| !prefix.is_empty() && rest.starts_with('/'))
            .unwrap_or(link);
        Url::parse(&format!("{}{rest}", self.base)).map_err(|_| refuse("is no usable path"))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("base", &self.base)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// The main service, and those that single APIs have for themselves.
#[derive(Debug)]
pub(crate) struct Routes {
    main: Route,
    own: HashMap<String, Route>,
    /// The main address is the cloud's.
    cloud: bool,
}

impl Routes {
    pub(crate) fn new(main: Route, own: HashMap<String, Route>, cloud: bool) -> Self {
        Self { main, own, cloud }
    }

    /// Where a request of this operation goes; the cloud token goes to no service that the cloud
    /// does not have.
    pub(crate) fn to(&self, operation: &'static Operation) -> Result<&Route> {
        self.served(operation.api)
            .map_err(|error| error.with_operation(operation))
    }

    /// The same for an API by its name.
    pub(crate) fn served(&self, api: &str) -> Result<&Route> {
        if self.cloud && ON_DEVICES.contains(&api) && !self.own.contains_key(api) {
            let message = format!(
                "the {api} API is served by devices, not by the cloud; nothing was sent. Set the \
                 device's address with `TransportBuilder::api_base_url(\"{api}\", …)` or in the \
                 profile's `[api.{api}]`"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(self.of(api))
    }

    /// Where the requests of an API go.
    pub(crate) fn of(&self, api: &str) -> &Route {
        self.own.get(api).unwrap_or(&self.main)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(base: &str) -> Route {
        let quota = Quota::new(1);
        Route::new(Url::parse(base).unwrap(), None, true, false, quota)
    }

    #[test]
    fn paths_and_links() {
        for (base, link, expected) in [
            ("https://h", "/a?b=%24c", "https://h/a?b=%24c"),
            ("https://h/", "/a", "https://h/a"),
            ("https://h/gw", "/a", "https://h/gw/a"),
            ("https://h/gw/", "/gw/a", "https://h/gw/a"),
            ("https://h/gw", "/gwen/a", "https://h/gw/gwen/a"),
            ("https://h", "https://h/a", "https://h/a"),
        ] {
            let url = route(base).resolve(link).unwrap();
            assert_eq!(url.as_str(), expected, "{base} {link}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_without_its_query() {
        for link in ["a?secret", "@evil.example", "//evil.example/a", ""] {
            let error = route("https://h").resolve(link).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn apis_with_a_service_of_their_own() {
        let own = HashMap::from([("channels".to_owned(), route("http://10.0.0.5/"))]);
        let routes = Routes::new(route("https://h"), own, true);
        assert_eq!(routes.of("channels").base(), "http://10.0.0.5");
        assert_eq!(routes.of("media").base(), "https://h");
    }
}
