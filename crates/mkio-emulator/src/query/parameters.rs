//! The parameters of a query string.

use percent_encoding::percent_decode_str;

use crate::base::error::ApiError;

/// The decoded pairs of a query string, in order.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Decodes a raw query string.
    ///
    /// # Errors
    /// 400 when an escape does not decode to UTF-8.
    pub fn parse(raw: &str) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter that may come once.
    ///
    /// # Errors
    /// 400 when it comes twice.
    pub fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(ApiError::bad_request(format!(
                "query parameter '{name}' is given more than once"
            )));
        }
        Ok(first)
    }

    /// All values of a parameter that may come repeatedly.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a switch such as `$force` is on: `true`, `1`, or present without a value.
    ///
    /// # Errors
    /// 400 for any other value.
    pub fn switch(&self, name: &str) -> Result<bool, ApiError> {
        match self.one(name)? {
            None => Ok(false),
            Some(value)
                if value.is_empty() || value == "1" || value.eq_ignore_ascii_case("true") =>
            {
                Ok(true)
            }
            Some(value) if value == "0" || value.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(ApiError::bad_request(format!(
                "query parameter '{name}' takes 'true' or 'false'"
            ))),
        }
    }

    /// Every pair.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(|decoded| decoded.into_owned())
        .map_err(|_| {
            ApiError::bad_request("the query string is not UTF-8 once its escapes are undone")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_kept_in_order() {
        let query = Query::parse("$filter=name%20eq+'a%26b'&x&$label_key=a&$label_key=b")
            .unwrap_or_default();
        assert_eq!(query.one("$filter").ok().flatten(), Some("name eq 'a&b'"));
        assert_eq!(query.all("$label_key").collect::<Vec<_>>(), ["a", "b"]);
        assert!(query.one("$label_key").is_err());
        assert!(query.switch("x").is_ok_and(|on| on));
    }

    #[test]
    fn escapes_that_are_not_utf8_are_refused() {
        assert!(Query::parse("a=%ff").is_err());
        assert!(Query::parse("%c3%28=1").is_err());
    }
}
