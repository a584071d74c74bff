//! Starting an emulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::{fmt, io};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::control::Control;
use super::{deliver, server};
use crate::core::call::Payload;
use crate::core::engine::Engine;
use crate::core::error::ApiError;
use crate::core::seed;
use crate::core::settings::{NextLink, Settings};

/// How an emulator starts. Made by [`Emulator::builder`].
#[derive(Clone)]
pub struct EmulatorBuilder {
    listen: SocketAddr,
    token: Option<String>,
    project: String,
    time_scale: f64,
    seed: usize,
    seed_requests: Option<String>,
    faults: Option<String>,
    start_time: Option<DateTime<Utc>>,
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
            seed_requests: None,
            faults: None,
            start_time: None,
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

    /// Applies the published rate limits: 2,000 reads and 1,000 writes a minute per project or organization. Default: off.
    #[must_use]
    pub fn rate_limit(mut self, on: bool) -> Self {
        self.settings.rate_limit = on;
        self
    }

    /// Requests made before the emulator listens, as a JSON array of `{"path", "method", "body"}`. Default: none.
    #[must_use]
    pub fn seed_requests(mut self, json: impl Into<String>) -> Self {
        self.seed_requests = Some(json.into());
        self
    }

    /// Faults from the start, as on the command line. Default: none.
    #[must_use]
    pub fn faults(mut self, text: impl Into<String>) -> Self {
        self.faults = Some(text.into());
        self
    }

    /// Platform time at the start. Default: now.
    #[must_use]
    pub fn start_time(mut self, time: DateTime<Utc>) -> Self {
        self.start_time = Some(time);
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
    /// When the address cannot be listened at, or a name, a seed or a fault is not valid.
    pub async fn start(self) -> io::Result<Emulator> {
        let start = self.start_time.unwrap_or_else(Utc::now);
        let engine = Arc::new(Engine::new(self.settings, start, self.time_scale));
        let token = seed::start(&engine, &self.project, self.seed, self.token.as_deref())
            .map_err(refused)?;
        let control = Control {
            engine: engine.clone(),
        };
        if let Some(text) = &self.seed_requests {
            make_requests(&engine, &self.project, &token, text).map_err(invalid)?;
        }
        if let Some(text) = &self.faults {
            control
                .faults(text)
                .map_err(|error| invalid(error.to_string()))?;
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(io::Error::other)?;
        let listener = TcpListener::bind(self.listen).await?;
        let address = listener.local_addr()?;
        let tasks = [
            tokio::spawn(server::serve(listener, engine.clone())),
            tokio::spawn(deliver::run(engine, http)),
        ];
        Ok(Emulator {
            base_url: format!("http://{address}"),
            address,
            token,
            project: self.project,
            control,
            tasks,
        })
    }
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, problem)
}

fn refused(error: ApiError) -> io::Error {
    invalid(error.detail)
}

/// Makes the requests of a seed file; the first that is refused ends it.
fn make_requests(engine: &Engine, project: &str, token: &str, text: &str) -> Result<(), String> {
    for (at, request) in seed::requests(text)?.into_iter().enumerate() {
        let path = if request.path.starts_with('/') {
            request.path
        } else {
            format!("/api/v1/projects/{project}/{}", request.path)
        };
        let built = Request::builder()
            .method(request.method.as_str())
            .uri(&path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(if request.body.is_null() {
                Bytes::new()
            } else {
                Bytes::from(request.body.to_string())
            })
            .map_err(|error| format!("seed request {at}: {error}"))?;
        let answer = engine.plain(&built);
        if !answer.status.is_success() {
            let detail = match answer.payload {
                Payload::Json(body) => body
                    .pointer("/error/detail")
                    .and_then(|detail| detail.as_str())
                    .unwrap_or_default()
                    .to_owned(),
                _ => String::new(),
            };
            return Err(format!(
                "seed request {at}, {} {path}: {} {detail}",
                request.method, answer.status
            ));
        }
    }
    Ok(())
}

/// A running emulator. Stops when it is dropped.
pub struct Emulator {
    base_url: String,
    address: SocketAddr,
    token: String,
    project: String,
    control: Control,
    tasks: [JoinHandle<()>; 2],
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
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Shows neither the token nor the seed requests, which may hold secrets.
impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder")
            .field("listen", &self.listen)
            .field("project", &self.project)
            .field("time_scale", &self.time_scale)
            .field("seed", &self.seed)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Does not show the token.
impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("base_url", &self.base_url)
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}
