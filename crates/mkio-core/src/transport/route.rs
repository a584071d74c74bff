//! Where the requests of an API go, and with which token.

use std::{collections::HashMap, fmt};

use percent_encoding::percent_decode_str;
use url::Url;

use super::origin;
use crate::{
    Error, ErrorKind, Operation, Result, apis::ON_DEVICES, retry::RetryBudget, token::TokenSource,
};

/// Most paths are shorter.
const ROOM: usize = 160;

/// One service: its address and its token.
pub(crate) struct Route {
    base: String,
    address: Url,
    /// The address with a long path: its copies have room for the paths of requests.
    roomy: Url,
    pub(crate) token: Option<TokenSource>,
    /// Requests without a token are fine here.
    pub(crate) anonymous: bool,
    /// The service counts requests per minute.
    pub(crate) budgeted: bool,
    /// Retries that are left: an outage here is none elsewhere.
    pub(crate) retry_budget: RetryBudget,
}

impl Route {
    pub(crate) fn new(
        address: Url,
        token: Option<TokenSource>,
        anonymous: bool,
        budgeted: bool,
        retry_budget: RetryBudget,
    ) -> Self {
        let mut roomy = address.clone();
        roomy.set_path(&"-".repeat(ROOM));
        Self {
            roomy,
            base: address.as_str().trim_end_matches('/').to_owned(),
            address,
            token,
            anonymous,
            budgeted,
            retry_budget,
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn address(&self) -> &Url {
        &self.address
    }

    /// The URL of a path at this service. Every URL that is not a link of the service is made here.
    ///
    /// The path begins with `/`, has no query, and its names are percent-encoded already.
    /// Characters that a path cannot have, such as spaces, are encoded.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the path of the URL would not be the
    /// base URL's path and then this one: URLs drop tabs and line breaks, resolve `.` and `..`, and
    /// read `\` as `/`.
    pub(crate) fn url(&self, path: &str) -> Result<Url> {
        if !path.starts_with('/') || path.starts_with("//") {
            return Err(refused(path, "must begin with one `/`"));
        }
        if path.bytes().any(|byte| matches!(byte, b'?' | b'#')) {
            return Err(refused(
                path,
                "has a `?` or `#` that is not percent-encoded",
            ));
        }
        let mut url = self.roomy.clone();
        let prefix = self.prefix();
        if prefix.is_empty() {
            url.set_path(path);
        } else {
            url.set_path(&format!("{prefix}{path}"));
        }
        let kept = url.path().strip_prefix(prefix);
        if kept.is_some_and(|kept| kept == path || is_faithful(kept, path)) {
            return Ok(url);
        }
        Err(unfaithful(path))
    }

    /// Path of the base URL, without a trailing slash.
    fn prefix(&self) -> &str {
        self.address.path().trim_end_matches('/')
    }

    /// The URL of a path that may have a query.
    ///
    /// # Errors
    ///
    /// As [`url`](Self::url); also when the query has a tab, a line break or a `#`.
    pub(crate) fn url_with_query(&self, reference: &str) -> Result<Url> {
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let mut url = self.url(path)?;
        if let Some(query) = query {
            // The query stays out of the message: it may hold anything.
            if query.contains('#') {
                return Err(refused(
                    path,
                    "has a query with a `#` that is not percent-encoded",
                ));
            }
            url.set_query(Some(query));
            if !url.query().is_some_and(|kept| is_faithful(kept, query)) {
                return Err(refused(path, "has a query with a tab or a line break"));
            }
        }
        Ok(url)
    }

    /// The URL of a path or link at this service.
    ///
    /// An absolute link keeps its address. A path is appended to the base URL; one that already
    /// has the base URL's own path in front, as links in responses may, is not given it twice.
    ///
    /// # Errors
    ///
    /// As [`url_with_query`](Self::url_with_query).
    pub(crate) fn resolve(&self, link: &str) -> Result<Url> {
        if !link.starts_with('/') || link.starts_with("//") {
            return absolute(link);
        }
        let prefix = self.prefix();
        let rest = link
            .strip_prefix(prefix)
            .filter(|rest| !prefix.is_empty() && rest.starts_with('/'))
            .unwrap_or(link);
        self.url_with_query(rest)
    }
}

/// An absolute link, when a URL keeps its path.
fn absolute(link: &str) -> Result<Url> {
    let neither = "is neither a path that begins with one `/` nor an absolute URL";
    let parsed = Url::parse(link).map_err(|_| refused(link, neither))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        // Of another origin than any service.
        return Ok(parsed);
    }
    let (_, rest) = link
        .split_once("://")
        .ok_or_else(|| refused(link, neither))?;
    let reference = rest
        .find(['/', '?', '#', '\\'])
        .map_or("", |at| &rest[at..]);
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    if parsed.path() == path || path.is_empty() || is_faithful(parsed.path(), path) {
        return Ok(parsed);
    }
    Err(unfaithful(path))
}

/// The URL parser kept the text, except for characters that it percent-encoded.
fn is_faithful(parsed: &str, text: &str) -> bool {
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    slashes(parsed) == slashes(text) && percent_decode_str(parsed).eq(percent_decode_str(text))
}

fn unfaithful(path: &str) -> Error {
    let is_dots = |segment: &str| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        plain == "." || plain == ".."
    };
    let why = if path.split(['/', '\\']).any(is_dots) {
        "has a `.` or `..` segment"
    } else {
        "has a character that URLs drop or read as `/`, such as a tab or `\\`; percent-encode it"
    };
    refused(path, why)
}

fn refused(path: &str, why: &str) -> Error {
    // The query stays out of the message: it may hold anything.
    let shown = path.split(['?', '#']).next().unwrap_or_default();
    let message = format!("the path `{}` {why}", shown.escape_debug());
    Error::new(ErrorKind::InvalidRequest, message)
}

/// The segments of a path are those of a template, with something for each parameter.
pub(super) fn fits(path: &str, template: &str) -> bool {
    // This runs for every call, and its parts are short: a plain search is the fastest.
    let (mut path, mut template) = (path.as_bytes(), template.as_bytes());
    let find = |wanted: u8, text: &[u8]| text.iter().position(|byte| *byte == wanted);
    let segment = |text: &[u8]| find(b'/', text).unwrap_or(text.len());
    while let Some(parameter) = find(b'{', template) {
        let (before, after) = template.split_at(parameter);
        let Some(rest) = path.strip_prefix(before) else {
            return false;
        };
        let value = segment(rest);
        if value == 0 {
            return false;
        }
        path = &rest[value..];
        template = &after[segment(after)..];
    }
    path == template
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

    /// Names by which services on this machine are called.
    pub(crate) fn local_names(&self) -> Vec<String> {
        let addresses = std::iter::once(&self.main).chain(self.own.values());
        addresses
            .map(Route::address)
            .filter(|address| origin::is_loopback(address))
            .filter_map(|address| address.domain().map(str::to_owned))
            .collect()
    }

    /// The main service.
    pub(crate) fn main(&self) -> &Route {
        &self.main
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
        let budget = RetryBudget::new(1);
        Route::new(Url::parse(base).unwrap(), None, true, false, budget)
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
            ("https://h", "https://h", "https://h/"),
            ("https://h", "https://h?b=c", "https://h/?b=c"),
            // Characters that a path cannot have are encoded.
            ("https://h", "/a b/é", "https://h/a%20b/%C3%A9"),
            ("https://h", "https://h/a b/é", "https://h/a%20b/%C3%A9"),
        ] {
            let url = route(base).resolve(link).unwrap();
            assert_eq!(url.as_str(), expected, "{base} {link}");
        }
    }

    #[test]
    fn what_urls_lose_is_refused() {
        for link in [
            "/.\t./x",
            "/a/%2e%2E/x",
            "/a/.\n",
            "/a\\b",
            "/a\r/x",
            "/\t/evil.example",
            "/a\t",
            "/a?b=\t",
            "/a?b#c",
            "/a#c",
            "/..",
            "https://h/a/../b",
            "https://h\\a",
            "https://h/a\tb",
        ] {
            for base in ["https://h", "https://h/gw/"] {
                let error = route(base).resolve(link).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{link:?}");
            }
        }
    }

    #[test]
    fn a_path_that_is_refused_is_told_what_is_wrong_with_it() {
        let dots = "has a `.` or `..` segment";
        let lost = "has a character that URLs drop or read as `/`";
        for (path, why) in [
            ("/a/./b", dots),
            ("/a/%2E%2e", dots),
            ("/..\\a", dots),
            ("/a\tb", lost),
            ("/a\\b", lost),
        ] {
            let error = route("https://h").url(path).unwrap_err();
            assert!(error.message().contains(why), "{path:?}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_path_is_under_the_base_url_or_refused(
            path in "(/|//)?([a-c%2e./?#\\\\\t\n\r ;:@]|\\PC){0,12}",
            prefix in "(/g%20w|/gw/x)?/?",
        ) {
            let route = route(&format!("https://h{prefix}"));
            if let Ok(url) = route.url(&path) {
                let base = Url::parse(&format!("https://h{prefix}")).unwrap();
                let under = url.path().strip_prefix(base.path().trim_end_matches('/')).unwrap();
                proptest::prop_assert_eq!(under.split('/').count(), path.split('/').count());
                proptest::prop_assert!(percent_decode_str(under).eq(percent_decode_str(&path)));
                proptest::prop_assert_eq!((url.query(), url.fragment()), (None, None));
                proptest::prop_assert_eq!(Url::parse(url.as_str()).unwrap(), url);
            }
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
