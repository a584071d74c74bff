//! String enums that keep values they do not know.

/// Makes a string enum with an `Unknown(String)` arm: any text decodes, and encodes again to the
/// same bytes. For generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $value:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value that this version does not know, kept as it is.
            Unknown(String),
        }

        impl $name {
            /// The values that this version knows.
            pub const KNOWN: &'static [&'static str] = &[$($value),*];

            /// The value as it travels.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl ::std::convert::From<::std::string::String> for $name {
            fn from(value: ::std::string::String) -> Self {
                match value.as_str() {
                    $($value => Self::$variant,)*
                    _ => Self::Unknown(value),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::OpenEnum for $name {
            fn as_str(&self) -> &str {
                Self::as_str(self)
            }
        }

        $crate::text_eq!($name);

        /// In filters, the value as text.
        impl $crate::page::query::Literal<$crate::page::query::Text> for $name {
            fn literal(&self) -> ::std::string::String {
                $crate::page::query::Literal::<$crate::page::query::Text>::literal(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::glue::text(deserializer)
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({
                    "type": "string",
                    "description": "Known values are the examples; others may come.",
                    "examples": Self::KNOWN,
                })
            }
        }
    };
}

/// Compares a type that has `as_str` with text, both ways. For generated code.
#[doc(hidden)]
#[macro_export]
macro_rules! text_eq {
    ($name:ty) => {
        $crate::text_eq!(@ $name, str, &str, ::std::string::String);
    };
    (@ $name:ty, $($text:ty),*) => {
        $(
            impl ::std::cmp::PartialEq<$text> for $name {
                fn eq(&self, other: &$text) -> bool {
                    let other: &str = other;
                    self.as_str() == other
                }
            }

            impl ::std::cmp::PartialEq<$name> for $text {
                fn eq(&self, other: &$name) -> bool {
                    other == self
                }
            }
        )*
    };
}

/// A string enum that keeps values it does not know, such as `JobState`.
///
/// Every enum of the generated crates is one: it compares with text and prints as it travels.
pub trait OpenEnum {
    /// The value as it travels.
    fn as_str(&self) -> &str;
}

#[cfg(test)]
mod tests {
    open_enum! {
        /// For the test.
        pub enum State {
            /// On.
            On = "on",
            /// Off.
            Off = "OFF",
        }
    }

    #[test]
    fn any_text_survives_a_round_trip() {
        for (json, state) in [
            (r#""on""#, State::On),
            (r#""OFF""#, State::Off),
            (r#""off""#, State::Unknown("off".to_owned())),
            (r#""gr\u00fcn\n""#, State::Unknown("grün\n".to_owned())),
        ] {
            let read: State = serde_json::from_str(json).unwrap();
            assert_eq!(read, state);
            let text: String = serde_json::from_str(json).unwrap();
            assert_eq!(
                serde_json::to_string(&read).unwrap(),
                serde_json::to_string(&text).unwrap()
            );
        }
        assert_eq!(State::from("on".to_owned()), State::On);
        assert_eq!(State::KNOWN, ["on", "OFF"]);
    }

    #[test]
    fn values_compare_with_text() {
        let (off, text) = (State::Off, "OFF".to_owned());
        for equal in [
            off == "OFF",
            "OFF" == off,
            off == *"OFF",
            *"OFF" == off,
            off == text,
            text == off,
        ] {
            assert!(equal);
        }
        let unknown = State::from("off");
        assert!(off != "off");
        assert!(unknown == "off");
    }

    #[test]
    fn a_value_stands_in_filters_as_text() {
        use crate::page::query::Literal;

        assert_eq!(State::Off.literal(), "'OFF'");
        assert_eq!(State::from("it's new").literal(), "'it''s new'");
    }
}
