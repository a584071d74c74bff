//! Media types of bodies: which ones are sent and read, and how.

/// The media types that have code, for messages.
pub const ACCEPTED: &str = "application/json and types that end in +json, JSON Patch, merge patch, \
    forms, text, application/octet-stream and other bytes";

pub const JSON: &str = "application/json";
pub const JSON_PATCH: &str = "application/json-patch+json";
pub const MERGE_PATCH: &str = "application/merge-patch+json";
pub const BYTES: &str = "application/octet-stream";
pub const CSV: &str = "text/csv";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// How a body is written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Json,
    /// Pairs of texts; only sent.
    Form,
    /// Bytes as they are, text among them.
    Bytes,
    /// A range such as `*/*`: it can be read and not sent.
    Any,
}

impl Kind {
    pub fn can_be_sent(self) -> bool {
        self != Self::Any
    }
}

/// The kind of a media type, or why there is no code for it.
pub fn kind(media_type: &str) -> Result<Kind, &'static str> {
    let plain = essence(media_type);
    let (main, sub) = plain.split_once('/').unwrap_or((&plain, ""));
    let xml = sub == "xml" || sub.ends_with("+xml") && main != "image";
    if main == "multipart" {
        Err("multipart bodies are neither sent nor read")
    } else if xml {
        Err("XML is neither sent nor read")
    } else if sub == "json" || sub.ends_with("+json") {
        Ok(Kind::Json)
    } else if plain == FORM {
        Ok(Kind::Form)
    } else if plain.contains('*') {
        Ok(Kind::Any)
    } else {
        Ok(Kind::Bytes)
    }
}

/// A media type without its parameters, in lower case.
pub fn essence(media_type: &str) -> String {
    let plain = media_type.split(';').next().unwrap_or_default();
    plain.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_from_names() {
        for (name, expected) in [
            ("application/json; charset=utf-8", Some(Kind::Json)),
            ("application/vnd.acme.v2+json", Some(Kind::Json)),
            (MERGE_PATCH, Some(Kind::Json)),
            ("image/svg+xml", Some(Kind::Bytes)),
            ("text/plain", Some(Kind::Bytes)),
            ("application/pdf", Some(Kind::Bytes)),
            ("*/*", Some(Kind::Any)),
            (FORM, Some(Kind::Form)),
            ("text/xml", None),
            ("application/atom+xml", None),
            ("multipart/mixed", None),
        ] {
            assert_eq!(kind(name).ok(), expected, "{name}");
        }
    }
}
