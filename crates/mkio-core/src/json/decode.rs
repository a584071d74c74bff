//! Decoding that says where a body stopped fitting its type.

use serde::de::{DeserializeOwned, Error as _};
use serde_json::error::Category;

use super::{
    place::{Misplaced, noted, read_text},
    without_mark,
};
use crate::{
    Error, ErrorKind,
    error::{excerpt, expectation},
};

/// Decodes JSON; the error names the place and the expectation there.
///
/// # Errors
///
/// Kind [`Decode`](ErrorKind::Decode), with [`json_path`](Error::json_path) and
/// [`expectation`](Error::expectation). When the body is not JSON, the message has its media type
/// and its beginning.
pub fn decode<'a, T: DeserializeOwned>(
    bytes: &[u8],
    media_type: impl FnOnce() -> Option<&'a str>,
) -> Result<T, Error> {
    let bytes = without_mark(bytes);
    let read = match std::str::from_utf8(bytes) {
        // To check the whole text at once costs less than to check each string in it.
        Ok(text) => read_text(text),
        Err(_) => Err(no_text(bytes)),
    };
    read.map_err(|error| undecodable(bytes, media_type(), &error))
}

/// Bytes that are not UTF-8: where they stop being it.
#[cold]
fn no_text(bytes: &[u8]) -> Misplaced {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    noted(&mut reader).err().unwrap_or_else(|| Misplaced {
        path: String::new(),
        // They come after the value.
        error: reader
            .end()
            .err()
            .unwrap_or_else(|| serde_json::Error::custom("not UTF-8")),
    })
}

#[cold]
fn undecodable(
    text: &[u8],
    media_type: Option<&str>,
    Misplaced { path, error }: &Misplaced,
) -> Error {
    let (path, place) = match path.as_str() {
        "" => ("$".to_owned(), "the body".to_owned()),
        path => (path.to_owned(), format!("`{path}` in the body")),
    };
    let (expected, came) = if text.is_empty() {
        (
            "expected JSON, found an empty body".to_owned(),
            String::new(),
        )
    } else if error.classify() == Category::Data {
        (expectation(error), String::new())
    } else {
        (expectation(error), what_came(text, media_type))
    };
    let (line, column) = (error.line(), error.column());
    let message =
        format!("{place} does not decode: {expected} (line {line}, column {column}){came}");
    Error::new(ErrorKind::Decode, message).with_place(path, expected)
}

/// Describes a body that is not JSON.
fn what_came(text: &[u8], media_type: Option<&str>) -> String {
    let media_type = media_type.unwrap_or("of no media type");
    let begins = match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        // JSON that is cut or broken may hold secrets.
        Some(b'{' | b'[' | b'"') | None => String::new(),
        Some(_) => format!(
            " and begins with `{}`",
            excerpt(&String::from_utf8_lossy(text))
        ),
    };
    let length = text.len();
    format!("; the body is {media_type}, has {length} bytes{begins}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Numbers = BTreeMap<String, u8>;

    #[test]
    fn a_byte_order_mark_is_no_part_of_json() {
        let numbers: Numbers = decode(b"\xef\xbb\xbf{\"a\":1}", || None).unwrap();
        assert_eq!(numbers["a"], 1);
        let error = decode::<Numbers>(b"\xef\xbb\xbf", || None).unwrap_err();
        assert!(error.to_string().contains("an empty body"), "{error}");
        let error = decode::<Numbers>(b"\xef\xbb\xbf{\"a\":\"x\"}", || None).unwrap_err();
        assert_eq!(error.json_path(), Some("a"));
    }

    #[test]
    fn bytes_that_are_no_text_are_no_json() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Named {
            name: String,
        }
        let error = decode::<Named>(b"{\"name\":\"\xff\"}", || None).unwrap_err();
        assert_eq!(error.json_path(), Some("name"));
    }

    #[test]
    fn what_is_no_json_is_said_to_be_what_it_is() {
        let page = b"<html><title>Sign in</title>";
        let line = decode::<Numbers>(page, || Some("text/html"))
            .unwrap_err()
            .to_string();
        assert!(
            line.contains("text/html") && line.contains("<html><title>Sign"),
            "{line}"
        );
        for cut in [
            &b"{\"password\":\"hunter2"[..],
            b"\"hunter2",
            b" [\"hunter2\"",
        ] {
            let error = decode::<serde_json::Value>(cut, || Some("application/json")).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("application/json"), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let long = format!("nonsense {}", "x".repeat(5000));
        let line = decode::<Numbers>(long.as_bytes(), || None)
            .unwrap_err()
            .to_string();
        assert!(line.contains("`nonsense x") && line.len() < 400, "{line}");
    }
}
