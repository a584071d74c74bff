//! Times as the platform writes and reads them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// A time as the platform writes it.
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A timestamp or a date, which counts as its midnight in UTC.
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok();
    let date = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    naive.or_else(date).map(|naive| naive.and_utc())
}

/// Why a time is refused that is too fine.
pub const TOO_FINE: &str =
    "has more than six digits of a second; the platform records microseconds";

/// Whether a text is a time with more digits of a second than the platform records.
pub fn is_too_fine(text: &str) -> bool {
    let Some((_, fraction)) = text.split_once('.') else {
        return false;
    };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    digits > 6 && parse_time(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_enough() {
        assert!(is_too_fine("2024-05-01T10:00:00.1234567Z"));
        assert!(is_too_fine("2024-05-01T10:00:00.000000000+02:00"));
        for text in [
            "2024-05-01T10:00:00.123456Z",
            "2024-05-01T10:00:00Z",
            "1.1234567",
            "a.12345678",
        ] {
            assert!(!is_too_fine(text), "{text}");
        }
    }
}
