//! Conditions on the labels of the listed items.

use url::Url;

/// Conditions on labels, for the lists that offer them (`$label_key`, `$label`).
///
/// Every condition is sent as a parameter of its own, repeated as often as it was given. The
/// service wants all keys of [`key`](Self::key) present, and takes several values for one key as
/// alternatives.
///
/// ```
/// use mkio_core::page::query::Labels;
///
/// let mut url = "https://app.mk.io/assets?$top=2".parse().unwrap();
/// Labels::new().key("studio").equals("genre", "news").contains("title", "sum up").apply(&mut url);
/// assert_eq!(
///     url.query(),
///     Some("$top=2&%24label_key=studio&%24label=genre%3Dnews&%24label=title%7Esum+up"),
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Vec<(&'static str, String)>);

impl Labels {
    /// No condition.
    pub fn new() -> Self {
        Self::default()
    }

    /// The item has a label `key`.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.push(("$label_key", key.into()));
        self
    }

    /// The item's label `key` is `value`.
    pub fn equals(mut self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let condition = format!("{}={}", key.as_ref(), value.as_ref());
        self.0.push(("$label", condition));
        self
    }

    /// The item's label `key` has `part` somewhere in it.
    pub fn contains(mut self, key: impl AsRef<str>, part: impl AsRef<str>) -> Self {
        let condition = format!("{}~{}", key.as_ref(), part.as_ref());
        self.0.push(("$label", condition));
        self
    }

    /// Query parameters in the order in which they were given.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Adds the conditions to a request's URL.
    pub fn apply(&self, url: &mut Url) {
        if !self.0.is_empty() {
            url.query_pairs_mut().extend_pairs(self.parameters());
        }
    }
}
