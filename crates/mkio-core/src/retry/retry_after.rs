//! Reads `Retry-After`, in seconds or as a date.

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap,
    header::{DATE, RETRY_AFTER},
};

/// The wait that a response asks for; nothing when it asks for none or in no known form.
///
/// A date is compared with the response's own `Date`, so that a wrong clock on this side does no
/// harm; without one, with the local clock. A date in the past is a wait of zero.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str, date: Option<&str>) -> Option<f64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn seconds() {
        assert_eq!(read("120", None), Some(120.0));
        assert_eq!(read(" 0.5 ", None), Some(0.5));
        for nonsense in ["-1", "soon", "", "NaN", "1e300"] {
            assert_eq!(read(nonsense, None), None, "{nonsense}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn dates() {
        let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(read("Wed, 21 Oct 2015 07:28:30 GMT", date), Some(30.0));
        assert_eq!(read("Wed, 21 Oct 2015 07:27:00 GMT", date), Some(0.0));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        let wait = read(&soon, None).unwrap();
        assert!((50.0..=60.0).contains(&wait), "{wait}");
    }
}
