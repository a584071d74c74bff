//! The whole command line: tasks, nouns, and the options of all.

use clap::Command;

use crate::{commands, options, tree};

/// The whole command line.
pub fn build() -> Command {
    let mut root = Command::new("mkio")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Command line of the MK.IO cloud video platform (unofficial)")
        .after_help(AFTER)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .infer_subcommands(false)
        .max_term_width(100)
        .args(options::all());
    for (order, command) in commands::all().into_iter().enumerate() {
        root = root.subcommand(command.display_order(order));
    }
    for noun in tree::nouns() {
        root = root.subcommand(noun.display_order(1000));
    }
    root
}

const AFTER: &str = "\
`mkio NOUN VERB` calls an operation; `mkio ops WORDS` finds one, `mkio explain KIND` tells what it takes.
Data goes to standard output, everything else to standard error.

Exit codes: 0 done; 1 the outcome is no; 2 usage; 3 no access; 4 not found; 5 refused; 6 try again
later; 7 timeout; 8 unusable response, or no way to write it; 130 interrupted.";

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use mkio::dynamic::Place;

    use super::*;
    use crate::{
        editor::words,
        tree::{Leaf, find},
    };

    /// Every command with its arguments, a line each.
    fn outline(command: &Command, words: &str, out: &mut String) {
        let own = command.get_arguments().filter(|arg| !arg.is_global_set());
        let own = own.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
        let shown: Vec<String> = own
            .filter(|arg| !arg.is_hide_set())
            .map(|arg| match arg.get_long() {
                Some(long) => format!("[--{long}]"),
                None => arg.get_value_names().unwrap_or_default().join(" "),
            })
            .collect();
        if command.get_subcommands().next().is_none() {
            let line = [words.to_owned(), shown.join(" ")].join(" ");
            writeln!(out, "{}", line.trim()).expect("text");
        }
        for below in command.get_subcommands() {
            outline(below, &format!("{words} {}", below.get_name()), out);
        }
    }

    /// A change of the documents is a change of this text. MKIO_UPDATE=1 writes it.
    #[test]
    fn the_tree_is_as_it_was() {
        let mut now = String::new();
        outline(&build(), "mkio", &mut now);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt");
        if std::env::var_os("MKIO_UPDATE").is_some() {
            std::fs::write(path, &now).expect("written");
        }
        let then = std::fs::read_to_string(path).unwrap_or_default();
        let diff = similar::TextDiff::from_lines(then.as_str(), now.as_str());
        assert!(
            then == now,
            "{}\nMKIO_UPDATE=1 cargo test -p mkio-cli the_tree writes it",
            diff.unified_diff().header("help.txt", "now")
        );
    }

    #[test]
    fn clap_finds_nothing_wrong() {
        build().debug_assert();
    }

    #[test]
    fn every_operation_is_found_by_its_words() {
        let mut operations = 0;
        for entry in mkio::CATALOGS.iter().flat_map(|catalog| catalog.entries) {
            operations += 1;
            match find(entry.command) {
                Some(Leaf::Operation(found)) => assert_eq!(found.id(), entry.id()),
                _ => panic!("{:?}", entry.command),
            }
        }
        assert!(operations >= 259, "{operations}");
        assert!(matches!(
            find(&["channel", "start"]),
            Some(Leaf::Action(..))
        ));
        assert!(matches!(
            find(&["live-event", "restart"]),
            Some(Leaf::Action(..))
        ));
    }

    /// Lines of a text that call the program, as words; a `\` joins lines.
    fn calls(text: &str) -> Vec<Vec<String>> {
        let starts = |line: &str| {
            line.trim_start()
                .find("mkio ")
                .map(|at| at + line.len() - line.trim_start().len())
        };
        let lines = text.lines().filter_map(|line| line.get(starts(line)?..));
        let before = |line: &str| {
            let end = [" #", " >", " ;", " &", " | "]
                .iter()
                .filter_map(|end| line.find(end))
                .min();
            line[..end.unwrap_or(line.len())].to_owned()
        };
        lines.filter_map(|line| words(&before(line))).collect()
    }

    fn all_help(command: &Command, found: &mut Vec<Vec<String>>) {
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let examples = help.split("Example").nth(1).unwrap_or_default();
        let example = examples.split_once(": ").map_or(examples, |(_, rest)| rest);
        found.extend(calls(example));
        command
            .get_subcommands()
            .for_each(|below| all_help(below, found));
    }

    /// Commands of help and README can be typed as they are.
    #[test]
    fn examples_are_command_lines() {
        let mut all = Vec::new();
        all_help(&build(), &mut all);
        let in_help = all.len();
        assert!(in_help > 15, "{all:?}");
        let readme = include_str!("../README.md");
        for block in readme.split("```console").skip(1) {
            all.extend(calls(block.split("```").next().unwrap_or_default()));
        }
        assert!(all.len() > in_help + 12, "{all:?}");
        for words in all {
            let read = build().try_get_matches_from(&words);
            assert!(read.is_ok(), "{words:?}: {}", read.unwrap_err());
        }
    }

    /// Flags of operations have other names than the options of all commands.
    #[test]
    fn no_flag_hides_an_option() {
        let options: Vec<String> = options::all()
            .iter()
            .filter_map(|arg| arg.get_long().map(str::to_owned))
            .collect();
        for entry in mkio::CATALOGS.iter().flat_map(|catalog| catalog.entries) {
            for parameter in entry.parameters.iter().filter(|p| p.place != Place::Path) {
                let long = parameter.ident.replace('_', "-");
                assert!(!options.contains(&long), "{}: --{long}", entry.id());
            }
        }
    }
}
