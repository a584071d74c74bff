//! Keeps the current token and renews it, one renewal at a time.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use http::HeaderValue;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    Error, ErrorKind, Result,
    token::{Token, TokenProvider},
};

/// After a renewal that brought a token which is due again, the provider is left alone this long.
const PAUSE: Duration = Duration::from_secs(10);

/// A token ready to be sent.
#[derive(Clone)]
pub(crate) struct Bearer(Arc<Ready>);

struct Ready {
    token: Token,
    header: HeaderValue,
    /// Counts renewals, so that a call can tell whether the token it used is still the current one.
    generation: u64,
    /// Before this, the provider is not asked just because the token expires soon.
    keep_until: Instant,
}

impl Bearer {
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.header.clone()
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.token.expose()
    }

    fn new(token: Token, generation: u64, margin: Duration) -> Result<Self> {
        let unusable = |why| Error::new(ErrorKind::Token, format!("the token {why}"));
        if token.expose().is_empty() {
            return Err(unusable("is empty"));
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| unusable("has characters that cannot stand in a header"))?;
        header.set_sensitive(true);
        let due = token.expires.is_some_and(|time| left(time) <= margin);
        Ok(Self(Arc::new(Ready {
            token,
            header,
            generation,
            keep_until: Instant::now() + if due { PAUSE } else { Duration::ZERO },
        })))
    }

    /// Fails when the token has expired.
    fn check(self) -> Result<Self> {
        match self.0.token.expires {
            Some(time) if left(time).is_zero() => Err(expired(time)),
            _ => Ok(self),
        }
    }

    fn is_fresh(&self, margin: Duration) -> bool {
        let Some(time) = self.0.token.expires else {
            return true;
        };
        let left = left(time);
        left > margin || (!left.is_zero() && Instant::now() < self.0.keep_until)
    }
}

fn left(expires: SystemTime) -> Duration {
    expires
        .duration_since(SystemTime::now())
        .unwrap_or_default()
}

fn expired(time: SystemTime) -> Error {
    let ago = SystemTime::now().duration_since(time).unwrap_or_default();
    let when = DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true);
    Error::new(
        ErrorKind::Token,
        format!(
            "the token expired at {when}, {} s ago; nothing was sent. Make a new one, or use a \
             token provider that renews it",
            ago.as_secs()
        ),
    )
}

/// The current token of a service.
pub(crate) struct TokenSource {
    /// `None` for a token that was given once and for all.
    provider: Option<Arc<dyn TokenProvider>>,
    margin: Duration,
    current: RwLock<Option<Bearer>>,
    /// How often the provider has answered.
    asked: AtomicU64,
    /// Held while the provider is asked: how it failed the last time, if it did.
    renewal: Mutex<Option<Error>>,
}

impl TokenSource {
    pub(crate) fn fixed(token: Token) -> Result<Self> {
        let bearer = Bearer::new(token, 0, Duration::ZERO)?;
        Ok(Self::new(None, Some(bearer), Duration::ZERO))
    }

    pub(crate) fn provided(provider: Arc<dyn TokenProvider>, margin: Duration) -> Self {
        Self::new(Some(provider), None, margin)
    }

    fn new(
        provider: Option<Arc<dyn TokenProvider>>,
        current: Option<Bearer>,
        margin: Duration,
    ) -> Self {
        Self {
            provider,
            margin,
            current: RwLock::new(current),
            asked: AtomicU64::new(0),
            renewal: Mutex::default(),
        }
    }

    /// The current token, if it is good for a while: the usual case.
    pub(crate) fn ready(&self) -> Option<Bearer> {
        self.current().filter(|bearer| bearer.is_fresh(self.margin))
    }

    /// A token that has not expired; asks the provider when there is none, or it expires within
    /// the margin.
    pub(crate) async fn get(&self) -> Result<Bearer> {
        let current = self.current();
        match current {
            Some(bearer) if bearer.is_fresh(self.margin) || self.provider.is_none() => {
                bearer.check()
            }
            Some(bearer) => match self.renew(Some(&bearer)).await {
                Ok(Some(new)) => new.check(),
                // Better a token about to expire than none.
                Err(_) if bearer.clone().check().is_ok() => Ok(self.keep(&bearer)),
                Err(error) => Err(error),
                Ok(None) => bearer.check(),
            },
            None => match self.renew(None).await? {
                Some(new) => new.check(),
                None => Err(Error::new(ErrorKind::Token, "there is no token")),
            },
        }
    }

    /// Another token than `rejected`, or nothing when there is no provider to give one.
    pub(crate) async fn replace(&self, rejected: &Bearer) -> Result<Option<Bearer>> {
        self.renew(Some(rejected)).await
    }

    /// Asks the provider, unless somebody else did since `old` was current: calls that wait for the
    /// same renewal share its result, failures included.
    async fn renew(&self, old: Option<&Bearer>) -> Result<Option<Bearer>> {
        let Some(provider) = &self.provider else {
            return Ok(None);
        };
        let seen = old.map_or(0, |bearer| bearer.0.generation);
        let newer = || self.current().filter(|now| now.0.generation > seen);
        let before = self.asked.load(Ordering::Acquire);
        let mut failure = self.renewal.lock().await;
        if let Some(bearer) = newer() {
            return Ok(Some(bearer));
        }
        let asked = self.asked.load(Ordering::Acquire);
        if let (true, Some(failure)) = (asked > before, failure.as_ref()) {
            return Err(failure.clone());
        }
        let result = provider
            .token()
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Token, "the token provider gave no token").with_source(error)
            })
            .and_then(|token| Bearer::new(token, asked + 1, self.margin));
        self.asked.store(asked + 1, Ordering::Release);
        *failure = result.as_ref().err().cloned();
        let bearer = result?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(bearer.clone());
        Ok(Some(bearer))
    }

    /// Leaves the provider alone for a while: its renewal failed, but this token still works.
    fn keep(&self, bearer: &Bearer) -> Bearer {
        let kept = Bearer(Arc::new(Ready {
            token: bearer.0.token.clone(),
            header: bearer.0.header.clone(),
            generation: bearer.0.generation,
            keep_until: Instant::now() + PAUSE,
        }));
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|now| now.0.generation == bearer.0.generation)
        {
            *current = Some(kept.clone());
        }
        kept
    }

    fn current(&self) -> Option<Bearer> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.provider {
            Some(_) => "provider",
            None => "fixed",
        };
        f.debug_struct("TokenSource")
            .field("kind", &kind)
            .finish_non_exhaustive()
    }
}
