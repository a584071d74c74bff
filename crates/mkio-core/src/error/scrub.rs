//! Takes secrets out of error responses.

use bytes::Bytes;
use serde_json::Value;

use super::{Error, secret_fields};

const REDACTED: &str = "[redacted]";

/// Texts that must not be repeated in an error.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

/// Ends of names of secret fields that no document has: requests may hold fields that this version
/// does not know.
const SECRET_ENDS: [&str; 4] = ["passphrase", "password", "secret", "token"];

/// Fields that end in "key" and hold a name.
const HARMLESS_KEYS: [&str; 3] = ["key", "labelkey", "publickey"];

/// The values of a field must not be repeated. `parent` is the field around it; both names are in
/// lower case and without separators.
fn is_secret(parent: &str, name: &str, value: &Value) -> bool {
    secret_fields::ANYWHERE.contains(&name)
        || secret_fields::BELOW.contains(&(parent, name))
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        // Objects by such a name describe a key; secrets in them have names of their own.
        || (value.is_string() && name.ends_with("key") && !HARMLESS_KEYS.contains(&name))
}

fn plain_name(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// A text as it stands between the quotes of a JSON string: as it is, and with everything that is
/// not ASCII as `\uXXXX`, in small and in capital digits.
fn escaped(text: &str) -> [String; 3] {
    let quoted = Value::from(text).to_string();
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let (mut small, mut capital) = (String::new(), String::new());
    for c in inner.chars() {
        if c.is_ascii() {
            small.push(c);
            capital.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            small.push_str(&format!("\\u{unit:04x}"));
            capital.push_str(&format!("\\u{unit:04X}"));
        }
    }
    [inner.to_owned(), small, capital]
}

impl Secrets {
    /// Remembers the secret fields of a JSON request: a response that complains about a value may
    /// quote it.
    pub(crate) fn add_body(&mut self, body: &[u8]) {
        if let Ok(value) = serde_json::from_slice(body) {
            self.add_json(&value, false, "");
        }
    }

    fn add_json(&mut self, value: &Value, secret: bool, parent: &str) {
        match value {
            Value::String(text) if secret => self.add(text),
            Value::Array(items) => {
                for item in items {
                    self.add_json(item, secret, parent);
                }
            }
            Value::Object(fields) => {
                for (name, item) in fields {
                    let name = plain_name(name);
                    let secret = secret || is_secret(parent, &name, item);
                    self.add_json(item, secret, &name);
                }
            }
            _ => {}
        }
    }

    /// Remembers a text, also as it stands in JSON and in JSON that is quoted in JSON. Short ones
    /// are left out: replacing them would garble the message, and they give nothing away.
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() < 4 {
            return;
        }
        let once = escaped(secret);
        let twice = once.iter().flat_map(|text| escaped(text));
        self.0.extend(twice);
        self.0.extend(once);
        self.0.push(secret.to_owned());
        // The longest first: one may hold another, whose removal would leave the rest of it.
        self.0
            .sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.0.dedup();
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
    pub(crate) fn redact(self, secrets: &Secrets) -> Self {
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
                inner.target.as_mut().map(|target| &mut target.path),
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    /// What an error shows of a response that repeats the text, as JSON and as a page.
    fn echoed(request: &Value, text: &str) -> String {
        let mut secrets = Secrets::default();
        secrets.add_body(request.to_string().as_bytes());
        let quoted = json!({"error": {"code": "E", "detail": text, "extraDetail": [text]}});
        let mut shown = String::new();
        for body in [quoted.to_string(), text.to_owned()] {
            let error =
                Error::from_response(StatusCode::BAD_REQUEST, HeaderMap::new(), body.into())
                    .redact(&secrets);
            shown += &format!("{error}\n{error:?}\n{:?}\n", error.detail());
            shown += &format!("{:?}\n", error.extra_detail());
            shown += &String::from_utf8_lossy(error.body());
        }
        shown
    }

    /// Schema and name of every property that an overlay of the documents marks as secret.
    fn marked() -> Vec<(String, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/overlays");
        let mut found = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let mut target = "";
            for line in text.lines() {
                if let Some(path) = line.trim().strip_prefix("- target:") {
                    target = path;
                }
                let Some((schema, names)) = target.split_once(".properties") else {
                    continue;
                };
                if line.contains("x-mkio-secret") {
                    for name in names.split(',') {
                        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "");
                        found.push((schema.to_owned(), name));
                    }
                }
            }
        }
        found
    }

    #[test]
    fn every_secret_of_the_models_is_taken_out() {
        let marked = marked();
        for known in ["ask", "bissKey", "JWT", "queryParams", "shortCode", "value"] {
            assert!(marked.iter().any(|(_, name)| name == known), "{known}");
        }
        for (schema, name) in marked {
            let field = json!({ name.as_str(): "hush-hush-canary" });
            let request = match schema {
                schema if schema.contains("AuthenticationSchema") => {
                    json!({"spec": {"authentication": field}})
                }
                schema if schema.contains("StreamingLocatorContentKey") => {
                    json!({"properties": {"contentKeys": [field]}})
                }
                _ => json!({"properties": [field]}),
            };
            let shown = echoed(&request, &request.to_string());
            assert!(!shown.contains("hush-hush-canary"), "{name}: {shown}");
            assert!(shown.contains(REDACTED), "{name}: {shown}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let request = json!({
            "label_key": "colour",
            "key": "region",
            "value": "north",
            "defaultKey": {"label": "default", "policyName": "policy-1"},
        });
        let shown = echoed(&request, &request.to_string());
        for text in ["colour", "region", "north", "default", "policy-1"] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(!shown.contains(REDACTED), "{shown}");
    }

    #[test]
    fn what_is_too_short_for_a_secret_stays() {
        let shown = echoed(&json!({"password": "oak", "sasToken": "pine"}), "oak pine");
        assert!(shown.contains("oak [redacted]"), "{shown}");
        assert!(!shown.contains("pine"), "{shown}");
    }

    #[test]
    fn escaped_forms_are_taken_out() {
        let secret = "top\"se\\cret é\u{1f511}zzz";
        let request = json!({"password": secret, "sasToken": "top\"se"});
        for form in [
            secret,
            r#"top\"se\\cret é🔑zzz"#,
            r#"top\"se\\cret \u00e9\ud83d\udd11zzz"#,
            r#"top\"se\\cret \u00E9\uD83D\uDD11zzz"#,
        ] {
            let shown = echoed(&request, form);
            for part in ["top", "cret", "zzz", "00e9", "00E9"] {
                assert!(!shown.contains(part), "{part} of {form}: {shown}");
            }
        }
    }
}
