//! One project.

use mkio_core::{CallOptions, Transport};

/// One project, with a method for each API that fills in the project's name.
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

    /// The transport that all requests go through.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }
}
