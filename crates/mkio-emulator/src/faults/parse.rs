//! Faults as text: `METHOD PATH key=value …`, several of them separated by `;` or line ends; or a JSON array.

use serde_json::Value;

use crate::faults::{
    check::check,
    fault::{Fault, Link, Reset},
};

/// Why a text cannot be read as a list of faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", place(*rule))]
pub struct FaultError {
    /// Which rule, counted from 1; 0 for the text as a whole.
    pub rule: usize,
    /// The problem.
    pub reason: String,
}

fn place(rule: usize) -> String {
    match rule {
        0 => "the faults are not a JSON array: ".to_owned(),
        rule => format!("fault {rule}: "),
    }
}

impl Fault {
    /// Checks that it can match a request and has an effect.
    ///
    /// # Errors
    /// The problem.
    pub fn check(&self) -> Result<(), FaultError> {
        check(self).map_err(|reason| FaultError { rule: 1, reason })
    }
}

/// Reads faults.
///
/// # Errors
/// The first rule that does not parse, or that could not do anything, and why.
pub fn parse(text: &str) -> Result<Vec<Fault>, FaultError> {
    let faults: Vec<Result<Fault, String>> = if text.trim_start().starts_with('[') {
        let whole = |error: serde_json::Error| FaultError {
            rule: 0,
            reason: error.to_string(),
        };
        let values: Vec<Value> = serde_json::from_str(text).map_err(whole)?;
        let fault = |value| serde_json::from_value(value).map_err(|error| error.to_string());
        values.into_iter().map(fault).collect()
    } else {
        // A comment ends with its line, whatever it holds.
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let rules = lines.flat_map(|line| line.split(';').map(str::trim));
        rules.filter(|rule| !rule.is_empty()).map(one).collect()
    };
    let checked = |(at, fault): (usize, Result<Fault, String>)| {
        let fault = fault.and_then(|fault| check(&fault).map(|()| fault));
        fault.map_err(|reason| FaultError {
            rule: at + 1,
            reason,
        })
    };
    faults.into_iter().enumerate().map(checked).collect()
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
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (word, None),
        };
        set(&mut fault, key, value)?;
    }
    Ok(fault)
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("'{key}' takes a number, not '{value}'"))
}

fn set(fault: &mut Fault, key: &str, value: Option<&str>) -> Result<(), String> {
    if key == "html" {
        fault.html = true;
        return match value {
            None => Ok(()),
            Some(_) => Err("'html' takes no value".to_owned()),
        };
    }
    let value = value.unwrap_or_default();
    let millis = || number(key, value.strip_suffix("ms").unwrap_or(value));
    let fields = || match value.split(',').map(str::to_owned).collect::<Vec<_>>() {
        names if names.iter().any(String::is_empty) => {
            Err(format!("'{key}' takes names of fields, separated by ','"))
        }
        names => Ok(names),
    };
    match key {
        "nth" => fault.nth = Some(number(key, value)?),
        "every" => fault.every = Some(number(key, value)?),
        "times" => fault.times = Some(number(key, value)?),
        "probability" => fault.probability = Some(number(key, value)?),
        "seed" => fault.seed = number(key, value)?,
        "status" => fault.status = Some(number(key, value)?),
        "retry-after" => fault.retry_after = Some(value.replace('_', " ")),
        "delay" => fault.delay = millis()?,
        "reset" => {
            fault.reset = Some(match value {
                "before" => Reset::Before,
                "after" => Reset::After,
                _ => return Err("'reset' takes 'before' or 'after'".to_owned()),
            });
        }
        "cut" => fault.cut = Some(number(key, value)?),
        "slow" => fault.slow = millis()?,
        "unknown" => fault.unknown = fields()?,
        "extra" => fault.extra = fields()?,
        "drop" => fault.drop = fields()?,
        "null" => fault.null = fields()?,
        "mistype" => fault.mistype = fields()?,
        "link" => {
            fault.link = Some(match value {
                "stale" => Link::Stale,
                "foreign" => Link::Foreign,
                "repeat" => Link::Repeat,
                _ => return Err("'link' takes 'stale', 'foreign' or 'repeat'".to_owned()),
            });
        }
        _ => return Err(format!("'{key}' is not known; {KEYS}")),
    }
    Ok(())
}

const KEYS: &str = "there are nth, every, times, probability, seed; status, retry-after, html, delay, reset, cut, slow, unknown, extra, \
                    drop, null, mistype, link";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_say_the_same() {
        let text = parse(
            "GET */assets status=429 retry-after=2 times=3;\n# a note; with a semicolon\n* * reset=after delay=5ms probability=0.1 seed=9",
        );
        let json = parse(
            r#"[{"method":"GET","path":"*/assets","status":429,"retry-after":"2","times":3},{"method":"*","path":"*","reset":"after","delay":5,"probability":0.1,"seed":9}]"#,
        );
        assert_eq!(text, json);
        assert_eq!(text.map(|faults| faults.len()), Ok(2));
    }

    #[test]
    fn the_error_that_a_status_makes_can_be_spoiled() {
        for text in [
            "GET * status=500 drop=detail null=ref mistype=code,status",
            "GET * status=500 extra=more",
        ] {
            assert_eq!(parse(text).map(|faults| faults.len()), Ok(1), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, reason) in [
            ("GET", "a method and a path"),
            ("GET *", "does nothing"),
            ("GET * nth=2 seed=3", "does nothing"),
            ("GET * status=99", "200 and 599"),
            ("GET * status=x", "takes a number"),
            ("GET * status", "takes a number"),
            ("GET * color=red", "'color' is not known"),
            ("GET * reset=now", "'before' or 'after'"),
            ("GETT * status=500", "'GETT' is not a method"),
            ("GET assets status=500", "starts with '/'"),
            ("GET */assets?$top=1 status=500", "without the query"),
            ("GET * status=500 nth=0", "counts from 1"),
            ("GET * status=500 every=0", "counts from 1"),
            ("GET * status=500 probability=2", "between 0 and 1"),
            ("GET * status=500 probability=NaN", "between 0 and 1"),
            ("GET * retry-after=2 delay=5", "goes with a status"),
            ("GET * status=429 retry-after=", "seconds or a date"),
            ("GET * status=500 reset=after", "leaves no response"),
            ("GET * html=yes", "takes no value"),
            ("GET * html drop=name", "no fields"),
            ("GET * drop=", "names of fields"),
            ("GET * status=500 unknown=state", "no field 'state'; it has"),
            ("GET * status=500 drop=detail,name", "no field 'name'"),
            ("GET * status=500 link=repeat", "answer without one"),
            ("GET * html link=stale", "answer without one"),
            ("GET * nth=2ms status=500", "takes a number"),
            ("GET * status=500; PUT *", "fault 2"),
            ("[{\"colour\":1}]", "unknown field"),
            ("[{\"status\":99}]", "200 and 599"),
            ("[{\"method\":\"GET\"}]", "does nothing"),
            ("[1", "the faults are not a JSON array"),
        ] {
            match parse(text) {
                Ok(faults) => panic!("{text} parsed as {faults:?}"),
                Err(error) => assert!(error.to_string().contains(reason), "{text}: {error}"),
            }
        }
    }
}
