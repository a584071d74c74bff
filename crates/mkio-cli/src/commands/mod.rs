//! Tasks: commands that are more than one operation.

mod api;
mod apply;
mod assets;
mod call;
mod completion;
mod doctor;
mod edit;
#[cfg(feature = "emulator")]
mod emulator;
mod encoding;
mod explain;
mod export;
mod extras;
mod files;
mod live;
mod login;
mod open;
mod ops;
mod profile;
mod publish;
mod usage;
mod wait;
mod webhooks;

use clap::{ArgMatches, Command, parser::ValueSource};

use crate::{
    failure::{Failure, Result},
    fields,
    options::Switch,
    output::Format,
    session::Session,
};

/// All of them, in the order in which they are listed.
pub fn all() -> Vec<Command> {
    vec![
        login::login(),
        login::logout(),
        login::whoami(),
        profile::command(),
        files::upload(),
        files::download(),
        publish::encode(),
        publish::publish(),
        publish::urls(),
        open::command(),
        live::command(),
        wait::wait(),
        wait::watch(),
        edit::command(),
        export::export(),
        export::copy(),
        apply::apply(),
        apply::diff(),
        apply::delete(),
        usage::command(),
        webhooks::command(),
        ops::command(),
        explain::command(),
        api::command(),
        call::command(),
        doctor::command(),
        completion::completion(),
        completion::man(),
        #[cfg(feature = "emulator")]
        emulator::command(),
    ]
}

/// Tasks that change nothing, or that show their requests.
const SHOWS: [&str; 17] = [
    "api", "apply", "call", "copy", "delete", "diff", "doctor", "download", "edit", "explain",
    "export", "ops", "upload", "urls", "usage", "wait", "watch",
];

/// Runs the task that the words name; `root` is the whole command line.
pub async fn run(
    session: &Session,
    words: &[&str],
    matches: &ArgMatches,
    root: fn() -> Command,
) -> Result<()> {
    refuse_dry_run(session, words)?;
    refuse_ignored(words, matches)?;
    refuse_form(session, words)?;
    match words {
        ["login"] => login::log_in(session, matches).await,
        ["logout"] => login::log_out(session),
        ["whoami"] => login::who_am_i(session).await,
        ["profile", verb] => profile::run(session, verb, matches),
        ["upload"] => files::run_upload(session, matches).await,
        ["download"] => files::run_download(session, matches).await,
        ["encode"] => publish::run_encode(session, matches).await,
        ["publish"] => publish::run_publish(session, matches).await,
        ["urls"] => publish::run_urls(session, matches).await,
        ["open"] => open::run(session, matches).await,
        ["live", verb] => live::run(session, verb, matches).await,
        ["wait"] => wait::run_wait(session, matches).await,
        ["watch"] => wait::run_watch(session, matches).await,
        ["edit"] => edit::run(session, matches).await,
        ["export"] => export::run_export(session, matches).await,
        ["copy"] => export::run_copy(session, matches).await,
        ["delete"] => apply::run_delete(session, matches).await,
        ["apply"] => apply::run_apply(session, matches).await,
        ["diff"] => apply::run_diff(session, matches).await,
        ["usage"] => usage::run(session, matches).await,
        ["webhooks", verb] => webhooks::run(session, verb, matches).await,
        ["ops"] => ops::run(session, matches),
        ["explain"] => explain::run(session, matches),
        ["api"] => api::run(session, matches).await,
        ["call"] => call::run(session, matches).await,
        ["doctor"] => doctor::run(session).await,
        ["completion"] => completion::run_completion(matches, root()),
        ["man"] => completion::run_man(session, matches, root()),
        #[cfg(feature = "emulator")]
        ["emulator"] => emulator::run(matches).await,
        words => {
            let message = format!("`mkio {}` does nothing by itself", words.join(" "));
            Err(Failure::usage(message).hint("--help lists what it takes"))
        }
    }
}

/// Tasks that print rows of their own, with the columns of each.
const LINES: [(&[&str], &[&str]); 12] = [
    (
        &["profile", "list"],
        &[
            "name",
            "default",
            "project",
            "base_url",
            "token_from",
            "protected",
        ],
    ),
    (
        &["whoami"],
        &["user", "token_from", "base_url", "project", "rights"],
    ),
    (&["upload"], &["asset", "file", "bytes"]),
    (&["download"], &["asset", "file", "bytes", "to"]),
    (
        &["encode"],
        &[
            "asset",
            "transform",
            "job",
            "locator",
            "endpoint",
            "running",
            "protocol",
            "encryption",
            "url",
        ],
    ),
    (&["publish"], ADDRESSES),
    (&["urls"], ADDRESSES),
    (&["live", "start"], &["what", "protocol", "url"]),
    (&["live", "record"], &["event", "output", "asset"]),
    (
        &["ops"],
        &[
            "command",
            "name",
            "api",
            "method",
            "path",
            "summary",
            "capability",
        ],
    ),
    (&["doctor"], &["check", "ok", "message"]),
    (
        &["diff"],
        &["kind", "name", "change", "field", "old", "new"],
    ),
];
const ADDRESSES: &[&str] = &[
    "locator",
    "endpoint",
    "running",
    "protocol",
    "encryption",
    "url",
];

/// Tasks that write no data, so that formats do not apply.
const WITHOUT_DATA: [&[&str]; 13] = [
    &["login"],
    &["logout"],
    &["profile", "use"],
    &["profile", "set"],
    &["profile", "delete"],
    &["apply"],
    &["copy"],
    &["delete"],
    &["live", "stop"],
    &["open"],
    &["completion"],
    &["man"],
    &["emulator"],
];

/// Tasks that write documents, which have no columns.
const DOCUMENTS: [&[&str]; 2] = [&["export"], &["explain"]];

/// Refuses options of all commands that this one would ignore.
fn refuse_ignored(words: &[&str], matches: &ArgMatches) -> Result<()> {
    let is_given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let has_none = WITHOUT_DATA.contains(&words);
    let has_no_columns = has_none || DOCUMENTS.contains(&words);
    // With --dry-run they show requests.
    let has_format = !has_none
        || ["apply", "copy", "delete"]
            .iter()
            .any(|task| words.first() == Some(task));
    let ignored = [
        ("columns", has_no_columns),
        ("jq", has_none),
        ("output", !has_format),
    ];
    let given = ignored
        .iter()
        .find(|(name, is_ignored)| *is_ignored && is_given(name));
    given.map_or(Ok(()), |(name, _)| {
        let task = words.join(" ");
        let message = format!("`mkio {task}` does not use --{name}; nothing was done");
        Err(Failure::usage(message))
    })
}

/// Refuses columns that a task's rows lack, and names where they have none: before anything is done.
fn refuse_form(session: &Session, words: &[&str]) -> Result<()> {
    let lines = LINES.iter().find(|(task, _)| *task == words);
    let (Some((_, known)), Some(format)) = (lines, session.output.format()) else {
        return Ok(());
    };
    if format == Format::Name && !known.contains(&"name") {
        return Err(fields::nameless(&words.join(" ")));
    }
    for column in session.output.wanted_columns() {
        let first = column.split('/').next().unwrap_or_default();
        if !known.contains(&first) {
            return Err(fields::unknown(column, first, known, str::to_owned));
        }
    }
    Ok(())
}

/// A task of several requests cannot be shown, and is not carried out instead.
fn refuse_dry_run(session: &Session, words: &[&str]) -> Result<()> {
    let shows = words.first().is_none_or(|first| SHOWS.contains(first));
    if shows || !session.is(Switch::DryRun) {
        return Ok(());
    }
    let message = format!(
        "`mkio {}` cannot be shown with --dry-run; nothing was done",
        words.join(" ")
    );
    Err(Failure::usage(message)
        .hint("--dry-run shows single requests: `mkio job create --dry-run`"))
}
