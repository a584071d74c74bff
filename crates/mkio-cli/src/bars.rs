//! Progress of files: a bar each on a terminal, a line each elsewhere.

use std::io::{self, IsTerminal};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{options::Switch, output, session::Session};

/// The bars of a command.
pub struct Bars<'a> {
    session: &'a Session,
    all: Option<MultiProgress>,
}

/// The bar of a file.
pub struct Bar<'a> {
    session: &'a Session,
    name: String,
    bar: Option<ProgressBar>,
}

impl<'a> Bars<'a> {
    pub fn new(session: &'a Session) -> Self {
        let shown = io::stderr().is_terminal() && !session.is(Switch::Quiet);
        let all = shown.then(MultiProgress::new);
        Self { session, all }
    }

    /// A bar for a file of `bytes` bytes, if its size is known.
    pub fn file(&self, name: &str, bytes: Option<u64>) -> Bar<'a> {
        let style =
            ProgressStyle::with_template("{prefix} {bar:30} {bytes} of {total_bytes} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = self.all.as_ref().map(|all| {
            let bar = all.add(ProgressBar::new(bytes.unwrap_or_default()).with_style(style));
            bar.set_prefix(output::plain(name));
            bar.tick();
            bar
        });
        Bar {
            session: self.session,
            name: name.to_owned(),
            bar,
        }
    }
}

impl Bar<'_> {
    /// Sets the number of bytes that have arrived.
    pub fn set(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }

    /// A function that sets the bar; without a bar it does nothing.
    pub fn handle(&self) -> impl Fn(u64) + Send + 'static {
        let bar = self.bar.clone();
        move |bytes| {
            if let Some(bar) = &bar {
                bar.set_position(bytes);
            }
        }
    }

    /// The file is done.
    pub fn done(self, what: &str, bytes: u64) {
        match self.bar {
            Some(bar) => {
                bar.set_length(bytes);
                bar.set_position(bytes);
                bar.finish_with_message(what.to_owned());
            }
            None => self
                .session
                .tell(format!("{}: {what}, {bytes} bytes", self.name)),
        }
    }
}
