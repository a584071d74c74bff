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
    pub fn with(&self, options: CallOptions) -> Self {
        Self::new(self.transport.with(options), self.name.clone())
    }

    /// What all requests go through.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The Media API.
    #[cfg(feature = "media")]
    pub fn media(&self) -> mkio_media::ProjectClient {
        mkio_media::Client::new(self.transport.clone()).project(&*self.name)
    }

    /// The operations of the Management API on this project.
    #[cfg(feature = "management")]
    pub fn management(&self) -> mkio_management::ProjectClient {
        mkio_management::Client::new(self.transport.clone()).project(&*self.name)
    }

    /// The Fleets API.
    #[cfg(feature = "fleets")]
    pub fn fleets(&self) -> mkio_fleets::ProjectClient {
        mkio_fleets::Client::new(self.transport.clone()).project(&*self.name)
    }

    /// The Infrastructure API.
    #[cfg(feature = "infrastructure")]
    pub fn infrastructure(&self) -> mkio_infrastructure::ProjectClient {
        mkio_infrastructure::Client::new(self.transport.clone()).project(&*self.name)
    }

    /// The Live API.
    #[cfg(feature = "live")]
    pub fn live(&self) -> mkio_live::ProjectClient {
        mkio_live::Client::new(self.transport.clone()).project(&*self.name)
    }

    /// The Templates API.
    #[cfg(feature = "templates")]
    pub fn templates(&self) -> mkio_templates::ProjectClient {
        mkio_templates::Client::new(self.transport.clone()).project(&*self.name)
    }
}
