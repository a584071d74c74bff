//! `$top`, `$skiptoken` and the cursor that keeps a scan's place while items come and go.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    base::{error::ApiError, settings::PageLimits},
    query::{order::SortKey, parameters::Query},
};

/// The requested page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRequest {
    /// Most items of the page.
    pub size: usize,
    /// Offset of the first item.
    pub start: usize,
    /// The last item of the page before, when the request came from a link.
    pub cursor: Option<Cursor>,
}

/// The last item of a page. `$skiptoken` alone is an offset, and an offset repeats or skips items when others come or go; links
/// therefore carry this too.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor(pub SortKey);

const CURSOR: &str = "$cursor";

// `$` and the sub-delimiters stay readable, as in the platform's own links.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b'/')
    .remove(b'\'');

impl PageRequest {
    /// Reads `$top` and `$skiptoken`.
    ///
    /// # Errors
    /// 400 when one is not a non-negative whole number.
    pub fn parse(query: &Query, limits: PageLimits) -> Result<Self, ApiError> {
        let top = number(query, "$top")?.unwrap_or(limits.default);
        let cursor = query.one(CURSOR)?.map(Cursor::decode).transpose()?;
        Ok(Self {
            size: top.min(limits.maximum),
            start: number(query, "$skiptoken")?.unwrap_or(0),
            cursor,
        })
    }

    /// The query string of the page that follows: the same parameters, with the place moved on.
    pub fn next_query(&self, query: &Query, start: usize, last: Option<SortKey>) -> String {
        let mut pairs: Vec<(String, String)> = query
            .pairs()
            .iter()
            .filter(|(name, _)| name != "$skiptoken" && name != CURSOR)
            .cloned()
            .collect();
        pairs.push(("$skiptoken".to_owned(), start.to_string()));
        if let Some(key) = last {
            pairs.push((CURSOR.to_owned(), Cursor(key).encode()));
        }
        let encoded: Vec<String> = pairs
            .iter()
            .map(|(name, value)| {
                format!(
                    "{}={}",
                    utf8_percent_encode(name, QUERY),
                    utf8_percent_encode(value, QUERY)
                )
            })
            .collect();
        encoded.join("&")
    }
}

impl Cursor {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.0.sequence, self.0.values]).to_string())
    }

    fn decode(text: &str) -> Result<Self, ApiError> {
        let broken =
            || ApiError::bad_request("the page link is not one that this service handed out");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let (sequence, values): (u64, Vec<Value>) =
            serde_json::from_slice(&bytes).map_err(|_| broken())?;
        Ok(Self(SortKey { values, sequence }))
    }
}

fn number(query: &Query, name: &str) -> Result<Option<usize>, ApiError> {
    let Some(text) = query.one(name)? else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits {
        text.parse::<u64>().ok().or(Some(u64::MAX))
    } else {
        None
    };
    let number = number.ok_or_else(|| {
        ApiError::bad_request(format!("{name} takes a non-negative whole number"))
    })?;
    Ok(Some(usize::try_from(number).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PageLimits = PageLimits {
        default: 100,
        maximum: 1_000,
    };

    fn parse(raw: &str) -> Result<PageRequest, ApiError> {
        PageRequest::parse(&Query::parse(raw)?, LIMITS)
    }

    #[test]
    fn sizes_are_capped_and_numbers_checked() {
        assert_eq!(
            parse("").map(|page| (page.size, page.start)).ok(),
            Some((100, 0))
        );
        assert_eq!(
            parse("$top=99999999999999999999999&$skiptoken=7")
                .map(|page| (page.size, page.start))
                .ok(),
            Some((1_000, 7))
        );
        for raw in [
            "$top=-1",
            "$top=1.5",
            "$top=",
            "$skiptoken=x",
            "$top=%2B1",
            "$top=1&$top=2",
            "$cursor=x",
        ] {
            assert!(parse(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_link_keeps_the_other_parameters_and_its_place() {
        let query =
            Query::parse("$filter=name%20eq%20'a%26b'&$top=2&$skiptoken=2").unwrap_or_default();
        let key = SortKey {
            values: vec![json!("x")],
            sequence: 9,
        };
        let Ok(page) = PageRequest::parse(&query, LIMITS) else {
            panic!("it parses")
        };
        let next = page.next_query(&query, 4, Some(key.clone()));
        assert!(
            next.starts_with("$filter=name%20eq%20'a%26b'&$top=2&$skiptoken=4&"),
            "{next}"
        );
        assert_eq!(
            parse(&next).ok(),
            Some(PageRequest {
                size: 2,
                start: 4,
                cursor: Some(Cursor(key))
            })
        );
    }
}
