//! Paths on this machine for names of the service.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use crate::failure::{Failure, Result};

/// The name as a path that stays below the folder in which it is put.
pub fn path(name: &str) -> Option<PathBuf> {
    // A colon names a drive or a stream on Windows.
    let odd = |c: char| c == '\\' || c == ':' || c.is_control();
    let path = PathBuf::from(name);
    let normal = |part: Component<'_>| matches!(part, Component::Normal(_));
    let plain = name.split('/').all(|part| !part.is_empty() && part != ".");
    let stays = plain && !name.contains(odd) && path.components().all(normal);
    stays.then_some(path)
}

/// Makes the folder of a file. A link that leads out of the folder of all files is refused.
pub fn make_folder(all: &Path, to: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", to.display()));
    fs::create_dir_all(all).map_err(failed)?;
    let all = fs::canonicalize(all).map_err(failed)?;
    let folder = to.parent().unwrap_or(Path::new("."));
    // A link on the way is found before anything is made behind it.
    let nearest = folder.ancestors().find(|above| above.exists());
    let nearest = nearest.filter(|above| !above.as_os_str().is_empty());
    let real = fs::canonicalize(nearest.unwrap_or(Path::new("."))).map_err(failed)?;
    if !real.starts_with(&all) {
        let message = format!("{} leads out of the folder", to.display());
        return Err(Failure::usage(message));
    }
    fs::create_dir_all(folder).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_folder() {
        for name in ["a.mp4", "folder/a b.mp4", "ü.mp4", "a..b"] {
            assert_eq!(path(name).as_deref(), Some(Path::new(name)));
        }
        let odd = [
            "",
            "/etc/passwd",
            "../a",
            "a/../../b",
            "..",
            ".",
            "a/./b",
            "a//b",
            "a\\..\\b",
            "C:a",
            "a\u{1b}[2J",
        ];
        for name in odd {
            assert!(path(name).is_none(), "{name:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let (all, other) = (folder.path().join("all"), folder.path().join("other"));
        make_folder(&all, &all.join("a/b")).unwrap();
        assert!(all.join("a").is_dir());
        fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, all.join("link")).unwrap();
        assert!(make_folder(&all, &all.join("link/deep/file")).is_err());
        assert!(!other.join("deep").exists());
        // A link to a missing file would create it.
        let nowhere = folder.path().join("nowhere");
        std::os::unix::fs::symlink(&nowhere, all.join("open")).unwrap();
        assert!(make_folder(&all, &all.join("open/file")).is_err());
        assert!(!nowhere.exists());
    }
}
