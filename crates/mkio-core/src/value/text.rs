//! Reading text without an extra copy.

use std::{fmt, marker::PhantomData};

use serde::{Deserializer, de::Visitor};

/// Reads text and converts it; borrowed text is not copied first.
///
/// # Errors
///
/// When the value is not text.
pub fn text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: for<'a> From<&'a str> + From<String>,
    D: Deserializer<'de>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: for<'a> From<&'a str> + From<String>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E>(self, value: &str) -> Result<T, E> {
            Ok(value.into())
        }

        fn visit_string<E>(self, value: String) -> Result<T, E> {
            Ok(value.into())
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}
