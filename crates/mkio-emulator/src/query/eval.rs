//! Applying a parsed filter to a resource.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    base::format::parse_time,
    query::{
        expression::{Comparison, Expression, Filter, Function, Literal, Operand},
        fields::Fields,
    },
};

/// A value while a filter is evaluated. A path through an array has several.
#[derive(Debug, Clone)]
enum Evaluated {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Time(DateTime<Utc>),
}

impl Filter {
    /// Whether an item passes.
    pub(crate) fn accepts(&self, item: &dyn Fields) -> bool {
        holds(&self.expression, item)
    }
}

fn holds(expression: &Expression, item: &dyn Fields) -> bool {
    match expression {
        Expression::And(left, right) => holds(left, item) && holds(right, item),
        Expression::Or(left, right) => holds(left, item) || holds(right, item),
        Expression::Not(inner) => !holds(inner, item),
        Expression::Truth(operand) => values(operand, item)
            .iter()
            .any(|value| matches!(value, Evaluated::Bool(true))),
        Expression::In(left, options) => options
            .iter()
            .any(|option| compare(Comparison::Eq, &values(left, item), &values(option, item))),
        Expression::Compare(comparison, left, right) => {
            compare(*comparison, &values(left, item), &values(right, item))
        }
    }
}

/// Any pair of values decides, except for `ne`, where none may be equal.
fn compare(comparison: Comparison, left: &[Evaluated], right: &[Evaluated]) -> bool {
    if comparison == Comparison::Ne {
        return !compare(Comparison::Eq, left, right);
    }
    left.iter().any(|left| {
        right.iter().any(|right| {
            let Some(order) = order(left, right) else {
                return false;
            };
            match comparison {
                Comparison::Eq | Comparison::Ne => order == Ordering::Equal,
                Comparison::Lt => order == Ordering::Less,
                Comparison::Le => order != Ordering::Greater,
                Comparison::Gt => order == Ordering::Greater,
                Comparison::Ge => order != Ordering::Less,
            }
        })
    })
}

/// None when the two cannot be compared: nothing is less or greater than null, and text is not a number.
fn order(left: &Evaluated, right: &Evaluated) -> Option<Ordering> {
    match (left, right) {
        (Evaluated::Null, Evaluated::Null) => Some(Ordering::Equal),
        (Evaluated::Bool(left), Evaluated::Bool(right)) => Some(left.cmp(right)),
        (Evaluated::Number(left), Evaluated::Number(right)) => left.partial_cmp(right),
        (Evaluated::Text(left), Evaluated::Text(right)) => Some(left.cmp(right)),
        (Evaluated::Time(left), Evaluated::Time(right)) => Some(left.cmp(right)),
        (Evaluated::Time(left), Evaluated::Text(right)) => {
            parse_time(right).map(|right| left.cmp(&right))
        }
        (Evaluated::Text(left), Evaluated::Time(right)) => {
            parse_time(left).map(|left| left.cmp(right))
        }
        _ => None,
    }
}

fn values(operand: &Operand, item: &dyn Fields) -> Vec<Evaluated> {
    match operand {
        Operand::Literal(literal) => vec![match literal {
            Literal::Null => Evaluated::Null,
            Literal::Bool(value) => Evaluated::Bool(*value),
            Literal::Number(value) => Evaluated::Number(*value),
            Literal::Text(value) => Evaluated::Text(value.clone()),
            Literal::Time(value) => Evaluated::Time(*value),
            Literal::Uuid(value) => Evaluated::Text(value.to_string()),
        }],
        Operand::Field(path) => {
            let found: Vec<Evaluated> = item.values(path).iter().map(evaluated).collect();
            if found.is_empty() {
                vec![Evaluated::Null]
            } else {
                found
            }
        }
        Operand::Call(function, arguments) => {
            let arguments: Vec<Vec<Evaluated>> = arguments
                .iter()
                .map(|argument| values(argument, item))
                .collect();
            match arguments.as_slice() {
                [one] => one
                    .iter()
                    .map(|value| call(*function, value, &Evaluated::Null))
                    .collect(),
                [first, second] => first
                    .iter()
                    .flat_map(|left| second.iter().map(move |right| call(*function, left, right)))
                    .collect(),
                _ => vec![Evaluated::Null],
            }
        }
    }
}

fn evaluated(value: &Value) -> Evaluated {
    match value {
        Value::Bool(value) => Evaluated::Bool(*value),
        Value::Number(value) => value.as_f64().map_or(Evaluated::Null, Evaluated::Number),
        Value::String(value) => Evaluated::Text(value.clone()),
        Value::Null => Evaluated::Null,
        // Nothing compares whole objects, but they are not null.
        other => Evaluated::Text(other.to_string()),
    }
}

fn call(function: Function, left: &Evaluated, right: &Evaluated) -> Evaluated {
    let (Evaluated::Text(left), other) = (left, right) else {
        return Evaluated::Null;
    };
    let pair = |decide: fn(&str, &str) -> bool| match other {
        Evaluated::Text(right) => Evaluated::Bool(decide(left, right)),
        _ => Evaluated::Bool(false),
    };
    match function {
        Function::Contains => pair(|left, right| left.contains(right)),
        Function::StartsWith => pair(|left, right| left.starts_with(right)),
        Function::EndsWith => pair(|left, right| left.ends_with(right)),
        Function::ToLower => Evaluated::Text(left.to_lowercase()),
        Function::ToUpper => Evaluated::Text(left.to_uppercase()),
        Function::Trim => Evaluated::Text(left.trim().to_owned()),
        Function::Length => Evaluated::Number(left.chars().count() as f64),
        Function::Concat => match other {
            Evaluated::Text(right) => Evaluated::Text(format!("{left}{right}")),
            _ => Evaluated::Null,
        },
        Function::IndexOf => match other {
            Evaluated::Text(right) => {
                let at = left
                    .find(right.as_str())
                    .and_then(|at| left.get(..at))
                    .map_or(-1.0, |before| before.chars().count() as f64);
                Evaluated::Number(at)
            }
            _ => Evaluated::Null,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::query::{expression::Dialect, fields::Indexed};

    fn passes(source: &str) -> bool {
        let item = json!({
            "name": "Intro", "properties": { "resourceState": "Running", "size": 5, "gone": null, "created": "2024-05-01T10:00:00.5Z" },
            "id": "0B6FA9C5-0000-4000-8000-000000000001".to_lowercase(),
            "spec": { "inputs": [{ "contentName": "a" }, { "contentName": "b" }], "on": true },
        });
        match Filter::parse(source, Dialect::Cloud, &|_| true) {
            Ok(filter) => filter.accepts(&Indexed::new(&item)),
            Err(error) => panic!("{source}: {error}"),
        }
    }

    #[test]
    fn comparisons() {
        assert!(passes(
            "name eq 'Intro' and properties/resourceState eq 'Running'"
        ));
        assert!(!passes("name eq 'intro'"));
        assert!(passes("tolower(name) eq 'intro'"));
        assert!(passes("properties/size ge 5 and properties/size lt 5.5"));
        assert!(!passes("properties/size eq '5'"));
        assert!(passes("not (name eq 'x' or name eq 'y')"));
        assert!(passes("name in ('a', 'Intro')"));
        assert!(passes(
            "spec/on and startswith(name, 'In') and not endswith(name,'In')"
        ));
        assert!(passes(
            "length(concat(name, '!')) eq 6 and indexof(name, 'tro') eq 2"
        ));
    }

    #[test]
    fn null_missing_and_arrays() {
        assert!(passes("properties/gone eq null and nothing eq null"));
        assert!(passes("name ne null"));
        assert!(!passes("nothing lt 3") && !passes("nothing gt 3"));
        assert!(passes("spec/inputs/contentName eq 'b'"));
        assert!(!passes("spec/inputs/contentName ne 'b'"));
    }

    #[test]
    fn dates_and_uuids() {
        assert!(passes(
            "properties/created ge 2024-05-01 and properties/created lt 2024-05-01T10:00:01Z"
        ));
        assert!(passes("properties/created gt 2024-05-01T12:00:00+02:00"));
        assert!(passes("id eq 0b6fa9c5-0000-4000-8000-000000000001"));
        assert!(passes("id eq 0B6FA9C5-0000-4000-8000-000000000001"));
    }
}
