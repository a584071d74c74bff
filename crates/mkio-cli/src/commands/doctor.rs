//! `mkio doctor`: what stands between this machine and the service.

use std::time::Instant;

use clap::Command;
use mkio::{Client, chrono::DateTime, http::Method};
use serde_json::json;

use crate::{
    failure::{Failure, Result},
    profile::ProfileFile,
    session::Session,
};

/// More than this between the clocks makes tokens look expired, or not yet valid.
const SKEW: i64 = 30;

pub fn command() -> Command {
    Command::new("doctor").about("Checks configuration, token, address, clock and rights; exit code 1 when something is wrong")
}

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
    let mut all = vec![finding("configuration", configuration(session))];
    match session.client() {
        Err(failure) => all.push(finding("token", Err(failure.to_string()))),
        Ok(client) => {
            all.push(finding("project", project(&client)));
            all.extend(service(&client).await);
        }
    }
    let mut list = session.output.list(&["check", "ok", "told"]);
    let well = all.iter().all(|finding| finding.ok);
    for finding in all {
        list.item(json!({"check": finding.check, "ok": finding.ok, "told": finding.told}))?;
    }
    list.end()?;
    if well { Ok(()) } else { Err(Failure::no()) }
}

fn configuration(session: &Session) -> std::result::Result<String, String> {
    let path = session
        .config_file()
        .map_err(|failure| failure.to_string())?;
    let file = ProfileFile::read(path).map_err(|failure| failure.to_string())?;
    let names = file.names();
    let shown = file.path().display();
    if names.is_empty() {
        return Ok(format!(
            "{shown}: no profiles; MKIO_TOKEN and others are used"
        ));
    }
    Ok(format!("{shown}: {}", names.join(", ")))
}

fn project(client: &Client) -> std::result::Result<String, String> {
    let name = client.transport().project();
    name.map(str::to_owned).ok_or_else(|| {
        "none is named: -p, MKIO_PROJECT, or `mkio profile set project NAME`".to_owned()
    })
}

/// Whether the service answers, takes the token, and has the same time.
async fn service(client: &Client) -> Vec<Finding> {
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
    let headers = match &response {
        Ok(response) => response.headers().clone(),
        Err(error) => error.headers().clone(),
    };
    let token = match &response {
        Ok(_) => Ok("the service takes it".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let date = headers.get("date").and_then(|value| value.to_str().ok());
    let limit = headers
        .get("x-ratelimit-remaining")
        .and_then(|value| value.to_str().ok());
    let mut all = vec![finding("address", reached), finding("token", token)];
    if let Some(date) = date.and_then(|text| DateTime::parse_from_rfc2822(text).ok()) {
        let skew = (mkio::chrono::Utc::now() - date.to_utc())
            .num_seconds()
            .abs();
        let told = format!("{skew} s between this machine and the service");
        all.push(finding(
            "clock",
            if skew > SKEW { Err(told) } else { Ok(told) },
        ));
    }
    if let Some(left) = limit {
        all.push(finding("rate limit", Ok(format!("{left} requests left"))));
    }
    let rights = client
        .request(Method::GET, "/api/v1/user/rbac")
        .send()
        .await;
    let told = rights.map(|_| "they can be read".to_owned());
    all.push(finding("rights", told.map_err(|error| error.to_string())));
    all
}
