//! Bearer tokens: where they come from and when they are renewed.

mod command;
mod file;
mod jwt;
mod source;

use std::{fmt, future::Future, pin::Pin, time::SystemTime};

use secrecy::{ExposeSecret, SecretString};

use crate::error::BoxError;

pub use command::TokenCommand;
pub use file::TokenFile;
pub(crate) use file::refuse_readable_by;
pub(crate) use source::{Bearer, TokenSource, is_provider_failure};

/// A bearer token of the service (`POST /api/v1/user/tokens` makes them).
///
/// Never shown by `Debug`; its own copy is wiped from memory when the last clone is dropped.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    expires: Option<SystemTime>,
}

impl Token {
    /// A token. White space around it is dropped, as is a `Bearer` in front of it. When it is a JWT
    /// with an `exp` claim, that is when it expires; the signature is not checked.
    pub fn new(token: impl Into<String>) -> Self {
        let token: String = token.into();
        let bare = without_scheme(&token);
        Self {
            expires: jwt::expiry(bare),
            secret: SecretString::from(bare),
        }
    }

    /// Sets when the token expires, for tokens that do not say so themselves.
    #[must_use]
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires = Some(time);
        self
    }

    /// When the token expires, if that is known.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    pub(crate) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// The token of a whole `Authorization` header, or of its value.
fn without_scheme(token: &str) -> &str {
    let mut rest = token.trim();
    for prefix in ["authorization:", "bearer"] {
        if let Some((start, end)) = rest.split_at_checked(prefix.len())
            && start.eq_ignore_ascii_case(prefix)
            && (prefix.ends_with(':') || end.is_empty() || end.starts_with(char::is_whitespace))
        {
            rest = end.trim_start();
        }
    }
    rest
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("secret", &"[redacted]")
            .field("expires", &self.expires)
            .finish()
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self::new(token)
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Self::new(token)
    }
}

impl From<SecretString> for Token {
    fn from(token: SecretString) -> Self {
        Self::new(token.expose_secret())
    }
}

/// A token, later.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, BoxError>> + Send + 'a>>;

/// Gives tokens: from a vault, an identity service, a file.
///
/// The client keeps the token it was given and asks again when that expires, comes within the
/// refresh margin of its expiry, or is answered with 401. Concurrent calls on one tokio runtime
/// share one call of the provider. It runs in a task of its own, which goes on when the calls that wait
/// for it end. While the old token is valid, calls wait for a new one for 5 s at most. A provider that
/// returns a token that the service has refused is asked less and less often, down to once in 10 s.
///
/// A closure that returns a future is made into a provider by [`token_fn`].
pub trait TokenProvider: Send + Sync {
    /// A token that is valid now. An error becomes the cause of the call's error, so it must not
    /// hold secrets.
    fn token(&self) -> TokenFuture<'_>;
}

/// Makes a provider of an async closure.
///
/// ```
/// use mkio_core::{Token, token_fn};
///
/// let provider = token_fn(|| async { Ok(Token::new("from my vault")) });
/// ```
pub fn token_fn<F, Fut>(ask: F) -> impl TokenProvider
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<Token, BoxError>> + Send + 'static,
{
    FnProvider(ask)
}

struct FnProvider<F>(F);

impl<F, Fut> TokenProvider for FnProvider<F>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<Token, BoxError>> + Send + 'static,
{
    fn token(&self) -> TokenFuture<'_> {
        Box::pin((self.0)())
    }
}
