//! Containers that are folders of the operator: their files are on disk, and files that other programs put there are listed.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    time::SystemTime,
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

    /// Where a container is; none for names that would lead out of the folder. The container itself may be a link of the operator's.
    fn folder(&self, container: &str) -> Option<PathBuf> {
        let one = !container.is_empty() && !container.contains(['/', '\\']);
        // Without an ending slash, which would make a link the folder behind it.
        (one && is_inside(container)).then(|| self.0.join(container))
    }

    /// Where a file is; none for names that would lead out of its container, be it by a folder that is a link.
    fn place(&self, container: &str, path: &str) -> Option<PathBuf> {
        let container = self.folder(container)?;
        if path.is_empty() || path.contains(['\\', '\0']) || !is_inside(path) {
            return None;
        }
        let place = container.join(path);
        let linked = place
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != container)
            .any(is_link);
        (!linked).then_some(place)
    }

    /// Makes a container, unless it is there.
    pub fn make(&self, container: &str) {
        if let Some(folder) = self.folder(container) {
            logged("made", &folder, fs::create_dir_all(&folder));
        }
    }

    /// Whether a container is there.
    pub fn has(&self, container: &str) -> bool {
        self.folder(container).is_some_and(|folder| folder.is_dir())
    }

    /// The files of a container with their sizes, in order.
    pub fn list(&self, container: &str) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        if let Some(folder) = self.folder(container) {
            logged("listed", &folder, walk(&folder, "", &mut found));
        }
        found.sort();
        found
    }

    /// The bytes of a file.
    pub fn get(&self, container: &str, path: &str) -> Option<Bytes> {
        let place = self
            .place(container, path)
            .filter(|place| place.is_file())?;
        logged("read", &place, fs::read(&place)).map(Bytes::from)
    }

    /// Whether a file can have this name, whatever else keeps it from being written.
    pub fn can_hold(&self, container: &str, path: &str) -> bool {
        self.place(container, path).is_some()
    }

    /// When a file was written.
    pub fn written(&self, container: &str, path: &str) -> Option<SystemTime> {
        let about = fs::metadata(self.place(container, path)?).ok()?;
        about.modified().ok()
    }

    /// Stores a file; false when it cannot be.
    pub fn put(&self, container: &str, path: &str, bytes: &[u8]) -> bool {
        let Some(place) = self.place(container, path) else {
            return false;
        };
        let written = place
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| {
                // What a link leads to is not the caller's to overwrite.
                if is_link(&place) {
                    fs::remove_file(&place)?;
                }
                fs::write(&place, bytes)
            });
        logged("written", &place, written).is_some()
    }

    /// Removes a file; false when there is none.
    pub fn remove(&self, container: &str, path: &str) -> bool {
        let place = self.place(container, path).filter(|place| place.is_file());
        place.is_some_and(|place| logged("removed", &place, fs::remove_file(&place)).is_some())
    }

    /// Removes a container with all that is in it; of a link, only the link.
    pub fn remove_all(&self, container: &str) {
        let Some(folder) = self.folder(container) else {
            return;
        };
        let removed = if is_link(&folder) {
            // Windows removes links to folders as folders.
            fs::remove_file(&folder).or_else(|_| fs::remove_dir(&folder))
        } else if folder.is_dir() {
            fs::remove_dir_all(&folder)
        } else {
            return;
        };
        logged("removed", &folder, removed);
    }
}

/// Whether a name leads nowhere but down.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    parts.all(|part| matches!(part, Component::Normal(_)))
}

fn is_link(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|about| about.is_symlink())
}

/// The result; a failure is logged.
fn logged<T>(what: &str, place: &Path, result: io::Result<T>) -> Option<T> {
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
        // A name that is not UTF-8 cannot be asked for.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // A link that leads nowhere, or a file that has just gone, counts as missing.
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
    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_is_left_alone() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a folder");
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("containers/films/own")).expect("folders");
        fs::create_dir_all(at("movies/deep")).expect("folders");
        fs::write(at("movies/a.mp4"), b"four").expect("a file");
        symlink("../movies", at("containers/movies")).expect("a link");
        symlink("../../movies", at("containers/films/out")).expect("a link");
        symlink("own", at("containers/films/again")).expect("a link");
        symlink("../../movies/a.mp4", at("containers/films/a.mp4")).expect("a link");
        symlink("../../movies/new", at("containers/films/new")).expect("a link");
        let folders = Folders::new(at("containers"));
        for path in ["out/a.mp4", "out/deep/x", "again/x"] {
            assert_eq!(folders.get("films", path), None, "{path}");
            assert!(!folders.put("films", path, b"x"), "{path}");
            assert!(!folders.remove("films", path), "{path}");
        }
        // A link to a file is read, and replaced by what is written there.
        assert_eq!(folders.list("films"), [("a.mp4".to_owned(), 4)]);
        assert!(folders.put("films", "a.mp4", b"mine") && folders.put("films", "new", b"x"));
        assert_eq!(folders.list("movies"), [("a.mp4".to_owned(), 4)]);
        assert_eq!(fs::read(at("movies/a.mp4")).expect("a file"), b"four");
        assert!(!at("movies/new").exists() && !at("movies/deep/x").exists());
        folders.remove_all("movies");
        folders.remove_all("films");
        assert!(!folders.has("movies") && !folders.has("films"));
        assert!(at("movies/a.mp4").exists() && at("movies/deep").exists());
    }
}
