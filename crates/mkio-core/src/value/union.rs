//! Unions whose members a tag tells apart.

use std::cell::{Cell, RefCell};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, value::MapDeserializer},
};
use serde_json::{Map, Value};

use crate::{error::expectation, json};

thread_local! {
    /// Content that does not fit its tag is an error, not an unknown variant.
    static STRICT: Cell<bool> = const { Cell::new(false) };
    /// Why a union was refused: serde's errors have no place for a path.
    static MISFIT: RefCell<Option<Misfit>> = const { RefCell::new(None) };
}

/// Where content does not fit, below the value that is read, and why.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) path: String,
    pub(super) why: String,
}

impl Misfit {
    /// Reads text that may hold unions, which are refused when they do not fit.
    fn unless_read<T: DeserializeOwned>(text: &str) -> Result<T, Self> {
        serde_json::from_str(text).map_err(|error| {
            let below = MISFIT.take();
            let path = json::place::<T>(text, &error);
            match below {
                Some(below) => Self {
                    path: json::join(&path, &below.path),
                    why: below.why,
                },
                None => Self {
                    path,
                    why: expectation(&error),
                },
            }
        })
    }
}

/// Reads a value whose unions have to fit.
pub(super) fn strictly<T: DeserializeOwned>(value: &Value) -> Result<T, Misfit> {
    struct Reset(bool);

    impl Drop for Reset {
        fn drop(&mut self) {
            STRICT.set(self.0);
        }
    }

    let _reset = Reset(STRICT.replace(true));
    MISFIT.take();
    Misfit::unless_read(&value.to_string())
}

/// True while JSON is read that must fit its type exactly: readers that otherwise make the best of
/// a value refuse it.
pub fn is_strict() -> bool {
    STRICT.get()
}

/// The content of a union without its tag.
pub struct Content<'a> {
    tag: &'static str,
    object: &'a Map<String, Value>,
}

impl Content<'_> {
    /// Reads the content as a member of the union.
    ///
    /// # Errors
    ///
    /// When the content does not fit the member.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let fields = self.object.iter().filter(|(name, _)| *name != self.tag);
        if !is_strict() {
            let fields = MapDeserializer::new(fields.map(|(name, value)| (name.as_str(), value)));
            return T::deserialize(fields).map_err(|_: serde_json::Error| Refused);
        }
        let fields = fields.map(|(name, value)| (name.clone(), value.clone()));
        let text = Value::Object(fields.collect()).to_string();
        Misfit::unless_read(&text).map_err(|misfit| {
            MISFIT.set(Some(misfit));
            Refused
        })
    }
}

/// The content does not fit the member that its tag names.
pub struct Refused;

/// Reads a union: `member` picks the variant by its tag and reads it. A value with another tag, or
/// one that does not fit its tag, is `unknown`.
///
/// # Errors
///
/// When the value is not JSON; with strict reading, when it does not fit its tag.
pub fn union<'de, D: Deserializer<'de>, U>(
    deserializer: D,
    tag: &'static str,
    member: impl FnOnce(&str, Content<'_>) -> Option<Result<U, Refused>>,
    unknown: impl FnOnce(Value) -> U,
) -> Result<U, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let told = value.get(tag).and_then(Value::as_str);
    let read = match (value.as_object(), told) {
        (Some(object), Some(told)) => member(told, Content { tag, object }),
        _ if is_strict() => {
            MISFIT.set(Some(Misfit {
                path: String::new(),
                why: format!("the text `{tag}`, which selects the type, is missing"),
            }));
            Some(Err(Refused))
        }
        _ => None,
    };
    match read {
        Some(Ok(known)) => Ok(known),
        Some(Err(Refused)) if is_strict() => Err(D::Error::custom("content that does not fit")),
        _ => Ok(unknown(value)),
    }
}
