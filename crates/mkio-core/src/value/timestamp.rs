//! Points in time as the service writes them.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, kept exactly as it was received.
///
/// A time that is made here has microseconds at most.
///
/// The documents say RFC 3339. A text that is not (the service has been seen to leave out the
/// offset) must not make a whole list unreadable, so the text is kept and
/// [`utc`](Self::utc) gives the time it stands for. Text without an offset is read as UTC.
///
/// ```
/// use mkio_core::Timestamp;
///
/// let created = Timestamp::from("2026-03-01T10:00:00.50Z");
/// assert_eq!(created.utc().unwrap().timestamp(), 1_772_359_200);
/// assert_eq!(created.to_string(), "2026-03-01T10:00:00.50Z");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Timestamp(String);

/// The earlier time first, whatever its offset; texts that are not times come before all times.
impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_time = self.utc().cmp(&other.utc());
        // Only the same text is equal.
        by_time.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Timestamp {
    /// The time in UTC, or `None` when the text is not a point in time.
    pub fn utc(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.0)
            .map(|time| time.with_timezone(&Utc))
            .ok()
            .or_else(|| {
                ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
                    .iter()
                    .find_map(|format| NaiveDateTime::parse_from_str(&self.0, format).ok())
                    .map(|time| time.and_utc())
            })
    }

    /// The text as it was received or will be sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::text_eq!(Timestamp);

/// The same point in time, however it is written; text that is not a time equals none.
impl PartialEq<DateTime<Utc>> for Timestamp {
    fn eq(&self, other: &DateTime<Utc>) -> bool {
        self.utc() == Some(*other)
    }
}

/// Text that is not a time is neither before nor after one.
impl PartialOrd<DateTime<Utc>> for Timestamp {
    fn partial_cmp(&self, other: &DateTime<Utc>) -> Option<Ordering> {
        self.utc()?.partial_cmp(other)
    }
}

/// Written in UTC with as many fractional digits as the time has, in groups of three. Fractions of
/// a microsecond are dropped: the service keeps six digits and has refused more.
impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(written(time))
    }
}

/// A time as it is sent.
pub(crate) fn written(time: DateTime<Utc>) -> String {
    // As a fraction of the second, so that times before 1970 do not become later.
    let micros = time.timestamp_subsec_nanos() / 1000 * 1000;
    let time = time.with_nanosecond(micros).unwrap_or(time);
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Kept as it is, but for digits after the microseconds.
impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Kept as it is, but for digits after the microseconds.
impl From<String> for Timestamp {
    fn from(mut text: String) -> Self {
        if let Some(point) = text.find('.') {
            let digits = text[point + 1..].bytes().take_while(u8::is_ascii_digit);
            let end = point + 1 + digits.count();
            let kept = point + 7;
            if end > kept && Self(text.clone()).utc().is_some() {
                text.replace_range(kept..end, "");
            }
        }
        Self(text)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_and_reads_the_time() {
        for (text, seconds) in [
            ("1970-01-01T00:01:00Z", Some(60)),
            ("1970-01-01T01:01:00.123456+01:00", Some(60)),
            ("1970-01-01T00:01:00.5", Some(60)),
            ("1970-01-01 00:01:00", Some(60)),
            ("soon", None),
        ] {
            let json = format!("{text:?}");
            let time: Timestamp = serde_json::from_str(&json).unwrap();
            assert_eq!(time.utc().map(|time| time.timestamp()), seconds, "{text}");
            assert_eq!(serde_json::to_string(&time).unwrap(), json);
            assert_eq!(format!("{time:?}"), json);
        }
    }

    #[test]
    fn writes_times_in_utc() {
        let time = DateTime::from_timestamp(60, 250_000_000).unwrap();
        assert_eq!(Timestamp::from(time).as_str(), "1970-01-01T00:01:00.250Z");
        for (seconds, nanos, text) in [
            (60, 123_456_789, "1970-01-01T00:01:00.123456Z"),
            (60, 999_999_999, "1970-01-01T00:01:00.999999Z"),
            (60, 999, "1970-01-01T00:01:00Z"),
            (-60, 123_456_789, "1969-12-31T23:59:00.123456Z"),
        ] {
            let time = DateTime::from_timestamp(seconds, nanos).unwrap();
            assert_eq!(Timestamp::from(time).as_str(), text);
        }
    }

    #[test]
    fn texts_have_microseconds_at_most() {
        for (text, expected) in [
            (
                "2026-01-01T09:00:00.1234567Z",
                "2026-01-01T09:00:00.123456Z",
            ),
            (
                "2026-01-01T09:00:00.999999999+02:00",
                "2026-01-01T09:00:00.999999+02:00",
            ),
            (
                "2026-01-01 09:00:00.123456789",
                "2026-01-01 09:00:00.123456",
            ),
            ("2026-01-01T09:00:00.123456Z", "2026-01-01T09:00:00.123456Z"),
            ("version 1.12345678", "version 1.12345678"),
            ("a.é", "a.é"),
        ] {
            assert_eq!(Timestamp::from(text).as_str(), expected);
        }
    }

    #[test]
    fn compares_with_times_and_as_text() {
        let time = DateTime::from_timestamp(60, 0).unwrap();
        let read = Timestamp::from("1970-01-01T01:01:00+01:00");
        assert!(read == time && read <= time && read > DateTime::UNIX_EPOCH);
        assert!(read == "1970-01-01T01:01:00+01:00" && read != "1970-01-01T00:01:00Z");
        let soon = Timestamp::from("soon");
        assert!(soon != time && soon.partial_cmp(&time).is_none());
    }

    #[test]
    fn earlier_is_less_whatever_the_offset() {
        let mut times = [
            "2026-01-01T09:00:00Z",
            "2026-01-01T10:00:00+02:00",
            "2026-01-01T08:00:00.000Z",
            "soon",
        ]
        .map(Timestamp::from);
        times.sort();
        assert_eq!(
            times.map(|time| time.to_string()),
            [
                "soon",
                "2026-01-01T08:00:00.000Z",
                "2026-01-01T10:00:00+02:00",
                "2026-01-01T09:00:00Z",
            ]
        );
    }
}
