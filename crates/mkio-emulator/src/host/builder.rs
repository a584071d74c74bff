//! Starting an emulator.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use chrono::Utc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::control::Control;
use super::server;
use crate::core::engine::Engine;
use crate::core::error::ApiError;
use crate::core::seed;
use crate::core::settings::{NextLink, Settings};

/// How an emulator starts. Made by [`Emulator::builder`].
#[derive(Debug, Clone)]
pub struct EmulatorBuilder {
    listen: SocketAddr,
    token: Option<String>,
    project: String,
    time_scale: f64,
    seed: usize,
    settings: Settings,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: None,
            project: "demo".to_owned(),
            time_scale: 60.0,
            seed: 0,
            settings: Settings::default(),
        }
    }
}

impl EmulatorBuilder {
    /// Address to listen at. Default: a free port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// A full-access token that is accepted. Default: one is made up.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The project that exists from the start, with a storage account `storage1`. Default: `demo`.
    #[must_use]
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = name.into();
        self
    }

    /// Seconds of platform time that pass in a second. Default: 60.
    #[must_use]
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.time_scale = scale;
        self
    }

    /// Assets in the project from the start. Default: none.
    #[must_use]
    pub fn seed(mut self, assets: usize) -> Self {
        self.seed = assets;
        self
    }

    /// Items of a page without `$top` (default 100), and the most of any page (default 1,000).
    #[must_use]
    pub fn page_size(mut self, default: usize, maximum: usize) -> Self {
        self.settings.pages.default = default;
        self.settings.pages.maximum = maximum;
        self
    }

    /// How `@odata.nextLink` is written. Default: absolute.
    #[must_use]
    pub fn next_link(mut self, form: NextLink) -> Self {
        self.settings.next_link = form;
        self
    }

    /// Sends `@odata.nextLink` with every full page, even the last. Default: off.
    #[must_use]
    pub fn link_when_full(mut self, on: bool) -> Self {
        self.settings.link_when_full = on;
        self
    }

    /// Everything else there is to set.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Starts the emulator on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened at, or the seed does not fit.
    pub async fn start(self) -> io::Result<Emulator> {
        let token = self
            .token
            .unwrap_or_else(|| format!("emulated-{}", uuid::Uuid::new_v4().simple()));
        let engine = Arc::new(Engine::new(
            self.settings,
            Utc::now(),
            self.time_scale,
            token.clone(),
        ));
        {
            let mut world = engine.world();
            seed::project(&mut world, &self.project).map_err(unseeded)?;
            seed::assets(&mut world, &self.project, self.seed).map_err(unseeded)?;
        }
        let listener = TcpListener::bind(self.listen).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(server::serve(listener, engine.clone()));
        Ok(Emulator {
            base_url: format!("http://{address}"),
            address,
            token,
            project: self.project,
            control: Control { engine },
            server,
        })
    }
}

fn unseeded(error: ApiError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.detail)
}

/// A running emulator. Stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    base_url: String,
    address: SocketAddr,
    token: String,
    project: String,
    control: Control,
    server: JoinHandle<()>,
}

impl Emulator {
    /// Starts an emulator at a free port of 127.0.0.1, with a project `demo` and a time scale of 60.
    ///
    /// # Errors
    /// When no port can be listened at.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// How an emulator is to start.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// `http://127.0.0.1:<port>`: what a client takes for its base URL.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A token with full access.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The project that exists from the start.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The handle that steers it.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}
