//! `cargo xtask foreign`: what the generator makes of documents that are not ours.
//!
//! The documents are those of an npm package, fetched on demand. Each becomes a crate of its own or
//! is refused with the place; all crates are checked together. Needs npm, so it is run on demand.

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::{
    apis::{Api, Workspace},
    document::Problems,
    output::Files,
    package,
    pipeline::{self, Sources},
    report::Report,
    spec,
};

/// The package whose documents are tried.
const PACKAGE: &str = "@readme/oas-examples@8.2.2";

/// Arguments of `foreign`.
#[derive(Debug, Args)]
pub struct ForeignArgs {
    /// A folder with documents instead of the package; searched for .json and .yaml.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Only generates, and checks no crate.
    #[arg(long)]
    no_check: bool,
}

/// What became of a document.
struct Tried {
    name: String,
    package: String,
    warnings: usize,
    outcome: Outcome,
}

enum Outcome {
    /// There is a crate.
    Generated,
    /// The document has something that the generator does not take, and the error names the place.
    Refused(String),
    /// A panic, or an error without a place: a fault of the generator.
    Fault(String),
}

pub fn run(workspace: &Workspace, args: &ForeignArgs) -> Result<ExitCode> {
    let room = workspace.root().join("target/foreign");
    let crates = room.join("crates");
    if crates.exists() {
        fs::remove_dir_all(&crates).with_context(|| crates.display().to_string())?;
    }
    fs::create_dir_all(&crates).with_context(|| crates.display().to_string())?;
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => fetch(&room)?,
    };
    let mut documents = Vec::new();
    find(&folder, &mut documents)?;
    documents.sort();
    ensure!(!documents.is_empty(), "{}: no documents", folder.display());
    let manifest = fs::read_to_string(workspace.root().join("Cargo.toml"))?;
    let mut all = Vec::new();
    for (number, path) in documents.iter().enumerate() {
        let name = path
            .strip_prefix(&folder)
            .unwrap_or(path)
            .display()
            .to_string();
        all.push(one(number, name, path, &crates, &manifest)?);
    }
    let broken = if args.no_check {
        BTreeSet::new()
    } else {
        check(workspace, &room)?
    };
    Ok(table(&all, &broken))
}

/// Downloads and unpacks the package.
fn fetch(room: &Path) -> Result<PathBuf> {
    let folder = room.join("package");
    if !folder.exists() {
        let npm = Command::new("npm")
            .args(["pack", "--silent", PACKAGE])
            .current_dir(room)
            .stdin(Stdio::null())
            .output()
            .context("cannot run npm")?;
        ensure!(
            npm.status.success(),
            "npm could not fetch {PACKAGE}: {}",
            String::from_utf8_lossy(&npm.stderr)
        );
        let archive = String::from_utf8_lossy(&npm.stdout).trim().to_owned();
        let tar = Command::new("tar")
            .args(["xzf", &archive])
            .current_dir(room)
            .status();
        ensure!(
            tar.context("cannot run tar")?.success(),
            "tar could not unpack {archive}"
        );
    }
    Ok(folder)
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let end = path
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            find(&path, found)?;
        } else if ["json", "yaml", "yml"].contains(&end) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            // Other versions are converted copies of the same documents.
            if ["\"openapi\"", "openapi:"]
                .iter()
                .any(|key| text.contains(key))
                && !path.ends_with("package.json")
            {
                let yaml_of_json =
                    end != "json" && path.components().any(|part| part.as_os_str() == "yaml");
                if !yaml_of_json {
                    found.push(path);
                }
            }
        }
    }
    Ok(())
}

/// Generates the crate of one document; a panic is a fault of ours, and said so.
fn one(number: usize, name: String, path: &Path, crates: &Path, manifest: &str) -> Result<Tried> {
    let api = Arc::new(Api::unlisted(&format!("foreign_{number}"), "Foreign")?);
    let mut report = Report::default();
    let mut files = Files::default();
    let made = catch_unwind(AssertUnwindSafe(|| -> Result<()> {
        let sources = Sources {
            document: spec::read_for(&api, path)?,
            states: "{}".to_owned(),
            ..Sources::default()
        };
        pipeline::single_crate(&api, &sources, &mut files, &mut report)
    }));
    let outcome = match made {
        Ok(Ok(())) => Outcome::Generated,
        Ok(Err(error)) => refusal(&error),
        Err(_) => Outcome::Fault("the generator panics".to_owned()),
    };
    if matches!(outcome, Outcome::Generated) {
        let mut own = files.below(&format!("crates/{}", api.package()));
        let asked = own.get("Cargo.toml").unwrap_or_default().to_owned();
        own.add("Cargo.toml", package::standalone(&asked, manifest)?);
        let folder = crates.join(api.package());
        fs::create_dir_all(&folder)?;
        own.write(&folder)?;
    }
    Ok(Tried {
        name,
        package: api.package(),
        warnings: report.warnings().len(),
        outcome,
    })
}

/// The first problem of a document, and how many there are besides.
fn refusal(error: &anyhow::Error) -> Outcome {
    match error
        .downcast_ref::<Problems>()
        .map(|Problems(all)| &all[..])
    {
        Some([first, rest @ ..]) => {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!("; {} more", rest.len())
            };
            let text = format!("at `{}`: {}{more}", first.pointer, first.found);
            Outcome::Refused(text.replace('|', "\\|"))
        }
        _ => Outcome::Fault(format!("an error without a place: {error:#}")),
    }
}

/// Checks all crates; the packages that do not compile.
fn check(workspace: &Workspace, room: &Path) -> Result<BTreeSet<String>> {
    let root = workspace.root();
    let core = root.join("crates/mkio-core");
    let core = core.to_str().context("a folder whose name is not text")?;
    // mkio-core asks its own workspace, so it is built where it stands.
    fs::write(
        room.join("Cargo.toml"),
        format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n[patch.crates-io]\nmkio-core = {{ path = {core:?} }}\n"
        ),
    )?;
    fs::copy(root.join("Cargo.lock"), room.join("Cargo.lock"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // What is built for our workspace serves these crates, too.
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let output = Command::new(cargo)
        .args([
            "check",
            "--workspace",
            "--all-targets",
            "--features",
            "dynamic,schemars",
            "--keep-going",
            "--message-format",
            "json",
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(room)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    let mut broken = BTreeSet::new();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for message in text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        if message["message"]["level"] == "error" {
            let package = message["target"]["src_path"].as_str().unwrap_or_default();
            let parts: Vec<&str> = package.split('/').collect();
            let name = parts.iter().find(|part| part.starts_with("mkio-"));
            if broken.insert((*name.unwrap_or(&"?")).to_owned()) {
                eprintln!(
                    "{}",
                    message["message"]["rendered"].as_str().unwrap_or_default()
                );
            }
        }
    }
    if !output.status.success() && broken.is_empty() {
        bail!("cargo check failed before it looked at the crates");
    }
    Ok(broken)
}

/// Prints what became of each document; fails when the generator is at fault.
fn table(all: &[Tried], broken: &BTreeSet<String>) -> ExitCode {
    let (mut generated, mut refused, mut faults) = (0, 0, 0);
    println!("| document | result | warnings |\n|---|---|---|");
    for tried in all {
        let result = match &tried.outcome {
            Outcome::Generated if broken.contains(&tried.package) => {
                faults += 1;
                format!("FAULT: {} does not compile", tried.package)
            }
            Outcome::Generated => {
                generated += 1;
                "generated".to_owned()
            }
            Outcome::Refused(why) => {
                refused += 1;
                format!("refused {why}")
            }
            Outcome::Fault(why) => {
                faults += 1;
                format!("FAULT: {why}")
            }
        };
        println!("| {} | {result} | {} |", tried.name, tried.warnings);
    }
    println!(
        "{} documents: {generated} generated, {refused} refused, {faults} faults of the generator",
        all.len()
    );
    if faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
