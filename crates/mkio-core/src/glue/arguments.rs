//! Arguments of generated calls.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

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
    while let Some((before, after)) = split(rest, b'{') {
        let (name, after) = split(after, b'}').unwrap_or((after, ""));
        let value = arguments.next().copied().unwrap_or_default();
        path.push_str(before);
        path.push_str(&path_segment(operation, name, value)?);
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

/// The text before and after an ASCII character. Parts of paths are short, so that a plain search
/// is faster than `split_once`, and this runs for every call.
fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((&text[..place], &text[place + 1..]))
}

/// A path parameter as one segment of a URL.
///
/// Empty, `.` and `..` cannot be a segment: URLs lose them, encoded or not, and the request would
/// go to another resource.
pub(crate) fn path_segment<'a>(
    operation: &'static Operation,
    name: &str,
    value: &'a str,
) -> Result<Cow<'a, str>> {
    let what = match value {
        "" => "be empty",
        "." => "be `.`",
        ".." => "be `..`",
        // Most names have nothing to encode.
        _ if value.bytes().all(is_unreserved) => return Ok(Cow::Borrowed(value)),
        _ => return Ok(Cow::Owned(utf8_percent_encode(value, SEGMENT).to_string())),
    };
    let message = format!("argument `{name}` must not {what}: it names a resource in the URL");
    Err(Error::new(ErrorKind::InvalidRequest, message).with_operation(operation))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// A body that a document of ours fixes.
pub fn fixed_body<T: DeserializeOwned>(operation: &'static Operation, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(
            ErrorKind::InvalidRequest,
            "the fixed body does not fit its type",
        )
        .with_source(error)
        .with_operation(operation)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use http::Method;

    use super::*;
    use crate::Transport;

    fn segment(value: &str) -> Result<String> {
        let raw = Operation::raw(&Method::GET, false, false);
        path_segment(raw, "asset_name", value).map(Cow::into_owned)
    }

    static OPERATION: Operation = Operation {
        id: "get_channel",
        api: "live",
        method: Method::GET,
        path: "/p/{channel_name}/q",
        request_body: None,
        streams: false,
    };

    fn transport(base: &str) -> Transport {
        let builder = Transport::builder().anonymous().base_url(base);
        builder.build().unwrap()
    }

    /// A name comes out of the URL as it went in, between the template's own segments.
    fn assert_kept(transport: &Transport, name: &str) {
        let Ok(segment) = segment(name) else {
            assert!(matches!(name, "" | "." | ".."), "{name:?} is refused");
            return;
        };
        let url = transport
            .url(&OPERATION, &format!("/p/{segment}/q"))
            .unwrap();
        assert_eq!(url::Url::parse(url.as_str()).unwrap(), url, "{name:?}");
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        assert_eq!(segments.len(), 3, "{name:?}: {url}");
        assert_eq!((segments[0], segments[2]), ("p", "q"), "{name:?}: {url}");
        let decoded = percent_encoding::percent_decode_str(segments[1]).decode_utf8();
        assert_eq!(decoded.unwrap(), name, "{url}");
        assert_eq!(
            (url.query(), url.fragment()),
            (None, None),
            "{name:?}: {url}"
        );
    }

    #[test]
    fn every_name_comes_out_of_the_url_as_it_went_in() {
        let transport = transport("https://h");
        for name in [
            "intro",
            "50%",
            "%2e",
            "%2E%2e",
            "...",
            ".a",
            "naïve 日本",
            "{a}|^`\"<>",
        ] {
            assert_kept(&transport, name);
        }
        let singles: Vec<char> = (0..=u8::MAX).map(char::from).collect();
        for one in &singles {
            assert_kept(&transport, &one.to_string());
            for other in &singles {
                assert_kept(&transport, &format!("{one}{other}"));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn random_names_come_out_of_the_url_as_they_went_in(name: String, part in "[./%?#\\\\\t\n\r 2eE]{1,6}") {
            static TRANSPORT: LazyLock<Transport> = LazyLock::new(|| transport("https://h"));
            for name in [name.clone(), part.clone(), name.clone() + &part, part + &name] {
                assert_kept(&TRANSPORT, &name);
            }
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

    #[test]
    fn a_path_of_other_segments_than_the_template_has_is_refused() {
        let transport = transport("https://h/gw");
        for path in [
            "/p//q", "/p/a", "/p/a/b/q", "/p/a/q/", "/p/a/r", "/p/a\n/q", "/p/a?/q",
        ] {
            let error = transport.url(&OPERATION, path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{path:?}");
            assert_eq!(error.operation_id(), Some("get_channel"), "{path:?}");
        }
        assert_eq!(
            transport.url(&OPERATION, "/p/a/q").unwrap().as_str(),
            "https://h/gw/p/a/q"
        );
    }
}
