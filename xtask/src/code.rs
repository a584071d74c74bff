//! Helpers for steps that work on Rust code.

use syn::{File, Item};

/// A file of these items.
pub fn file(items: Vec<Item>) -> File {
    File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items,
    }
}

/// The text without white space, to compare code regardless of line breaks.
#[cfg(test)]
pub fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}
