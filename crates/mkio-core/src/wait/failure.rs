//! Why a wait did not reach its goal.

use std::{fmt, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, ErrorKind};

/// Why a wait failed, with the last state of the resource and the errors in it.
///
/// The [`Error`] of a wait has one; [`WaitFailure::of`] gives it.
#[derive(Clone)]
#[non_exhaustive]
pub struct WaitFailure {
    /// Why the wait ended.
    pub reason: Reason,
    /// Kind of the resource, for example `media.job`.
    pub resource: &'static str,
    /// Name of the resource.
    pub name: String,
    /// Where the resource is: its other parameters, for example `project_name acme`.
    pub(super) place: String,
    /// The last state that was seen, if any.
    pub state: Option<String>,
    /// The last progress that was seen, in percent.
    pub progress: Option<u8>,
    /// The errors in the resource. For a job these are the errors of its outputs; the first one's
    /// code and message are also the error's [`code`](Error::code) and [`detail`](Error::detail).
    pub errors: Vec<ResourceError>,
    /// Time since the wait began.
    pub elapsed: Duration,
    pub(super) json: Option<Value>,
}

/// Why a wait ended without its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The state is a failure, or the goal cannot be reached from it any more.
    State,
    /// The resource was on its way to the goal and fell back.
    FellBack,
    /// The resource was there and disappeared.
    Gone,
    /// The resource did not appear.
    NotFound,
    /// Time was up.
    Timeout,
    /// The service refused the action that the wait begins with; the state is the one in which the
    /// resource was found then.
    Refused,
    /// A poll failed in a way that does not pass: no right to read, for example.
    Poll,
    /// The goal was reached, but the resource does not decode.
    Decode,
}

/// An error that a resource carries as data, for example that of a job's output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceError {
    /// Machine-readable code, for example `DownloadNotAccessible`.
    pub code: Option<String>,
    /// Class of the error, for example `Download`.
    pub category: Option<String>,
    /// Text for people.
    pub message: Option<String>,
    /// Whether trying again may help: `MayRetry` or `DoNotRetry`.
    pub retry: Option<String>,
}

impl ResourceError {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| value.get(name)?.as_str())
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let error = match value {
            Value::String(message) if !message.is_empty() => Self {
                message: Some(message.clone()),
                ..Self::default()
            },
            _ => Self {
                code: text(&["code", "showCode"]),
                category: text(&["category"]),
                message: text(&["message", "userMessage", "detail", "userShort"]),
                retry: text(&["retry"]),
            },
        };
        (error != Self::default()).then_some(error)
    }
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = [&self.category, &self.code, &self.message]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        f.write_str(&parts.join(": "))
    }
}

impl WaitFailure {
    /// The failure in an error of a wait; `None` in any other error.
    pub fn of(error: &Error) -> Option<&Self> {
        error.value::<Self>()
    }

    /// The resource as it was last read, if it was.
    pub fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// The resource as it was last read, typed; `None` when it was not read or does not decode.
    pub fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.json.as_ref()?).ok()
    }

    /// The error with this failure in it.
    pub(super) fn into_error(self, source: Option<Error>) -> Error {
        let kind = match (self.reason, &source) {
            (Reason::Timeout, _) => ErrorKind::Timeout,
            (Reason::Poll, Some(source)) => source.kind(),
            _ => ErrorKind::Wait,
        };
        let mut error = Error::new(kind, self.to_string());
        if let Some(source) = source {
            // Here the failed poll ended the wait; otherwise it is only attached.
            if self.reason == Reason::Poll {
                error = error.with_response_of(&source);
            }
            error = error.with_source(source);
        }
        if let Some(first) = self.errors.first() {
            error = error.with_code(first.code.clone(), first.message.clone());
        }
        error.with_value(self)
    }
}

impl fmt::Display for WaitFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` ", self.resource, self.name)?;
        if !self.place.is_empty() {
            write!(f, "({}) ", self.place)?;
        }
        let state = self.state.as_deref().unwrap_or("not seen yet");
        match self.reason {
            Reason::State => write!(f, "ended in state {state}")?,
            Reason::FellBack => write!(f, "fell back to state {state}")?,
            Reason::Gone => write!(f, "disappeared; its last state was {state}")?,
            Reason::NotFound => f.write_str("does not exist")?,
            Reason::Timeout => write!(f, "did not get there in time; its last state was {state}")?,
            Reason::Refused => {
                write!(f, "was in state {state} when the service refused an action")?
            }
            Reason::Poll => write!(f, "could not be polled; its last state was {state}")?,
            Reason::Decode => write!(f, "is in state {state} but does not decode")?,
        }
        if let Some(progress) = self.progress.filter(|_| self.reason == Reason::Timeout) {
            write!(f, " at {progress} %")?;
        }
        write!(f, " (after {:.1} s)", self.elapsed.as_secs_f64())?;
        for error in &self.errors {
            write!(f, ": {error}")?;
        }
        Ok(())
    }
}

/// Shows no resource: it may hold secrets.
impl fmt::Debug for WaitFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFailure")
            .field("reason", &self.reason)
            .field("resource", &self.resource)
            .field("name", &self.name)
            .field("state", &self.state)
            .field("progress", &self.progress)
            .field("errors", &self.errors)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
