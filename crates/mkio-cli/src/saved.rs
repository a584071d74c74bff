//! Responses of bytes: to a file, whole or not at all, or to standard output.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};

/// The target of a response's bytes.
pub enum Saved {
    /// A file beside the one that is named, and the name that it gets in the end.
    Beside(NamedTempFile, PathBuf),
    /// Standard output, a pipe or a device: it takes the bytes as they come.
    Through(Box<dyn Write>),
}

impl Saved {
    pub fn new(file: Option<&String>) -> Result<Self> {
        let Some(file) = file else {
            return Ok(Self::Through(Box::new(io::stdout())));
        };
        let failed = |error: io::Error| Failure::usage(format!("{file}: {error}"));
        // A link to a file elsewhere stays one.
        let path = fs::canonicalize(file).unwrap_or_else(|_| PathBuf::from(file));
        let known = fs::metadata(&path).ok();
        if known.as_ref().is_some_and(|about| !about.is_file()) {
            let through = fs::OpenOptions::new().write(true).open(&path);
            return Ok(Self::Through(Box::new(through.map_err(failed)?)));
        }
        let folder = path.parent().filter(|above| !above.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        // With the rights of any new file; a temporary file is readable for its owner only.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let beside = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
        let beside = beside.map_err(failed)?;
        if let Some(known) = known {
            // One that may not be written is not replaced either.
            fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .map_err(failed)?;
            beside
                .as_file()
                .set_permissions(known.permissions())
                .map_err(failed)?;
        }
        Ok(Self::Beside(beside, path))
    }

    pub fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match self {
            Self::Beside(file, _) => file.write_all(bytes),
            Self::Through(out) => out.write_all(bytes),
        };
        written.map_err(Failure::from)
    }

    /// The response is whole.
    pub fn end(self) -> Result<()> {
        match self {
            Self::Beside(file, path) => {
                let shown = path.display().to_string();
                let kept = file.persist(path);
                kept.map(drop)
                    .map_err(|error| Failure::usage(format!("{shown}: {}", error.error)))
            }
            Self::Through(mut out) => out.flush().map_err(Failure::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_that_breaks_off_leaves_the_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("response");
        let name = path.display().to_string();
        fs::write(&path, "earlier").unwrap();
        let mut broken = Saved::new(Some(&name)).unwrap();
        broken.write_all(b"ha").unwrap();
        drop(broken);
        assert_eq!(fs::read(&path).unwrap(), b"earlier");
        let mut whole = Saved::new(Some(&name)).unwrap();
        whole.write_all(b"later").unwrap();
        whole.end().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"later");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;

        let mut nowhere = Saved::new(Some(&"/dev/null".to_owned())).unwrap();
        nowhere.write_all(b"x").unwrap();
        nowhere.end().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("response");
        fs::write(&path, "earlier").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let name = path.display().to_string();
        Saved::new(Some(&name)).unwrap().end().unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}
