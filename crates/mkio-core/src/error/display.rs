//! One line for people, one for logs.

use std::fmt;

use super::{Error, ErrorKind, Inner};

/// Characters that are shown of a body that is not JSON.
const EXCERPT: usize = 120;

/// Characters that are shown of any other text that the service may have sent.
const TEXT: usize = 500;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let mut line = Vec::new();
        line.extend(subject(inner));
        if let Some(status) = inner.status {
            line.push(status.to_string());
        }
        // A message may have them already.
        let told = |text: &&str| inner.message.contains(*text);
        let texts = [inner.code.as_deref(), inner.detail.as_deref()];
        let texts = texts.into_iter().flatten().filter(|text| !told(text));
        line.extend(texts.map(shortened));
        if !inner.message.is_empty() {
            line.push(shortened(&inner.message));
        }
        if let (None, None, ErrorKind::Api) = (&inner.code, &inner.detail, inner.kind) {
            line.push(body(inner));
        }
        let notes = notes(inner);
        f.write_str(&one_line(&line.join(": ")))?;
        if notes.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", one_line(&notes.join("; ")))
    }
}

/// The operation, the resource that it is about, and where the request went if no response came.
fn subject(inner: &Inner) -> Option<String> {
    let operation = inner.operation?;
    let mut subject = operation.id.to_owned();
    let Some(target) = &inner.target else {
        return Some(subject);
    };
    if let Some(resource) = target.resource(operation) {
        subject.push_str(&format!(" '{}'", shortened(&resource)));
    }
    if let (None, ErrorKind::Connection | ErrorKind::Timeout) = (inner.status, inner.kind) {
        subject.push_str(&format!(" at {}", target.origin));
    }
    Some(subject)
}

/// Notes in parentheses at the end of the line.
fn notes(inner: &Inner) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(reference) = &inner.reference {
        notes.push(format!("ref {}", shortened(reference)));
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

fn body(inner: &Inner) -> String {
    if inner.body.is_empty() {
        return "no error body".to_owned();
    }
    excerpt(&String::from_utf8_lossy(&inner.body))
}

/// The beginning of a text that may be a whole page.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

/// A text that the service sent, as long as one line can take.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
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
            out.field("json_path", &shortened(path));
        }
        if let Some(source) = &inner.source {
            out.field(
                "source",
                &format_args!("{}", shortened(&source.to_string())),
            );
        }
        out.finish_non_exhaustive()
    }
}
