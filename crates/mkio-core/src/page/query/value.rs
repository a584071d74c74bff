//! Values in filters, written as the service reads them.

use std::borrow::Cow;
use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use uuid::Uuid;

use crate::{Timestamp, error::excerpt, value::written};

/// The kind of a field; it decides which values the field can be compared with.
///
/// Implemented by [`Text`], [`Time`], [`Number`] and [`Flag`].
pub trait Kind: sealed::Sealed {}

/// Text, and everything that the service's JSON holds as text: names, identifiers (UUIDs too),
/// states.
#[derive(Debug, Clone, Copy)]
pub enum Text {}

/// A point in time.
#[derive(Debug, Clone, Copy)]
pub enum Time {}

/// A number.
#[derive(Debug, Clone, Copy)]
pub enum Number {}

/// True or false.
#[derive(Debug, Clone, Copy)]
pub enum Flag {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! kinds {
    ($($kind:ty),*) => {
        $(impl sealed::Sealed for $kind {}
        impl Kind for $kind {})*
    };
}
kinds!(Text, Time, Number, Flag);

/// A value that a field of kind `K` can be compared with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be compared with a field of kind `{K}`",
    note = "text fields take strings, UUIDs and the enums of states and types, time fields \
            `Timestamp`, `chrono::DateTime`, `chrono::NaiveDate`, `SystemTime` or text, number fields \
            numbers, flag fields `bool`"
)]
pub trait Literal<K: Kind> {
    /// The value as it stands in a filter.
    fn literal(&self) -> String;

    /// Why a field of this kind cannot have the value, if it cannot: a text that is not a time.
    fn invalid_reason(&self) -> Option<String> {
        None
    }
}

/// Single quotes, doubled inside; every other character stands for itself.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl<K: Kind, V: Literal<K> + ?Sized> Literal<K> for &V {
    fn literal(&self) -> String {
        V::literal(self)
    }

    fn invalid_reason(&self) -> Option<String> {
        V::invalid_reason(self)
    }
}

impl Literal<Text> for str {
    fn literal(&self) -> String {
        quoted(self)
    }
}

impl Literal<Text> for String {
    fn literal(&self) -> String {
        quoted(self)
    }
}

impl Literal<Text> for Cow<'_, str> {
    fn literal(&self) -> String {
        quoted(self)
    }
}

/// Quoted: identifiers are text in the service's JSON.
impl Literal<Text> for Uuid {
    fn literal(&self) -> String {
        quoted(&self.hyphenated().to_string())
    }
}

/// Times stand bare. A text that is a time or a date is written in UTC. Any other text is quoted, so
/// that it cannot turn into another condition, and the list refuses the filter before it sends it.
impl Literal<Time> for Timestamp {
    fn literal(&self) -> String {
        if let Some(time) = self.utc() {
            return time.literal();
        }
        match self.as_str().parse::<NaiveDate>() {
            Ok(date) => date.literal(),
            Err(_) => quoted(self.as_str()),
        }
    }

    fn invalid_reason(&self) -> Option<String> {
        let text = self.as_str();
        let usable = self.utc().is_some() || text.parse::<NaiveDate>().is_ok();
        (!usable).then(|| {
            format!(
                "`{}` is not a time; write it as 2026-03-01T00:00:00Z or 2026-03-01, or give a \
                 `Timestamp`, `chrono::DateTime` or `SystemTime`",
                excerpt(text)
            )
        })
    }
}

/// The beginning of the day in UTC.
impl Literal<Time> for NaiveDate {
    fn literal(&self) -> String {
        self.and_time(NaiveTime::MIN).and_utc().literal()
    }
}

impl Literal<Time> for SystemTime {
    fn literal(&self) -> String {
        utc(*self).literal()
    }
}

/// The time as far as a date can tell it: the years 0 to 9999.
fn utc(time: SystemTime) -> DateTime<Utc> {
    const FIRST: i64 = -62_167_219_200;
    const LAST: i64 = 253_402_300_799;
    let (before, span) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(span) => (false, span),
        Err(error) => (true, error.duration()),
    };
    let epoch = DateTime::<Utc>::UNIX_EPOCH;
    let exact = TimeDelta::from_std(span).ok().and_then(|span| {
        if before {
            epoch.checked_sub_signed(span)
        } else {
            epoch.checked_add_signed(span)
        }
    });
    let end = |second| DateTime::from_timestamp(second, 0).unwrap_or(epoch);
    let (first, last) = (end(FIRST), end(LAST));
    match exact {
        Some(time) => time.clamp(first, last),
        None if before => first,
        None => last,
    }
}

impl<Z: TimeZone> Literal<Time> for DateTime<Z> {
    fn literal(&self) -> String {
        written(self.with_timezone(&Utc))
    }
}

impl Literal<Time> for str {
    fn literal(&self) -> String {
        Timestamp::from(self).literal()
    }

    fn invalid_reason(&self) -> Option<String> {
        Timestamp::from(self).invalid_reason()
    }
}

impl Literal<Time> for String {
    fn literal(&self) -> String {
        <str as Literal<Time>>::literal(self)
    }

    fn invalid_reason(&self) -> Option<String> {
        <str as Literal<Time>>::invalid_reason(self)
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {
        $(impl Literal<Number> for $type {
            fn literal(&self) -> String {
                self.to_string()
            }
        })*
    };
}
numbers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! fractions {
    ($($type:ty),*) => {
        $(impl Literal<Number> for $type {
            /// Infinity has a name of its own in OData.
            fn literal(&self) -> String {
                if !self.is_infinite() {
                    self.to_string()
                } else if self.is_sign_negative() {
                    "-INF".to_owned()
                } else {
                    "INF".to_owned()
                }
            }
        })*
    };
}
fractions!(f32, f64);

impl Literal<Flag> for bool {
    fn literal(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: impl Literal<Text>) -> String {
        value.literal()
    }

    fn time(value: impl Literal<Time>) -> String {
        value.literal()
    }

    #[test]
    fn quotes_text() {
        assert_eq!(text("a"), "'a'");
        assert_eq!(text("it's 'so'".to_owned()), "'it''s ''so'''");
        assert_eq!(text("' or 1 eq 1 or '"), "''' or 1 eq 1 or '''");
        assert_eq!(
            text("Überblick 東京 & 100%+\\"),
            "'Überblick 東京 & 100%+\\'"
        );
        assert_eq!(text(""), "''");
        assert_eq!(text(Cow::Borrowed("o'c")), "'o''c'");
        assert_eq!(
            text(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)),
            "'01234567-89ab-cdef-0123-456789abcdef'"
        );
    }

    #[test]
    fn writes_times_bare_and_in_utc() {
        assert_eq!(time("2026-03-01T01:00:00+01:00"), "2026-03-01T00:00:00Z");
        assert_eq!(
            time("2026-03-01T00:00:00.5Z".to_owned()),
            "2026-03-01T00:00:00.500Z"
        );
        assert_eq!(
            time(Timestamp::from("2026-03-01T00:00:00")),
            "2026-03-01T00:00:00Z"
        );
        assert_eq!(
            time(DateTime::from_timestamp(0, 0).unwrap()),
            "1970-01-01T00:00:00Z"
        );
        assert_eq!(time(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
        assert_eq!(time("2026-03-01"), "2026-03-01T00:00:00Z");
        let second = std::time::Duration::from_secs(1);
        assert_eq!(
            time(SystemTime::UNIX_EPOCH - second),
            "1969-12-31T23:59:59Z"
        );
        // A system's clock reaches further than a date.
        let far = std::time::Duration::from_secs(1 << 60);
        assert_eq!(time(SystemTime::UNIX_EPOCH + far), "9999-12-31T23:59:59Z");
        assert_eq!(time(SystemTime::UNIX_EPOCH - far), "0000-01-01T00:00:00Z");
        assert_eq!(
            time(NaiveDate::from_ymd_opt(2026, 2, 28).unwrap()),
            "2026-02-28T00:00:00Z"
        );
        assert_eq!(time("now or name eq 'x'"), "'now or name eq ''x'''");
        assert_eq!(time("2026-03-01 or true"), "'2026-03-01 or true'");
    }

    #[test]
    fn writes_numbers_and_flags_bare() {
        assert_eq!(7_u32.literal(), "7");
        assert_eq!((-1.5_f64).literal(), "-1.5");
        assert_eq!(f64::NEG_INFINITY.literal(), "-INF");
        assert_eq!(f32::INFINITY.literal(), "INF");
        assert_eq!(f64::NAN.literal(), "NaN");
        assert_eq!(true.literal(), "true");
    }
}
