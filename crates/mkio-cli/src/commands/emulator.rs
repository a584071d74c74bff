//! `mkio emulator`: the platform in memory.

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use mkio_emulator::program::{self, Arguments};

use crate::failure::{Exit, Failure, Result};

pub fn command() -> Command {
    Arguments::command()
        .name("emulator")
        .about(
            "Runs the platform in memory, for trials and tests; takes the flags of mkio-emulator",
        )
        .disable_version_flag(true)
}

pub async fn run(matches: &ArgMatches) -> Result<()> {
    let arguments =
        Arguments::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    program::run(arguments)
        .await
        .map_err(|problem| Failure::new(Exit::Usage, problem))
}
