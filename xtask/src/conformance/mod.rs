//! `cargo xtask conformance`: tries whether another implementation accepts the client's requests.
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
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

pub use self::calls::Target;
use self::outcome::{CallResult, Outcome};
use self::prism::Prism;
use crate::{
    apis::{Api, Place, Workspace},
    document::Document,
    passes::parameters,
    report::Changes,
};

/// Arguments of `conformance`.
#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// APIs to try; all cloud APIs when none is named.
    apis: Vec<String>,
    /// Only write the calls to target/conformance, without Prism.
    #[arg(long)]
    calls_only: bool,
}

/// An API, as the conformance run needs it.
pub struct Generated {
    /// The document with its overlay. Only bodies that the published document forgot are taken
    /// from it: values come from what the service publishes.
    pub document: Value,
    /// The Rust name of an operation.
    pub rust_id: Box<dyn Fn(Target<'_>) -> Option<String>>,
}

/// Gives the generator's facts about an API.
type Describe<'d> = &'d dyn Fn(&Workspace, &Arc<Api>) -> Result<Generated>;

/// A program that makes the calls of a file against a base URL and writes a report.
type Caller<'c> = &'c dyn Fn(&Workspace, &Api, Files<'_>) -> Result<()>;

/// The input of a program that makes calls.
struct Files<'f> {
    base_url: &'f str,
    calls: &'f Path,
    report: &'f Path,
}

/// Tries the APIs with the program `conformance` of mkio-tests.
pub fn run(
    workspace: &Workspace,
    args: &ConformanceArgs,
    describe: Describe<'_>,
) -> Result<ExitCode> {
    run_with(workspace, args, describe, &call_through_sdk)
}

fn run_with(
    workspace: &Workspace,
    args: &ConformanceArgs,
    describe: Describe<'_>,
    caller: Caller<'_>,
) -> Result<ExitCode> {
    let target = workspace.root().join("target");
    let folder = target.join("conformance");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let prism = if args.calls_only {
        None
    } else {
        Some(Prism::install(&target.join("prism"))?)
    };
    let mut outcomes = Vec::new();
    for api in selected(workspace, &args.apis)? {
        let generated = describe(workspace, api)?;
        let room = Room {
            workspace,
            folder: &folder,
            prism: prism.as_ref(),
        };
        outcomes.extend(room.one(api, &generated, caller)?);
    }
    if outcomes.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", outcome::table(&outcomes));
    Ok(if outcomes.iter().all(Outcome::is_clean) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Devices are left out: their document is in OpenAPI 3.1, which Prism's request validation does
/// not fully know.
fn selected<'w>(workspace: &'w Workspace, names: &[String]) -> Result<Vec<&'w Arc<Api>>> {
    let in_the_cloud = |api: &&Arc<Api>| api.place == Place::Cloud;
    if names.is_empty() {
        return Ok(workspace.apis().iter().filter(in_the_cloud).collect());
    }
    let mut found = Vec::new();
    for name in names {
        let api = workspace.api(name)?;
        ensure!(
            in_the_cloud(&api),
            "{name} is not a cloud API: conformance covers documents in OpenAPI 3.0"
        );
        found.push(api);
    }
    Ok(found)
}

/// The folder and programs with which APIs are tried.
struct Room<'r> {
    workspace: &'r Workspace,
    folder: &'r Path,
    prism: Option<&'r Prism>,
}

impl Room<'_> {
    /// Tries one API; nothing to judge when only the calls are wanted.
    fn one(
        &self,
        api: &Arc<Api>,
        generated: &Generated,
        caller: Caller<'_>,
    ) -> Result<Option<Outcome>> {
        let folder = self.folder;
        let file = |end: &str| folder.join(format!("{}{end}", api.name));
        let path = self.workspace.document(api);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut root: Value = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        let added = prism_document::add_bodies(&mut root, &generated.document);
        // Query parameters have the types that the SDK gives them; Prism still judges by the document.
        let typed = parameters::run(
            Document::new(api.clone(), root.clone()),
            &mut Changes::default(),
        );
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
        let Some(prism) = self.prism else {
            return Ok(None);
        };
        let copy = file(".document.json");
        let mut published = root.clone();
        let mut rewritten = prism_document::rewrite(&mut published);
        rewritten.added = added;
        let text = serde_json::to_string(&published).context("cannot write the document")?;
        fs::write(&copy, text).with_context(|| format!("cannot write {}", copy.display()))?;
        if let Some(words) = prism_document::describe(&rewritten) {
            println!("{}: rewritten for Prism: {words}", api.name);
        }
        let report_path = file(".report.json");
        let running = prism.start(&copy, &file(".prism.log"))?;
        let files = Files {
            base_url: &running.base_url(),
            calls: &calls_path,
            report: &report_path,
        };
        caller(self.workspace, api, files)?;
        drop(running);
        let report = fs::read(&report_path)
            .with_context(|| format!("the caller left no {}", report_path.display()))?;
        let results: Vec<CallResult> = serde_json::from_slice(&report)
            .with_context(|| format!("{} is not a report", report_path.display()))?;
        outcome::judge(&api.name, &plans, &results).map(Some)
    }
}

/// Makes the calls with the SDK itself.
fn call_through_sdk(workspace: &Workspace, api: &Api, files: Files<'_>) -> Result<()> {
    let status = sdk_call(workspace, api, files)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!(
            "{}: the program `conformance` of mkio-tests ended with {status}",
            api.name
        );
    }
    Ok(())
}

fn sdk_call(workspace: &Workspace, api: &Api, files: Files<'_>) -> Command {
    let mut call = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    call.args(["run", "--quiet", "--package", "mkio-tests"])
        .args(["--bin", "conformance", "--"])
        .args(["--api", &api.name, "--base-url", files.base_url])
        .arg("--calls")
        .arg(files.calls)
        .arg("--report")
        .arg(files.report)
        .current_dir(workspace.root())
        .stdin(Stdio::null());
    call
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cloud_apis_are_tried_and_devices_are_not() {
        let workspace = Workspace::open(None).unwrap();
        let names = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = selected(&workspace, &names);
            found.map(|found| found.iter().map(|api| api.name.clone()).collect::<Vec<_>>())
        };
        let all = names(&[]).unwrap();
        let place_of = |place: Place| {
            workspace
                .apis()
                .iter()
                .filter(move |api| api.place == place)
        };
        assert_eq!(all.len(), place_of(Place::Cloud).count());
        assert!(all.contains(&"media".to_owned()), "{all:?}");
        assert_eq!(names(&["live", "media"]).unwrap(), ["live", "media"]);
        for device in place_of(Place::Device) {
            let error = names(&[&device.name]).unwrap_err().to_string();
            assert!(error.contains("is not a cloud API"), "{error}");
        }
        assert!(names(&["nothing"]).is_err());
    }

    #[test]
    fn the_calls_are_written_without_prism() {
        let root = tempfile::tempdir().unwrap();
        let spec = root.path().join("spec");
        fs::create_dir(&spec).unwrap();
        let api = "- {name: media, title: T, about: a, prefix: 'projects/{}/media'}\n";
        fs::write(spec.join("apis.yaml"), api).unwrap();
        let document = json!({
            "openapi": "3.0.2", "info": {"title": "T", "version": "1"},
            "paths": {"/a": {"get": {"responses": {"200": {"description": "OK"}}}}},
        });
        fs::write(spec.join("media.json"), document.to_string()).unwrap();
        let workspace = Workspace::open(Some(root.path())).unwrap();
        let args = |apis: &[&str]| ConformanceArgs {
            apis: apis.iter().map(|name| (*name).to_owned()).collect(),
            calls_only: true,
        };
        let describe: Describe<'_> = &|_, _| {
            let rust_id = |target: Target<'_>| Some(format!("{}_it", target.method));
            Ok(Generated {
                document: Value::Null,
                rust_id: Box::new(rust_id),
            })
        };
        let nobody: Caller<'_> = &|_, _, _| panic!("nobody is called");
        let ended = run_with(&workspace, &args(&[]), describe, nobody).unwrap();
        assert_eq!(ended, ExitCode::SUCCESS);
        let written = root.path().join("target/conformance/media.calls.json");
        let text = fs::read_to_string(written).unwrap();
        assert!(text.ends_with("]\n"), "{text}");
        let calls: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(calls[0]["operation"], "get_it");
        assert!(run(&workspace, &args(&["none"]), describe).is_err());
    }

    #[test]
    fn the_sdk_is_told_what_to_call_and_where() {
        let workspace = Workspace::open(None).unwrap();
        let files = Files {
            base_url: "http://127.0.0.1:1",
            calls: Path::new("a/calls"),
            report: Path::new("a/report"),
        };
        let call = sdk_call(&workspace, workspace.api("media").unwrap(), files);
        let given: Vec<_> = call.get_args().map(|arg| arg.to_str().unwrap()).collect();
        assert_eq!(
            given.join(" "),
            "run --quiet --package mkio-tests --bin conformance -- --api media \
             --base-url http://127.0.0.1:1 --calls a/calls --report a/report"
        );
        assert_eq!(call.get_current_dir(), Some(workspace.root()));
    }
}
