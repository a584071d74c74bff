//! The expectation of a decoder, without the value that it found: that may be a secret.

/// The message of a JSON error without values from the document and without its position.
pub(crate) fn expectation(error: &serde_json::Error) -> String {
    without_values(&error.to_string())
}

/// The text without " at line 3 column 7" at its end.
pub(crate) fn without_position(text: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.rsplit_once(" at line ") {
        Some((text, place))
            if place
                .split_once(" column ")
                .is_some_and(|(line, column)| is_number(line) && is_number(column)) =>
        {
            text
        }
        _ => text,
    }
}

/// The message of a serde error without values from the document and without a position.
pub(crate) fn without_values(text: &str) -> String {
    let text = without_position(text);
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some(rest) = text.strip_prefix(kind) {
            // The value comes before the last ", expected"; a text may hold that phrase itself.
            let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, ""));
            return format!("expected {expected}, found {}", kind_of(found));
        }
    }
    for kind in ["unknown variant `", "unknown field `"] {
        if let Some(rest) = text.strip_prefix(kind) {
            let what = kind.trim_end_matches('`').trim_end();
            return match rest.rsplit_once("`, expected ") {
                Some((_, expected)) => format!("{what}, expected {expected}"),
                None => what.to_owned(),
            };
        }
    }
    // These quote names from our side.
    if text.starts_with("missing field ") || text.starts_with("duplicate field ") {
        return text.to_owned();
    }
    without_quoted(&without_quoted(text, '"'), '`')
}

/// `string "abc"` is a string, ``integer `5` `` an integer.
fn kind_of(found: &str) -> &str {
    found.split([' ', '"', '`']).next().unwrap_or_default()
}

/// Texts of other decoders: whatever they quote may come from the document.
fn without_quoted(text: &str, quote: char) -> String {
    let parts = text.split(quote).enumerate();
    parts
        .map(|(n, part)| match n % 2 {
            0 => part.to_owned(),
            _ => format!("{quote}…{quote}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, de::Error as _};

    use super::*;
    use crate::{Error, ErrorKind};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        size: u32,
    }

    #[derive(Debug, Deserialize)]
    enum Colour {
        Red,
        Green,
    }

    fn fails<'a, T: Deserialize<'a> + std::fmt::Debug>(json: &'a str) -> String {
        expectation(&serde_json::from_str::<T>(json).unwrap_err())
    }

    #[test]
    fn says_what_was_expected_and_never_what_was_there() {
        for (text, expected) in [
            (fails::<u32>("\"hunter2\""), "expected u32, found string"),
            (
                fails::<u32>("\"hunter2, expected x\""),
                "expected u32, found string",
            ),
            (fails::<u32>("-77"), "expected u32, found integer"),
            (fails::<bool>("null"), "expected a boolean, found null"),
            (fails::<Sample>("{}"), "missing field `size`"),
            (
                fails::<Sample>("{\"hunter2\":1}"),
                "unknown field, expected `size`",
            ),
            (
                fails::<Colour>("\"hunter2\""),
                "unknown variant, expected `Red` or `Green`",
            ),
            (
                fails::<BTreeMap<u8, u8>>("[1]"),
                "expected a map, found sequence",
            ),
            (fails::<u32>("[1"), "expected u32, found sequence"),
            (fails::<Vec<u8>>("[1"), "EOF while parsing a list"),
        ] {
            assert_eq!(text, expected);
        }
        let sample: Sample = serde_json::from_str("{\"size\":7}").unwrap();
        assert_eq!(sample.size, 7);
        let custom = serde_json::Error::custom("cannot read \"hunter2\" or `hunter3`");
        assert_eq!(expectation(&custom), "cannot read \"…\" or `…`");
        for no_position in ["ends at line four column six", "ends at line  column 3"] {
            let custom = serde_json::Error::custom(no_position);
            assert_eq!(expectation(&custom), no_position);
        }
        assert!(matches!(serde_json::from_str("\"Red\""), Ok(Colour::Red)));
        assert!(matches!(
            serde_json::from_str("\"Green\""),
            Ok(Colour::Green)
        ));
    }

    #[test]
    fn callers_need_not_take_values_out() {
        let error = serde_json::from_str::<u32>("\n  \"hunter2\"").unwrap_err();
        assert!(error.to_string().contains("hunter2"));
        let error = Error::new(ErrorKind::Decode, "does not decode")
            .with_json_path("a.b", error.to_string());
        assert_eq!(error.json_path(), Some("a.b"));
        assert_eq!(error.expectation(), Some("expected u32, found string"));
    }
}
