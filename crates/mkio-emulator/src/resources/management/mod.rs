//! The Management API.

pub(crate) mod account;
pub(crate) mod billing;
pub(crate) mod metrics;
pub(crate) mod organization;
pub(crate) mod people;
pub(crate) mod projects;
pub(crate) mod rules;
pub(crate) mod teams;
pub(crate) mod tokens;
