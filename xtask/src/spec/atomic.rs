//! Writing a file whole or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Replaces the file at `path`: a reader sees the old bytes or the new ones, never a part.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut file = tempfile::Builder::new()
        .prefix(".import-")
        .tempfile_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    file.write_all(bytes)
        .and_then(|()| file.flush())
        .with_context(|| format!("cannot write {}", path.display()))?;
    keep_mode(path, file.path())?;
    file.persist(path)
        .with_context(|| format!("cannot replace {}", path.display()))?;
    Ok(())
}

/// Temporary files are private; documents are readable like any source file.
#[cfg(unix)]
fn keep_mode(old: &Path, new: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(old).map_or(0o644, |metadata| metadata.permissions().mode());
    fs::set_permissions(new, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set permissions of {}", new.display()))
}

#[cfg(not(unix))]
fn keep_mode(_: &Path, _: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("spec/media.json");
        write(&path, b"one").expect("writes");
        write(&path, b"two").expect("replaces");
        assert_eq!(fs::read(&path).expect("reads"), b"two");
        let left: Vec<_> = fs::read_dir(folder.path().join("spec"))
            .expect("lists")
            .collect();
        assert_eq!(left.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_can_be_read_and_an_old_one_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("media.json");
        let mode = || fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        write(&path, b"one").expect("writes");
        assert_eq!(mode(), 0o644);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).expect("set");
        write(&path, b"two").expect("replaces");
        assert_eq!(mode(), 0o664);
    }
}
