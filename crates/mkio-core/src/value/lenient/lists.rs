//! Lists and maps.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::{
    element::Element,
    value::{Lenient, LenientValue},
};

/// A visitor that takes `null`, and anything else through another visitor.
macro_rules! nullable {
    ($null:ident, $inner:ident, $method:ident) => {
        impl<'de, T: Deserialize<'de>> Visitor<'de> for $null<T> {
            type Value = LenientValue<<$inner<T> as Visitor<'de>>::Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $inner::<T>(PhantomData).expecting(f)
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(LenientValue::Null)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(LenientValue::Null)
            }

            fn visit_some<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                let value = deserializer.$method($inner(PhantomData))?;
                Ok(LenientValue::Value(value))
            }
        }
    };
}
/// Elements that are `null`, or of a kind that the type has no place for, are left out.
impl<T: for<'a> Deserialize<'a>> Lenient for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LenientValue<Self>, D::Error> {
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

    fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LenientValue<Self>, D::Error> {
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
