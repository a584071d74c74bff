//! Why an emulator does not start.

use std::{io, net::SocketAddr};

use crate::{
    faults::FaultError,
    seed::{BeginError, Part, SeedError},
};

/// Why an emulator does not start. Turns into an [`io::Error`] where a caller has one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened at: it is in use, or not one of this machine.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The token cannot travel in an `Authorization` header.
    #[error("the token {0}")]
    Token(&'static str),
    /// The control token cannot travel in an `Authorization` header.
    #[error("the control token {0}")]
    ControlToken(&'static str),
    /// The text is not a state, or of another version.
    #[error("{0}")]
    State(String),
    /// The project cannot be made.
    #[error("the project cannot be made: {0}")]
    Project(String),
    /// The world cannot be read or made.
    #[error("the world cannot be made: {0}")]
    World(String),
    /// The assets cannot be made.
    #[error("the assets cannot be made: {0}")]
    Seed(String),
    /// The seed file is not a list of requests, or one of them is refused.
    #[error("{0}")]
    SeedRequests(String),
    /// The faults do not parse.
    #[error(transparent)]
    Faults(#[from] FaultError),
    /// A setting has a value that nothing works with.
    #[error("{name} {reason}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The problem.
        reason: &'static str,
    },
    /// Webhooks cannot be delivered, because no HTTP client can be made.
    #[error("webhooks cannot be delivered: {0}")]
    Webhooks(reqwest::Error),
    /// The platform refuses a part of its start.
    #[error("the platform cannot be set up: {0}")]
    Platform(String),
}

impl From<BeginError> for StartError {
    fn from(error: BeginError) -> Self {
        let SeedError { part, refusal } = match error {
            BeginError::Seed(error) => error,
            BeginError::Requests(problem) => return Self::SeedRequests(problem),
            BeginError::Faults(error) => return Self::Faults(error),
        };
        match part {
            Part::Platform => Self::Platform(refusal.detail),
            Part::World => Self::World(refusal.detail),
            Part::Project => Self::Project(refusal.detail),
            Part::Assets => Self::Seed(refusal.detail),
        }
    }
}

impl From<StartError> for io::Error {
    fn from(error: StartError) -> Self {
        let kind = match &error {
            StartError::Listen { source, .. } => source.kind(),
            StartError::Webhooks(_) | StartError::Platform(_) => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
