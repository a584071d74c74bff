//! The workspace's own tool: generates the crates from the OpenAPI documents under `spec/`, and
//! runs the checks.

#![cfg_attr(test, allow(clippy::too_many_lines, reason = "a test tells one story"))]

mod apis;
mod check;
mod ci;
mod code;
mod commands;
mod conformance;
mod copies;
mod document;
mod entries;
mod foreign;
mod generate;
mod glue;
mod listing;
mod marks;
mod media;
mod model;
mod names;
mod output;
mod overlay;
mod package;
mod packages;
mod passes;
mod pipeline;
mod progenitor_step;
mod refine;
mod report;
mod shared;
mod spec;
mod states;
mod surface;
mod types;
mod walk;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Generates and checks the MK.IO crates")]
struct Cli {
    /// Folder of the workspace; the one that the working directory is in unless given.
    #[arg(long, global = true)]
    root: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generates the API crates from the documents under spec/.
    Generate(generate::Args),
    /// Runs all checks, or those that are named.
    Ci(ci::Args),
    /// Imports or compares documents.
    #[command(subcommand)]
    Spec(spec::SpecCommand),
    /// Generates and checks crates of documents that are not ours.
    Foreign(foreign::ForeignArgs),
    /// Calls every operation through the SDK against Prism, another implementation of the documents.
    Conformance(conformance::ConformanceArgs),
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Generates a crate in memory from a document and an overlay, as text. For fuzzing: whatever the
/// texts are, the outcome is a crate or an error.
///
/// # Errors
///
/// All problems of the document and its overlay.
pub fn try_generate(document: &str, overlay: Option<&str>) -> Result<()> {
    let api = Arc::new(serde_json::from_str(
        r#"{"name": "fuzzed", "title": "Fuzzed", "about": "fuzzed"}"#,
    )?);
    let sources = pipeline::Sources {
        document: document.to_owned(),
        overlay: overlay.map(str::to_owned),
        ..pipeline::Sources::default()
    };
    let mut files = output::Files::default();
    pipeline::single_crate(&api, &sources, &mut files, &mut report::Report::default())
}

fn run(cli: Cli) -> Result<ExitCode> {
    let workspace = apis::Workspace::open(cli.root.as_deref())?;
    match cli.command {
        Command::Generate(args) => generate::run(&workspace, &args),
        Command::Ci(args) => ci::run(&workspace, &args),
        Command::Spec(command) => spec::run(&workspace, command),
        Command::Foreign(args) => foreign::run(&workspace, &args),
        Command::Conformance(args) => conformance::run(&workspace, &args, &generate::describe),
    }
}
