//! Names of files.

use mkio_core::{Error, ErrorKind, Result};

/// Characters that the service's guide bars from names of files that it is to read.
#[cfg(feature = "upload")]
const BARRED: &str = "!*'();:@&=+$,/?%#[]\"";

/// Longest name, in characters.
#[cfg(feature = "upload")]
const LONGEST: usize = 260;

fn refused(name: &str, why: &str) -> Error {
    let message = format!("the file name `{}` {why}", name.escape_debug());
    Error::new(ErrorKind::InvalidRequest, message)
}

/// Refuses names that are not paths of files in a container.
pub(super) fn check(name: &str) -> Result<()> {
    let is_dots = |part: &str| part == "." || part == "..";
    if name.is_empty() {
        return Err(refused(name, "is empty"));
    }
    if name.split('/').any(|part| part.is_empty() || is_dots(part)) {
        let why =
            "is not a path within the container: leave out `/` at the ends, `//`, `.` and `..`";
        return Err(refused(name, why));
    }
    if name.contains(|c: char| c == '\\' || c.is_control()) {
        return Err(refused(name, "has a `\\` or a control character"));
    }
    Ok(())
}

/// Refuses names that storage would take and the service could not read afterwards.
#[cfg(feature = "upload")]
pub(super) fn check_new(name: &str) -> Result<()> {
    check(name)?;
    let last = name.rsplit('/').next().unwrap_or(name);
    if let Some(barred) = last.chars().find(|c| BARRED.contains(*c)) {
        let why = format!("has a `{barred}`, which the service cannot read; rename the file");
        return Err(refused(name, &why));
    }
    if last.chars().count() > LONGEST {
        return Err(refused(name, "is longer than 260 characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_container_is_refused() {
        for name in ["a.mp4", "folder/a b.mp4", "ü.mp4", "a..b"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in [
            "", "/a", "a/", "a//b", "../a", "a/../b", ".", "a\\b", "a\nb",
        ] {
            let error = check(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name:?}");
        }
    }

    #[cfg(feature = "upload")]
    #[test]
    fn what_the_service_cannot_read_is_refused() {
        assert!(check_new("folder/film_720p.mp4").is_ok());
        for name in ["a?.mp4", "50%.mp4", "a+b.mp4", "a;b.mp4", "../a"] {
            assert!(check_new(name).is_err(), "{name}");
        }
        assert!(check_new(&"x".repeat(261)).is_err());
    }
}
