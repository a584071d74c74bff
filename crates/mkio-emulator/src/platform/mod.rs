//! Common to all kinds of resources: how requests are read, who may make them, how resources are kept, shown, listed, changed and reported.
//! The kinds themselves are in `resources`.

mod actions;
pub mod call;
mod candidate;
pub(crate) mod conditions;
pub(crate) mod fixed;
pub(crate) mod furnish;
pub(crate) mod generic;
pub(crate) mod identity;
pub mod incidents;
pub(crate) mod json_patch;
pub(crate) mod labels;
pub(crate) mod limits;
pub(crate) mod list;
pub(crate) mod ranges;
pub(crate) mod references;
pub(crate) mod refusal;
pub(crate) mod render;
pub(crate) mod rules;
pub mod start;
pub(crate) mod tokens;
pub(crate) mod webhooks;
