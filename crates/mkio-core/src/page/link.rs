//! Where the next page of a list is.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use percent_encoding::percent_decode_str;
use url::Url;

/// Why a next link cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadLink {
    /// The text is not a URL reference.
    Unreadable,
    /// Not the address of this list.
    OtherList(String),
}

impl std::fmt::Display for BadLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable => f.write_str("the link to the next page is not a URL"),
            Self::OtherList(path) => write!(
                f,
                "the link to the next page leads to {path}, which is not this list"
            ),
        }
    }
}

/// The address of the page that `link` means, seen from a page of the list at `list`.
///
/// A list lives at one path and its pages differ in the query alone, so the address of the request
/// stays and the link gives the query. That makes absolute and relative links, and those with
/// another host or prefix, mean the same: Beam devices answer `/channels?…` for `/api/channels/`,
/// and a service behind a gateway, or with two hosts, may call itself by another name. No request,
/// and no token, goes where the link leads.
pub(crate) fn resolve(list: &Url, link: &str) -> Result<Url, BadLink> {
    let link = link.trim();
    let target = list.join(link).map_err(|_| BadLink::Unreadable)?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(BadLink::Unreadable);
    }
    if !link.starts_with('?') && collection(&target) != collection(list) {
        return Err(BadLink::OtherList(target.path().to_owned()));
    }
    let mut page = list.clone();
    // `%24top` and `$top` are the same parameter; a URL's query keeps either as it is.
    page.set_query(target.query());
    page.set_fragment(None);
    Ok(page)
}

/// Last segment of the path, decoded: the name of the collection.
fn collection(url: &Url) -> String {
    let name = url
        .path()
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// Name of the parameter for the page size.
const TOP: &str = "$top";

/// Whether the page size is said.
pub(crate) fn has_top(url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| name == TOP)
}

/// Says the page size.
pub(crate) fn set_top(url: &mut Url, top: u64) {
    url.query_pairs_mut().append_pair(TOP, &top.to_string());
}

/// Takes the page size out and leaves everything else as it is written.
pub(crate) fn remove_top(url: &mut Url) {
    let names_top = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_decode_str(name).decode_utf8_lossy() == TOP
    };
    let kept: Vec<_> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !names_top(pair))
        .collect();
    let kept = kept.join("&");
    url.set_query(Some(&*kept).filter(|query| !query.is_empty()));
}

/// Pages that have been asked for, as hashes: a list of a million items stays a few kilobytes.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashSet<u64>);

impl Seen {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a page; `false` when it was noted before, however its parameters were escaped.
    pub(crate) fn insert(&mut self, page: &Url) -> bool {
        let mut hasher = DefaultHasher::new();
        page.path().hash(&mut hasher);
        for (name, value) in page.query_pairs() {
            (name, value).hash(&mut hasher);
        }
        self.0.insert(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    const ASSETS: &str = "https://app.mk.io/api/v1/projects/acme/media/assets?$top=2";

    #[test]
    fn follows_every_form_that_the_service_writes() {
        let list = "https://app.mk.io/api/v1/projects/acme/media/assets?";
        for link in [
            "https://app.mk.io/api/v1/projects/acme/media/assets?$top=2&$skiptoken=2",
            "https://app.mk.io:443/api/v1/projects/acme/media/assets/?$top=2&$skiptoken=2",
            "/api/v1/projects/acme/media/assets?$top=2&$skiptoken=2",
            "/assets?$top=2&$skiptoken=2",
            "/api/ams/acme/assets?$top=2&$skiptoken=2",
            "assets?$top=2&$skiptoken=2",
            "?$top=2&$skiptoken=2",
            " ?$top=2&$skiptoken=2 ",
        ] {
            let page = resolve(&url(ASSETS), link).unwrap();
            assert_eq!(
                page.as_str(),
                format!("{list}$top=2&$skiptoken=2"),
                "{link}"
            );
        }
    }

    #[test]
    fn keeps_the_devices_path_and_every_parameter() {
        let list = url("http://beam.local:8080/api/channels/?%24top=1");
        let link = "/channels?%24top=1&%24skiptoken=1&%24filter=name%20eq%20%27a%26b%27&x=%C3%A9";
        assert_eq!(
            resolve(&list, link).unwrap().as_str(),
            "http://beam.local:8080/api/channels/?%24top=1&%24skiptoken=1\
             &%24filter=name%20eq%20%27a%26b%27&x=%C3%A9"
        );
    }

    #[test]
    fn no_link_leads_away() {
        for link in [
            "https://api.mk.io/api/v1/projects/acme/media/assets?$skiptoken=2",
            "https://evil.example/api/v1/projects/acme/media/assets?$skiptoken=2",
            "//evil.example/assets?$skiptoken=2",
            "http://app.mk.io/api/v1/projects/acme/media/assets?$skiptoken=2",
            "https://app.mk.io:8443/api/v1/projects/acme/media/assets?$skiptoken=2",
            "https://app.mk.io@evil.example/assets?$skiptoken=2",
            "https://user:password@app.mk.io/assets?$skiptoken=2#x",
            "\\\\evil.example\\assets?$skiptoken=2",
            "/\\evil.example/assets?$skiptoken=2",
            "\t//evil.example/assets?$skiptoken=2",
        ] {
            let page = resolve(&url(ASSETS), link).unwrap();
            assert_eq!(
                page.as_str(),
                "https://app.mk.io/api/v1/projects/acme/media/assets?$skiptoken=2",
                "{link}"
            );
        }
        let gateway = url("https://gw.example/mkio/api/v1/projects/acme/media/assets");
        let link = "https://app.mk.io/api/v1/projects/acme/media/assets?$skiptoken=2";
        assert_eq!(
            resolve(&gateway, link).unwrap().as_str(),
            "https://gw.example/mkio/api/v1/projects/acme/media/assets?$skiptoken=2"
        );
    }

    #[test]
    fn refuses_what_is_not_this_list() {
        assert_eq!(
            resolve(&url(ASSETS), "/api/v1/user/tokens?$skiptoken=2"),
            Err(BadLink::OtherList("/api/v1/user/tokens".to_owned()))
        );
        for link in [
            "https://",
            "file:///assets",
            "data:assets",
            "javascript:assets",
        ] {
            assert_eq!(
                resolve(&url(ASSETS), link),
                Err(BadLink::Unreadable),
                "{link}"
            );
        }
        assert_eq!(
            resolve(&url(ASSETS), "https://evil.example/tokens?$skiptoken=2"),
            Err(BadLink::OtherList("/tokens".to_owned()))
        );
    }

    #[test]
    fn knows_a_page_however_it_is_escaped() {
        let mut seen = Seen::default();
        assert!(seen.insert(&url("https://h/assets?$skiptoken=2&$top=2")));
        assert!(!seen.insert(&url("https://h/assets?%24skiptoken=2&%24top=2")));
        assert!(seen.insert(&url("https://h/assets?$skiptoken=4&$top=2")));
    }

    #[test]
    fn the_page_size_comes_and_goes_and_leaves_the_rest_alone() {
        for (without, with) in [
            ("https://h/assets", "https://h/assets?%24top=5"),
            (
                "https://h/assets?$skiptoken=2&x=%C3%A9+b",
                "https://h/assets?$skiptoken=2&x=%C3%A9+b&%24top=5",
            ),
        ] {
            let mut page = url(without);
            assert!(!has_top(&page));
            set_top(&mut page, 5);
            assert_eq!(page.as_str(), with);
            assert!(has_top(&page));
            remove_top(&mut page);
            assert_eq!(page.as_str(), without);
        }
        let mut page = url("https://h/assets?$top=2&a=$top&%24top=7&top=1");
        remove_top(&mut page);
        assert_eq!(page.as_str(), "https://h/assets?a=$top&top=1");
    }
}
