//! Limits of labels, which the documents give in prose.

use serde_json::Value;

use crate::base::error::ApiError;

const MOST: usize = 32;
const LONGEST: usize = 256;

/// Most characters of a tag's key and of its value.
const LONGEST_TAG: usize = 64;

/// Refuses labels that are too many, too long, or made of other characters than letters, digits, `-` and `_` (and spaces, in
/// values).
///
/// # Errors
/// 400 with each label that does not fit.
pub fn check(body: &Value) -> Result<(), ApiError> {
    let mut findings = Vec::new();
    for at in ["/labels", "/metadata/labels"] {
        let Some(labels) = body.pointer(at).and_then(Value::as_object) else {
            continue;
        };
        if labels.len() > MOST {
            findings.push((at.to_owned(), format!("has more than {MOST} labels")));
        }
        for (key, value) in labels {
            let value = value.as_str().unwrap_or_default();
            if key.is_empty() || key.chars().count() > LONGEST || !key.chars().all(is_plain) {
                findings.push((
                    at.to_owned(),
                    format!(
                        "the key '{}' is not 1 to {LONGEST} letters, digits, '-' or '_'",
                        start(key)
                    ),
                ));
            }
            let fits = |character: char| character == ' ' || is_plain(character);
            if value.chars().count() > LONGEST || !value.chars().all(fits) {
                findings.push((
                    format!("{at}/{}", start(key)),
                    format!("is not at most {LONGEST} letters, digits, '-', '_' or spaces"),
                ));
            }
        }
    }
    refused(findings)
}

/// Refuses tags of a live event that are too long; the schema limits their number.
///
/// # Errors
/// 400 with each tag that does not fit.
pub fn check_tags(body: &Value) -> Result<(), ApiError> {
    let tags = body.get("tags").and_then(Value::as_object);
    let long = |text: &str| text.chars().count() > LONGEST_TAG;
    refused(
        tags.into_iter()
            .flatten()
            .filter(|(key, value)| long(key) || value.as_str().is_some_and(long))
            .map(|(key, _)| {
                (
                    format!("/tags/{}", start(key)),
                    format!("has a key or a value of more than {LONGEST_TAG} characters"),
                )
            })
            .collect(),
    )
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// Enough of a key to recognize it by.
fn start(key: &str) -> String {
    key.chars().take(LONGEST_TAG).collect()
}

fn refused(findings: Vec<(String, String)>) -> Result<(), ApiError> {
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}
