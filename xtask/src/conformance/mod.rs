//! `cargo xtask conformance`: are the client's requests accepted by another implementation?
//!
//! For each cloud document Prism is started, every operation is called through the SDK with
//! generated values that satisfy its schemas, and what Prism refuses is listed. Needs Node.js
//! and a package registry, so it is run on demand.

mod calls;
mod json_schema;
mod number;
mod outcome;
mod pattern;
mod prism;
mod prism_document;
mod sample;
mod text;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

pub use self::calls::Target;
use self::outcome::{Outcome, Reply};
use self::prism::Prism;
use crate::{
    apis::{self, APIS, Api},
    document::Document,
    passes::parameters,
    report::Changes,
};

/// Runs on a device and not in the cloud: OpenAPI 3.1, which Prism's request validation does not
/// fully know.
const NOT_IN_THE_CLOUD: &str = "channels";

/// Arguments of `conformance`.
#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// APIs to try; all cloud APIs when none is named.
    apis: Vec<String>,
    /// Only write the calls to target/conformance, without Prism.
    #[arg(long)]
    calls_only: bool,
}

/// What the generator knows about an API.
pub struct Generated {
    /// The document with its overlay. Only bodies that the published document forgot are taken
    /// from it: values come from what the service publishes.
    pub document: Value,
    /// The Rust name of an operation.
    pub rust_id: Box<dyn Fn(Target<'_>) -> Option<String>>,
}

/// Tells what the generator knows about an API.
type Describe<'d> = &'d dyn Fn(&'static Api) -> Result<Generated>;

/// A program that makes the calls of a file against a base URL and writes a report.
type Caller<'c> = &'c dyn Fn(&Api, &str, &Path, &Path) -> Result<()>;

/// Tries the APIs with the SDK's example `conformance`.
pub fn run(args: &ConformanceArgs, describe: Describe<'_>) -> Result<ExitCode> {
    run_with(args, describe, &call_through_sdk)
}

fn run_with(
    args: &ConformanceArgs,
    describe: Describe<'_>,
    caller: Caller<'_>,
) -> Result<ExitCode> {
    let target = apis::root().join("target");
    let folder = target.join("conformance");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let prism = match args.calls_only {
        true => None,
        false => Some(Prism::install(&target.join("prism"))?),
    };
    let mut outcomes = Vec::new();
    for api in selected(&args.apis)? {
        outcomes.extend(one(api, &folder, prism.as_ref(), &describe(api)?, caller)?);
    }
    if outcomes.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", outcome::table(&outcomes));
    let all = outcomes
        .iter()
        .all(|outcome| outcome.operations == outcome.operations_accepted);
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn selected(names: &[String]) -> Result<Vec<&'static Api>> {
    if names.is_empty() {
        return Ok(APIS
            .iter()
            .filter(|api| api.name != NOT_IN_THE_CLOUD)
            .collect());
    }
    let mut found = Vec::new();
    for name in names {
        ensure!(
            name != NOT_IN_THE_CLOUD,
            "{name} is not a cloud API: conformance covers documents in OpenAPI 3.0"
        );
        found.push(Api::find(name)?);
    }
    Ok(found)
}

/// Tries one API; nothing to judge when only the calls are wanted.
fn one(
    api: &'static Api,
    folder: &Path,
    prism: Option<&Prism>,
    generated: &Generated,
    caller: Caller<'_>,
) -> Result<Option<Outcome>> {
    let file = |end: &str| folder.join(format!("{}{end}", api.name));
    let path = api.document();
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut root: Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    let added = prism_document::add_bodies(&mut root, &generated.document);
    // Query parameters have the types that the SDK gives them; Prism still judges by the document.
    let typed = parameters::run(Document::new(api, root.clone()), &mut Changes::default())?;
    let plans = calls::plan(&typed.root, &generated.rust_id);
    let calls: Vec<_> = plans.iter().flat_map(|plan| &plan.calls).collect();
    let calls_path = file(".calls.json");
    let text = serde_json::to_string_pretty(&calls).context("cannot write the calls")?;
    fs::write(&calls_path, text + "\n")
        .with_context(|| format!("cannot write {}", calls_path.display()))?;
    println!(
        "{}: {} calls in {}",
        api.name,
        calls.len(),
        calls_path.display()
    );
    let Some(prism) = prism else {
        return Ok(None);
    };
    let copy = file(".document.json");
    let mut published = root.clone();
    let rewritten = prism_document::Rewritten {
        added,
        ..prism_document::rewrite(&mut published)
    };
    let text = serde_json::to_string(&published).context("cannot write the document")?;
    fs::write(&copy, text).with_context(|| format!("cannot write {}", copy.display()))?;
    if let Some(words) = prism_document::describe(&rewritten) {
        println!("{}: rewritten for Prism: {words}", api.name);
    }
    let report_path = file(".report.json");
    let running = prism.start(&copy, &file(".prism.log"))?;
    caller(api, &running.base_url(), &calls_path, &report_path)?;
    drop(running);
    let report = fs::read(&report_path)
        .with_context(|| format!("the caller left no {}", report_path.display()))?;
    let replies: Vec<Reply> = serde_json::from_slice(&report)
        .with_context(|| format!("{} is not a report", report_path.display()))?;
    outcome::judge(api.name, &plans, &replies).map(Some)
}

/// Makes the calls with the SDK itself.
fn call_through_sdk(api: &Api, base_url: &str, calls: &Path, report: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--package", "mkio"])
        .args([
            "--example",
            "conformance",
            "--features",
            "full,dynamic",
            "--",
        ])
        .args(["--api", api.name, "--base-url", base_url])
        .arg("--calls")
        .arg(calls)
        .arg("--report")
        .arg(report)
        .current_dir(apis::root())
        .stdin(Stdio::null())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!(
            "{}: the example `conformance` of mkio ended with {status}",
            api.name
        );
    }
    Ok(())
}
