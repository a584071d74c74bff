//! Faults as text: `METHOD PATH key=value …`, several of them separated by `;` or line ends; or a JSON array.

use serde_json::Value;

use super::{Fault, Link, Reset};

/// Why a text is no list of faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault {rule}: {reason}")]
pub struct FaultError {
    /// Which rule, counted from 1; 0 for the text as a whole.
    pub rule: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads faults.
///
/// # Errors
/// The first rule that does not parse, and why.
pub fn parse(text: &str) -> Result<Vec<Fault>, FaultError> {
    if text.trim_start().starts_with('[') {
        let whole = |error: serde_json::Error| FaultError {
            rule: 0,
            reason: error.to_string(),
        };
        let values: Vec<Value> = serde_json::from_str(text).map_err(whole)?;
        let rule = |(at, value)| {
            serde_json::from_value(value).map_err(|error| FaultError {
                rule: at + 1,
                reason: error.to_string(),
            })
        };
        return values.into_iter().enumerate().map(rule).collect();
    }
    let rules = text
        .split([';', '\n'])
        .map(str::trim)
        .filter(|rule| !rule.is_empty() && !rule.starts_with('#'));
    rules
        .enumerate()
        .map(|(at, rule)| {
            one(rule).map_err(|reason| FaultError {
                rule: at + 1,
                reason,
            })
        })
        .collect()
}

fn one(rule: &str) -> Result<Fault, String> {
    let mut words = rule.split_whitespace();
    let (method, path) = (
        words.next().unwrap_or_default(),
        words
            .next()
            .ok_or("a fault starts with a method and a path, such as 'GET */assets'")?,
    );
    let mut fault = Fault {
        method: method.to_owned(),
        path: path.to_owned(),
        ..Fault::default()
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        set(&mut fault, key, value)?;
    }
    if fault
        == (Fault {
            method: fault.method.clone(),
            path: fault.path.clone(),
            ..Fault::default()
        })
    {
        return Err("it does nothing; add status=503, reset=before or the like".to_owned());
    }
    Ok(fault)
}

fn set(fault: &mut Fault, key: &str, value: &str) -> Result<(), String> {
    fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
        value
            .trim_end_matches("ms")
            .parse()
            .map_err(|_| format!("'{key}' takes a number, not '{value}'"))
    }
    let fields = || value.split(',').map(str::to_owned).collect();
    match key {
        "nth" => fault.nth = Some(number(key, value)?),
        "every" => fault.every = Some(number(key, value)?),
        "times" => fault.times = Some(number(key, value)?),
        "probability" => fault.probability = Some(number(key, value)?),
        "seed" => fault.seed = number(key, value)?,
        "status" => {
            let status: u16 = number(key, value)?;
            if !(200..600).contains(&status) {
                return Err(format!("'{status}' is not a status between 200 and 599"));
            }
            fault.status = Some(status);
        }
        "retry-after" => fault.retry_after = Some(value.replace('_', " ")),
        "html" => fault.html = true,
        "delay" => fault.delay = number(key, value)?,
        "reset" => {
            fault.reset = Some(match value {
                "before" => Reset::Before,
                "after" => Reset::After,
                _ => return Err("'reset' takes 'before' or 'after'".to_owned()),
            });
        }
        "cut" => fault.cut = Some(number(key, value)?),
        "slow" => fault.slow = number(key, value)?,
        "unknown" => fault.unknown = fields(),
        "extra" => fault.extra = fields(),
        "drop" => fault.drop = fields(),
        "null" => fault.null = fields(),
        "mistype" => fault.mistype = fields(),
        "link" => {
            fault.link = Some(match value {
                "stale" => Link::Stale,
                "foreign" => Link::Foreign,
                "repeat" => Link::Repeat,
                _ => return Err("'link' takes 'stale', 'foreign' or 'repeat'".to_owned()),
            });
        }
        _ => return Err(format!("'{key}' is not known; see the README for the list")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_say_the_same() {
        let text = parse(
            "GET */assets status=429 retry-after=2 times=3;\n# a note\n* * reset=after probability=0.1 seed=9",
        );
        let json = parse(
            r#"[{"method":"GET","path":"*/assets","status":429,"retry-after":"2","times":3},{"method":"*","path":"*","reset":"after","probability":0.1,"seed":9}]"#,
        );
        assert_eq!(text, json);
        assert_eq!(text.map(|faults| faults.len()), Ok(2));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, reason) in [
            ("GET", "a method and a path"),
            ("GET *", "does nothing"),
            ("GET * status=99", "200 and 599"),
            ("GET * status=x", "takes a number"),
            ("GET * color=red", "'color' is not known"),
            ("GET * reset=now", "'before' or 'after'"),
            ("[{\"colour\":1}]", "unknown field"),
        ] {
            match parse(text) {
                Ok(faults) => panic!("{text} parsed as {faults:?}"),
                Err(error) => assert!(error.to_string().contains(reason), "{text}: {error}"),
            }
        }
    }
}
