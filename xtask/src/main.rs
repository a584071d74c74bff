//! The workspace's own tool: takes the OpenAPI documents under `spec/` to the generated crates.

mod apis;
mod check;
mod ci;
mod code;
mod conformance;
mod document;
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

use std::{path::PathBuf, process::ExitCode};

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

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
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
