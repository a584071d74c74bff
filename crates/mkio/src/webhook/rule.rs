//! The rule by which the service sends its events.

use mkio_core::{Items, Response, Result, Secret};

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
#[derive(Debug, Clone)]
#[must_use]
pub struct Rule {
    name: String,
    url: String,
    events: Vec<EventType>,
    secrets: Vec<SharedSecret>,
    headers: Vec<(String, String)>,
    enabled: bool,
}

impl Rule {
    /// A rule of this name that posts all events to `url`.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        let events = EventType::KNOWN.iter().copied().map(EventType::from);
        Self {
            name: name.into(),
            url: url.into(),
            events: events.collect(),
            secrets: Vec::new(),
            headers: Vec::new(),
            enabled: true,
        }
    }

    /// The events that are sent. The default are all ten; those of scheduled operations come only
    /// if the organization has that feature.
    pub fn events(mut self, events: impl IntoIterator<Item = EventType>) -> Self {
        self.events = events.into_iter().collect();
        self
    }

    /// A secret that the service adds to every event.
    pub fn secret(mut self, secret: SharedSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// A header that the service adds to every event; it can be read back, so it is no place for a
    /// secret.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Whether events are sent; `true` by default.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sees to it that the service has the rule like this, whatever it had before.
    ///
    /// A rule that is like this already is left alone. Secrets cannot be read back, so a rule with
    /// secrets is written every time; its delivery history stays.
    ///
    /// # Errors
    ///
    /// Those of reading and writing the rule.
    pub async fn ensure(self, management: &ProjectClient) -> Result<WebhookRule> {
        let spec = self.spec();
        if self.secrets.is_empty() {
            match management
                .get_webhook_rule()
                .rule_name(&*self.name)
                .send()
                .await
            {
                Ok(rule) if rule.spec.as_ref().is_some_and(|found| same(found, &spec)) => {
                    return Ok(rule.into_inner());
                }
                Ok(_) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        management
            .create_or_update_webhook_rule()
            .rule_name(&*self.name)
            .body(WebhookRulePut::new(spec))
            .send()
            .await
            .map(Response::into_inner)
    }

    fn spec(&self) -> WebhookRuleSpec {
        let events = self
            .events
            .iter()
            .map(|event| WebhookEventType::from(event.as_str()));
        let mut spec = WebhookRuleSpec::new(self.enabled, events, &*self.url);
        if !self.headers.is_empty() {
            spec = spec.headers(self.headers.clone());
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
            spec = spec.authentication(authentication);
        }
        spec
    }
}

/// The parts of two specs that can be read are the same; the order of events does not count.
fn same(found: &WebhookRuleSpec, wanted: &WebhookRuleSpec) -> bool {
    let events = |spec: &WebhookRuleSpec| {
        let mut events: Vec<_> = spec.events.clone().unwrap_or_default();
        events.sort();
        events.dedup();
        events
    };
    found.url == wanted.url
        && found.enabled == wanted.enabled
        && events(found) == events(wanted)
        && found.headers.clone().unwrap_or_default() == wanted.headers.clone().unwrap_or_default()
        && found.query_params.clone().unwrap_or_default().is_empty()
}

/// What became of the events of a rule, by its name: `Pending`, `Sent`, `Retrying` or `Failed`.
pub fn deliveries(management: &ProjectClient, rule: &str) -> Items<WebhookDeliveryList> {
    management
        .list_webhook_rule_events()
        .rule_name(rule)
        .items()
}
