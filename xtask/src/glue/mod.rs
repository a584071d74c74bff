//! Code and files that follow from the document without progenitor: project scope, pages of
//! lists, the crate around the generated modules.

mod dynamic;
mod edits;
pub mod fields;
pub mod krate;
pub mod macros;
pub mod pages;
pub mod project;
mod tolerance;
pub mod types;
mod waits;
