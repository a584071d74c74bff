//! Keeps the current token and renews it, one renewal at a time.

use std::{
    fmt,
    sync::{Arc, Mutex, RwLock},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use http::HeaderValue;
use tokio::{
    runtime::{Handle, Id},
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    Error, ErrorKind, Result,
    sync::{lock, read, write},
    token::{Token, TokenProvider},
};

/// How long the provider is not asked again after a renewal that brought a token which is due
/// already.
const PAUSE: Duration = Duration::from_secs(10);

/// How long the provider is not asked again after it gave a refused token once more; doubled each
/// time, up to [`PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest a call waits for a renewal while its current token is still valid.
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
        if token.expose().starts_with(['"', '\'', '`']) {
            return Err(unusable("is in quotes; leave them out"));
        }
        let scheme = token.expose().split_whitespace().next().unwrap_or_default();
        if ["basic", "digest"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(unusable("is of another scheme than Bearer"));
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

/// Marks a provider error as transient.
struct ProviderFailed;

/// The token provider failed.
pub(crate) fn is_provider_failure(error: &Error) -> bool {
    error.value::<ProviderFailed>().is_some()
}

/// The current token of a service.
pub(crate) struct TokenSource(Arc<Inner>);

struct Inner {
    /// `None` for a token that was given once and for all.
    provider: Option<Arc<dyn TokenProvider>>,
    margin: Duration,
    current: RwLock<Option<Bearer>>,
    renewals: Mutex<Vec<Renewal>>,
    refused: Mutex<Option<Refused>>,
}

/// A token that the service refused although the provider had just given it.
struct Refused {
    bearer: Bearer,
    /// How often the provider has given it again since.
    given_again: u32,
    /// The provider is not asked before this.
    until: Instant,
}

impl Refused {
    fn is(&self, bearer: &Bearer) -> bool {
        self.bearer.expose() == bearer.expose()
    }
}

/// A question to the provider that is under way, or its outcome.
#[derive(Clone)]
struct Renewal {
    /// Where it is asked. Others ask for themselves: this runtime may end or stand still.
    runtime: Id,
    since: Instant,
    outcome: watch::Receiver<Option<Result<Bearer>>>,
}

impl Renewal {
    fn is_under_way(&self) -> bool {
        self.outcome.borrow().is_none() && self.outcome.has_changed().is_ok()
    }

    async fn outcome(mut self) -> Result<Bearer> {
        match self.outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(Error::new(
                ErrorKind::Token,
                "the token provider ended without a token",
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
            renewals: Mutex::default(),
            refused: Mutex::default(),
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
            let missing = || {
                Error::new(
                    ErrorKind::Token,
                    "there is no token; give the client a `token` or `token_provider`",
                )
            };
            return current.ok_or_else(missing)?.check();
        };
        match current.and_then(|bearer| bearer.check().ok()) {
            Some(bearer) if bearer.is_fresh(self.0.margin) => Ok(bearer),
            // Better a token about to expire than none, or a long wait.
            Some(bearer) => {
                let renewal = self.renew(provider);
                let patience = renewal.since + PATIENCE;
                match timeout_at(patience, renewal.outcome()).await {
                    Ok(outcome) => match outcome.and_then(Bearer::check) {
                        Ok(new) => Ok(new),
                        Err(_) => Ok(self.0.keep(&bearer)),
                    },
                    Err(_) => Ok(bearer),
                }
            }
            None => self.renew(provider).outcome().await?.check(),
        }
    }

    /// A token to try after a 401; `None` when the provider has no other. A renewed token with the same
    /// text counts as another one until it has been tried.
    pub(crate) async fn replace(&self, rejected: &Bearer) -> Result<Option<Bearer>> {
        let Some(provider) = &self.0.provider else {
            return Ok(None);
        };
        let newer = || {
            let current = self.0.current();
            current.filter(|now| now.0.generation > rejected.0.generation)
        };
        let refused = |bearer: &Bearer| {
            lock(&self.0.refused)
                .as_ref()
                .is_some_and(|it| it.is(bearer))
        };
        if newer().is_none_or(|bearer| refused(&bearer)) {
            if self.is_paused(rejected) {
                return Ok(None);
            }
            let bearer = self.renew(provider).outcome().await?;
            self.note_given(&bearer);
        }
        newer()
            .filter(|bearer| !refused(bearer))
            .map(Bearer::check)
            .transpose()
    }

    /// The provider would only give the refused token again.
    fn is_paused(&self, rejected: &Bearer) -> bool {
        let refused = lock(&self.0.refused);
        let refused = refused.as_ref().filter(|refused| refused.is(rejected));
        refused.is_some_and(|refused| Instant::now() < refused.until)
    }

    /// Asks less often each time that the provider gives the refused token again.
    fn note_given(&self, bearer: &Bearer) {
        let mut refused = lock(&self.0.refused);
        if let Some(refused) = refused.as_mut().filter(|refused| refused.is(bearer)) {
            let pause = FIRST_PAUSE * 2u32.saturating_pow(refused.given_again).min(1 << 10);
            refused.given_again = refused.given_again.saturating_add(1);
            refused.until = Instant::now() + pause.min(PAUSE);
        }
    }

    /// A token was refused although the provider had just given it.
    pub(crate) fn refuse(&self, bearer: &Bearer) {
        let mut refused = lock(&self.0.refused);
        if !refused.as_ref().is_some_and(|refused| refused.is(bearer)) {
            *refused = Some(Refused {
                bearer: bearer.clone(),
                given_again: 0,
                until: Instant::now(),
            });
        }
    }

    /// Asks the provider, unless it is being asked: calls that wait at the same time share the
    /// outcome, failures included. A task of its own asks, so that no caller's end breaks it off.
    fn renew(&self, provider: &Arc<dyn TokenProvider>) -> Renewal {
        let runtime = Handle::current().id();
        let mut renewals = lock(&self.0.renewals);
        renewals.retain(Renewal::is_under_way);
        if let Some(renewal) = renewals.iter().find(|renewal| renewal.runtime == runtime) {
            return renewal.clone();
        }
        let (sender, outcome) = watch::channel(None);
        let (inner, provider) = (Arc::clone(&self.0), Arc::clone(provider));
        tokio::spawn(async move {
            let outcome = inner.ask(&*provider).await;
            sender.send_replace(Some(outcome));
        });
        let renewal = Renewal {
            runtime,
            since: Instant::now(),
            outcome,
        };
        renewals.push(renewal.clone());
        renewal
    }
}

impl Inner {
    async fn ask(&self, provider: &dyn TokenProvider) -> Result<Bearer> {
        let token = provider.token().await.map_err(|error| {
            Error::new(ErrorKind::Token, "the token provider gave no token")
                .with_source(error)
                .with_value(ProviderFailed)
        })?;
        let generation = self.current().map_or(0, |now| now.0.generation) + 1;
        let bearer = Bearer::new(token, generation, self.margin)?;
        *write(&self.current) = Some(bearer.clone());
        Ok(bearer)
    }

    /// Asks the provider later: its renewal failed, but this token still works.
    fn keep(&self, bearer: &Bearer) -> Bearer {
        let kept = Bearer(Arc::new(Ready {
            token: bearer.0.token.clone(),
            header: bearer.0.header.clone(),
            generation: bearer.0.generation,
            keep_until: Instant::now() + PAUSE,
        }));
        let mut current = write(&self.current);
        if current
            .as_ref()
            .is_some_and(|now| now.0.generation == bearer.0.generation)
        {
            *current = Some(kept.clone());
        }
        kept
    }

    fn current(&self) -> Option<Bearer> {
        read(&self.current).clone()
    }
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
