//! Starting an emulator.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    base::settings::{NextLink, Settings},
    control::{Access, Control},
    host::{
        deliver,
        emulator::{Emulator, Running},
        server::{self, Host},
        soundness,
        start_error::StartError,
    },
    platform::start::Start,
    registry,
    seed::Beginning,
};

/// How an emulator starts. Made by [`Emulator::builder`].
#[derive(Clone)]
pub struct EmulatorBuilder {
    listen: SocketAddr,
    token: Option<String>,
    project: String,
    time_scale: f64,
    seed: usize,
    seed_requests: Option<String>,
    world: Option<String>,
    faults: Option<String>,
    start_time: Option<DateTime<Utc>>,
    state: Option<String>,
    control_token: Option<String>,
    settings: Settings,
}

impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a secret, and a seed may hold some.
        formatter
            .debug_struct("EmulatorBuilder")
            .field("listen", &self.listen)
            .field("project", &self.project)
            .field("time_scale", &self.time_scale)
            .field("seed", &self.seed)
            .field("faults", &self.faults)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
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
            world: None,
            faults: None,
            start_time: None,
            state: None,
            control_token: None,
            settings: Settings::default(),
        }
    }
}

impl Emulator {
    /// Starts an emulator at a free port of 127.0.0.1, with a project `demo` and a time scale of 60.
    ///
    /// # Errors
    /// When no port can be listened at.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Settings of the start of an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
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

    /// A name that `Host` and `Origin` may hold beside those of this machine, or `*` for any. Default: none.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.settings.allowed_hosts.push(name.into());
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

    /// The start of the platform and its offers, as JSON in the form of `data/world.json` of this crate. Default: that file.
    /// [`StartError::World`] lists all problems in it, each with its place.
    #[must_use]
    pub fn world(mut self, json: impl Into<String>) -> Self {
        self.world = Some(json.into());
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

    /// A state that [`Control::state`] wrote: it has world and clock. [`Control::reset`] begins without it, with the seed and the start
    /// time. Default: none.
    #[must_use]
    pub fn state(mut self, json: impl Into<String>) -> Self {
        self.state = Some(json.into());
        self
    }

    /// The bearer token of requests that steer the emulator over HTTP. Default: none; callers of this machine need no token then, and
    /// callers of other machines are refused.
    #[must_use]
    pub fn control_token(mut self, token: impl Into<String>) -> Self {
        self.control_token = Some(token.into());
        self
    }

    /// Changes all other settings.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Starts the emulator on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened at, or a name, a setting, a seed or a fault is not valid.
    pub async fn start(self) -> Result<Emulator, StartError> {
        self.check()?;
        let world = match &self.world {
            Some(text) => soundness::read(text, registry::get()).map_err(StartError::World)?,
            None => Start::builtin(),
        };
        let control = Control::begin(Beginning {
            world: Arc::new(world),
            settings: self.settings,
            time: self.start_time,
            time_scale: self.time_scale,
            project: self.project,
            assets: self.seed,
            token: self.token,
            requests: self.seed_requests,
            faults: self.faults,
        })?;
        if let Some(text) = &self.state {
            control.restore(text).map_err(StartError::State)?;
        }
        let engine = control.engine.clone();
        let http =
            deliver::client(engine.settings.remote_webhooks).map_err(StartError::Webhooks)?;
        let listen = |source| StartError::Listen {
            address: self.listen,
            source,
        };
        let listener = TcpListener::bind(self.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        engine.world().origin = format!("http://{address}");
        let (stop, stopped) = watch::channel(false);
        let host = Host {
            control: control.clone(),
            access: Access::new(self.control_token.as_deref()),
            address,
        };
        let running = Running {
            stop,
            server: tokio::spawn(server::serve(listener, host, stopped)),
            deliveries: tokio::spawn(deliver::run(engine, http)),
        };
        Ok(Emulator::new(address, control, running))
    }

    fn check(&self) -> Result<(), StartError> {
        check_token(self.token.as_deref()).map_err(StartError::Token)?;
        check_token(self.control_token.as_deref()).map_err(StartError::ControlToken)?;
        let settings = &self.settings;
        let wrong = |name, reason| Err(StartError::Setting { name, reason });
        if !self.time_scale.is_finite() || self.time_scale < 0.0 {
            return wrong("time scale", "has to be a number that is not negative");
        }
        if settings.pages.default == 0 || settings.pages.maximum == 0 {
            return wrong("page size", "has to be at least 1, or no list would end");
        }
        if settings.job_slots == 0 {
            return wrong("job slots", "have to be at least 1, or no job would run");
        }
        if settings.webhook_attempts == 0 {
            return wrong("webhook attempts", "have to be at least 1");
        }
        Ok(())
    }
}

/// Whether a token can travel in an `Authorization` header.
fn check_token(token: Option<&str>) -> Result<(), &'static str> {
    let Some(token) = token else {
        return Ok(());
    };
    if token.is_empty() {
        return Err("is empty");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "has characters that no Authorization header carries: use letters, digits and punctuation of ASCII, without blanks",
        );
    }
    Ok(())
}
