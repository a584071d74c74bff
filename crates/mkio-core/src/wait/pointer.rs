//! Reads values out of a resource's JSON.

use serde_json::Value;

/// All values that `pointer` reaches in `value`.
///
/// A JSON pointer (RFC 6901) with two more kinds of segment: `*` stands for every entry of an
/// array or object, and `name=text` for the entries of an array whose member `name` is `text`.
pub(super) fn all<'a>(value: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for segment in pointer.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|value| step(value, segment))
            .collect();
    }
    found.retain(|value| !value.is_null());
    found
}

/// The first value that `pointer` reaches, as text.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    all(value, pointer).into_iter().find_map(Value::as_str)
}

/// The mean of the numbers that `pointer` reaches, as a percentage.
pub(super) fn percent(value: &Value, pointer: &str) -> Option<u8> {
    let numbers: Vec<f64> = all(value, pointer)
        .into_iter()
        .filter_map(Value::as_f64)
        .collect();
    if numbers.is_empty() {
        return None;
    }
    let count = f64::from(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
    let mean = (numbers.iter().sum::<f64>() / count).clamp(0.0, 100.0);
    (0..=100u8).rev().find(|whole| f64::from(*whole) <= mean)
}

fn step<'a>(value: &'a Value, segment: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(entries) => {
            if segment == "*" {
                entries.iter().collect()
            } else if let Some((name, text)) = segment.split_once('=') {
                let text = unescape(text);
                let fits =
                    |entry: &&Value| entry.get(name).and_then(Value::as_str) == Some(text.as_str());
                entries.iter().filter(fits).collect()
            } else {
                let index = segment.parse().ok();
                index
                    .and_then(|index: usize| entries.get(index))
                    .into_iter()
                    .collect()
            }
        }
        Value::Object(members) if segment == "*" => members.values().collect(),
        Value::Object(members) => members.get(&unescape(segment)).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reaches_into_arrays_and_objects() {
        let job = json!({"properties": {"state": "Processing", "a/b": "slash", "outputs": [
            {"progress": 20, "error": null, "version": "1.0", "state": "Downloading"},
            {"progress": 41, "error": {"code": "x"}, "version": "2.0", "state": "Importing"},
        ]}});
        assert_eq!(text(&job, "/properties/state"), Some("Processing"));
        assert_eq!(text(&job, "/properties/a~1b"), Some("slash"));
        assert_eq!(text(&job, "/properties/outputs/1/state"), Some("Importing"));
        assert_eq!(
            text(&job, "/properties/outputs/version=2.0/state"),
            Some("Importing")
        );
        assert_eq!(text(&job, "/properties/outputs/version=3.0/state"), None);
        assert_eq!(text(&job, "/properties/missing/state"), None);
        assert_eq!(
            all(&job, "/properties/outputs/*/error"),
            [&json!({"code": "x"})]
        );
        assert_eq!(all(&json!({"a": {"x": 1, "y": 2}}), "/a/*"), [1, 2]);
        assert_eq!(percent(&job, "/properties/outputs/*/progress"), Some(30));
        assert_eq!(percent(&job, "/properties/outputs/*/none"), None);
        assert_eq!(percent(&json!({"p": 400}), "/p"), Some(100));
        assert_eq!(percent(&json!({"p": "many"}), "/p"), None);
    }
}
