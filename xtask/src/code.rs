//! Small things that every step on Rust code needs.

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

/// The text without white space, to compare code however its lines break.
#[cfg(test)]
pub fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}
