//! The rule by which the service sends its events.

use std::{collections::BTreeMap, fmt};

use mkio_core::{Items, Response, Result, Secret, UrlText};

use super::{EventType, SharedSecret};
use crate::management::ProjectClient;
use crate::management::types::{
    WebhookAuthentication, WebhookDeliveryList, WebhookEventType, WebhookRule, WebhookRulePut,
    WebhookRuleSpec,
};

/// A webhook rule as it should be.
///
/// ```no_run
/// # async fn run(mkio: mkio::Client) -> mkio::Result<()> {
/// use mkio::webhook::{EventType, Rule, SharedSecret};
///
/// let management = mkio.project("acme").management();
/// Rule::new("jobs", "https://example.com/mkio/events")
///     .events([EventType::JobStarted, EventType::JobFinished])
///     .secret(SharedSecret::header("x-mkio-secret", "correct horse battery staple"))
///     .ensure(&management)
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Rule {
    name: String,
    url: UrlText,
    events: Vec<EventType>,
    secrets: Vec<SharedSecret>,
    headers: Vec<(String, String)>,
    query_params: Vec<(String, String)>,
    enabled: bool,
}

impl Rule {
    /// A rule of this name that posts all events to `url`.
    pub fn new(name: impl Into<String>, url: impl Into<UrlText>) -> Self {
        let events = EventType::KNOWN.iter().copied().map(EventType::from);
        Self {
            name: name.into(),
            url: url.into(),
            events: events.collect(),
            secrets: Vec::new(),
            headers: Vec::new(),
            query_params: Vec::new(),
            enabled: true,
        }
    }

    /// The events that are sent. The default are all ten; those of scheduled operations come only
    /// if the organization has that feature.
    pub fn events(mut self, events: impl IntoIterator<Item = EventType>) -> Self {
        self.events = events.into_iter().collect();
        self
    }

    /// A secret that the service adds to every event. It can be written, and no read shows it.
    pub fn secret(mut self, secret: SharedSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// A header that the service adds to every event; it can be read back, so it is not a place for a
    /// secret.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A query parameter that the service adds to the URL of every event; it can be read back, so it
    /// is not a place for a secret.
    pub fn query_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query_params.push((name.into(), value.into()));
        self
    }

    /// Whether events are sent; `true` by default.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Creates or replaces the rule so that it matches this definition.
    ///
    /// Call it at every start of your program: a rule that matches already is not written, and
    /// writing a rule again changes nothing.
    ///
    /// The service writes rules as a whole, so a rule without secrets here has none afterwards:
    /// where the service shows some, masked, they are removed. Secrets that it does not show are
    /// removed by the next change of something else. A read does not show secrets, so they cannot
    /// be compared: a rule with secrets here is written every time, and a new secret is in force at
    /// once.
    ///
    /// # Errors
    ///
    /// Those of reading and writing the rule.
    pub async fn ensure(self, management: &ProjectClient) -> Result<WebhookRule> {
        let spec = self.spec();
        if self.secrets.is_empty() {
            match management.get_webhook_rule(&*self.name).send().await {
                Ok(rule) if rule.spec.as_ref().is_some_and(|found| same(found, &spec)) => {
                    return Ok(rule.into_inner());
                }
                Ok(_) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        management
            .create_or_update_webhook_rule(&*self.name, WebhookRulePut::new(spec))
            .send()
            .await
            .map(Response::into_inner)
    }

    fn spec(&self) -> WebhookRuleSpec {
        let events = self
            .events
            .iter()
            .map(|event| WebhookEventType::from(event.as_str()));
        let mut spec = WebhookRuleSpec::new(&*self.url, events).enabled(self.enabled);
        if !self.headers.is_empty() {
            spec = spec.with_headers(self.headers.clone());
        }
        if !self.query_params.is_empty() {
            spec = spec.with_query_params(self.query_params.clone());
        }
        if !self.secrets.is_empty() {
            let (headers, query): (Vec<_>, Vec<_>) = self
                .secrets
                .iter()
                .map(SharedSecret::for_rule)
                .partition(|(header, ..)| *header);
            let map = |secrets: Vec<(bool, String, String)>| {
                secrets
                    .into_iter()
                    .map(|(_, name, value)| (name, value))
                    .collect()
            };
            let mut authentication = WebhookAuthentication::default();
            if !headers.is_empty() {
                authentication.headers = Some(Secret::new(map(headers)));
            }
            if !query.is_empty() {
                authentication.query_params = Some(Secret::new(map(query)));
            }
            spec = spec.with_authentication(authentication);
        }
        spec
    }
}

/// Headers and query parameters by their names only.
impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, String)]| -> Vec<String> {
            pairs.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("Rule")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("events", &self.events)
            .field("secrets", &self.secrets)
            .field("headers", &names(&self.headers))
            .field("query_params", &names(&self.query_params))
            .field("enabled", &self.enabled)
            .finish()
    }
}

/// The readable part of a rule equals a rule without secrets; the order of events does not count.
fn same(found: &WebhookRuleSpec, wanted: &WebhookRuleSpec) -> bool {
    let events = |spec: &WebhookRuleSpec| {
        let mut events: Vec<_> = spec.events.clone().unwrap_or_default();
        events.sort();
        events.dedup();
        events
    };
    let given = |map: &Option<BTreeMap<_, _>>| map.clone().unwrap_or_default();
    found.url == wanted.url
        && found.enabled == wanted.enabled
        && events(found) == events(wanted)
        && given(&found.headers) == given(&wanted.headers)
        && given(&found.query_params) == given(&wanted.query_params)
        && !found.authentication.as_ref().is_some_and(has_secrets)
}

fn has_secrets(authentication: &WebhookAuthentication) -> bool {
    [&authentication.headers, &authentication.query_params]
        .into_iter()
        .flatten()
        .any(|secrets| !secrets.expose().is_empty())
}

/// The deliveries of a rule's events, by the rule's name: `Pending`, `Sent`, `Retrying` or
/// `Failed`.
pub fn deliveries(management: &ProjectClient, rule: &str) -> Items<WebhookDeliveryList> {
    management.list_webhook_rule_events(rule).items()
}
