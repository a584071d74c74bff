//! A partial download: beside its target until it is whole, with a mark of the file it belongs to.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};

/// Suffixes of our files: the partial download, and its mark.
pub const ENDS: [&str; 2] = [".mkio-part", ".mkio-mark"];

/// The version of the file of a partial download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub project: String,
    pub asset: String,
    pub file: String,
    /// Size of the whole file in bytes.
    pub size: Option<u64>,
    /// The `ETag` of the host, if it has one.
    pub etag: Option<String>,
}

impl Mark {
    /// Both are of one file, and their known facts of the version agree.
    fn fits(&self, other: &Self) -> bool {
        let same_size = self.size.is_none() || other.size.is_none() || self.size == other.size;
        let same_tag = self.etag.is_none() || other.etag.is_none() || self.etag == other.etag;
        self.same_file(other) && same_size && same_tag
    }

    fn same_file(&self, other: &Self) -> bool {
        let own = (&self.project, &self.asset, &self.file);
        own == (&other.project, &other.asset, &other.file)
    }
}

/// A local file on its way.
#[derive(Debug, Clone)]
pub struct Part {
    to: PathBuf,
    /// Existing files may be replaced.
    force: bool,
}

impl Part {
    pub fn new(to: PathBuf, force: bool) -> Self {
        Self { to, force }
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = OsString::from(&self.to);
        name.push(end);
        PathBuf::from(name)
    }

    fn data(&self) -> PathBuf {
        self.beside(ENDS[0])
    }

    fn mark(&self) -> PathBuf {
        self.beside(ENDS[1])
    }

    /// Refuses an existing target; a link, a folder or a device also where files may be replaced.
    pub fn refuse_replacing(&self) -> Result<()> {
        let is_there = is_file(&self.to)?;
        if is_there && !self.force {
            return Err(another(&self.to));
        }
        Ok(())
    }

    /// Bytes of the wanted version that are here. A file without our mark is neither continued nor replaced,
    /// unless `force` is set.
    pub fn begun(&self, wanted: &Mark) -> Result<u64> {
        let (data, mark) = (self.data(), self.mark());
        let (has_data, has_mark) = (is_file(&data)?, is_file(&mark)?);
        if self.force || !(has_data || has_mark) {
            return Ok(0);
        }
        let known = fs::read(&mark).ok();
        let known = known.and_then(|text| serde_json::from_slice::<Mark>(&text).ok());
        let Some(known) = known else {
            let other = if has_mark { &mark } else { &data };
            return Err(another(other));
        };
        let has = has_data.then(|| fs::metadata(&data)).transpose()?;
        // Without a size it is unknown whether the file is whole.
        let has = has.map_or(0, |about| about.len());
        let has = known.size.map_or(0, |_| has);
        let fits = known.fits(wanted) && known.size.is_none_or(|size| has <= size);
        // An empty part may be replaced, but not the mark of another file.
        let same = fits || has == 0 && known.same_file(wanted);
        if !same {
            let message = format!("{} is of another version of the file", data.display());
            return Err(Failure::usage(message).hint("--force starts again"));
        }
        Ok(has)
    }

    /// Opens the partial download, to write from that byte on; the mark is written before the first byte.
    pub fn open(&self, from: u64, wanted: &Mark) -> Result<File> {
        let data = self.data();
        let failed = |error| cannot(&data, error);
        // Again: the response may have taken a long time, and knows more of the version than the list.
        if self.begun(wanted)? != from {
            return Err(another(&data));
        }
        if from > 0 {
            let file = OpenOptions::new().append(true).open(&data);
            return file.map_err(failed);
        }
        // They are ours, or `force` is set.
        for old in [&data, &self.mark()] {
            if is_file(old)? {
                fs::remove_file(old).map_err(failed)?;
            }
        }
        // A name that somebody has taken meanwhile, also by a link, is not opened.
        let new = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let text = serde_json::to_vec(wanted).unwrap_or_default();
        let mut mark = new(&self.mark()).map_err(failed)?;
        mark.write_all(&text).map_err(failed)?;
        new(&data).map_err(failed)
    }

    /// Gives the whole file of `bytes` bytes its name; a file that was made there meanwhile stays, unless
    /// `force` is set.
    pub fn finish(&self, bytes: u64) -> Result<()> {
        self.refuse_replacing()?;
        let failed = |error| cannot(&self.to, error);
        let data = self.data();
        // Two programs that fetch the same file write one behind the other.
        if !is_file(&data)? || fs::metadata(&data).map_err(failed)?.len() != bytes {
            let message = format!("{}: another program writes to it, too", data.display());
            return Err(Failure::usage(message).hint("--force starts again"));
        }
        if !self.force {
            // Taking the name fails where it is taken: no two programs get it, and on disks that
            // ignore case, no two files.
            let taken = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&self.to);
            taken.map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => another(&self.to),
                _ => failed(error),
            })?;
        }
        if let Err(error) = fs::rename(data, &self.to) {
            if !self.force {
                // It is the empty file from above.
                let _ = fs::remove_file(&self.to);
            }
            return Err(failed(error));
        }
        // The file is whole: a mark that is left does no harm.
        let _ = fs::remove_file(self.mark());
        Ok(())
    }
}

/// Whether a file exists. A link, a folder or a device is refused: writes would go elsewhere.
fn is_file(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => Ok(true),
        Ok(about) => Err(
            Failure::usage(format!("{} is {}", path.display(), what(&about)))
                .hint("nothing is written there: move it away, or name another folder"),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot(path, error)),
    }
}

/// A word for a thing in the place of a file.
fn what(about: &fs::Metadata) -> &'static str {
    let kind = about.file_type();
    if kind.is_symlink() {
        "a link"
    } else if kind.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}

fn another(path: &Path) -> Failure {
    let message = format!("{} is another file", path.display());
    Failure::usage(message).hint("--force replaces it")
}

fn cannot(path: &Path, error: io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(size: Option<u64>, etag: Option<&str>) -> Mark {
        let [project, asset, file] = ["demo", "film", "a"].map(str::to_owned);
        let etag = etag.map(str::to_owned);
        Mark {
            project,
            asset,
            file,
            size,
            etag,
        }
    }

    fn part(folder: &tempfile::TempDir, force: bool) -> Part {
        Part::new(folder.path().join("a"), force)
    }

    #[test]
    fn a_part_goes_on_where_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let part = part(&folder, false);
        let wanted = mark(Some(4), Some("v1"));
        assert_eq!(part.begun(&wanted).unwrap(), 0);
        part.open(0, &wanted).unwrap().write_all(b"ab").unwrap();
        // The list knows the size alone.
        assert_eq!(part.begun(&mark(Some(4), None)).unwrap(), 2);
        part.open(2, &wanted).unwrap().write_all(b"cd").unwrap();
        assert!(part.finish(3).is_err(), "somebody else has written");
        part.finish(4).unwrap();
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"abcd");
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "neither part nor mark");
    }

    #[test]
    fn what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, wanted) = (folder.path().join("a.mkio-part"), mark(Some(4), None));
        fs::write(&mine, "mine").unwrap();
        let refused = part(&folder, false).begun(&wanted).unwrap_err();
        assert!(refused.to_string().contains("--force"), "{refused}");
        fs::write(folder.path().join("a.mkio-mark"), "mine, too").unwrap();
        assert!(part(&folder, false).begun(&wanted).is_err());
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
        // Files of others named `.part` are left alone.
        fs::remove_file(folder.path().join("a.mkio-mark")).unwrap();
        fs::rename(&mine, folder.path().join("a.part")).unwrap();
        assert_eq!(part(&folder, false).begun(&wanted).unwrap(), 0);
    }

    /// A file that is made while the request runs is not ours.
    #[test]
    fn what_comes_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, wanted) = (folder.path().join("a.mkio-part"), mark(Some(4), None));
        let part = part(&folder, false);
        assert_eq!(part.begun(&wanted).unwrap(), 0);
        fs::write(&mine, "mine").unwrap();
        assert!(part.open(0, &wanted).is_err());
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
        assert!(!folder.path().join("a.mkio-mark").exists());
    }

    #[test]
    fn another_version_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let part = part(&folder, false);
        let wanted = mark(Some(4), Some("v1"));
        part.open(0, &wanted).unwrap().write_all(b"ab").unwrap();
        assert!(part.begun(&mark(Some(5), None)).is_err());
        assert!(part.begun(&mark(Some(4), Some("v2"))).is_err());
        assert!(part.open(2, &mark(Some(4), Some("v2"))).is_err());
        let mut other = wanted.clone();
        other.asset = "other".to_owned();
        assert!(part.begun(&other).is_err());
        assert_eq!(self::part(&folder, true).begun(&other).unwrap(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_written_through() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let (mine, wanted) = (folder.path().join("mine"), mark(Some(4), None));
        fs::write(&mine, "mine").unwrap();
        for end in ["", ENDS[0], ENDS[1]] {
            let link = folder.path().join(format!("a{end}"));
            symlink(&mine, &link).unwrap();
            let part = part(&folder, true);
            let begun = part.refuse_replacing().and_then(|()| part.begun(&wanted));
            assert!(begun.is_err(), "{end}");
            let opened = part.open(0, &wanted).and_then(|_| part.finish(0));
            assert!(opened.is_err(), "{end}");
            let _ = fs::remove_file(folder.path().join("a.mkio-part"));
            let _ = fs::remove_file(folder.path().join("a.mkio-mark"));
            let _ = fs::remove_file(&link);
        }
        assert_eq!(fs::read(&mine).unwrap(), b"mine");
    }

    /// A file that is made during a long download is not replaced.
    #[test]
    fn a_target_that_has_come_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (to, wanted) = (folder.path().join("a"), mark(Some(2), None));
        let part = part(&folder, false);
        part.refuse_replacing().unwrap();
        part.open(0, &wanted).unwrap().write_all(b"ab").unwrap();
        fs::write(&to, "mine").unwrap();
        assert!(part.finish(2).is_err());
        assert_eq!(fs::read(&to).unwrap(), b"mine");
        assert_eq!(part.begun(&wanted).unwrap(), 2, "nothing is lost");
        self::part(&folder, true).finish(2).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"ab");
    }
}
