//! Arguments of generated calls.

use std::{borrow::Cow, fmt::Display};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::{Error, ErrorKind, Operation, Result};

/// Everything but RFC 3986's unreserved characters, so that no parser on the way reads structure
/// into a name.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The path of an operation with these arguments, in the order of its template.
pub(crate) fn path(operation: &'static Operation, arguments: &[&str]) -> Result<String> {
    let room = operation.path.len() + arguments.iter().map(|value| value.len()).sum::<usize>();
    let mut path = String::with_capacity(room);
    let mut arguments = arguments.iter();
    let mut rest = operation.path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = arguments.next().copied().unwrap_or_default();
        path.push_str(before);
        path.push_str(&path_segment(operation, name, &value)?);
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

/// A path parameter as one segment of a URL.
///
/// Empty, `.` and `..` cannot be a segment: URLs lose them, encoded or not, and the request would
/// go to another resource.
pub fn path_segment(
    operation: &'static Operation,
    name: &'static str,
    value: &dyn Display,
) -> Result<String> {
    let value = value.to_string();
    if matches!(value.as_str(), "" | "." | "..") {
        let what = match value.as_str() {
            "" => "be empty".to_owned(),
            dots => format!("be `{dots}`"),
        };
        let message = format!("argument `{name}` must not {what}: it names a resource in the URL");
        return Err(Error::new(ErrorKind::InvalidRequest, message).with_operation(operation));
    }
    Ok(match Cow::from(utf8_percent_encode(&value, SEGMENT)) {
        Cow::Owned(encoded) => encoded,
        Cow::Borrowed(_) => value,
    })
}

/// A path under the address of a service. The path is absolute, its arguments are segments of
/// [`path_segment`]; nothing but the path is parsed.
pub fn url(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    match base.path().trim_end_matches('/') {
        "" => url.set_path(path),
        prefix => url.set_path(&format!("{prefix}{path}")),
    }
    url
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn segment(value: &str) -> Result<String> {
        path_segment(
            Operation::raw(&Method::GET, false, false),
            "asset_name",
            &value,
        )
    }

    #[test]
    fn what_is_encoded_survives_url_parsing() {
        for name in [
            "intro",
            "a/b",
            "a?b",
            "a#b",
            "50%",
            "a\\b",
            "a;b=c",
            "%2e",
            "%2E%2e",
            "...",
            ".a",
            "naïve 日本",
            "a b",
            "a+b",
            "a:b@c",
            "~x",
            "\u{7f}\n",
            "{a}|^`\"<>",
            "'*!()",
        ] {
            let path = format!("/p/{}/q", segment(name).unwrap());
            let url = url(&Url::parse("https://h").unwrap(), &path);
            assert_eq!(url, Url::parse(&format!("https://h{path}")).unwrap());
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            assert_eq!(segments.len(), 3, "{url}");
            assert_eq!((segments[0], segments[2]), ("p", "q"), "{url}");
            let decoded = percent_encoding::percent_decode_str(segments[1]).decode_utf8();
            assert_eq!(decoded.unwrap(), name);
            assert_eq!((url.query(), url.fragment()), (None, None));
        }
    }

    #[test]
    fn paths_go_under_the_address_of_the_service() {
        for (base, expected) in [
            ("https://h", "https://h/api/a%2Fb/"),
            ("https://h/", "https://h/api/a%2Fb/"),
            ("http://[::1]:8080/gw", "http://[::1]:8080/gw/api/a%2Fb/"),
            ("https://h/gw/x/", "https://h/gw/x/api/a%2Fb/"),
        ] {
            let url = url(&Url::parse(base).unwrap(), "/api/a%2Fb/");
            assert_eq!(url.as_str(), expected, "{base}");
        }
    }

    #[test]
    fn what_urls_lose_is_refused() {
        for name in ["", ".", ".."] {
            let error = segment(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert_eq!(error.operation_id(), Some("request"));
            assert!(error.to_string().contains("`asset_name`"), "{error}");
        }
    }
}
