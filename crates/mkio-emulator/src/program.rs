//! The emulator as a program: its options, and its run until it is stopped.
//!
//! `mkio-emulator` is [`main`]; another program takes [`Arguments`] among its own and calls [`run`].

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, ValueEnum};

use crate::{
    base::settings::NextLink,
    host::{Emulator, EmulatorBuilder, StartError},
};

/// How long requests under way may take once the program is stopped.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a caller may take to send a request.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The MK.IO platform in memory.
#[derive(Parser)]
#[command(name = "mkio-emulator", version, about, allow_negative_numbers = true)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "options that a user switches, not states of something"
)]
pub struct Arguments {
    /// Address to listen at; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4080", value_parser = address)]
    listen: SocketAddr,
    /// A full-access token that is accepted; made up and printed when not given.
    #[arg(long, env = "MKIO_EMULATOR_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The project that exists from the start, with a storage account `storage1`.
    #[arg(long, default_value = "demo")]
    project: String,
    /// Seconds of platform time that pass in a second [default: 60, or that of the state].
    #[arg(long, value_parser = scale)]
    time_scale: Option<f64>,
    /// Assets in the project from the start.
    #[arg(long, default_value_t = 0)]
    seed: usize,
    /// Requests to make before listening: a JSON array of {"path", "method", "body"}.
    #[arg(long)]
    seed_file: Option<PathBuf>,
    /// The start of the platform and its offers: a file in the form of data/world.json of this crate.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Applies the published rate limits.
    #[arg(long, value_enum, default_value_t = Switch::On)]
    rate_limit: Switch,
    /// Sends Retry-After with a 429 of the rate limit.
    #[arg(long)]
    retry_after: bool,
    /// Faults: a file, or rules such as 'GET */assets status=503 times=2'.
    #[arg(long, value_name = "FILE|SPEC")]
    faults: Option<String>,
    /// How @odata.nextLink is written.
    #[arg(long, value_enum, default_value_t = LinkForm::Absolute)]
    next_link: LinkForm,
    /// Sends @odata.nextLink with every full page, even the last.
    #[arg(long)]
    link_when_full: bool,
    /// Items of a page without $top.
    #[arg(long, default_value_t = 100, value_parser = at_least_one)]
    page_size: usize,
    /// Jobs that run at a time in a project.
    #[arg(long, default_value_t = 2, value_parser = at_least_one)]
    job_slots: usize,
    /// Seconds of platform time that a job takes.
    #[arg(long, default_value_t = 60)]
    job_seconds: u64,
    /// A name, beside those of this machine, that requests may be sent to and web pages may come from; * for any. May be repeated.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Refuses a job whose output asset does not exist, instead of making the asset.
    #[arg(long)]
    strict_outputs: bool,
    /// A folder whose folders are the containers of all storage accounts: assets list and serve their files, jobs and uploads write to them.
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    /// Delivers webhooks to other hosts than this one.
    #[arg(long)]
    remote_webhooks: bool,
    /// Loads the platform from this file, if it exists, and writes it there at the end.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The bearer token of requests that steer the emulator over HTTP; without one, only callers of this machine may steer.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MKIO_EMULATOR_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
    /// What is logged to standard error, as a tracing filter: `info`, `mkio_emulator=debug`.
    #[arg(long, default_value = "warn")]
    log: String,
}

impl std::fmt::Debug for Arguments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret.
        formatter
            .debug_struct("Arguments")
            .field("listen", &self.listen)
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LinkForm {
    Absolute,
    Relative,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale >= 0.0 => Ok(scale),
        _ => Err("takes a number that is not negative, such as 60".to_owned()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("takes a whole number from 1 on".to_owned()),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let parsed = match text.strip_prefix("localhost:") {
        Some(port) => port
            .parse()
            .ok()
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        None => text.parse().ok(),
    };
    parsed.ok_or_else(|| {
        "takes an address and a port, such as 127.0.0.1:4080, 0.0.0.0:4080 or [::1]:4080".to_owned()
    })
}

/// Reads the command line and runs until it is stopped. A problem goes to standard error.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string());
    match outcome.and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("mkio-emulator: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Starts an emulator, prints where it listens to standard output, and serves until Ctrl-C or SIGTERM.
///
/// Runs on the current tokio runtime. Logs go to standard error, unless the process has a subscriber of `tracing` already.
///
/// # Errors
/// The option that cannot be followed, and the way out.
pub async fn run(arguments: Arguments) -> Result<(), String> {
    log(&arguments.log)?;
    // Before the program prints its address, so that no signal after that is missed.
    let mut signals = Signals::new()?;
    if !arguments.listen.ip().is_loopback() {
        tracing::warn!(address = %arguments.listen, "everybody who reaches this address can use the emulator");
    }
    let emulator = builder(&arguments)?
        .start()
        .await
        .map_err(|error| explain(&arguments, &error))?;
    if let Some(scale) = arguments.time_scale {
        emulator.control().set_time_scale(scale);
    }
    announce(&emulator, arguments.token.is_some())
        .map_err(|error| format!("standard output: {error}"))?;
    signals.wait().await;
    let control = emulator.control();
    tokio::select! {
        () = emulator.stop(PATIENCE) => {}
        () = signals.wait() => {}
    }
    match &arguments.state {
        Some(path) => save(path, &control.state())
            .map_err(|problem| format!("--state {}: {problem}", path.display())),
        None => Ok(()),
    }
}

/// The file that a path leads to, through links, whether it exists or not.
fn behind(path: &Path) -> PathBuf {
    let mut place = path.to_owned();
    // As many links as systems follow; a circle of links leads to no file.
    for _ in 0..40 {
        let Ok(next) = std::fs::read_link(&place) else {
            break;
        };
        place = place
            .parent()
            .map_or(next.clone(), |folder| folder.join(&next));
    }
    place
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    folder
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Whether a state can be written there at the end.
fn check_state(path: &Path) -> Result<(), String> {
    let place = behind(path);
    let folder = folder_of(&place);
    if !folder.is_dir() {
        let shown = folder.display();
        return Err(format!("there is no folder {shown}; make it first"));
    }
    if place.is_dir() {
        return Err("is a folder; name a file".to_owned());
    }
    match std::fs::metadata(&place) {
        Ok(about) if about.permissions().readonly() => {
            return Err(
                "the file is read-only, and is written at the end; let it be written".to_owned(),
            );
        }
        _ => {}
    }
    tempfile::NamedTempFile::new_in(folder)
        .map(drop)
        .map_err(|error| format!("nothing can be written to its folder: {error}"))
}

/// Saves a state, whole or not at all; only its owner may read it, since it holds secrets.
fn save(path: &Path, state: &str) -> std::io::Result<()> {
    // A link to a file elsewhere stays one.
    let path = behind(path);
    let mut file = tempfile::NamedTempFile::new_in(folder_of(&path))?;
    file.write_all(state.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

fn log(filter: &str) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| {
        format!("--log '{filter}': {error}; it takes a level such as info, or targets with levels such as mkio_emulator=debug")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .unwrap_or_else(|_| tracing::debug!("the process logs in its own way"));
    Ok(())
}

fn builder(arguments: &Arguments) -> Result<EmulatorBuilder, String> {
    if let Some(folder) = arguments.files.as_ref().filter(|folder| !folder.is_dir()) {
        let shown = folder.display();
        return Err(format!("--files {shown}: is not a folder; make it first"));
    }
    let mut builder = Emulator::builder()
        .listen(arguments.listen)
        .project(&arguments.project)
        .time_scale(arguments.time_scale.unwrap_or(60.0))
        .seed(arguments.seed)
        .rate_limit(arguments.rate_limit == Switch::On)
        .next_link(match arguments.next_link {
            LinkForm::Relative => NextLink::Relative,
            LinkForm::Absolute => NextLink::Absolute,
        })
        .link_when_full(arguments.link_when_full)
        .page_size(arguments.page_size, arguments.page_size.max(1_000))
        .settings(|settings| {
            settings.retry_after = arguments.retry_after;
            settings.job_slots = arguments.job_slots;
            settings.job_duration = Duration::from_secs(arguments.job_seconds);
            settings.remote_webhooks = arguments.remote_webhooks;
            settings.allowed_hosts.clone_from(&arguments.allow_host);
            settings.strict_outputs = arguments.strict_outputs;
            settings.files.clone_from(&arguments.files);
            settings.read_timeout = Some(READ_TIMEOUT);
        });
    if let Some(token) = &arguments.token {
        builder = builder.token(token);
    }
    if let Some(path) = &arguments.seed_file {
        builder = builder.seed_requests(
            text(path).map_err(|problem| format!("--seed-file {}: {problem}", path.display()))?,
        );
    }
    if let Some(path) = &arguments.world {
        builder = builder
            .world(text(path).map_err(|problem| format!("--world {}: {problem}", path.display()))?);
    }
    if let Some(faults) = &arguments.faults {
        builder = builder.faults(rules(faults)?);
    }
    if let Some(token) = &arguments.control_token {
        builder = builder.control_token(token);
    }
    if let Some(path) = &arguments.state {
        let wrong = |problem: String| format!("--state {}: {problem}", path.display());
        check_state(path).map_err(wrong)?;
        if path.exists() {
            builder = builder.state(text(path).map_err(wrong)?);
        }
    }
    Ok(builder)
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// A rule has a blank between its method and its path; a text without one names a file, unless it is a method whose path is missing.
fn rules(given: &str) -> Result<String, String> {
    let path = Path::new(given);
    let word = given.trim();
    let method = word == "*" || word.bytes().all(|byte| byte.is_ascii_uppercase());
    let rule = method || word.contains(char::is_whitespace) || word.starts_with('[');
    if rule && !path.is_file() {
        return Ok(given.to_owned());
    }
    text(path).map_err(|problem| {
        format!("--faults {given}: {problem}; it takes a file, or rules such as 'GET */assets status=503 times=2'")
    })
}

/// The option with the problem, and the way out.
fn explain(arguments: &Arguments, error: &StartError) -> String {
    match error {
        StartError::Listen { address, source } => {
            let way_out = match source.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "; something else listens there: choose another port, or port 0 for a free one"
                }
                std::io::ErrorKind::AddrNotAvailable => "; it is not an address of this machine",
                std::io::ErrorKind::PermissionDenied => "; choose a port from 1024 on",
                _ => "",
            };
            format!("--listen {address}: {source}{way_out}")
        }
        StartError::Token(_) => format!("--token (or MKIO_EMULATOR_TOKEN): {error}"),
        StartError::ControlToken(_) => {
            format!("--control-token (or MKIO_EMULATOR_CONTROL_TOKEN): {error}")
        }
        StartError::State(problem) => {
            let path = arguments.state.as_deref().unwrap_or(Path::new(""));
            format!("--state {}: {problem}", path.display())
        }
        StartError::Project(problem) => format!("--project '{}': {problem}", arguments.project),
        StartError::Seed(problem) => format!("--seed {}: {problem}", arguments.seed),
        StartError::SeedRequests(problem) => {
            let path = arguments.seed_file.as_deref().unwrap_or(Path::new(""));
            format!("--seed-file {}: {problem}", path.display())
        }
        StartError::World(problem) if arguments.world.is_some() => {
            let path = arguments.world.as_deref().unwrap_or(Path::new(""));
            format!("--world {}: {problem}", path.display())
        }
        StartError::Faults(problem) => {
            format!("--faults: {problem}")
        }
        other => other.to_string(),
    }
}

fn announce(emulator: &Emulator, told: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {}", emulator.base_url())?;
    if !told {
        writeln!(out, "token {}", emulator.token())?;
    }
    out.flush()
}

/// Ctrl-C and, where there is one, SIGTERM.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, String> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| format!("signals: {error}"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, String> {
        Ok(Self {})
    }

    async fn wait(&mut self) {
        // Without a handler for Ctrl-C the system ends the program by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
