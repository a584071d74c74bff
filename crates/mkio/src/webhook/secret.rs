//! The shared secret by which an event's sender is known.

use std::fmt;

use http::request::Parts;
use http::{HeaderName, HeaderValue};
use mkio_core::{Error, ErrorKind, Result, Secret};
use percent_encoding::percent_decode_str;
use subtle::{Choice, ConstantTimeEq};

/// A secret that a webhook rule adds to its requests, as a header or as a query parameter.
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

    /// A secret that no request can have would let nobody in.
    pub(super) fn check(&self) -> Result<()> {
        let value = self.value.expose().as_bytes();
        let wrong = match &self.place {
            _ if value.is_empty() => "the secret of a webhook must not be empty".to_owned(),
            Place::Query(name) if name.is_empty() => {
                "the query parameter of a webhook's secret must have a name".to_owned()
            }
            Place::Header(name) if HeaderName::try_from(name).is_err() => {
                format!("the secret of a webhook cannot be in {name:?}, which is not a header name")
            }
            Place::Header(name)
                if value.trim_ascii() != value || HeaderValue::from_bytes(value).is_err() =>
            {
                format!(
                    "the secret of a webhook in the header {name:?} has line breaks or control \
                     characters, or white space at an end, which headers lose"
                )
            }
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Config, wrong))
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
                for pair in request.uri.query().unwrap_or_default().split('&') {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    if read(key, true) == name.as_bytes() || read(key, false) == name.as_bytes() {
                        // A plus is a space in forms and a plus elsewhere; which of both the service
                        // writes is not published.
                        found |= self.is(&read(value, true)) | self.is(&read(value, false));
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

/// A name or value of a query without its escapes.
fn read(text: &str, form: bool) -> Vec<u8> {
    if form {
        percent_decode_str(&text.replace('+', " ")).collect()
    } else {
        percent_decode_str(text).collect()
    }
}

/// Shows where the secret is, but not the secret.
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
