//! One project.

use mkio_core::{CallOptions, Transport};

/// The way to each API, with the project's name filled in.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Project {
    transport: Transport,
    name: String,
}

impl Project {
    pub(crate) fn new(transport: Transport, name: String) -> Self {
        Self { transport, name }
    }

    /// Name of the project.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same project for calls with other options: retries, timeouts, priority.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self::new(self.transport.with(options), self.name.clone())
    }

    /// What all requests go through.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}
