//! `cargo xtask spec`: importing a newer published document, and showing its changes.

mod atomic;
mod diff;
mod import;
mod prose;
mod read;

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use clap::Subcommand;

use crate::apis::{Api, Workspace};

/// The text that an import of a published document would put into spec/.
pub fn read_for(api: &Api, file: &Path) -> Result<String> {
    import::format(&import::read_published(api, file)?.root)
}

/// Commands for documents.
#[derive(Debug, Subcommand)]
pub enum SpecCommand {
    /// Check a published document and write it to `spec/<api>.json`.
    Import(import::ImportArgs),
    /// Shows the changes of a published document for users of the crate.
    Diff(diff::DiffArgs),
}

/// Runs `cargo xtask spec …`.
pub fn run(workspace: &Workspace, command: SpecCommand) -> Result<ExitCode> {
    match command {
        SpecCommand::Import(args) => import::run(workspace, &args),
        SpecCommand::Diff(args) => diff::run(workspace, &args),
    }
}
