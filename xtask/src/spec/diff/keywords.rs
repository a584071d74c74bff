//! Comparing the keywords of two schemas at one place.

use serde_json::Value;

use super::change::{Changes, Direction, Level};
use super::shape::{LIMITS, Shape};

/// Formats that have a type of their own in generated code.
const TYPED_FORMATS: [&str; 6] = ["uuid", "date", "date-time", "int32", "int64", "binary"];

/// Null, deprecation and defaults.
pub fn flags(changes: &mut Changes, place: &str, way: Direction, old: &Shape<'_>, new: &Shape<'_>) {
    match (old.nullable, new.nullable) {
        (false, true) => changes.add(
            Level::breaking_if(way == Direction::Response),
            place,
            Some(way),
            "nullable",
            "may be null now",
        ),
        (true, false) => changes.add(
            Level::breaking_if(way == Direction::Request),
            place,
            Some(way),
            "nullable",
            "may no longer be null",
        ),
        _ => {}
    }
    if old.deprecated != new.deprecated {
        let message = if new.deprecated {
            "deprecated"
        } else {
            "no longer deprecated"
        };
        changes.add(Level::Compatible, place, None, "deprecation", message);
    }
    if old.default != new.default && way == Direction::Request {
        let show = |value: Option<&Value>| value.map_or("none".to_owned(), Value::to_string);
        changes.add(
            Level::Compatible,
            place,
            Some(way),
            "default",
            format!(
                "default changed from {} to {}",
                show(old.default),
                show(new.default)
            ),
        );
    }
}

/// Lists of allowed values.
pub fn values(
    changes: &mut Changes,
    place: &str,
    way: Direction,
    old: &Shape<'_>,
    new: &Shape<'_>,
) {
    match (&old.values, &new.values) {
        (Some(before), Some(after)) => {
            for value in before.difference(after) {
                let message = format!("value {value} removed");
                changes.add(
                    Level::Breaking,
                    place,
                    Some(way),
                    "enum-value-removed",
                    message,
                );
            }
            for value in after.difference(before) {
                let message = format!("value {value} added");
                changes.add(
                    Level::Compatible,
                    place,
                    Some(way),
                    "enum-value-added",
                    message,
                );
            }
        }
        (None, None) => {}
        (before, _) => changes.add(
            Level::Breaking,
            place,
            Some(way),
            "enum",
            match before {
                Some(_) => "any value instead of a list of values",
                None => "a list of values instead of any value",
            },
        ),
    }
}

/// Formats of text and numbers.
pub fn format(
    changes: &mut Changes,
    place: &str,
    way: Direction,
    old: &Shape<'_>,
    new: &Shape<'_>,
) {
    if old.format == new.format {
        return;
    }
    let typed = |shape: &Shape<'_>| {
        shape
            .format
            .is_some_and(|format| TYPED_FORMATS.contains(&format))
    };
    let tighter = way == Direction::Request && new.format.is_some();
    changes.add(
        Level::breaking_if(typed(old) || typed(new) || tighter),
        place,
        Some(way),
        "format",
        format!(
            "format changed from {} to {}",
            old.format.unwrap_or("none"),
            new.format.unwrap_or("none")
        ),
    );
}

/// Limits bind what is sent; what is read is taken as it comes.
pub fn limits(
    changes: &mut Changes,
    place: &str,
    way: Direction,
    old: &Shape<'_>,
    new: &Shape<'_>,
) {
    if way == Direction::Response {
        return;
    }
    for key in LIMITS {
        let (before, after) = (old.limits.get(key), new.limits.get(key));
        if before == after {
            continue;
        }
        let numbers = (
            before.and_then(|value| value.as_f64()),
            after.and_then(|value| value.as_f64()),
        );
        let tighter = match (before, after, numbers) {
            (_, None, _) => false,
            (Some(_), Some(_), (Some(before), Some(after))) if key.contains("ax") => after < before,
            (Some(_), Some(_), (Some(before), Some(after))) if key.contains("in") => after > before,
            _ => true,
        };
        let show =
            |value: Option<&&Value>| value.map_or("none".to_owned(), |value| value.to_string());
        changes.add(
            Level::breaking_if(tighter),
            place,
            Some(way),
            "limit",
            format!("{key} changed from {} to {}", show(before), show(after)),
        );
    }
}
