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
