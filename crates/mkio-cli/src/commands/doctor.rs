//! `mkio doctor`: checks everything that a call needs.

use std::{
    io::{self, Write},
    net::IpAddr,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Command;
use mkio::{
    CallOptions, Client, ErrorKind,
    chrono::{DateTime, Utc},
    http::Method,
};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    options::variable,
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

/// The result of a check.
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
        list: session.output.list(&["check", "ok", "message"]),
        well: true,
    };
    if session.output.is_for_people() {
        writeln!(io::stdout(), "{:<14} {:<6} MESSAGE", "CHECK", "OK")?;
    }
    report.add(finding("configuration", configuration(session)))?;
    match session.client() {
        Err(failure) => {
            let check = if failure.lacks_token() {
                "token"
            } else {
                "settings"
            };
            report.add(finding(check, Err(failure.to_string())))?;
        }
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
        let row = json!({"check": check, "ok": ok, "message": told});
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
        "no project is named: use -p, MKIO_PROJECT, or `mkio profile set project NAME`".to_owned()
    })
}

/// Whether the service answers, takes the token, and has the same time.
async fn service(session: &Session, client: &Client, report: &mut Report<'_>) -> Result<()> {
    // A service that does not answer is reported soon, not after all retries.
    let limit = session.options.timeout.unwrap_or(PATIENCE);
    let client = client.clone().with(CallOptions::new().total_timeout(limit));
    let begun = Instant::now();
    let base = client.transport().base_url("media").to_owned();
    let response = client
        .request(Method::GET, "/api/v1/user/profile")
        .send()
        .await;
    let took = begun.elapsed();
    let from = from(session);
    if let Err(error) = &response
        && error.kind() == ErrorKind::Token
    {
        let told = Failure::from(error.clone()).message().to_owned();
        return report.add(finding("token", Err(format!("{from}: {told}"))));
    }
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
        Ok(response) => {
            let taken = format!("{from}: the service takes it");
            (Ok(taken), response.headers())
        }
        Err(error) => (Err(format!("{from}: {error}")), error.headers()),
    };
    report.add(finding("token", token))?;
    if let Some(end) = expiry(session) {
        report.add(finding("token end", end))?;
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(date) = header("date").and_then(|text| DateTime::parse_from_rfc2822(text).ok()) {
        report.add(finding("clock", clock(date.to_utc(), &base)))?;
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

/// Where the token comes from.
fn from(session: &Session) -> String {
    let file = session.config_file().and_then(ProfileFile::read);
    file.map_or_else(|_| "nowhere".to_owned(), |file| session.token_from(&file))
}

/// The clock of a service on this machine is this machine's, or runs as a test wants it.
fn clock(service: DateTime<Utc>, base: &str) -> std::result::Result<String, String> {
    let skew = (Utc::now() - service).num_seconds().abs();
    let told = format!("{skew} s between this machine and the service");
    if skew > SKEW && !is_here(base) {
        Err(told)
    } else {
        Ok(told)
    }
}

fn is_here(base: &str) -> bool {
    let url = mkio::reqwest::Url::parse(base).ok();
    let host = url.as_ref().and_then(|url| url.host_str());
    host.is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// When the token ends, if it holds its end and is a variable or a setting. Only the client runs commands and
/// reads token files.
fn expiry(session: &Session) -> Option<std::result::Result<String, String>> {
    let outside = || variable("MKIO_TOKEN").filter(|_| session.options.profile.is_none());
    let stored = || {
        let file = ProfileFile::read(session.config_file().ok()?).ok()?;
        file.setting(&session.profile_in_use(&file)?, "token")
    };
    let end = end_of(&outside().or_else(stored)?)?;
    let left = end - Utc::now();
    let date = end.format("%Y-%m-%d %H:%M UTC");
    Some(match left.num_days() {
        _ if left.num_seconds() < 0 => {
            Err(format!("it ended at {date}: `mkio login` stores a new one"))
        }
        0 => Ok(format!("it ends within a day, at {date}")),
        days => Ok(format!("it ends in {days} days, at {date}")),
    })
}

/// The end of a token: the member `exp` of a JWT.
fn end_of(token: &str) -> Option<DateTime<Utc>> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    DateTime::from_timestamp(claims.get("exp")?.as_i64()?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_end() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"exp": 1790000000}"#);
        let end = end_of(&format!("e30.{claims}.x")).expect("an end");
        assert_eq!(end.timestamp(), 1_790_000_000);
        for other in ["", "secret", "a.b.c", "e30.e30.x"] {
            assert!(end_of(other).is_none(), "{other}");
        }
    }

    /// A clock elsewhere is compared; the emulator's may run fast.
    #[test]
    fn only_clocks_elsewhere_are_wrong() {
        let late = Utc::now() - mkio::chrono::TimeDelta::minutes(5);
        assert!(clock(late, "https://app.mk.io").is_err());
        assert!(clock(Utc::now(), "https://app.mk.io").is_ok());
        for here in [
            "http://127.0.0.1:4080",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(clock(late, here).is_ok(), "{here}");
        }
    }
}
