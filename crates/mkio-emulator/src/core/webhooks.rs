//! Webhook deliveries: what happened is put in an envelope for each rule that wants it, tried, tried again, remembered.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;

use super::family::Kind;
use super::render;
use super::store::Address;
use super::world::World;

/// Envelopes remembered for each rule.
const HISTORY: usize = 500;
/// Envelopes remembered in all.
const MOST: usize = 20_000;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not tried yet.
    Pending,
    /// Failed at least once; will be tried again.
    Retrying,
    /// Given up.
    Failed,
    /// Taken by the receiver.
    Sent,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Retrying => "Retrying",
            Self::Failed => "Failed",
            Self::Sent => "Sent",
        }
    }
}

#[derive(Debug)]
struct Entry {
    id: u64,
    project: String,
    rule: String,
    created: DateTime<Utc>,
    status: Status,
    tries: u32,
    due: Option<DateTime<Utc>>,
    envelope: Value,
}

/// One try that is to be made now.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Names it when its outcome is reported.
    pub id: u64,
    /// Where to, with the rule's query parameters.
    pub url: String,
    /// Headers of the rule.
    pub headers: Vec<(String, String)>,
    /// The CloudEvent.
    pub body: String,
}

/// Deliveries, waiting and past.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: VecDeque<Entry>,
}

impl Outbox {
    /// When the next try is due.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.entries.iter().filter_map(|entry| entry.due).min()
    }

    /// The history of a rule, oldest first, as replies show it.
    pub fn history(&self, project: &str, rule: &str) -> Vec<Value> {
        let own = self
            .entries
            .iter()
            .filter(|entry| entry.project == project && entry.rule == rule);
        own.map(|entry| {
            json!({
                "created": render::time(entry.created), "source": entry.envelope.get("source"), "type": entry.envelope.get("type"),
                "status": entry.status.name(),
            })
        })
        .collect()
    }

    /// Drops the history of a rule and what it has not sent.
    pub fn forget(&mut self, project: &str, rule: &str) {
        self.entries
            .retain(|entry| entry.project != project || entry.rule != rule);
    }

    /// Reports the outcome of a try.
    pub fn report(&mut self, id: u64, taken: bool, now: DateTime<Utc>, attempts: u32) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else {
            return;
        };
        if taken {
            entry.status = Status::Sent;
        } else if entry.tries >= attempts {
            entry.status = Status::Failed;
        } else {
            entry.status = Status::Retrying;
            // 10 s, 20 s, 40 s, …: the platform publishes no schedule.
            let seconds = 10_i64.saturating_mul(
                1_i64
                    .checked_shl(entry.tries.saturating_sub(1))
                    .unwrap_or(i64::MAX),
            );
            entry.due = Some(now + TimeDelta::seconds(seconds.min(3_600)));
        }
    }

    fn push(&mut self, entry: Entry) {
        let own = self
            .entries
            .iter()
            .filter(|other| other.project == entry.project && other.rule == entry.rule)
            .count();
        if own >= HISTORY || self.entries.len() >= MOST {
            let oldest = self.entries.iter().position(|other| {
                own < HISTORY || (other.project == entry.project && other.rule == entry.rule)
            });
            oldest.map(|at| self.entries.remove(at));
        }
        self.entries.push_back(entry);
    }
}

impl World {
    /// Tells every enabled rule of the project that wants this type. `source` is the resource's path.
    pub fn publish(&mut self, kind: &str, address: &Address, source: &str, previous: &str) {
        let project = address.place.project.clone();
        let wants = |rule: &super::store::Resource| {
            let listed = rule.body.pointer("/spec/events").and_then(Value::as_array);
            rule.body.pointer("/spec/enabled").and_then(Value::as_bool) == Some(true)
                && listed.is_some_and(|types| types.iter().any(|wanted| wanted == kind))
        };
        let rules: Vec<String> = self
            .all(&project, Kind::Rule)
            .filter(|(_, rule)| wants(rule))
            .map(|(_, rule)| rule.name.to_string())
            .collect();
        let Some(resource) = self.get(address) else {
            return;
        };
        if rules.is_empty() {
            return;
        }
        let shown = render::resource(self, address, resource);
        let envelope = json!({
            "specversion": "1.0", "id": Uuid::new_v4(), "type": kind, "source": source, "time": render::time(self.now),
            "datacontenttype": "application/json",
            "data": { "projectName": project, "previousState": previous, "state": resource.state, "resource": shown },
        });
        for rule in rules {
            let (id, now) = (self.next_sequence(), self.now);
            self.outbox.push(Entry {
                id,
                project: project.clone(),
                rule,
                created: now,
                status: Status::Pending,
                tries: 0,
                due: Some(now),
                envelope: envelope.clone(),
            });
        }
    }

    /// The tries that are due. Each is to be reported with [`Outbox::report`].
    pub fn due_deliveries(&mut self) -> Vec<Delivery> {
        let now = self.now;
        let mut out = Vec::new();
        for at in 0..self.outbox.entries.len() {
            let Some(entry) = self.outbox.entries.get_mut(at) else {
                break;
            };
            if entry.due.is_none_or(|due| due > now) {
                continue;
            }
            entry.due = None;
            entry.tries += 1;
            let (id, body) = (entry.id, entry.envelope.to_string());
            let address = Address::new(&entry.project, Kind::Rule, &entry.rule);
            let made = self
                .get(&address)
                .and_then(|rule| delivery(&rule.body, id, body));
            match made {
                Some(delivery) => out.push(delivery),
                None => self.outbox.report(id, false, now, 0),
            }
        }
        out
    }
}

fn delivery(rule: &Value, id: u64, body: String) -> Option<Delivery> {
    let mut url = Url::parse(rule.pointer("/spec/url")?.as_str()?).ok()?;
    let mut headers = Vec::new();
    for section in ["/spec", "/spec/authentication"] {
        let pairs = |name: &str| -> Vec<(String, String)> {
            let found = rule
                .pointer(&format!("{section}/{name}"))
                .and_then(Value::as_object);
            found
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect()
        };
        headers.extend(pairs("headers"));
        let query = pairs("queryParams");
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
    }
    Some(Delivery {
        id,
        url: url.into(),
        headers,
        body,
    })
}

/// Whether a rule may name this URL.
///
/// # Errors
/// Why not.
pub fn check_target(url: &str, remote: bool) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| format!("is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is neither http nor https".to_owned());
    }
    if remote || is_loopback(&url) {
        return Ok(());
    }
    Err("is not on this machine; this emulator delivers to loopback addresses unless it is told to deliver everywhere".to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// How long a receiver may take.
pub const TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_unless_told_otherwise() {
        for url in [
            "http://127.0.0.1:9/x",
            "http://localhost/",
            "http://[::1]:1/",
            "https://hooks.localhost/",
        ] {
            assert_eq!(check_target(url, false), Ok(()), "{url}");
        }
        for url in [
            "http://10.0.0.1/",
            "https://example.com/",
            "http://localhost.example.com/",
            "ftp://127.0.0.1/",
            "nonsense",
        ] {
            assert!(check_target(url, false).is_err(), "{url}");
        }
        assert_eq!(check_target("https://example.com/", true), Ok(()));
    }

    #[test]
    fn a_rule_adds_its_headers_and_query() {
        let rule = json!({ "spec": {
            "url": "http://127.0.0.1:1/hook?a=1", "headers": { "x-a": "1" }, "queryParams": { "b": "2 3" },
            "authentication": { "headers": { "x-key": "k" }, "queryParams": { "sig": "s" } },
        } });
        let Some(made) = delivery(&rule, 7, String::new()) else {
            panic!("it can be delivered")
        };
        assert_eq!(made.url, "http://127.0.0.1:1/hook?a=1&b=2+3&sig=s");
        assert_eq!(
            made.headers,
            [
                ("x-a".to_owned(), "1".to_owned()),
                ("x-key".to_owned(), "k".to_owned())
            ]
        );
    }
}
