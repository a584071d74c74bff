//! URLs that may hold secrets.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Nullable, text};
use crate::page::query::{Literal, Text};

/// A URL as text, exactly as it was received or will be sent.
///
/// URLs of ingest, of storage and of webhooks hold secrets: a passphrase or signature in the query,
/// a stream key at the end of the path. `Debug` leaves out user name and password, the values of
/// the query, the last segment of the path and the fragment. [`as_str`](Self::as_str) gives the
/// whole text; there is no `Display`.
///
/// ```
/// use mkio_core::UrlText;
///
/// let url = UrlText::from("srt://10.0.0.5:9000?mode=caller&passphrase=hunter2");
/// assert_eq!(format!("{url:?}"), "\"srt://10.0.0.5:9000?mode=…&passphrase=…\"");
/// assert_eq!(url, "srt://10.0.0.5:9000?mode=caller&passphrase=hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct UrlText(String);

impl UrlText {
    /// The whole text; take care where it goes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole text, to be owned; take care where it goes.
    pub fn into_string(self) -> String {
        self.0
    }
}

crate::text_eq!(UrlText);

impl From<&str> for UrlText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for UrlText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&String> for UrlText {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl From<&str> for Nullable<UrlText> {
    fn from(text: &str) -> Self {
        Self::Value(text.into())
    }
}

impl From<String> for Nullable<UrlText> {
    fn from(text: String) -> Self {
        Self::Value(text.into())
    }
}

impl From<url::Url> for UrlText {
    fn from(url: url::Url) -> Self {
        Self(url.into())
    }
}

/// The whole text; take care where it goes.
impl Deref for UrlText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for UrlText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// In filters, the URL as text.
impl Literal<Text> for UrlText {
    fn literal(&self) -> String {
        Literal::<Text>::literal(self.as_str())
    }
}

impl fmt::Debug for UrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&shown(&self.0), f)
    }
}

impl Serialize for UrlText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UrlText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer)
    }
}

/// The URL without its secret parts. Works on texts that are not URLs, too.
fn shown(url: &str) -> String {
    let (url, fragment) = match url.split_once('#') {
        Some((url, _)) => (url, "#…"),
        None => (url, ""),
    };
    let (url, query) = match url.split_once('?') {
        Some((url, query)) => (url, format!("?{}", shown_query(query))),
        None => (url, String::new()),
    };
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (authority, path) = match rest.find(['/', '\\']) {
        Some(start) => rest.split_at(start),
        None if scheme.is_empty() => ("", rest),
        None => (rest, ""),
    };
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => authority.to_owned(),
    };
    format!("{scheme}{authority}{}{query}{fragment}", shown_path(path))
}

/// The path without its last segment that is not empty.
fn shown_path(path: &str) -> String {
    let is_slash = |c| matches!(c, '/' | '\\');
    let end = path.trim_end_matches(is_slash).len();
    if end == 0 {
        return path.to_owned();
    }
    let start = path[..end].rfind(is_slash).map_or(0, |slash| slash + 1);
    format!("{}…{}", &path[..start], &path[end..])
}

/// The names of the parameters; a parameter without a value may be the secret itself.
fn shown_query(query: &str) -> String {
    let parameter = |pair: &str| match pair.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => "…".to_owned(),
    };
    query
        .split('&')
        .map(parameter)
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        for (url, expected) in [
            (
                "rtmp://h:1935/live/hush-hush-canary",
                "rtmp://h:1935/live/…",
            ),
            ("rtmp://h/live/hush-hush-canary/", "rtmp://h/live/…/"),
            ("https://user:hush-hush-canary@h/a/b", "https://…@h/a/…"),
            (
                "https://a.blob.core.windows.net/c?sv=1&sig=hush-hush-canary",
                "https://a.blob.core.windows.net/…?sv=…&sig=…",
            ),
            ("srt://h:1?hush-hush-canary", "srt://h:1?…"),
            (
                "srt://h:1?passphrase=a=hush-hush-canary",
                "srt://h:1?passphrase=…",
            ),
            ("https://h/#hush-hush-canary", "https://h/#…"),
            ("https://h", "https://h"),
            ("https://h/", "https://h/"),
            ("hush-hush-canary", "…"),
            ("user:hush-hush-canary@h/x", "…@h/…"),
            ("/a/hush-hush-canary", "/a/…"),
            ("https:\\\\h\\hush-hush-canary", "https:\\\\h\\…"),
            ("mailto:hush-hush-canary", "…"),
            ("", ""),
        ] {
            let text = UrlText::from(url);
            assert_eq!(format!("{text:?}"), format!("{expected:?}"), "{url}");
            assert_eq!(serde_json::to_value(&text).unwrap(), url);
            assert_eq!(text, url);
        }
    }

    #[test]
    fn it_is_made_of_texts_and_gives_the_whole_text() {
        let text = "https://h/a?b=c".to_owned();
        for url in [
            UrlText::from(text.as_str()),
            UrlText::from(&text),
            UrlText::from(text.clone()),
            UrlText::from(url::Url::parse(&text).unwrap()),
            Nullable::<UrlText>::from(text.as_str()).value().unwrap(),
            Nullable::<UrlText>::from(text.clone()).value().unwrap(),
        ] {
            let borrowed: (&str, &str) = (&url, url.as_ref());
            assert_eq!(borrowed, (text.as_str(), text.as_str()));
            assert_eq!(url.into_string(), text);
        }
        let no_text = serde_json::from_str::<UrlText>("7").unwrap_err();
        assert!(
            no_text.to_string().contains("expected a string"),
            "{no_text}"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_a_round_trip(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let url: UrlText = serde_json::from_str(&json).unwrap();
            let _ = format!("{url:?}");
            proptest::prop_assert_eq!(serde_json::to_string(&url).unwrap(), json);
        }
    }
}
