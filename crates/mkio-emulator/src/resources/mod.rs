//! The kinds of resources, and the operations that work in a way of their own. A file has an
//! `ENTRY`. A new file needs its module's line here or in a folder's `mod.rs`; `cargo xtask generate` makes the list of entries.

pub(crate) mod channels;
pub(crate) mod fleet;
pub(crate) mod infrastructure;
pub(crate) mod live;
pub(crate) mod management;
pub(crate) mod media;
pub(crate) mod templates;
