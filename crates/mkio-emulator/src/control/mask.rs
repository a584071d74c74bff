//! Masks the secrets of requests and responses before the log shows them.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The text that is shown instead of a secret.
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

/// Fields whose values are all secrets below the field that is named first.
const SECTIONS: &[(&str, &[&str])] = &[
    ("authentication", &["headers", "queryParams"]),
    ("contentKeys", &["value"]),
];

/// Parameters of a URL that hold a secret, in lower case and without `-` and `_`.
const PARAMETERS: &[&str] = &[
    "accesstoken",
    "apikey",
    "clientsecret",
    "code",
    "jwt",
    "key",
    "passphrase",
    "password",
    "secret",
    "secretaccesskey",
    "sig",
    "signature",
    "streamkey",
    "token",
    "xamzsecuritytoken",
    "xamzsignature",
];

/// Fewest bytes of a secret that is also masked in other fields; shorter ones occur in too many words.
const LEAST: usize = 4;

/// Masks the secrets in a value: fields that hold one, its copies in other fields, and those in URLs.
pub(super) fn mask(value: &mut Value) {
    let mut found = Vec::new();
    within(value, &[], &mut found);
    found.sort_unstable_by_key(|secret: &String| std::cmp::Reverse(secret.len()));
    found.dedup();
    if !found.is_empty() {
        copies(value, &found);
    }
}

fn within(value: &mut Value, hidden: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| within(item, hidden, found)),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let name = name.as_str();
                if SECRETS.contains(&name) || hidden.contains(&name) {
                    hide(value, found);
                } else {
                    let section = SECTIONS.iter().find(|(section, _)| *section == name);
                    within(value, section.map_or(&[], |(_, hidden)| hidden), found);
                }
            }
        }
        Value::String(text) => *text = url(text),
        _ => {}
    }
}

/// Hides a value; of an object, each of its values, so that it shows which there are.
fn hide(value: &mut Value, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.values_mut().for_each(|value| hide(value, found)),
        other => {
            if let Value::String(secret) = other
                && secret.len() >= LEAST
            {
                found.push(std::mem::take(secret));
            }
            *other = Value::String(MASK.to_owned());
        }
    }
}

/// Masks secrets that other fields hold, such as the access token in a URL.
fn copies(value: &mut Value, secrets: &[String]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| copies(item, secrets)),
        Value::Object(fields) => fields.values_mut().for_each(|item| copies(item, secrets)),
        Value::String(text) => {
            for secret in secrets {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), MASK);
                }
            }
        }
        _ => {}
    }
}

/// A text with the secrets of a URL masked: user, password, and parameters.
fn url(text: &str) -> String {
    let (place, rest) = match text.find(['?', '#']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let login = || {
        let (scheme, behind) = place.split_once("://")?;
        let end = behind.find('/').unwrap_or(behind.len());
        let (authority, path) = behind.split_at(end);
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://{MASK}@{host}{path}"))
    };
    let shown = login().unwrap_or_else(|| place.to_owned());
    match rest.split_at_checked(1) {
        Some((sign, rest)) => format!("{shown}{sign}{}", query(rest)),
        None => shown,
    }
}

/// A query with its secrets masked.
pub(super) fn query(query: &str) -> String {
    let parameter = |piece: &str| {
        let pair = piece.trim_end_matches(['&', ';', '#', '?']);
        let end = piece.get(pair.len()..).unwrap_or_default();
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}={MASK}{end}"),
            _ => piece.to_owned(),
        }
    };
    query
        .split_inclusive(['&', ';', '#', '?'])
        .map(parameter)
        .collect()
}

/// Whether a parameter of this name holds a secret, however the name is written.
fn is_secret(name: &str) -> bool {
    let decoded = percent_decode_str(name).decode_utf8_lossy();
    let plain: String = decoded
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    PARAMETERS.contains(&plain.as_str())
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
    fn secrets_in_urls_are_hidden_however_they_are_written() {
        let mut value = json!({
            "accessToken": "hush1234", "endpoints": [{ "url": "rtmp://h:1935/live/hush1234" }],
            "a": "srt://user:hush@h:5000/p", "b": "srt://h?passphrase=hush&mode=caller", "c": "https://h/p#access_token=hush",
            "d": "https://h?%73ig=hush&api-key=hush", "e": "https://h/p@2", "f": "a@b.example", "g": "https://h?a=1;Secret=hush",
        });
        mask(&mut value);
        assert_eq!(
            value,
            json!({
                "accessToken": MASK, "endpoints": [{ "url": "rtmp://h:1935/live/****" }],
                "a": "srt://****@h:5000/p", "b": "srt://h?passphrase=****&mode=caller", "c": "https://h/p#access_token=****",
                "d": "https://h?%73ig=****&api-key=****", "e": "https://h/p@2", "f": "a@b.example", "g": "https://h?a=1;Secret=****",
            })
        );
        assert_eq!(query("%53ig=hush&top=2"), "%53ig=****&top=2");
    }

    #[test]
    fn each_field_that_the_overlays_call_a_secret_is_hidden() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/overlays");
        // The published package has no overlays.
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
