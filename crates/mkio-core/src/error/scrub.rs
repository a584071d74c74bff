//! Takes secrets out of what a server sent back with an error.

use bytes::Bytes;
use serde_json::Value;

use super::Error;

const REDACTED: &str = "[redacted]";

/// Texts that must not be repeated in an error.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

/// Names of fields whose values are secret, in lower case and without separators.
const SECRET_FIELDS: [&str; 14] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "authentication",
    "clientsecret",
    "jwt",
    "keyvalue",
    "passphrase",
    "password",
    "privatekey",
    "sastoken",
    "secret",
    "secretaccesskey",
    "token",
];

impl Secrets {
    /// Remembers the secret fields of a JSON request: an answer that complains about a value may
    /// quote it.
    pub(crate) fn add_body(&mut self, body: &[u8]) {
        if let Ok(value) = serde_json::from_slice(body) {
            self.add_json(&value, false);
        }
    }

    fn add_json(&mut self, value: &Value, secret: bool) {
        match value {
            Value::String(text) if secret => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_json(item, secret)),
            Value::Object(fields) => fields.iter().for_each(|(name, item)| {
                let name: String = name
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .map(|c| c.to_ascii_lowercase())
                    .collect();
                self.add_json(item, secret || SECRET_FIELDS.contains(&name.as_str()));
            }),
            _ => {}
        }
    }

    /// Remembers a text. Short ones are left out: replacing them would garble the message, and
    /// they give nothing away.
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() >= 4 {
            self.0.push(secret.to_owned());
        }
    }

    fn found_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret.as_str()))
    }

    fn clean(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), REDACTED)
        })
    }

    fn clean_json(&self, value: &mut Value) {
        match value {
            Value::String(text) if self.found_in(text) => *text = self.clean(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|item| self.clean_json(item)),
            _ => {}
        }
    }
}

impl Error {
    /// Replaces every occurrence of the secrets: proxies and debug pages echo requests.
    pub(crate) fn scrubbed(self, secrets: &Secrets) -> Self {
        if secrets.0.is_empty() {
            return self;
        }
        self.edit(|inner| {
            for text in [
                Some(&mut inner.message),
                inner.code.as_mut(),
                inner.detail.as_mut(),
                inner.reference.as_mut(),
                inner.expectation.as_mut(),
                inner.json_path.as_mut(),
            ]
            .into_iter()
            .flatten()
            {
                if secrets.found_in(text) {
                    *text = secrets.clean(text);
                }
            }
            if let Some(value) = &mut inner.extra_detail {
                secrets.clean_json(value);
            }
            let body = String::from_utf8_lossy(&inner.body);
            if secrets.found_in(&body) {
                inner.body = Bytes::from(secrets.clean(&body));
            }
            let echoes: Vec<_> = inner
                .headers
                .iter()
                .filter(|(_, value)| secrets.found_in(&String::from_utf8_lossy(value.as_bytes())))
                .map(|(name, _)| name.clone())
                .collect();
            for name in echoes {
                inner.headers.remove(name);
            }
        })
    }
}
