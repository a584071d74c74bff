//! The emulator as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use mkio_emulator::{Emulator, NextLink};

/// The MK.IO platform in memory.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Address to listen at.
    #[arg(long, default_value = "127.0.0.1:4080")]
    listen: SocketAddr,
    /// A full-access token that is accepted; made up and printed when not given.
    #[arg(long, env = "MKIO_EMULATOR_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The project that exists from the start, with a storage account `storage1`.
    #[arg(long, default_value = "demo")]
    project: String,
    /// Seconds of platform time that pass in a second.
    #[arg(long, default_value_t = 60.0, value_parser = scale)]
    time_scale: f64,
    /// Assets in the project from the start.
    #[arg(long, default_value_t = 0)]
    seed: usize,
    /// Requests to make before listening: a JSON array of {"path", "method", "body"}.
    #[arg(long)]
    seed_file: Option<PathBuf>,
    /// Applies the published rate limits.
    #[arg(long, value_enum, default_value_t = Switch::On)]
    rate_limit: Switch,
    /// Sends Retry-After with a 429 of the rate limit.
    #[arg(long)]
    retry_after: bool,
    /// Faults: a file, or rules such as 'GET */assets status=503 times=2'.
    #[arg(long)]
    faults: Option<String>,
    /// How @odata.nextLink is written.
    #[arg(long, value_enum, default_value_t = LinkForm::Absolute)]
    next_link: LinkForm,
    /// Sends @odata.nextLink with every full page, even the last.
    #[arg(long)]
    link_when_full: bool,
    /// Items of a page without $top.
    #[arg(long, default_value_t = 100)]
    page_size: usize,
    /// Jobs that run at a time in a project.
    #[arg(long, default_value_t = 2)]
    job_slots: usize,
    /// Seconds of platform time that a job takes.
    #[arg(long, default_value_t = 60)]
    job_seconds: u64,
    /// Delivers webhooks to other hosts than this one.
    #[arg(long)]
    remote_webhooks: bool,
    /// What is logged to standard error, as tracing filters say it: `info`, `mkio_emulator=debug`.
    #[arg(long, default_value = "warn")]
    log: String,
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
        _ => Err("takes a number that is not negative".to_owned()),
    }
}

fn main() -> ExitCode {
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

async fn run(arguments: Arguments) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(&arguments.log)
        .map_err(|error| format!("--log: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let told = arguments.token.is_some();
    let mut builder = Emulator::builder()
        .listen(arguments.listen)
        .project(arguments.project)
        .time_scale(arguments.time_scale)
        .seed(arguments.seed)
        .rate_limit(arguments.rate_limit == Switch::On)
        .next_link(if arguments.next_link == LinkForm::Relative {
            NextLink::Relative
        } else {
            NextLink::Absolute
        })
        .link_when_full(arguments.link_when_full)
        .page_size(arguments.page_size, arguments.page_size.max(1_000))
        .settings(|settings| {
            settings.retry_after = arguments.retry_after;
            settings.job_slots = arguments.job_slots;
            settings.job_duration = Duration::from_secs(arguments.job_seconds);
            settings.remote_webhooks = arguments.remote_webhooks;
        });
    if let Some(token) = arguments.token {
        builder = builder.token(token);
    }
    if let Some(path) = arguments.seed_file {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("--seed-file {}: {error}", path.display()))?;
        builder = builder.seed_requests(text);
    }
    if let Some(faults) = arguments.faults {
        builder = builder.faults(text_or_file(&faults)?);
    }
    let mut signals = Signals::new()?;
    let emulator = builder
        .start()
        .await
        .map_err(|error| format!("cannot start: {error}"))?;
    announce(&emulator, told).map_err(|error| format!("standard output: {error}"))?;
    signals.wait().await;
    drop(emulator);
    Ok(())
}

/// A rule has a blank between its method and its path; a text without one that names a file is read.
fn text_or_file(given: &str) -> Result<String, String> {
    if std::path::Path::new(given).is_file() {
        return std::fs::read_to_string(given)
            .map_err(|error| format!("--faults {given}: {error}"));
    }
    Ok(given.to_owned())
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
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, String> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|error| format!("SIGTERM: {error}"))?,
        })
    }

    #[cfg(unix)]
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) {
        // Without a handler for Ctrl-C the system ends the program by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
