//! The published API documents, and the parts that the emulator reads: routes, parameters, bodies, schemas.
//!
//! Nothing here knows a resource. A newer document changes what is accepted and answered without a change in code, as long
//! as its operations have a handler.

mod api;
mod documents;
mod operation;
mod prune;
mod routes;
mod schemas;
mod view;

pub use api::{Api, Side};
pub use documents::Documents;
pub use operation::{Body, Operation, QueryParameter, Response};
pub use routes::{Parameters, RouteError, Routes};

pub(crate) use prune::Keep;
pub(crate) use schemas::{Schemas, findings, name_fits};
