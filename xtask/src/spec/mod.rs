//! `cargo xtask spec`: putting a newer published document in, and reading what it changes.

mod atomic;
mod diff;
mod import;
mod prose;
mod read;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::apis::Workspace;

/// What to do with documents.
#[derive(Debug, Subcommand)]
pub enum SpecCommand {
    /// Check a published document and write it to `spec/<api>.json`.
    Import(import::ImportArgs),
    /// Say what a published document would change for users of the crate.
    Diff(diff::DiffArgs),
}

/// Runs `cargo xtask spec …`.
pub fn run(workspace: &Workspace, command: SpecCommand) -> Result<ExitCode> {
    match command {
        SpecCommand::Import(args) => import::run(workspace, &args),
        SpecCommand::Diff(args) => diff::run(workspace, &args),
    }
}
