//! Writing generated files, all or none, and comparing them with what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use similar::TextDiff;

/// Files by their path below the workspace's folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<PathBuf, String>);

impl Files {
    pub fn add(&mut self, path: impl Into<PathBuf>, text: String) {
        self.0.insert(path.into(), text);
    }

    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Unified diff from what is below `root` to what would be written; empty when nothing differs.
    pub fn diff(&self, root: &Path) -> Result<String> {
        let mut diff = String::new();
        for (path, text) in &self.0 {
            let old = read(&root.join(path))?;
            if old.as_deref() != Some(text) {
                let name = path.display().to_string();
                let old = old.unwrap_or_default();
                let lines = TextDiff::from_lines(&old, text);
                diff.push_str(&lines.unified_diff().header(&name, &name).to_string());
            }
        }
        for path in self.stale(root)? {
            diff.push_str(&format!("--- {0}\n+++ /dev/null\n", path.display()));
        }
        Ok(diff)
    }

    /// Writes what differs and removes what is generated no longer, below `root`: all or nothing.
    /// Gives the number of files that changed.
    ///
    /// Everything is prepared in a temporary place and then moved, so that each file is old or
    /// new at any time; when a move fails, those before it are undone.
    pub fn write(&self, root: &Path) -> Result<usize> {
        let scratch = tempfile::Builder::new()
            .prefix(".generate-")
            .tempdir_in(root)
            .context("no temporary folder in the workspace")?;
        let mut moves = Vec::new();
        for (path, text) in &self.0 {
            let target = root.join(path);
            if read(&target)?.as_deref() == Some(text) {
                continue;
            }
            let new = scratch.path().join(format!("new-{}", moves.len()));
            fs::write(&new, text).with_context(|| new.display().to_string())?;
            moves.push(Move::new(target, Some(new), scratch.path(), moves.len())?);
        }
        for path in self.stale(root)? {
            let target = root.join(path);
            moves.push(Move::new(target, None, scratch.path(), moves.len())?);
        }
        for (index, change) in moves.iter().enumerate() {
            let Err(error) = change.apply() else {
                continue;
            };
            let mut error = anyhow::Error::new(error)
                .context(format!("{}: cannot be written", change.target.display()));
            // The one that failed may have made a folder.
            for done in moves[..=index].iter().rev() {
                if let Err(undo) = done.undo() {
                    let name = done.target.display();
                    error = error.context(format!("{name}: cannot be restored: {undo}"));
                }
            }
            return Err(error);
        }
        Ok(moves.len())
    }

    /// Files in the folders of generated code that are generated no longer.
    fn stale(&self, root: &Path) -> Result<Vec<PathBuf>> {
        let mut stale = Vec::new();
        let generated = |path: &&Path| path.file_name().is_some_and(|name| name == "generated");
        let folders: BTreeSet<&Path> = self
            .0
            .keys()
            .filter_map(|path| path.parent())
            .filter(generated)
            .collect();
        for folder in folders {
            let full = root.join(folder);
            if !full.exists() {
                continue;
            }
            for entry in fs::read_dir(&full).with_context(|| full.display().to_string())? {
                let path = folder.join(entry?.file_name());
                if !self.0.contains_key(&path) {
                    stale.push(path);
                }
            }
        }
        stale.sort();
        Ok(stale)
    }
}

/// One file that is replaced, made or removed.
struct Move {
    target: PathBuf,
    /// What is moved there; nothing when it is removed.
    new: Option<PathBuf>,
    /// A copy of what was there.
    old: Option<PathBuf>,
    /// Folders that have to be made, the outermost first.
    folders: Vec<PathBuf>,
}

impl Move {
    fn new(target: PathBuf, new: Option<PathBuf>, scratch: &Path, index: usize) -> Result<Self> {
        let copy = scratch.join(format!("old-{index}"));
        let old = match fs::copy(&target, &copy) {
            Ok(_) => Some(copy),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("{}: cannot be replaced", target.display()));
            }
        };
        let mut folders: Vec<PathBuf> = target
            .ancestors()
            .skip(1)
            .take_while(|folder| !folder.exists())
            .map(Path::to_owned)
            .collect();
        folders.reverse();
        Ok(Self {
            target,
            new,
            old,
            folders,
        })
    }

    fn apply(&self) -> io::Result<()> {
        for folder in &self.folders {
            // Another file of the same folder may have made it.
            match fs::create_dir(folder) {
                Err(_) if folder.is_dir() => {}
                outcome => outcome?,
            }
        }
        match &self.new {
            Some(new) => fs::rename(new, &self.target),
            None => fs::remove_file(&self.target),
        }
    }

    fn undo(&self) -> io::Result<()> {
        match &self.old {
            Some(old) => fs::rename(old, &self.target)?,
            None => ignore_missing(fs::remove_file(&self.target))?,
        }
        // A folder that other files share goes with the first of them, when it is empty.
        for folder in self.folders.iter().rev().filter(|folder| folder.is_dir()) {
            match fs::remove_dir(folder) {
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
                outcome => outcome?,
            }
        }
        Ok(())
    }
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        // The same text on every machine, whatever line ends the checkout has.
        Ok(text) => Ok(Some(text.replace("\r\n", "\n"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        let mut files = Files::default();
        for (path, text) in entries {
            files.add(*path, (*text).to_owned());
        }
        files
    }

    /// Everything below a folder, as path and text; folders end in `/`.
    fn tree(root: &Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.strip_prefix(root).expect("below it").display();
                if path.is_dir() {
                    found.push((format!("{name}/"), String::new()));
                    folders.push(path);
                } else {
                    let text = fs::read_to_string(&path).unwrap_or_default();
                    found.push((name.to_string(), text));
                }
            }
        }
        found.sort();
        found
    }

    fn workspace(entries: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        files(entries).write(root.path()).expect("written");
        root
    }

    #[test]
    fn what_is_written_no_longer_differs() {
        let root = workspace(&[("a/generated/one.rs", "1\n"), ("b.txt", "b\n")]);
        let new = files(&[("a/generated/two.rs", "2\n"), ("b.txt", "b\n")]);
        let diff = new.diff(root.path()).unwrap();
        assert!(
            diff.contains("--- a/generated/one.rs\n+++ /dev/null"),
            "{diff}"
        );
        assert!(diff.contains("+++ a/generated/two.rs"), "{diff}");
        assert!(diff.contains("\n+2\n"), "{diff}");
        assert!(!diff.contains("b.txt"), "{diff}");
        assert_eq!(new.write(root.path()).unwrap(), 2);
        assert_eq!(new.diff(root.path()).unwrap(), "");
        assert_eq!(new.write(root.path()).unwrap(), 0);
        let names: Vec<_> = tree(root.path())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["a/", "a/generated/", "a/generated/two.rs", "b.txt"]);
    }

    #[test]
    fn a_changed_line_is_drift_but_line_ends_are_not() {
        let root = workspace(&[("a.rs", "one\r\ntwo\r\n")]);
        assert_eq!(
            files(&[("a.rs", "one\ntwo\n")]).diff(root.path()).unwrap(),
            ""
        );
        let diff = files(&[("a.rs", "one\n2\n")]).diff(root.path()).unwrap();
        assert!(diff.contains("-two\n+2\n"), "{diff}");
    }

    #[test]
    fn files_of_people_are_not_stale() {
        let root = workspace(&[("a/src/lib.rs", ""), ("a/src/mine.rs", "")]);
        assert_eq!(
            files(&[("a/src/lib.rs", "")]).diff(root.path()).unwrap(),
            ""
        );
    }

    #[test]
    fn stale_files_of_several_folders_are_found_once() {
        let old = ["a/generated/old.rs", "b/generated/old.rs"].map(|path| (path, ""));
        let root = workspace(&old);
        // Between two files of a folder, in the order of paths, there is another folder's.
        let new = files(&[
            ("a/generated/a.rs", ""),
            ("a/generated/x/generated/y.rs", ""),
            ("a/generated/z.rs", ""),
            ("b/generated/b.rs", ""),
        ]);
        let stale = new.stale(root.path()).unwrap();
        assert_eq!(stale, old.map(|(path, _)| PathBuf::from(path)));
    }

    /// A folder cannot be written like a file; that shows before anything has changed.
    #[test]
    fn a_target_that_is_a_folder_leaves_everything_old() {
        let root = workspace(&[("a.rs", "old\n"), ("z.rs/inside", "")]);
        let before = tree(root.path());
        let error = files(&[("a.rs", "new\n"), ("z.rs", "new\n")])
            .write(root.path())
            .unwrap_err();
        assert!(format!("{error:#}").contains("z.rs"), "{error:#}");
        assert_eq!(tree(root.path()), before);
    }

    /// A link to nowhere shows only when its folder is made, after other files have been moved.
    #[cfg(unix)]
    #[test]
    fn a_failure_half_way_undoes_what_was_done() {
        let root = workspace(&[("a.rs", "old\n"), ("g/generated/gone.rs", "old\n")]);
        let link = root.path().join("z");
        std::os::unix::fs::symlink("nowhere", &link).expect("a link");
        let before = tree(root.path());
        let new = files(&[
            ("a.rs", "new\n"),
            ("g/generated/new.rs", "new\n"),
            ("n/e/w/one.rs", "new\n"),
            ("n/e/w/two.rs", "new\n"),
            ("z/deep/last.rs", "new\n"),
        ]);
        let error = new.write(root.path()).unwrap_err();
        assert!(format!("{error:#}").contains("last.rs"), "{error:#}");
        assert_eq!(tree(root.path()), before);
        // With the reason gone it is written.
        fs::remove_file(link).expect("removed");
        assert_eq!(new.write(root.path()).unwrap(), 6);
        assert_eq!(new.diff(root.path()).unwrap(), "");
    }

    #[test]
    fn a_folder_among_generated_files_is_named_and_nothing_changes() {
        let root = workspace(&[("g/generated/a.rs", "old\n"), ("g/generated/mine/b.rs", "")]);
        let before = tree(root.path());
        let error = files(&[("g/generated/a.rs", "new\n")])
            .write(root.path())
            .unwrap_err();
        assert!(format!("{error:#}").contains("generated/mine"), "{error:#}");
        assert_eq!(tree(root.path()), before);
    }
}
