//! Keeps the current token and renews it, one renewal at a time.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use http::HeaderValue;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    Error, ErrorKind, Result,
    token::{Token, TokenProvider},
};

/// After a renewal that brought a token which is due again, the provider is left alone this long.
const PAUSE: Duration = Duration::from_secs(10);

/// So long calls wait for a renewal while they have a token that is still valid.
const PATIENCE: Duration = Duration::from_secs(5);

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
            "the token expired at {when}, {} s ago; make a new one, or use a token provider that \
             renews it",
            ago.as_secs()
        ),
    )
}

/// Marks the error of a provider that failed, which it may not do the next time.
struct NoToken;

/// The token provider failed.
pub(crate) fn gave_none(error: &Error) -> bool {
    error.value::<NoToken>().is_some()
}

/// The current token of a service.
pub(crate) struct TokenSource(Arc<Inner>);

struct Inner {
    /// `None` for a token that was given once and for all.
    provider: Option<Arc<dyn TokenProvider>>,
    margin: Duration,
    current: RwLock<Option<Bearer>>,
    renewal: Mutex<Option<Renewal>>,
    /// A token that was rejected although it was just renewed; it is not tried again after a 401.
    rejected: Mutex<Option<Bearer>>,
}

/// A question to the provider that is under way, or its answer.
#[derive(Clone)]
struct Renewal {
    since: Instant,
    answer: watch::Receiver<Option<Result<Bearer>>>,
}

impl Renewal {
    fn is_under_way(&self) -> bool {
        self.answer.borrow().is_none() && self.answer.has_changed().is_ok()
    }

    async fn answer(mut self) -> Result<Bearer> {
        match self.answer.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(answer)) => answer.clone(),
            _ => Err(Error::new(
                ErrorKind::Token,
                "the token provider ended without an answer",
            )),
        }
    }
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
        Self(Arc::new(Inner {
            provider,
            margin,
            current: RwLock::new(current),
            renewal: Mutex::default(),
            rejected: Mutex::default(),
        }))
    }

    /// The current token, if it is good for a while: the usual case.
    pub(crate) fn ready(&self) -> Option<Bearer> {
        let current = self.0.current();
        current.filter(|bearer| bearer.is_fresh(self.0.margin))
    }

    /// A token that has not expired; asks the provider when there is none, or it expires within
    /// the margin.
    pub(crate) async fn get(&self) -> Result<Bearer> {
        let current = self.0.current();
        let Some(provider) = &self.0.provider else {
            let missing = || Error::new(ErrorKind::Token, "there is no token");
            return current.ok_or_else(missing)?.check();
        };
        match current.and_then(|bearer| bearer.check().ok()) {
            Some(bearer) if bearer.is_fresh(self.0.margin) => Ok(bearer),
            // Better a token about to expire than none, or a long wait.
            Some(bearer) => {
                let renewal = self.renew(provider);
                let patience = renewal.since + PATIENCE;
                match timeout_at(patience, renewal.answer()).await {
                    Ok(answer) => match answer.and_then(Bearer::check) {
                        Ok(new) => Ok(new),
                        Err(_) => Ok(self.0.keep(&bearer)),
                    },
                    Err(_) => Ok(bearer),
                }
            }
            None => self.renew(provider).answer().await?.check(),
        }
    }

    /// Another token than `rejected`, or nothing when there is none to be had.
    pub(crate) async fn replace(&self, rejected: &Bearer) -> Result<Option<Bearer>> {
        let Some(provider) = &self.0.provider else {
            return Ok(None);
        };
        let newer = || {
            let current = self.0.current();
            current.filter(|now| now.0.generation > rejected.0.generation)
        };
        if newer().is_none() {
            self.renew(provider).answer().await?;
        }
        let rejected = lock(&self.0.rejected).clone();
        newer()
            .filter(|now| rejected.is_none_or(|rejected| rejected.expose() != now.expose()))
            .map(Bearer::check)
            .transpose()
    }

    /// A token was rejected although it was just renewed.
    pub(crate) fn reject(&self, bearer: &Bearer) {
        *lock(&self.0.rejected) = Some(bearer.clone());
    }

    /// Asks the provider, unless it is being asked: calls that wait at the same time share the
    /// answer, failures included. A task of its own asks, so that no caller's end breaks it off.
    fn renew(&self, provider: &Arc<dyn TokenProvider>) -> Renewal {
        let mut renewal = lock(&self.0.renewal);
        if let Some(renewal) = renewal.as_ref().filter(|renewal| renewal.is_under_way()) {
            return renewal.clone();
        }
        let (sender, answer) = watch::channel(None);
        let (inner, provider) = (Arc::clone(&self.0), Arc::clone(provider));
        tokio::spawn(async move {
            let answer = inner.ask(&*provider).await;
            sender.send_replace(Some(answer));
        });
        let since = Instant::now();
        renewal.insert(Renewal { since, answer }).clone()
    }
}

impl Inner {
    async fn ask(&self, provider: &dyn TokenProvider) -> Result<Bearer> {
        let token = provider.token().await.map_err(|error| {
            Error::new(ErrorKind::Token, "the token provider gave no token")
                .with_source(error)
                .with_value(NoToken)
        })?;
        let generation = self.current().map_or(0, |now| now.0.generation) + 1;
        let bearer = Bearer::new(token, generation, self.margin)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(bearer.clone());
        Ok(bearer)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0.provider {
            Some(_) => "provider",
            None => "fixed",
        };
        f.debug_struct("TokenSource")
            .field("kind", &kind)
            .finish_non_exhaustive()
    }
}
