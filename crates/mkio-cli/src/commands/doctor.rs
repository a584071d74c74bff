//! `mkio doctor`: what stands between this machine and the service.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use clap::Command;
use mkio::{
    CallOptions, Client,
    chrono::{DateTime, Utc},
    http::Method,
};
use serde_json::json;

use crate::{
    failure::{Failure, Result},
    output::{self, List},
    profile::ProfileFile,
    session::Session,
};

/// More than this between the clocks makes tokens look expired, or not yet valid.
const SKEW: i64 = 30;

pub fn command() -> Command {
    Command::new("doctor").about("Checks configuration, token, address, clock and rights; exit code 1 when something is wrong")
}

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a check has found.
struct Finding {
    check: &'static str,
    ok: bool,
    told: String,
}

fn finding(check: &'static str, outcome: std::result::Result<String, String>) -> Finding {
    let ok = outcome.is_ok();
    let told = outcome.unwrap_or_else(|problem| problem);
    Finding { check, ok, told }
}

pub async fn run(session: &Session) -> Result<()> {
    let mut report = Report {
        session,
        list: session.output.list(&["check", "ok", "told"]),
        well: true,
    };
    if session.output.is_for_people() {
        writeln!(io::stdout(), "{:<14} {:<6} TOLD", "CHECK", "OK")?;
    }
    report.add(finding("configuration", configuration(session)))?;
    match session.client() {
        Err(failure) => report.add(finding("token", Err(failure.to_string())))?,
        Ok(client) => {
            report.add(finding("project", project(session, &client)))?;
            service(session, &client, &mut report).await?;
        }
    }
    report.list.end()?;
    if report.well {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

/// The findings, written as they are made.
struct Report<'a> {
    session: &'a Session,
    list: List<'a>,
    well: bool,
}

impl Report<'_> {
    fn add(&mut self, finding: Finding) -> Result<()> {
        self.well &= finding.ok;
        let Finding { check, ok, told } = finding;
        let row = json!({"check": check, "ok": ok, "told": told});
        if !self.session.output.is_for_people() {
            return self.list.item(row);
        }
        let told = output::plain(&told);
        let mut out = io::stdout().lock();
        writeln!(out, "{check:<14} {ok:<6} {told}")?;
        out.flush().map_err(Failure::from)
    }
}

fn configuration(session: &Session) -> std::result::Result<String, String> {
    let path = session
        .config_file()
        .map_err(|failure| failure.to_string())?;
    let file = ProfileFile::read(path).map_err(|failure| failure.to_string())?;
    let names = file.names();
    let shown = file.path().display();
    if let Some(wrong) = file.wrong() {
        return Err(format!("{shown}: {wrong}"));
    }
    if names.is_empty() {
        return Ok(format!(
            "{shown}: no profiles; MKIO_TOKEN and others are used"
        ));
    }
    Ok(format!("{shown}: {}", names.join(", ")))
}

fn project(session: &Session, client: &Client) -> std::result::Result<String, String> {
    session.project(client).map_err(|_| {
        "none is named: -p, MKIO_PROJECT, or `mkio profile set project NAME`".to_owned()
    })
}

/// Whether the service answers, takes the token, and has the same time.
async fn service(session: &Session, client: &Client, report: &mut Report<'_>) -> Result<()> {
    // A service that is not there is found out soon, not after all retries.
    let limit = session.options.timeout.unwrap_or(PATIENCE);
    let client = client.clone().with(CallOptions::new().total_timeout(limit));
    let begun = Instant::now();
    let base = client.transport().base_url("media").to_owned();
    let response = client
        .request(Method::GET, "/api/v1/user/profile")
        .send()
        .await;
    let took = begun.elapsed();
    let reached = match &response {
        Ok(_) => Ok(format!("{base} answers after {} ms", took.as_millis())),
        Err(error) if error.status().is_some() => Ok(format!("{base} answers")),
        Err(error) => Err(format!("{base}: {error}")),
    };
    let is_reached = reached.is_ok();
    report.add(finding("address", reached))?;
    if !is_reached {
        return Ok(());
    }
    let (token, headers) = match &response {
        Ok(response) => (Ok("the service takes it".to_owned()), response.headers()),
        Err(error) => (Err(error.to_string()), error.headers()),
    };
    report.add(finding("token", token))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(date) = header("date").and_then(|text| DateTime::parse_from_rfc2822(text).ok()) {
        report.add(finding("clock", clock(date.to_utc())))?;
    }
    if let Some(left) = header("x-ratelimit-remaining") {
        report.add(finding("rate limit", Ok(format!("{left} requests left"))))?;
    }
    let rights = client
        .request(Method::GET, "/api/v1/user/rbac")
        .send()
        .await;
    let told = rights.map(|_| "they can be read".to_owned());
    report.add(finding("rights", told.map_err(|error| error.to_string())))
}

fn clock(service: DateTime<Utc>) -> std::result::Result<String, String> {
    let skew = (Utc::now() - service).num_seconds().abs();
    let told = format!("{skew} s between this machine and the service");
    if skew > SKEW { Err(told) } else { Ok(told) }
}
