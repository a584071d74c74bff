//! `mkio completion` and `mkio man`.

use std::{fs, io, path::PathBuf};

use clap::{Arg, ArgMatches, Command, builder::EnumValueParser};
use clap_complete::Shell;

use crate::{
    failure::{Failure, Result},
    session::Session,
};

pub fn completion() -> Command {
    Command::new("completion")
        .about("Prints a script that completes commands and options in a shell")
        .after_help(
            "Example: mkio completion bash > ~/.local/share/bash-completion/completions/mkio",
        )
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(EnumValueParser::<Shell>::new())
                .help("The shell"),
        )
}

pub fn man() -> Command {
    Command::new("man")
        .about("Writes manual pages of all commands")
        .arg(
            Arg::new("folder")
                .value_name("FOLDER")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("Folder for the pages; created if missing"),
        )
}

pub fn run_completion(matches: &ArgMatches, mut root: Command) -> Result<()> {
    let Some(shell) = matches.get_one::<Shell>("shell") else {
        return Ok(());
    };
    let mut text = Vec::new();
    clap_complete::generate(*shell, &mut root, "mkio", &mut text);
    io::Write::write_all(&mut io::stdout(), &text).map_err(Failure::from)
}

pub fn run_man(session: &Session, matches: &ArgMatches, root: Command) -> Result<()> {
    let Some(folder) = matches.get_one::<PathBuf>("folder") else {
        return Ok(());
    };
    let failed = |error: io::Error| Failure::usage(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(root, folder).map_err(failed)?;
    session.tell(format!("manual pages are in {}", folder.display()));
    Ok(())
}
