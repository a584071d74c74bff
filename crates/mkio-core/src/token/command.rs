//! Tokens from a command, such as a password manager's.

use std::{ffi::OsString, fmt, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{
    error::BoxError,
    token::{Token, TokenFuture, TokenProvider},
};

/// How long a command may take. Long enough for a person to confirm something.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a command and takes its output as the token, again whenever a new one is needed.
///
/// The command is run directly, not by a shell. Its standard error is that of this program. It is
/// stopped after 60 s.
#[derive(Clone)]
pub struct TokenCommand {
    program: OsString,
    arguments: Vec<OsString>,
}

impl TokenCommand {
    /// Runs this program with these arguments.
    pub fn new<A: Into<OsString>>(
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
        }
    }

    async fn run(&self) -> Result<Token, BoxError> {
        let program = self.program.to_string_lossy();
        let output = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(LIMIT, output)
            .await
            .map_err(|_| format!("the token command `{program}` took longer than {LIMIT:?}"))?
            .map_err(|error| format!("cannot run the token command `{program}`: {error}"))?;
        if !output.status.success() {
            return Err(format!("the token command `{program}` failed: {}", output.status).into());
        }
        let text = String::from_utf8(output.stdout)
            .map_err(|_| format!("the token command `{program}` wrote no text"))?;
        if text.trim().is_empty() {
            return Err(format!("the token command `{program}` wrote nothing").into());
        }
        Ok(Token::new(text))
    }
}

impl TokenProvider for TokenCommand {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(self.run())
    }
}

/// Arguments may hold secrets and are only counted.
impl fmt::Debug for TokenCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCommand")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .finish()
    }
}
