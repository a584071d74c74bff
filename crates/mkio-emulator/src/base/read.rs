//! Reading JSON by pointers.

use serde_json::Value;

/// Shortcuts for reading a JSON value.
pub trait Read {
    /// The text at a pointer.
    fn text(&self, pointer: &str) -> Option<&str>;

    /// The items of the list at a pointer; none where there is no list.
    fn items(&self, pointer: &str) -> impl Iterator<Item = &Value>;
}

impl Read for Value {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.pointer(pointer).and_then(Self::as_str)
    }

    fn items(&self, pointer: &str) -> impl Iterator<Item = &Value> {
        let list = self.pointer(pointer).and_then(Self::as_array);
        list.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_of_another_type_is_not_there() {
        let value = json!({ "a": { "text": "t", "list": [1, 2] } });
        assert_eq!(value.text("/a/text"), Some("t"));
        assert_eq!(value.text("/a/list"), None);
        assert_eq!(value.text("/b/text"), None);
        assert_eq!(value.items("/a/list").count(), 2);
        assert_eq!(value.items("/a/text").count(), 0);
        assert_eq!(value.items("/a/none").count(), 0);
    }
}
