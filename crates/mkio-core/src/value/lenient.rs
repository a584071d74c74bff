//! Reading what a service may write instead of what its document says.
//!
//! Fields of types that are read are read like this: a number or a flag that is text, a fraction
//! where an integer stands, `null` or text among objects must not make a whole response unreadable.
//! [`Response::json`](crate::Response::json) has what was received.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer, SeqDeserializer},
    },
};

use crate::{Nullable, Secret};

/// The value that was found.
pub enum Found<T> {
    Value(T),
    Null,
    /// Something that the type has no place for.
    Other,
}

impl<T> Found<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Value(value) => Found::Value(f(value)),
            Self::Null => Found::Null,
            Self::Other => Found::Other,
        }
    }
}

/// A type that is read leniently.
pub trait Lenient: Sized {
    /// The expected value, for messages.
    const EXPECTED: &'static str;

    /// Reads one value, whatever it is.
    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Found<Self>, D::Error>;

    /// The value of a field.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Self::find(deserializer)? {
            Found::Value(value) => Ok(value),
            Found::Null => Err(D::Error::custom(format_args!(
                "invalid type: null, expected {}",
                Self::EXPECTED
            ))),
            Found::Other => Err(D::Error::custom(format_args!(
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
/// When the value is neither of the type nor what stands in for it.
pub fn lenient<'de, T: Lenient, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// Reads a field that nothing depends on: a value that does not decode counts as absent. For
/// generated code.
///
/// # Errors
///
/// When the value is no JSON.
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

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Found<Self>, D::Error> {
        Ok(T::find(deserializer)?.map(Some))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match T::find(deserializer)? {
            Found::Value(value) => Ok(Some(value)),
            Found::Null | Found::Other => Ok(None),
        }
    }
}

impl<T: Lenient> Lenient for Nullable<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Found<Self>, D::Error> {
        Ok(T::find(deserializer)?.map(Self::Value))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What cannot be read must not become the `null` that removes it.
        match T::find(deserializer)? {
            Found::Value(value) => Ok(Self::Value(value)),
            Found::Null => Ok(Self::Null),
            Found::Other => Ok(Self::Absent),
        }
    }
}

impl<T: Lenient> Lenient for Secret<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Found<Self>, D::Error> {
        Ok(T::find(deserializer)?.map(Self::new))
    }
}

/// A number or a flag.
trait Scalar: Sized {
    const EXPECTED: &'static str;
    fn of_i64(value: i64) -> Option<Self>;
    fn of_u64(value: u64) -> Option<Self>;
    fn of_f64(value: f64) -> Option<Self>;
    fn of_bool(value: bool) -> Option<Self>;
    fn of_text(value: &str) -> Option<Self>;
}

impl Scalar for i64 {
    const EXPECTED: &'static str = "an integer";

    fn of_i64(value: i64) -> Option<Self> {
        Some(value)
    }

    fn of_u64(value: u64) -> Option<Self> {
        value.try_into().ok()
    }

    /// Without a fraction, and exactly.
    fn of_f64(value: f64) -> Option<Self> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as Self)
    }

    fn of_bool(_: bool) -> Option<Self> {
        None
    }

    fn of_text(value: &str) -> Option<Self> {
        let whole = value.parse().ok();
        whole.or_else(|| value.parse().ok().and_then(Self::of_f64))
    }
}

impl Scalar for f64 {
    const EXPECTED: &'static str = "a number";

    #[allow(clippy::cast_precision_loss, reason = "a number of JSON has no more")]
    fn of_i64(value: i64) -> Option<Self> {
        Some(value as Self)
    }

    #[allow(clippy::cast_precision_loss, reason = "a number of JSON has no more")]
    fn of_u64(value: u64) -> Option<Self> {
        Some(value as Self)
    }

    fn of_f64(value: f64) -> Option<Self> {
        Some(value)
    }

    fn of_bool(_: bool) -> Option<Self> {
        None
    }

    fn of_text(value: &str) -> Option<Self> {
        // JSON has no other numbers, and could not write them back.
        value
            .parse()
            .ok()
            .filter(|number: &Self| number.is_finite())
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "a flag";

    fn of_i64(value: i64) -> Option<Self> {
        u64::try_from(value).ok().and_then(Self::of_u64)
    }

    fn of_u64(value: u64) -> Option<Self> {
        match value {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn of_f64(value: f64) -> Option<Self> {
        i64::of_f64(value).and_then(Self::of_i64)
    }

    fn of_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn of_text(value: &str) -> Option<Self> {
        if value.eq_ignore_ascii_case("true") {
            Some(true)
        } else if value.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            value.parse().ok().and_then(Self::of_i64)
        }
    }
}

macro_rules! scalars {
    ($($type:ty),*) => {
        $(impl Lenient for $type {
            const EXPECTED: &'static str = <Self as Scalar>::EXPECTED;

            fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Found<Self>, D::Error> {
                deserializer.deserialize_any(ScalarVisitor(PhantomData))
            }
        })*
    };
}
scalars!(i64, f64, bool);

struct ScalarVisitor<T>(PhantomData<T>);

fn found<T, E>(value: Option<T>) -> Result<Found<T>, E> {
    Ok(value.map_or(Found::Other, Found::Value))
}

impl<'de, T: Scalar> Visitor<'de> for ScalarVisitor<T> {
    type Value = Found<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        found(T::of_i64(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        found(T::of_u64(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        found(T::of_f64(value))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        found(T::of_bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        found(T::of_text(value.trim()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Found::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Found::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Found::Other)
    }
}

/// A visitor that takes `null`, and anything else through another visitor.
macro_rules! nullable {
    ($null:ident, $inner:ident, $method:ident) => {
        impl<'de, T: Deserialize<'de>> Visitor<'de> for $null<T> {
            type Value = Found<<$inner<T> as Visitor<'de>>::Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $inner::<T>(PhantomData).expecting(f)
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(Found::Null)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Found::Null)
            }

            fn visit_some<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                let value = deserializer.$method($inner(PhantomData))?;
                Ok(Found::Value(value))
            }
        }
    };
}
/// Elements that are `null`, or of a kind that the type has no place for, are left out.
impl<T: for<'a> Deserialize<'a>> Lenient for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Found<Self>, D::Error> {
        struct Elements<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(element) = elements.next_element_seed(Element(PhantomData))? {
                    all.extend(element);
                }
                Ok(all)
            }
        }

        struct Null<T>(PhantomData<T>);
        nullable!(Null, Elements, deserialize_seq);
        deserializer.deserialize_option(Null(PhantomData))
    }
}

/// Values that are `null`, or of a kind that the type has no place for, are left out.
impl<T: for<'a> Deserialize<'a>> Lenient for BTreeMap<String, T> {
    const EXPECTED: &'static str = "a map";

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Found<Self>, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut members: A,
            ) -> Result<BTreeMap<String, T>, A::Error> {
                let mut all = BTreeMap::new();
                while let Some(name) = members.next_key::<String>()? {
                    if let Some(value) = members.next_value_seed(Element(PhantomData))? {
                        all.insert(name, value);
                    }
                }
                Ok(all)
            }
        }

        struct Null<T>(PhantomData<T>);
        nullable!(Null, Members, deserialize_map);
        deserializer.deserialize_option(Null(PhantomData))
    }
}

/// One element; `None` when it is of no use.
struct Element<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Element<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The elements of a list in a list or map: `null` is left out unless the list `T` has a place for it.
struct Inner<A, T> {
    elements: A,
    keeps_null: Option<bool>,
    list: PhantomData<T>,
}

impl<'de, A: SeqAccess<'de>, T: Deserialize<'de>> SeqAccess<'de> for Inner<A, T> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            match self.elements.next_element_seed(UnlessNull(&mut seed))? {
                None => return Ok(None),
                Some(Some(value)) => return Ok(Some(value)),
                Some(None) => {}
            }
            let keeps_null = *self.keeps_null.get_or_insert_with(|| {
                let nulls = std::iter::once(());
                T::deserialize(SeqDeserializer::<_, A::Error>::new(nulls)).is_ok()
            });
            if keeps_null && let Some(seed) = seed.take() {
                return seed.deserialize(().into_deserializer()).map(Some);
            }
        }
    }
}

/// Uses the seed for a value; `None` for `null`, which leaves the seed where it is.
struct UnlessNull<'a, S>(&'a mut Option<S>);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for UnlessNull<'_, S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for UnlessNull<'_, S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0.take() {
            Some(seed) => seed.deserialize(deserializer).map(Some),
            None => Ok(None),
        }
    }
}

/// A scalar as an element.
fn scalar<'de, T: Deserialize<'de>, E: Error>(value: impl IntoDeserializer<'de, E>) -> Option<T> {
    T::deserialize(value.into_deserializer()).ok()
}

/// A number as an element: as it is, without its empty fraction, or as text.
fn number<'de, T: Deserialize<'de>, E: Error>(value: f64) -> Option<T> {
    let whole = || i64::of_f64(value).and_then(scalar::<T, E>);
    scalar::<T, E>(value).or_else(whole)
}

/// Objects and lists are read as they are, so that what is wrong in them is told with its place.
impl<'de, T: Deserialize<'de>> Visitor<'de> for Element<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Option<T>, A::Error> {
        let elements = Inner {
            elements,
            keeps_null: None,
            list: PhantomData::<T>,
        };
        T::deserialize(SeqAccessDeserializer::new(elements)).map(Some)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        let whole = || i64::of_text(text.trim()).and_then(scalar::<T, E>);
        let fraction = || f64::of_text(text.trim()).and_then(scalar::<T, E>);
        let value = scalar::<T, E>(text.to_owned());
        Ok(value.or_else(whole).or_else(fraction))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<T>, E> {
        Ok(scalar::<T, E>(value).or_else(|| scalar::<T, E>(value.to_string())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<T>, E> {
        Ok(scalar::<T, E>(value).or_else(|| scalar::<T, E>(value.to_string())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<T>, E> {
        Ok(number::<T, E>(value).or_else(|| scalar::<T, E>(value.to_string())))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<T>, E> {
        Ok(scalar::<T, E>(value).or_else(|| scalar::<T, E>(value.to_string())))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(scalar::<T, E>(()))
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(scalar::<T, E>(()))
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    #[serde(default)]
    struct Part {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    struct Read {
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Option::is_none"
        )]
        size: Option<i64>,
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Nullable::is_absent"
        )]
        most: Nullable<i64>,
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Option::is_none"
        )]
        rate: Option<f64>,
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Option::is_none"
        )]
        on: Option<bool>,
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Option::is_none"
        )]
        parts: Option<Vec<Part>>,
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Option::is_none"
        )]
        labels: Option<BTreeMap<String, String>>,
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Option::is_none"
        )]
        secrets: Option<Secret<Vec<i64>>>,
        #[serde(
            default,
            deserialize_with = "lenient",
            skip_serializing_if = "Option::is_none"
        )]
        anything: Option<Vec<Value>>,
        #[serde(
            default,
            deserialize_with = "or_none",
            skip_serializing_if = "Option::is_none"
        )]
        extra: Option<Part>,
    }

    #[test]
    fn what_is_meant_is_read_and_what_is_not_is_left_out() {
        for (json, written) in [
            (
                json!({"size": "7", "most": " 7 ", "rate": "1.5", "on": "True"}),
                json!({"size": 7, "most": 7, "rate": 1.5, "on": true}),
            ),
            (
                json!({"size": 2.0, "most": "2.0", "rate": 2, "on": 1}),
                json!({"size": 2, "most": 2, "rate": 2.0, "on": true}),
            ),
            (
                json!({"size": 2.5, "most": 1e30, "rate": "fast", "on": "maybe"}),
                json!({}),
            ),
            (
                json!({"size": u64::MAX, "most": [1], "rate": {"a": [1]}, "on": 7}),
                json!({}),
            ),
            (
                json!({"size": true, "most": null, "rate": "inf", "on": null}),
                json!({"most": null}),
            ),
            (
                json!({"parts": [null, {"name": "a"}, "text", 7, {}, null]}),
                json!({"parts": [{"name": "a"}, {}]}),
            ),
            (
                json!({"labels": {"a": "b", "n": null, "c": 7, "d": 1.5, "e": true, "f": "null"}}),
                json!({"labels": {"a": "b", "c": "7", "d": "1.5", "e": "true", "f": "null"}}),
            ),
            (
                json!({"secrets": [1, "2", 3.0, null, "x", 0.5]}),
                json!({"secrets": [1, 2, 3]}),
            ),
            (
                json!({"anything": [null, 1, 1.5, "a", true, [null], {"a": null}]}),
                json!({"anything": [null, 1, 1.5, "a", true, [null], {"a": null}]}),
            ),
            (
                json!({"parts": [], "labels": {}}),
                json!({"parts": [], "labels": {}}),
            ),
            (
                json!({"parts": null, "labels": null, "extra": null}),
                json!({}),
            ),
            (json!({"extra": "odd"}), json!({})),
            (json!({"extra": {"name": 7}}), json!({})),
            (
                json!({"extra": {"name": "a"}}),
                json!({"extra": {"name": "a"}}),
            ),
        ] {
            for read in [
                serde_json::from_str::<Read>(&json.to_string()),
                serde_json::from_value(json.clone()),
            ] {
                assert_eq!(
                    serde_json::to_value(read.unwrap()).unwrap(),
                    written,
                    "{json}"
                );
            }
        }
    }

    #[test]
    fn what_is_wrong_in_an_object_is_told_with_its_place() {
        for (json, path) in [
            (
                json!({"parts": [{"name": "a"}, {"name": [1]}]}),
                "parts[1].name",
            ),
            (json!({"parts": "text"}), "parts"),
            (json!({"labels": [1]}), "labels"),
        ] {
            let mut reader = serde_json::Deserializer::from_str(Box::leak(json.to_string().into()));
            let error = serde_path_to_error::deserialize::<_, Read>(&mut reader).unwrap_err();
            assert_eq!(error.path().to_string(), path);
        }
    }

    #[test]
    fn a_demanded_number_is_demanded() {
        #[derive(Debug, Deserialize)]
        struct Demanding {
            #[serde(deserialize_with = "lenient")]
            size: i64,
        }
        let read = |json: Value| serde_json::from_value::<Demanding>(json).map(|read| read.size);
        assert_eq!(read(json!({"size": "7"})).unwrap(), 7);
        for json in [json!({}), json!({"size": null}), json!({"size": "x"})] {
            read(json).unwrap_err();
        }
    }

    #[test]
    fn nulls_in_inner_lists_are_left_out_unless_they_have_a_place() {
        let read = |text: &str| {
            let mut reader = serde_json::Deserializer::from_str(text);
            lenient::<BTreeMap<String, Vec<Part>>, _>(&mut reader)
        };
        let parts = read(r#"{"a": [{"name": "x"}, null, {}], "b": [null]}"#).unwrap();
        let named = |name: Option<&str>| Part {
            name: name.map(str::to_owned),
        };
        assert_eq!(parts["a"], [named(Some("x")), named(None)]);
        assert_eq!(parts["b"], []);
        let mut reader = serde_json::Deserializer::from_str("[[null, 1], [null]]");
        let any: Vec<Vec<Value>> = lenient(&mut reader).unwrap();
        assert_eq!(json!(any), json!([[null, 1], [null]]));
    }
}
