//! The shared secret by which an event's sender is known.

use std::fmt;

use http::request::Parts;
use mkio_core::Secret;
use subtle::{Choice, ConstantTimeEq};

/// A secret that a webhook rule adds to what it posts, as a header or as a query parameter.
///
/// Compared in constant time: how long a refusal takes says nothing about the secret but its
/// length.
#[derive(Clone)]
pub struct SharedSecret {
    place: Place,
    value: Secret<String>,
}

#[derive(Clone)]
enum Place {
    Header(String),
    Query(String),
}

impl SharedSecret {
    /// A secret in the header `name` (in any case).
    pub fn header(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(Place::Header(name.into()), value.into())
    }

    /// A secret in the query parameter `name`. Query parameters tend to end up in access logs;
    /// prefer a header.
    pub fn query(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(Place::Query(name.into()), value.into())
    }

    fn new(place: Place, value: String) -> Self {
        Self {
            place,
            value: value.into(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.value.expose().is_empty()
    }

    /// Whether the request has this secret.
    pub(super) fn is_in(&self, request: &Parts) -> Choice {
        let mut found = Choice::from(0);
        match &self.place {
            Place::Header(name) => {
                for value in request.headers.get_all(name.as_str()) {
                    found |= self.is(value.as_bytes());
                }
            }
            Place::Query(name) => {
                let query = request.uri.query().unwrap_or_default();
                for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
                    if key == *name {
                        found |= self.is(value.as_bytes());
                    }
                }
            }
        }
        found
    }

    fn is(&self, given: &[u8]) -> Choice {
        self.value.expose().as_bytes().ct_eq(given)
    }

    /// Name of the header, if that is where the secret is, and the secret.
    #[cfg(feature = "management")]
    pub(super) fn for_rule(&self) -> (bool, String, String) {
        let value = self.value.expose().to_owned();
        match &self.place {
            Place::Header(name) => (true, name.clone(), value),
            Place::Query(name) => (false, name.clone(), value),
        }
    }
}

/// Shows where the secret is and not what it is.
impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, name) = match &self.place {
            Place::Header(name) => ("header", name),
            Place::Query(name) => ("query", name),
        };
        f.debug_struct("SharedSecret")
            .field(place, name)
            .finish_non_exhaustive()
    }
}
