//! Faults, as data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether the connection breaks before or after the request took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reset {
    /// Nothing was written.
    Before,
    /// Everything was written; the caller gets no response.
    After,
}

/// The effect on `@odata.nextLink`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// The service no longer knows it.
    Stale,
    /// It leads to another origin.
    Foreign,
    /// It leads to its own page.
    Repeat,
}

/// A fault: the requests that it matches, and its effect on them. A condition that is not set matches every request; an effect that is not set
/// does nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Method; any when empty or `*`.
    pub method: String,
    /// Path, in which `*` stands for anything; any when empty.
    pub path: String,
    /// Applies only to the nth request that matches, counted from 1.
    pub nth: Option<u64>,
    /// Applies to every nth request that matches.
    pub every: Option<u64>,
    /// Applies to at most this many requests.
    pub times: Option<u64>,
    /// Applies to a request with this probability, 0 to 1.
    pub probability: Option<f64>,
    /// Seed of the probability. The same seed and the same requests give the same run.
    pub seed: u64,
    /// Answers this status; the request takes no effect.
    pub status: Option<u16>,
    /// `Retry-After` of that response, as it is sent.
    pub retry_after: Option<String>,
    /// The response is a proxy's HTML page.
    pub html: bool,
    /// Milliseconds before the response.
    pub delay: u64,
    /// Breaks the connection.
    pub reset: Option<Reset>,
    /// Breaks the connection after this many bytes of the body.
    pub cut: Option<usize>,
    /// Milliseconds between pieces of the body.
    pub slow: u64,
    /// Fields, wherever they are, that get a value that the documents do not have.
    pub unknown: Vec<String>,
    /// Fields added to the response and to each item of a list.
    pub extra: Vec<String>,
    /// Fields, wherever they are, that are left out.
    pub drop: Vec<String>,
    /// Fields, wherever they are, that are null.
    pub null: Vec<String>,
    /// Fields, wherever they are, that get a value of another type.
    pub mistype: Vec<String>,
    /// The effect on `@odata.nextLink`.
    pub link: Option<Link>,
}

impl Fault {
    /// The fault as JSON, without members that are not set.
    pub fn to_json(&self) -> Value {
        let value = |fault: &Self| serde_json::to_value(fault).unwrap_or_default();
        let (own, silent) = (value(self), value(&Self::default()));
        let fields = own.as_object().into_iter().flatten();
        fields
            .filter(|(name, value)| silent.get(name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>()
            .into()
    }
}
