//! The outcome of reading a value.

use serde::{Deserialize, Deserializer, de::Error};

use crate::{Nullable, Secret};

/// The value that was found.
pub enum LenientValue<T> {
    Value(T),
    Null,
    /// Something that the type has no place for.
    Other,
}

impl<T> LenientValue<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> LenientValue<U> {
        match self {
            Self::Value(value) => LenientValue::Value(f(value)),
            Self::Null => LenientValue::Null,
            Self::Other => LenientValue::Other,
        }
    }
}

/// A type that is read leniently.
pub trait Lenient: Sized {
    /// The expected value, for messages.
    const EXPECTED: &'static str;

    /// Reads one value, whatever it is.
    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LenientValue<Self>, D::Error>;

    /// The value of a field.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Self::find(deserializer)? {
            LenientValue::Value(value) => Ok(value),
            LenientValue::Null => Err(D::Error::custom(format_args!(
                "invalid type: null, expected {}",
                Self::EXPECTED
            ))),
            LenientValue::Other => Err(D::Error::custom(format_args!(
                "invalid type: another value, expected {}",
                Self::EXPECTED
            ))),
        }
    }
}

/// Reads a field; for `deserialize_with` in generated code.
///
/// # Errors
///
/// When the value is neither of the type nor one that stands in for it.
pub fn lenient<'de, T: Lenient, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// Reads a field that nothing depends on: a value that does not decode counts as absent. For
/// generated code.
///
/// # Errors
///
/// When the value is not JSON.
pub fn or_none<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: for<'a> Deserialize<'a>,
    D: Deserializer<'de>,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or(None))
}

impl<T: Lenient> Lenient for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LenientValue<Self>, D::Error> {
        Ok(T::find(deserializer)?.map(Some))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match T::find(deserializer)? {
            LenientValue::Value(value) => Ok(Some(value)),
            LenientValue::Null | LenientValue::Other => Ok(None),
        }
    }
}

impl<T: Lenient> Lenient for Nullable<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LenientValue<Self>, D::Error> {
        Ok(T::find(deserializer)?.map(Self::Value))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An unreadable value must not become the `null` that removes it.
        match T::find(deserializer)? {
            LenientValue::Value(value) => Ok(Self::Value(value)),
            LenientValue::Null => Ok(Self::Null),
            LenientValue::Other => Ok(Self::Absent),
        }
    }
}

impl<T: Lenient> Lenient for Secret<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LenientValue<Self>, D::Error> {
        Ok(T::find(deserializer)?.map(Self::new))
    }
}
