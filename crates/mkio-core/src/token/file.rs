//! Tokens from a file.

use std::path::{Path, PathBuf};

use crate::{
    error::BoxError,
    token::{Token, TokenFuture, TokenProvider},
};

/// Reads the token from a file, and again whenever a new one is needed.
///
/// On Unix a file that everybody may read is refused; one that its group may read is accepted,
/// because that is how container platforms mount secrets for programs that do not run as root.
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// Reads from this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    async fn read(&self) -> Result<Token, BoxError> {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || {
            refuse_readable_by(&path, 0o007, "everybody")?;
            std::fs::read_to_string(&path)
                .map_err(|error| format!("cannot read the token file {}: {error}", path.display()))
        });
        let text = read.await??;
        if text.trim().is_empty() {
            return Err(format!("the token file {} is empty", self.path.display()).into());
        }
        Ok(Token::new(text))
    }
}

impl TokenProvider for TokenFile {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(self.read())
    }
}

/// Refuses a file that holds secrets and whose permissions are wider than `mask` allows.
#[cfg(unix)]
pub(crate) fn refuse_readable_by(path: &Path, mask: u32, whom: &str) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;

    let mode = std::fs::metadata(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?
        .permissions()
        .mode();
    match mode & mask {
        0 => Ok(()),
        _ => Err(format!(
            "{path} is open to {whom} (mode {mode:03o}); run `chmod 600 {path}`",
            path = path.display(),
            mode = mode & 0o777,
        )),
    }
}

/// Permissions are checked on Unix only.
#[cfg(not(unix))]
pub(crate) fn refuse_readable_by(_: &Path, _: u32, _: &str) -> Result<(), String> {
    Ok(())
}
