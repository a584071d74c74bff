//! The editor of VISUAL or EDITOR, and the edited text.

use std::{fs, io, process};

use serde_json::Value;
use tempfile::TempPath;

use crate::{
    body,
    failure::{Exit, Failure, Result},
    options::variable,
};

/// The words that start the editor: a program and its arguments.
pub struct Editor(Vec<String>);

/// An edited file. It is kept if its content could not be sent.
#[derive(Default)]
pub struct Draft(Option<TempPath>);

impl Editor {
    /// The editor of VISUAL or EDITOR.
    pub fn named() -> Result<Self> {
        let named = ["VISUAL", "EDITOR"].into_iter();
        let mut named = named.filter_map(|name| Some((name, variable(name)?)));
        let (name, line) = named.next().ok_or_else(|| {
            Failure::usage("neither VISUAL nor EDITOR names an editor")
                .hint("set one of them, such as EDITOR=vi; --set PATH=VALUE needs none")
        })?;
        words(&line).map(Self).ok_or_else(|| {
            Failure::usage(format!(
                "{name} takes a program and its arguments; quotes come in pairs"
            ))
        })
    }

    /// Lets the user edit a value as YAML.
    pub fn edited(&self, value: &Value, draft: &mut Draft) -> Result<Value> {
        let text = serde_norway::to_string(value)
            .map_err(|error| Failure::new(Exit::Unusable, error.to_string()))?;
        let unwritten = |error: io::Error| {
            Failure::usage(format!(
                "the file for the editor cannot be written: {error}"
            ))
        };
        let file = tempfile::Builder::new().suffix(".yaml").tempfile();
        let file = file.map_err(unwritten)?.into_temp_path();
        fs::write(&file, text).map_err(unwritten)?;
        // `words` gives one or more.
        let (program, arguments) = self.0.split_at(self.0.len().min(1));
        let program = program.concat();
        let status = process::Command::new(&program)
            .args(arguments)
            .arg(&file)
            .status()
            .map_err(|error| Failure::usage(format!("{program}: {error}")))?;
        if !status.success() {
            return Err(Failure::usage(format!(
                "{program} ended with {status}; nothing was sent"
            )));
        }
        let file = draft.0.insert(file);
        let read = fs::read_to_string(&*file);
        let read = read.map_err(|error| Failure::usage(format!("the edited file: {error}")))?;
        body::parse(&read, "the edited file")
    }
}

impl Draft {
    /// The outcome; after a failure, the edited file is kept, and a hint names it.
    pub fn kept<T>(self, outcome: Result<T>) -> Result<T> {
        match (outcome, self.0) {
            (Err(failure), Some(file)) => Err(match file.keep() {
                Ok(path) => failure.hint(format!("what was edited is in {}", path.display())),
                Err(error) => failure.hint(format!("what was edited is lost: {error}")),
            }),
            (outcome, _) => outcome,
        }
    }
}

/// Words of a command; blanks within quotes are kept. Nothing where there is no word, or a quote is open.
pub fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (quote.is_none() && !words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_words() {
        assert_eq!(
            words("op read 'a b' \"\"").unwrap(),
            ["op", "read", "a b", ""]
        );
        assert!(words("op 'read").is_none() && words("  ").is_none());
    }
}
