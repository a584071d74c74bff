//! The workspace's own tool: takes the OpenAPI documents under `spec/` to the generated crates.

mod apis;
mod code;
mod conformance;
mod document;
mod generate;
mod glue;
mod model;
mod names;
mod output;
mod overlay;
mod passes;
mod progenitor_step;
mod refine;
mod report;
mod spec;
mod states;
mod surface;
mod walk;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Generates and checks the MK.IO crates")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generates the API crates from the documents under spec/.
    Generate(generate::Args),
    /// Imports or compares documents.
    #[command(subcommand)]
    Spec(spec::SpecCommand),
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
    match cli.command {
        Command::Generate(args) => generate::run(&args),
        Command::Spec(command) => spec::run(command),
        Command::Conformance(args) => conformance::run(&args, &generate::describe),
    }
}
