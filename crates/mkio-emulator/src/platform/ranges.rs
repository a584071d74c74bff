//! Responses with a part of the bytes, where the caller asks for it by `Range`.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::RANGE};
use serde_json::json;

use crate::platform::call::Response;

/// The part that `Range` asks for, of so many bytes.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Everything: there is no such header, or one that is not a single range, which servers ignore.
    Whole,
    /// From a byte to before another one.
    Part(usize, usize),
    /// Bytes behind the end.
    Beyond,
}

fn asked(headers: &HeaderMap, size: usize) -> Asked {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let Some((first, last)) = range
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
    else {
        return Asked::Whole;
    };
    let number = |text: &str| text.parse::<usize>().ok();
    let (start, end) = match (number(first), number(last)) {
        (Some(start), None) if last.is_empty() => (start, size),
        (Some(start), Some(last)) if last >= start => (start, last.saturating_add(1).min(size)),
        (None, Some(count)) if first.is_empty() => (size.saturating_sub(count), size),
        _ => return Asked::Whole,
    };
    if start < size {
        Asked::Part(start, end)
    } else {
        Asked::Beyond
    }
}

/// The bytes, or the part of them that was asked for.
pub fn respond(headers: &HeaderMap, bytes: Bytes) -> Response {
    let size = bytes.len();
    let (status, bytes, told) = match asked(headers, size) {
        Asked::Whole => (StatusCode::OK, bytes, None),
        Asked::Part(start, end) => {
            let told = format!("bytes {start}-{}/{size}", end - 1);
            (
                StatusCode::PARTIAL_CONTENT,
                bytes.slice(start..end),
                Some(told),
            )
        }
        Asked::Beyond => {
            let told = format!("bytes */{size}");
            (StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new(), Some(told))
        }
    };
    let mut response = Response::bytes("application/octet-stream", bytes);
    response.status = status;
    response
        .headers
        .insert("accept-ranges".to_owned(), json!("bytes"));
    if let Some(told) = told {
        response
            .headers
            .insert("content-range".to_owned(), json!(told));
    }
    response
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-", Asked::Part(0, 10)),
            ("bytes=4-", Asked::Part(4, 10)),
            ("bytes=4-4", Asked::Part(4, 5)),
            ("bytes=4-99", Asked::Part(4, 10)),
            ("bytes=-3", Asked::Part(7, 10)),
            ("bytes=-99", Asked::Part(0, 10)),
            ("bytes=10-", Asked::Beyond),
            ("bytes=5-4", Asked::Whole),
            ("bytes=1-2,4-5", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("lines=1-2", Asked::Whole),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
            assert_eq!(asked(&headers, 10), expected, "{range}");
        }
        assert_eq!(asked(&HeaderMap::new(), 10), Asked::Whole);
    }

    #[test]
    fn a_part_says_where_it_is() {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=4-5"))]);
        let response = respond(&headers, Bytes::from_static(b"0123456789"));
        assert_eq!(response.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(response.headers["content-range"], "bytes 4-5/10");
    }
}
