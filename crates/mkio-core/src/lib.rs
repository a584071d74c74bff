//! The runtime that every generated MK.IO crate runs on.
//!
//! A generated crate turns a typed call into a [`reqwest::Request`] and hands it, with the
//! [`Operation`] it belongs to, to [`Transport::exec`]. Everything that is not specific to one API
//! (authentication, origin guard, rate budget, retries, tracing, errors) happens there.

mod error;
pub mod glue;
mod operation;
pub mod page;
mod response;
mod transport;
mod value;

pub use error::{Error, ErrorKind, Result};
pub use operation::Operation;
pub use page::{Items, Page, Pages, ResumeToken};
pub use response::Response;
pub use transport::{Transport, TransportBuilder};
pub use value::{Nullable, Timestamp};
