//! What can go wrong, in one word each.

/// What went wrong, in one word.
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
    /// The service answered with an error status.
    Api,
    /// No whole answer: the connection could not be made, broke, or the body ended early.
    Connection,
    /// A time limit passed before the answer, or the awaited state, was there.
    Timeout,
    /// The answer arrived, but its body does not decode.
    Decode,
    /// A list cannot go on: a page repeats, or a resume token does not fit.
    Paging,
    /// A resource that was waited for ended in a failure state or disappeared.
    Wait,
}
