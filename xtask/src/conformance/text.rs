//! Strings that satisfy format, pattern and lengths of a schema.

use serde_json::{Map, Value};

use super::json_schema::{self, Checker};
use super::pattern;

/// A string for a schema, or why there is none. `hint` is the content of free text.
pub fn sample(schema: &Map<String, Value>, hint: &str) -> Result<String, String> {
    let checker = Checker::new(&json_schema::of(&Value::Object(schema.clone())))?;
    candidates(schema, hint)
        .into_iter()
        .find(|text| checker.check(&Value::String(text.clone())).is_ok())
        .ok_or_else(|| {
            format!(
                "no string found for {}",
                Value::Object(
                    schema
                        .iter()
                        .filter(|(key, _)| *key != "description")
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect()
                )
            )
        })
}

fn candidates(schema: &Map<String, Value>, hint: &str) -> Vec<String> {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let number = |key: &str| schema.get(key).and_then(Value::as_u64);
    let (min, max) = (number("minLength").unwrap_or(0), number("maxLength"));
    let mut found: Vec<String> = Vec::new();
    found.extend(text("example").map(str::to_owned));
    found.extend(text("format").and_then(of_format).map(str::to_owned));
    if let Some(pattern) = text("pattern") {
        let pattern = json_schema::plain_groups(pattern);
        let short = u32::try_from(min).unwrap_or(u32::MAX);
        let lengths = [short, short.saturating_sub(1), short.saturating_sub(2)];
        // Some patterns describe durations; a real one reads better.
        found.extend(pattern.starts_with("^P").then(|| "PT1H".to_owned()));
        found.extend(pattern::candidates(&pattern, &lengths));
    }
    found.push(fitted(hint, min, max));
    found.push(fitted("a", min, max));
    found.extend(text("default").map(str::to_owned));
    found
}

fn of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "uuid" => "0b6c8f4e-52d1-4a3f-9c7e-1d2e3f4a5b6c",
        "date-time" => "2030-01-02T03:04:05Z",
        "date" => "2030-01-02",
        "time" => "03:04:05Z",
        "duration" => "PT1H",
        "byte" => "bWtpbw==",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "email" => "someone@example.com",
        "hostname" => "media.example.com",
        "uri" | "url" | "uri-reference" => "https://media.example.com/a",
        _ => return None,
    })
}

/// A word made as long as it has to be and as short as it may be.
fn fitted(word: &str, min: u64, max: Option<u64>) -> String {
    // Longer than any limit of a published document; a limit beyond it gets no sample.
    const MOST: u64 = 100_000;
    let word = if word.is_empty() { "text" } else { word };
    let most = usize::try_from(max.unwrap_or(MOST).min(MOST)).unwrap_or(usize::MAX);
    let least = usize::try_from(min.min(MOST)).unwrap_or(0);
    let length = word.chars().count().max(least).min(most);
    word.chars().cycle().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sampled(schema: Value) -> Result<String, String> {
        sample(schema.as_object().expect("object"), "name")
    }

    #[test]
    fn patterns_of_the_documents_are_met() {
        // The check against the pattern itself is part of `sample`.
        for (pattern, min, max) in [
            (
                r"^(?!.*--)(?=[a-z0-9-]{3,63}$)(?!-)[a-z0-9]+(?:-[a-z0-9]+)*$",
                3,
                63,
            ),
            (r"^(?!/)(?!.*(//|\?|%|&)).*[^/]$", 1, 256),
            (r"^(?!.*\.\.)[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]$", 3, 63),
            (r"^\?([a-z]+=[^&]+)(&[a-z]+=[^&]+)+$", 1, 9_000),
            (r"^A[KS]IA[0-9A-Z]{16}$", 20, 20),
            (r"^[^\^\'<>%&:\\?/*+]+$", 1, 260),
            (r"^[a-zA-Z0-9]+(-*[a-zA-Z0-9])*$", 2, 32),
            (r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", 40, 60),
            (r"^([^\s\/]{1,16}|[a-zA-Z][a-zA-Z0-9_]{1,255})$", 1, 256),
        ] {
            let text = sampled(json!({
                "type": "string", "pattern": pattern, "minLength": min, "maxLength": max,
            }));
            assert!(text.is_ok(), "{pattern}: {text:?}");
        }
        let duration =
            r"^P(?:(?P<days>\d+)D)?T(?:(?P<hours>\d+)H)?(?:(?P<seconds_fract>(?:\d*.)?\d+)S)?$";
        assert_eq!(
            sampled(json!({"type": "string", "format": "duration", "pattern": duration})),
            Ok("PT1H".to_owned())
        );
    }

    #[test]
    fn formats_have_texts_that_look_like_them() {
        for (format, part) in [
            ("uuid", "-4a3f-"),
            ("date-time", "T03:04:05Z"),
            ("date", "2030-"),
            ("time", ":04:"),
            ("duration", "PT1H"),
            ("byte", "=="),
            ("ipv4", "192.0."),
            ("ipv6", "2001:db8:"),
            ("email", "@example.com"),
            ("hostname", "media.example.com"),
            ("uri", "https://"),
            ("url", "https://"),
            ("uri-reference", "https://"),
        ] {
            let text = sampled(json!({"type": "string", "format": format})).unwrap();
            assert!(text.contains(part), "{format}: {text}");
        }
        assert_eq!(
            sampled(json!({"type": "string", "format": "own"})).as_deref(),
            Ok("name")
        );
    }

    #[test]
    fn lengths_are_kept() {
        for (min, max) in [(0, 0), (1, 1), (7, 9), (300, 300)] {
            let text = sampled(json!({"type": "string", "minLength": min, "maxLength": max}))
                .expect("text");
            assert!((min..=max).contains(&text.len()), "{min} {max}: {text}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let error = sampled(json!({"type": "string", "pattern": "^ab$", "minLength": 3}))
            .expect_err("impossible");
        assert!(error.contains("^ab$"), "{error}");
    }
}
