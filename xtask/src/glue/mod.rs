//! Code and files that follow from the document without progenitor: project scope, pages of
//! lists, the crate around the generated modules.

mod catalog;
mod columns;
pub mod crate_files;
mod dynamic;
pub mod edits;
pub mod fields;
pub mod macros;
mod modules;
pub mod pages;
mod places;
pub mod project;
pub mod secrets;
mod tolerance;
pub mod types;
pub mod waits;
