//! The runtime as its users meet it: every rule against a scripted service.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod budget;
mod canary;
mod chaos;
mod config;
mod decoding;
mod elsewhere;
mod errors;
mod filters;
mod metrics;
mod network;
mod origin;
mod profile;
mod raw;
mod requests;
mod retries;
mod shape;
mod shown;
mod streams;
mod support;
mod timeouts;
mod tokens;
mod tracing;
mod types;
