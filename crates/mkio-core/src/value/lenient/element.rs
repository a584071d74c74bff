//! One element of a list or map.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer, SeqDeserializer},
    },
};

use super::scalar::Scalar;

/// One element; `None` when it is of no use.
pub(super) struct Element<T>(pub(super) PhantomData<T>);

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

/// Objects and lists are read as they are, so that an error in them has its place.
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
