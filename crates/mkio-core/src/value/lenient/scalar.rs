//! Numbers and flags.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::value::{Lenient, LenientValue};

/// A number or a flag.
pub(super) trait Scalar: Sized {
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

            fn find<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LenientValue<Self>, D::Error> {
                deserializer.deserialize_any(ScalarVisitor(PhantomData))
            }
        })*
    };
}
scalars!(i64, f64, bool);

struct ScalarVisitor<T>(PhantomData<T>);

fn found<T, E>(value: Option<T>) -> Result<LenientValue<T>, E> {
    Ok(value.map_or(LenientValue::Other, LenientValue::Value))
}

impl<'de, T: Scalar> Visitor<'de> for ScalarVisitor<T> {
    type Value = LenientValue<T>;

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
        Ok(LenientValue::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(LenientValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LenientValue::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LenientValue::Other)
    }
}
