//! Masks the secrets of requests and answers before the log shows them.

use serde_json::Value;

/// What stands in place of a secret.
const MASK: &str = "****";

/// Fields that hold a secret, in all documents. The overlays of the repository's `spec/` name the same ones; a test compares them.
const SECRETS: &[&str] = &[
    "JWT",
    "accessToken",
    "ask",
    "base64Key",
    "bissKey",
    "fairPlayPfx",
    "fairPlayPfxPassword",
    "gac",
    "jwt",
    "keyValue",
    "passPhrase",
    "password",
    "sasToken",
    "secretAccessKey",
    "shortCode",
    "streamKey",
];

/// Fields all of whose values are secrets, below the field that makes them so.
const SECTIONS: &[(&str, &[&str])] = &[
    ("authentication", &["headers", "queryParams"]),
    ("contentKeys", &["value"]),
];

/// Parameters of a URL that hold a secret.
const PARAMETERS: &[&str] = &["sig", "token", "jwt", "code", "key", "password"];

/// Masks the secrets in a value.
pub(super) fn mask(value: &mut Value) {
    within(value, &[]);
}

fn within(value: &mut Value, hidden: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| within(item, hidden)),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let name = name.as_str();
                if SECRETS.contains(&name) || hidden.contains(&name) {
                    hide(value);
                } else {
                    let section = SECTIONS.iter().find(|(section, _)| *section == name);
                    within(value, section.map_or(&[], |(_, hidden)| hidden));
                }
            }
        }
        Value::String(text) => {
            if let Some((path, query)) = text.split_once('?') {
                *text = format!("{path}?{}", self::query(query));
            }
        }
        _ => {}
    }
}

/// Hides a value; of an object, each of its values, so that it shows which there are.
fn hide(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.values_mut().for_each(hide),
        other => *other = Value::String(MASK.to_owned()),
    }
}

/// A query with its secrets masked.
pub(super) fn query(query: &str) -> String {
    let parameter = |pair: &str| match pair.split_once('=') {
        Some((name, _))
            if PARAMETERS
                .iter()
                .any(|secret| name.eq_ignore_ascii_case(secret)) =>
        {
            format!("{name}={MASK}")
        }
        _ => pair.to_owned(),
    };
    let pairs: Vec<String> = query.split('&').map(parameter).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_are_and_nothing_else() {
        let mut value = json!({
            "name": "a", "spec": { "credential": { "sasToken": "?sv=1&sig=hush", "type": "x" } },
            "contentKeys": [{ "id": "k", "value": "hush" }], "value": "seen",
            "authentication": { "headers": { "x-key": "hush" } }, "headers": { "x-a": "seen" },
            "password": null, "url": "https://h/p?sig=hush&sv=2", "text": "is it? yes",
        });
        mask(&mut value);
        assert_eq!(
            value,
            json!({
                "name": "a", "spec": { "credential": { "sasToken": MASK, "type": "x" } },
                "contentKeys": [{ "id": "k", "value": MASK }], "value": "seen",
                "authentication": { "headers": { "x-key": MASK } }, "headers": { "x-a": "seen" },
                "password": null, "url": "https://h/p?sig=****&sv=2", "text": "is it? yes",
            })
        );
    }

    #[test]
    fn each_field_that_the_overlays_call_a_secret_is_hidden() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/overlays");
        // A package has no overlays beside it.
        let Ok(files) = std::fs::read_dir(&folder) else {
            return;
        };
        let mut compared = 0;
        for file in files {
            let path = file.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a text");
            let lines: Vec<&str> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                if !line.contains("\"x-mkio-secret\": true") {
                    continue;
                }
                let target = lines[..at]
                    .iter()
                    .rev()
                    .find(|line| line.contains("target:"));
                let target = target.expect("a target");
                let last = target.rsplit("properties").next().unwrap_or_default();
                for name in last.split(|letter: char| !letter.is_ascii_alphanumeric()) {
                    let known = SECRETS.contains(&name)
                        || SECTIONS.iter().any(|(_, hidden)| hidden.contains(&name));
                    if !name.is_empty() && !target.ends_with("schemas'") {
                        assert!(known, "{target}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 15, "{compared}");
    }
}
