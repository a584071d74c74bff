//! One line for people, one for logs.

use std::fmt;

use super::{Error, ErrorKind, Inner};

/// How much of a body that is not JSON is shown.
const EXCERPT: usize = 120;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut line = Vec::new();
        if let Some(operation) = inner.operation {
            line.push(operation.id.to_owned());
        }
        if let Some(status) = inner.status {
            line.push(status.to_string());
        }
        line.extend(inner.code.clone());
        line.extend(inner.detail.clone());
        if !inner.message.is_empty() {
            line.push(inner.message.clone());
        }
        if let (None, None, ErrorKind::Api) = (&inner.code, &inner.detail, inner.kind) {
            line.push(excerpt(inner));
        }
        let notes = notes(inner);
        f.write_str(&one_line(&line.join(": ")))?;
        match notes.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", one_line(&notes.join("; "))),
        }
    }
}

/// What is said in parentheses at the end of the line.
fn notes(inner: &Inner) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(reference) = &inner.reference {
        notes.push(format!("ref {reference}"));
    }
    if inner.attempts > 1 {
        let seconds = inner.elapsed.as_secs_f64();
        notes.push(format!("{} attempts in {seconds:.1} s", inner.attempts));
    }
    if let Some(why) = inner.gave_up {
        notes.push(why.to_owned());
    }
    if inner.outcome_unknown {
        notes.push("it may have taken effect".to_owned());
    }
    notes
}

fn excerpt(inner: &Inner) -> String {
    if inner.body.is_empty() {
        return "no error body".to_owned();
    }
    String::from_utf8_lossy(&inner.body)
        .chars()
        .take(EXCERPT)
        .collect()
}

/// Line breaks and other control characters become single spaces.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &inner.kind);
        out.field("line", &format_args!("{self}"));
        if let Some(path) = &inner.json_path {
            out.field("json_path", path);
        }
        if let Some(source) = &inner.source {
            out.field("source", &format_args!("{source}"));
        }
        out.finish_non_exhaustive()
    }
}
