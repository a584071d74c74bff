//! `mkio`: the command line of the MK.IO cloud video platform.

mod bars;
mod body;
mod commands;
mod editor;
mod failure;
mod fields;
mod kinds;
mod listing;
mod manifest;
mod options;
mod output;
mod place;
mod profile;
mod root;
mod run;
mod saved;
mod session;
mod tree;
mod waiting;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::ArgMatches;

use crate::{
    failure::{Failure, Result},
    options::Options,
    session::Session,
};

fn main() -> ExitCode {
    let matches = match root::build().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return told(&error),
    };
    let json = matches
        .get_one::<String>("error-format")
        .is_some_and(|format| format == "json");
    match dispatch(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ended(&failure, json),
    }
}

/// Prints help and version with exit code 0, and errors of the command line with 2.
fn told(error: &clap::Error) -> ExitCode {
    let is_answer = error.exit_code() == 0;
    if !is_answer && json_is_wanted(std::env::args_os()) {
        let text = error.render().to_string();
        return ended(&Failure::of_command_line(&text), true);
    }
    // The pipe may be closed.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// `--error-format json` of a command line that could not be read.
fn json_is_wanted(words: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<OsString> = words.take_while(|word| word != "--").collect();
    let apart = words.windows(2).rev();
    let mut apart = apart.filter(|two| two[0] == "--error-format");
    apart.next().is_some_and(|two| two[1] == "json")
        || words.iter().any(|word| word == "--error-format=json")
}

fn ended(failure: &Failure, json: bool) -> ExitCode {
    if !failure.is_silent() {
        let mut out = io::stderr().lock();
        // Standard error may be closed.
        let _ = if json {
            writeln!(out, "{}", failure.json())
        } else {
            writeln!(out, "error: {}", session::told(&failure.to_string()))
        };
    }
    if failure.is_closed() {
        return ExitCode::SUCCESS;
    }
    ExitCode::from(failure.exit as u8)
}

fn dispatch(matches: &ArgMatches) -> Result<()> {
    let mut words = Vec::new();
    let mut own = matches;
    while let Some((word, below)) = own.subcommand() {
        words.push(word);
        own = below;
    }
    log(own.get_count("verbose"));
    let session = Session::new(Options::new(own)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(async {
        // The emulator handles Ctrl-C itself.
        if words != ["emulator"] {
            session.take_interrupts();
        }
        match tree::find(&words) {
            Some(leaf) => run::leaf(&session, leaf, own).await,
            None => commands::run(&session, &words, own, root::build).await,
        }
    });
    // A read of standard input may block for ever.
    runtime.shutdown_background();
    outcome
}

/// Logs requests to standard error; no event has tokens or secrets.
fn log(level: u8) {
    let filter = match level {
        0 => return,
        1 => "mkio=debug,mkio_core=debug",
        _ => "mkio=trace,mkio_core=trace,hyper=debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
}
