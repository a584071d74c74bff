//! Code and files that follow from the document without progenitor: project scope, pages of
//! lists, the crate around the generated modules.

mod catalog;
mod columns;
mod dynamic;
pub mod edits;
pub mod fields;
pub mod krate;
pub mod macros;
mod modules;
pub mod pages;
pub mod project;
pub mod secrets;
mod tolerance;
pub mod types;
pub mod waits;
