//! Numbers within the limits of a schema.

use serde_json::{Map, Number, Value};

/// A number within the limits: the smallest allowed one above zero, if there is one.
fn first_within(merged: &Map<String, Value>, step: f64) -> Option<f64> {
    let limit = |key: &str| merged.get(key).and_then(Value::as_f64);
    let excluded = |key: &str| merged.get(key) == Some(&Value::Bool(true));
    let mut least = limit("minimum").unwrap_or(f64::NEG_INFINITY);
    let mut most = limit("maximum").unwrap_or(f64::INFINITY);
    if excluded("exclusiveMinimum") {
        least += step;
    }
    if excluded("exclusiveMaximum") {
        most -= step;
    }
    least = least.max(limit("exclusiveMinimum").map_or(least, |limit| limit + step));
    most = most.min(limit("exclusiveMaximum").map_or(most, |limit| limit - step));
    let mut value = 1.0_f64.max(least).min(most);
    if let Some(unit) = limit("multipleOf").filter(|unit| *unit > 0.0) {
        value = (value / unit).ceil() * unit;
    }
    (least <= value && value <= most).then_some(value)
}

/// A whole number for a schema.
pub fn integer(merged: &Map<String, Value>) -> Result<i64, String> {
    // Whole numbers of published limits are far below the reach of a float.
    first_within(merged, 1.0)
        .map(f64::ceil)
        .filter(|value| value.abs() < 9e15)
        .map(|value| value as i64)
        .ok_or_else(|| "no whole number within the limits".to_owned())
}

/// A number for a schema, with a fraction where limits ask for one.
pub fn any(merged: &Map<String, Value>) -> Result<Value, String> {
    let value = first_within(merged, 0.5).ok_or("no number within the limits")?;
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| "no number within the limits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_are_kept() {
        for (schema, expected) in [
            (json!({}), Ok(1)),
            (json!({"minimum": 5}), Ok(5)),
            (json!({"maximum": -2}), Ok(-2)),
            (json!({"minimum": 1, "exclusiveMinimum": true}), Ok(2)),
            (json!({"exclusiveMinimum": 7}), Ok(8)),
            (json!({"maximum": -2, "exclusiveMaximum": true}), Ok(-3)),
            (json!({"exclusiveMaximum": -2}), Ok(-3)),
            (json!({"minimum": 2, "maximum": 20, "multipleOf": 8}), Ok(8)),
            (
                json!({"minimum": 9, "maximum": 15, "multipleOf": 8}),
                Err(()),
            ),
            (json!({"minimum": 3, "maximum": 2}), Err(())),
            (json!({"multipleOf": 0}), Ok(1)),
            (json!({"minimum": 9_000_000_000_000_000_i64}), Err(())),
        ] {
            let limits = schema.as_object().expect("object");
            assert_eq!(integer(limits).map_err(|_| ()), expected, "{schema}");
        }
        let limits = json!({"minimum": 0.25, "maximum": 0.75});
        assert_eq!(any(limits.as_object().expect("object")), Ok(json!(0.75)));
    }
}
