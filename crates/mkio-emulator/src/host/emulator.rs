//! A running emulator.

use std::{fmt, net::SocketAddr, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::control::Control;

/// The running parts of an emulator.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) stop: watch::Sender<bool>,
    pub(super) server: JoinHandle<()>,
    pub(super) deliveries: JoinHandle<()>,
}

/// A running emulator. Stops when it is dropped; connections break then. [`stop`](Self::stop) lets requests end.
pub struct Emulator {
    base_url: String,
    address: SocketAddr,
    control: Control,
    running: Running,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Emulator")
            .field("base_url", &self.base_url)
            .field("project", &self.project())
            .finish_non_exhaustive()
    }
}

impl Emulator {
    pub(super) fn new(address: SocketAddr, control: Control, running: Running) -> Self {
        Self {
            base_url: format!("http://{address}"),
            address,
            control,
            running,
        }
    }

    /// `http://127.0.0.1:<port>`, the base URL for clients.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A token with full access.
    pub fn token(&self) -> &str {
        self.control.token()
    }

    /// The project that exists from the start.
    pub fn project(&self) -> &str {
        self.control.project()
    }

    /// The handle that steers it.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Accepts no more connections, gives requests under way at most `patience` to end, and stops.
    pub async fn stop(mut self, patience: Duration) {
        self.running.stop.send_replace(true);
        if tokio::time::timeout(patience, &mut self.running.server)
            .await
            .is_err()
        {
            tracing::warn!("requests were still under way; their connections break");
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.running.server.abort();
        self.running.deliveries.abort();
    }
}
