//! The kinds of errors.

/// The kind of failure, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call was refused before anything was sent: a missing or unusable argument.
    InvalidRequest,
    /// The client's configuration is missing something, contradicts itself, or would let a token
    /// travel unencrypted.
    Config,
    /// There is no usable token: none given, expired, or its provider failed.
    Token,
    /// A link or redirect leads away from the service.
    Origin,
    /// The service answered with an error status, or with an error body.
    Api,
    /// No whole response: the connection could not be made, broke, or the body ended early.
    Connection,
    /// A client-side limit passed: attempt, call, or wait deadline. A 408 or 504 of the service is
    /// [`Api`](Self::Api); [`Error::is_timeout`](crate::Error::is_timeout) covers both.
    Timeout,
    /// The response arrived, but its body does not decode or is larger than allowed.
    Decode,
    /// A list cannot go on: a page repeats, or a resume token does not fit.
    Paging,
    /// The resource reached a failure state, disappeared or never appeared;
    /// [`WaitFailure::of`](crate::WaitFailure::of) has state and errors.
    Wait,
}

impl ErrorKind {
    /// The kind as traces and metrics name it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Config => "config",
            Self::Token => "token",
            Self::Origin => "origin",
            Self::Api => "api",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Decode => "decode",
            Self::Paging => "paging",
            Self::Wait => "wait",
        }
    }
}
