//! The runtime that every generated MK.IO crate runs on.
//!
//! A generated crate turns a typed call into an HTTP request and hands it, with the [`Operation`]
//! it belongs to, to a [`Transport`]. Everything that is not specific to one API (authentication,
//! origin guard, rate budget, retries, tracing, errors) happens there.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::too_many_lines, reason = "a test tells one story"))]

extern crate self as mkio_core;

mod apis;
mod budget;
mod byte_stream;
mod config;
#[cfg(feature = "dynamic")]
pub mod dynamic;
mod edit;
mod error;
pub mod glue;
mod json;
mod metrics;
mod operation;
pub mod page;
mod response;
mod retry;
mod sync;
mod token;
mod transport;
#[allow(missing_docs, reason = "the documents do not describe everything")]
pub mod types;
mod value;
pub mod wait;

pub use budget::RateBudget;
pub use byte_stream::ByteStream;
/// Bodies are [`bytes::Bytes`].
pub use bytes;
/// Points in time are [`chrono::DateTime`].
pub use chrono;
pub use config::config_file;
pub use edit::Edit;
pub use error::{BoxError, Error, ErrorKind, Result};
/// Methods, statuses and headers are those of this crate.
pub use http;
pub use metrics::{Measurement, Metrics};
pub use operation::Operation;
pub use page::{Items, Page, Pages, ResumeToken};
/// The HTTP client below: its `Client`, `Proxy` and `Certificate` are what
/// [`TransportBuilder`] takes.
pub use reqwest;
pub use response::{CallInfo, Response};
pub use retry::{Jitter, RetryPolicy};
/// JSON that no type describes is [`serde_json::Value`].
pub use serde_json;
pub use token::{Token, TokenCommand, TokenFile, TokenFuture, TokenProvider, token_fn};
pub use transport::{
    CallOptions, Dispatch, DispatchError, DispatchFuture, Priority, RawRequest, Transport,
    TransportBuilder, http_client_builder,
};
pub use value::{Nullable, OpenEnum, Secret, StateRef, Timestamp, UrlText};
pub use wait::{Change, Wait, WaitDescription, WaitFailure, Waits};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
