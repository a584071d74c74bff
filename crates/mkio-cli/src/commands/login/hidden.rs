//! A line from the terminal that is not shown while it is typed.

use std::io::{self, Write};

use crate::{
    failure::{Failure, Result},
    session::Session,
};

/// Asks for a line. Afterwards the terminal shows input again, however this ends.
pub async fn line(session: &Session, question: &str) -> Result<String> {
    let interrupted = session.interrupted();
    let echo = Off::new()?;
    write!(io::stderr(), "{question}")?;
    // The read blocks until the line ends, and Ctrl-C must not wait for it.
    let read = tokio::task::spawn_blocking(read);
    let outcome = tokio::select! {
        biased;
        () = interrupted => Err(Failure::interrupted()),
        line = read => line
            .map_err(|error| Failure::usage(error.to_string()))
            .and_then(|line| line.map_err(Failure::from)),
    };
    drop(echo);
    // The end of the line was not shown either.
    let _ = writeln!(io::stderr());
    outcome
}

#[cfg(unix)]
fn read() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

#[cfg(not(unix))]
fn read() -> io::Result<String> {
    console::Term::stderr().read_secure_line()
}

/// The terminal shows no input while this value lives.
#[cfg(unix)]
struct Off(rustix::termios::Termios);

#[cfg(unix)]
impl Off {
    fn new() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Off {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        // A terminal that is gone has nothing to put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// On other systems the read itself hides the input.
#[cfg(not(unix))]
struct Off;

#[cfg(not(unix))]
impl Off {
    #[allow(clippy::unnecessary_wraps, reason = "it may fail elsewhere")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }
}
