//! Structures that are read member by member.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::lenient::{Lenient, lenient, or_none};

/// A structure whose members may all be absent. For generated code: what serde derives for a
/// structure takes several times as long to compile.
pub trait Members: Default {
    /// Name of the type, for messages.
    const TYPE: &'static str;
    /// Names of the members in JSON.
    const NAMES: &'static [&'static str];

    /// Reads the value of the member with this index in [`NAMES`](Self::NAMES).
    ///
    /// # Errors
    ///
    /// When the value does not fit the member.
    fn read<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;
}

/// Reads a structure. Of a member that comes twice, the last value counts.
///
/// # Errors
///
/// When it is not an object, or a value does not fit its member.
pub fn members<'de, T: Members, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_struct(T::TYPE, T::NAMES, MembersVisitor(PhantomData))
}

/// Reads the value of a member as [`lenient`] does.
///
/// # Errors
///
/// Those of [`lenient`].
pub fn next_lenient<'de, T: Lenient, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
    struct Seed<T>(PhantomData<T>);

    impl<'de, T: Lenient> DeserializeSeed<'de> for Seed<T> {
        type Value = T;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            lenient(deserializer)
        }
    }

    map.next_value_seed(Seed(PhantomData))
}

/// Reads the value of a member as [`or_none`] does.
///
/// # Errors
///
/// Those of [`or_none`].
pub fn next_or_none<'de, T, A>(map: &mut A) -> Result<Option<T>, A::Error>
where
    T: for<'a> Deserialize<'a>,
    A: MapAccess<'de>,
{
    struct Seed<T>(PhantomData<T>);

    impl<'de, T: for<'a> Deserialize<'a>> DeserializeSeed<'de> for Seed<T> {
        type Value = Option<T>;

        fn deserialize<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Self::Value, D::Error> {
            or_none(deserializer)
        }
    }

    map.next_value_seed(Seed(PhantomData))
}

struct MembersVisitor<T>(PhantomData<T>);

impl<'de, T: Members> Visitor<'de> for MembersVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {}", T::TYPE)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut read = T::default();
        let mut name = Name {
            names: T::NAMES,
            likely: 0,
        };
        while let Some(found) = map.next_key_seed(name)? {
            match found {
                Some(index) => {
                    read.read(index, &mut map)?;
                    name.likely = index + 1;
                }
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(read)
    }
}

/// Finds the index of a member. Members mostly come in the order of the document.
#[derive(Clone, Copy)]
struct Name {
    names: &'static [&'static str],
    likely: usize,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        if self.names.get(self.likely) == Some(&name) {
            return Ok(Some(self.likely));
        }
        Ok(self.names.iter().position(|of| *of == name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::glue;

    #[derive(Debug, Default, PartialEq)]
    struct Job {
        name: Option<String>,
        progress: Option<i64>,
        tags: Option<Vec<String>>,
    }

    impl Members for Job {
        const TYPE: &'static str = "Job";
        const NAMES: &'static [&'static str] = &["name", "progress", "tags"];

        fn read<'de, A: MapAccess<'de>>(
            &mut self,
            index: usize,
            map: &mut A,
        ) -> Result<(), A::Error> {
            match index {
                0 => self.name = map.next_value()?,
                1 => self.progress = glue::next_lenient(map)?,
                2 => self.tags = glue::next_or_none(map)?,
                _ => {}
            }
            Ok(())
        }
    }

    impl<'de> Deserialize<'de> for Job {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            members(deserializer)
        }
    }

    fn job(name: &str, progress: i64) -> Job {
        Job {
            name: Some(name.to_owned()),
            progress: Some(progress),
            tags: None,
        }
    }

    #[test]
    fn members_come_in_any_order_and_unknown_ones_are_left_out() {
        for text in [
            r#"{"name":"a","progress":5}"#,
            r#"{"progress":"5","name":"a"}"#,
            r#"{"new":{"x":[1]},"tags":{"no":"list"},"progress":5,"name":"a"}"#,
            r#"{"name":"b","progress":5,"name":"a"}"#,
            r#"{"na\u006de":"a","progress":5,"tags":null}"#,
        ] {
            assert_eq!(
                serde_json::from_str::<Job>(text).unwrap(),
                job("a", 5),
                "{text}"
            );
        }
        assert_eq!(serde_json::from_str::<Job>("{}").unwrap(), Job::default());
        let value = json!({"name": "a", "progress": 5});
        assert_eq!(serde_json::from_value::<Job>(value).unwrap(), job("a", 5));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (text, told) in [
            ("[]", "expected struct Job"),
            ("null", "expected struct Job"),
            (r#"{"name":7}"#, "expected a string"),
        ] {
            let error = serde_json::from_str::<Job>(text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
