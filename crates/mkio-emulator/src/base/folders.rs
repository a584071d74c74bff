//! Containers that are folders of the operator: their files are on disk, and files that other programs put there are listed.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use bytes::Bytes;

/// A folder whose folders are containers.
#[derive(Debug, Clone)]
pub struct Folders(PathBuf);

impl Folders {
    /// The containers in a folder.
    pub fn new(root: PathBuf) -> Self {
        Self(root)
    }

    /// Where something is; none for names that would lead out of the folder.
    fn place(&self, container: &str, path: &str) -> Option<PathBuf> {
        let inside = |text: &str| {
            let mut parts = Path::new(text).components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        };
        let one = !container.is_empty() && !container.contains(['/', '\\']);
        let safe = one && inside(container) && inside(path) && !path.contains('\\');
        safe.then(|| self.0.join(container).join(path))
    }

    /// Makes a container, unless it is there.
    pub fn make(&self, container: &str) {
        if let Some(folder) = self.place(container, "") {
            told("made", &folder, fs::create_dir_all(&folder));
        }
    }

    /// Whether a container is there.
    pub fn has(&self, container: &str) -> bool {
        self.place(container, "")
            .is_some_and(|folder| folder.is_dir())
    }

    /// The files of a container with their sizes, in order.
    pub fn list(&self, container: &str) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        if let Some(folder) = self.place(container, "") {
            told("listed", &folder, walk(&folder, "", &mut found));
        }
        found.sort();
        found
    }

    /// The bytes of a file.
    pub fn get(&self, container: &str, path: &str) -> Option<Bytes> {
        let place = self
            .place(container, path)
            .filter(|place| place.is_file())?;
        told("read", &place, fs::read(&place)).map(Bytes::from)
    }

    /// Stores a file; false when it cannot be.
    pub fn put(&self, container: &str, path: &str, bytes: &[u8]) -> bool {
        let Some(place) = self.place(container, path) else {
            return false;
        };
        let written = place
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&place, bytes));
        told("written", &place, written).is_some()
    }

    /// Removes a file; false when there is none.
    pub fn remove(&self, container: &str, path: &str) -> bool {
        let place = self.place(container, path).filter(|place| place.is_file());
        place.is_some_and(|place| told("removed", &place, fs::remove_file(&place)).is_some())
    }

    /// Removes a container with all that is in it.
    pub fn remove_all(&self, container: &str) {
        if let Some(folder) = self.place(container, "").filter(|folder| folder.is_dir()) {
            told("removed", &folder, fs::remove_dir_all(&folder));
        }
    }
}

/// What came of it; a failure is logged.
fn told<T>(what: &str, place: &Path, result: io::Result<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::warn!(place = %place.display(), %error, "cannot be {what}"))
        .ok()
}

fn walk(folder: &Path, before: &str, found: &mut Vec<(String, u64)>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no text cannot be asked for.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // A link that leads nowhere, or a file that has just gone, is no file.
        let Ok(about) = fs::metadata(entry.path()) else {
            continue;
        };
        let path = format!("{before}{name}");
        if !about.is_dir() {
            found.push((path, about.len()));
        } else if !entry.file_type()?.is_symlink() {
            // A linked folder may lead back here.
            walk(&entry.path(), &format!("{path}/"), found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_given_and_stored_and_nothing_outside_is() {
        let root = tempfile::tempdir().expect("a folder");
        let inner = root.path().join("containers");
        fs::create_dir_all(inner.join("films/parts")).expect("folders");
        fs::write(inner.join("films/a.mp4"), b"four").expect("a file");
        fs::write(root.path().join("secret"), b"hush").expect("a file");
        let folders = Folders::new(inner);
        assert!(folders.put("films", "parts/b.bin", b"12"));
        assert!(folders.put("new", "c", b""));
        let listed = folders.list("films");
        assert_eq!(
            listed,
            [("a.mp4".to_owned(), 4), ("parts/b.bin".to_owned(), 2)]
        );
        assert_eq!(folders.get("films", "a.mp4").as_deref(), Some(&b"four"[..]));
        assert!(folders.remove("films", "a.mp4") && !folders.remove("films", "a.mp4"));
        for (container, path) in [
            ("..", "secret"),
            ("films", "../../secret"),
            ("films", "/etc/hostname"),
            ("", "secret"),
            ("films/..", "x"),
            ("films", "parts/../../../secret"),
        ] {
            assert_eq!(folders.get(container, path), None, "{container} {path}");
            assert!(!folders.put(container, path, b"x"), "{container} {path}");
        }
        folders.remove_all("films");
        folders.remove_all("..");
        assert!(!folders.has("films") && folders.has("new"));
        assert!(root.path().join("secret").exists());
    }
}
