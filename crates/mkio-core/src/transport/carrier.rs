//! What a transport sends with.

use std::sync::Arc;

use super::{Dispatch, clients::Clients};

/// Carries the requests of a transport.
pub(crate) enum Carrier {
    /// Clients of our making, which follow no redirects.
    Own(Clients),
    /// What the user has given instead.
    Other(Arc<dyn Dispatch>),
}
