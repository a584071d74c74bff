//! `mkio ops`: finds operations.

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::dynamic::Entry;
use serde_json::json;

use crate::{failure::Result, session::Session};

pub fn command() -> Command {
    Command::new("ops").about("Finds operations by words").arg(
        Arg::new("words")
            .value_name("WORD")
            .action(ArgAction::Append)
            .num_args(0..)
            .help("Words of name, command, path or description; all of them must be there"),
    )
}

pub fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let words = matches.get_many::<String>("words").into_iter().flatten();
    let words: Vec<String> = words.map(|word| word.to_lowercase()).collect();
    let mut list = session.output.list(&["command", "name", "summary"]);
    let mut found = false;
    for entry in mkio::CATALOGS.iter().flat_map(|catalog| catalog.entries) {
        if fits(entry, &words) {
            found = true;
            list.item(json!({
                "command": entry.command.join(" "),
                "name": entry.id(),
                "api": entry.operation.api,
                "method": entry.operation.method.as_str(),
                "path": entry.operation.path,
                "summary": entry.summary(),
                "capability": entry.capability,
            }))?;
        }
    }
    list.end()?;
    if !found {
        session.tell("no operation has all of these words: fewer words find more");
    }
    Ok(())
}

fn fits(entry: &Entry, words: &[String]) -> bool {
    let text = [
        &entry.command.join(" "),
        entry.id(),
        entry.operation.api,
        entry.operation.path,
        entry.docs,
    ];
    let text = text.join(" ").to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}
