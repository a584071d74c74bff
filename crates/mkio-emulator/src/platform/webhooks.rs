//! Webhook deliveries: an event is put in an envelope for each rule that wants it, sent, sent again, remembered.

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE},
};
use serde_json::{Value, json};
use url::{Host, Url};
use uuid::Uuid;

use crate::{
    base::{
        format,
        kind::Kind,
        outbox::{Envelope, Status},
        read::Read,
        store::{Address, Resource},
    },
    platform::{render, rules::Platform},
};

/// One try that is to be made now.
#[derive(Clone)]
pub struct Delivery {
    /// Names it when its outcome is reported.
    pub id: u64,
    /// The organization of the world that it comes from: another world may have taken its place when the outcome is known.
    pub home: Uuid,
    /// Where to, with the rule's query parameters.
    pub url: String,
    /// Content type, and headers of the rule.
    pub headers: HeaderMap,
    /// The CloudEvent.
    pub body: Bytes,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address and the headers hold the rule's secrets.
        formatter
            .debug_struct("Delivery")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Platform {
    /// Makes a delivery for every enabled rule of the project that wants this type. `source` is the resource's path.
    pub fn publish(&mut self, kind: &str, address: &Address, source: &str, previous: &str) {
        let project = address.place.project.clone();
        let wants = |rule: &Resource| {
            let listed = rule.body.pointer("/spec/events").and_then(Value::as_array);
            rule.body.pointer("/spec/enabled").and_then(Value::as_bool) == Some(true)
                && listed.is_some_and(|types| types.iter().any(|wanted| wanted == kind))
        };
        let rules: Vec<String> = self
            .all(&project, Kind::RULE)
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
            "specversion": "1.0", "id": Uuid::new_v4(), "type": kind, "source": source, "time": format::time(self.now),
            "datacontenttype": "application/json",
            "data": { "projectName": project, "previousState": previous, "state": resource.state, "resource": shown },
        });
        let body = Bytes::from(envelope.to_string());
        for rule in rules {
            let (id, now) = (self.next_sequence(), self.now);
            let entry = Envelope {
                rule: (project.clone(), rule),
                created: now,
                kind: kind.to_owned(),
                source: source.to_owned(),
                status: Status::Pending,
                tries: 0,
                due: Some(now),
                body: body.clone(),
            };
            self.outbox.push(id, entry);
        }
    }

    /// The tries that are due, at most `most`. Each is to be reported with [`Outbox::report`].
    pub fn due_deliveries(&mut self, most: usize) -> Vec<Delivery> {
        let now = self.now;
        let mut out = Vec::new();
        while out.len() < most {
            let Some((id, entry)) = self.outbox.start(now) else {
                break;
            };
            let body = entry.body.clone();
            let address = Address::new(&entry.rule.0, Kind::RULE, &entry.rule.1);
            let made = self
                .get(&address)
                .and_then(|rule| delivery(&rule.body, id, self.home, body));
            match made {
                Some(delivery) => out.push(delivery),
                None => self.outbox.report(id, false, now, 0),
            }
        }
        out
    }
}

/// Sections of a rule that add to its deliveries; the second is secret.
const SECTIONS: [&str; 2] = ["/spec", "/spec/authentication"];

fn pairs<'a>(
    rule: &'a Value,
    section: &str,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    rule.pointer(&format!("{section}/{name}"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

fn delivery(rule: &Value, id: u64, home: Uuid, body: Bytes) -> Option<Delivery> {
    let mut url = Url::parse(rule.text("/spec/url")?).ok()?;
    let mut headers = HeaderMap::new();
    // What CloudEvents call the structured mode.
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/cloudevents+json"),
    );
    for section in SECTIONS {
        for (name, value) in pairs(rule, section, "headers") {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
        let mut query = pairs(rule, section, "queryParams").peekable();
        if query.peek().is_some() {
            url.query_pairs_mut().extend_pairs(query);
        }
    }
    Some(Delivery {
        id,
        home,
        url: url.into(),
        headers,
        body,
    })
}

/// Headers that belong to the connection and not to a rule.
const RESERVED: [HeaderName; 6] = [
    HOST,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    CONNECTION,
    UPGRADE,
    EXPECT,
];

/// What of a rule's headers cannot be sent, `(pointer, reason)`. Values stay out of the reasons: they may be secrets.
pub fn check_headers(rule: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for section in SECTIONS {
        for (name, value) in pairs(rule, section, "headers") {
            let reason = match HeaderName::from_bytes(name.as_bytes()) {
                Err(_) => "is not the name of a header",
                Ok(name) if RESERVED.contains(&name) => "is set by the platform",
                Ok(_) if HeaderValue::from_str(value).is_err() => {
                    "has characters that no header carries"
                }
                Ok(_) => continue,
            };
            found.push((format!("{section}/headers/{name}"), reason.to_owned()));
        }
    }
    found
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
    Err("is not on this machine; this emulator delivers to loopback addresses unless it is set to deliver everywhere".to_owned())
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
#[cfg(feature = "host")]
pub const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

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
            "authentication": { "headers": { "x-key": "hush" }, "queryParams": { "sig": "s" } },
        } });
        let Some(made) = delivery(&rule, 7, Uuid::nil(), Bytes::new()) else {
            panic!("it can be delivered")
        };
        assert_eq!(made.url, "http://127.0.0.1:1/hook?a=1&b=2+3&sig=s");
        assert_eq!(
            (
                &made.headers["x-a"],
                &made.headers["x-key"],
                &made.headers["content-type"]
            ),
            (
                &HeaderValue::from_static("1"),
                &HeaderValue::from_static("hush"),
                &HeaderValue::from_static("application/cloudevents+json")
            )
        );
        let shown = format!("{made:?} {:?}", made.headers);
        assert!(!shown.contains("hush") && !shown.contains("sig"), "{shown}");
    }

    #[test]
    fn headers_that_cannot_be_sent_are_named() {
        let rule = json!({ "spec": {
            "headers": { "Content-Type": "application/json", "x y": "1", "content-length": "3" },
            "authentication": { "headers": { "x-key": "hu\nsh" } },
        } });
        let found = check_headers(&rule);
        let places: Vec<&str> = found.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(
            places,
            [
                "/spec/headers/x y",
                "/spec/headers/content-length",
                "/spec/authentication/headers/x-key"
            ]
        );
        assert!(!format!("{found:?}").contains("hu"), "{found:?}");
    }
}
