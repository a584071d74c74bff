//! Values that must not be shown.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that travels in JSON like any other, but prints as `[redacted]`.
///
/// Generated models use it for credentials, keys and tokens, so that logging a whole request or
/// response cannot give them away. [`expose`](Self::expose) shows the value to code that needs it.
///
/// ```
/// use mkio_core::Secret;
///
/// let password: Secret<String> = "hunter2".into();
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; take care where it goes.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travels_but_does_not_show() {
        let secret: Secret<String> = serde_json::from_str(r#""hunter2""#).unwrap();
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""hunter2""#);
        assert!(!format!("{:?} {:#?}", Some(&secret), [&secret]).contains("hunter2"));
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(Secret::<String>::from("hunter2").expose(), secret.expose());
    }

    #[cfg(feature = "schemars")]
    #[test]
    fn its_schema_is_that_of_the_value() {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = generator.subschema_for::<Secret<Vec<String>>>();
        assert_eq!(schema, generator.subschema_for::<Vec<String>>());
        assert_eq!(schema.as_value()["type"], "array");
    }
}
