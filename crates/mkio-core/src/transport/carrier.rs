//! The HTTP clients of a transport.

use std::sync::Arc;

use super::{Dispatch, clients::Clients};

/// Carries the requests of a transport.
pub(crate) enum Carrier {
    /// Clients of our making, which follow no redirects.
    Own(Clients),
    /// A client of the user's.
    Other(Arc<dyn Dispatch>),
}
