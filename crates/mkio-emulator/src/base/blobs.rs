//! Bytes that callers stored in containers, and uploads in parts that are not finished.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};

use crate::base::folders::Folders;

/// A container: project, storage account, name.
pub type Container = (String, String, String);

/// A blob: its container and its path in there.
pub type Spot = (Container, String);

/// The name of a part of an upload: Azure's block id, or S3's number.
pub type Part = String;

/// Uploads in parts that are remembered; the oldest is forgotten first.
const MOST_UPLOADS: usize = 1_000;

/// Parts that arrived and do not make a blob yet.
#[derive(Debug, Default)]
struct Upload {
    parts: HashMap<Part, Bytes>,
    order: u64,
}

/// Everything that was stored.
#[derive(Debug, Default)]
pub struct Blobs {
    /// Where containers are folders, all of them are.
    folders: Option<Folders>,
    containers: BTreeMap<Container, BTreeMap<String, Bytes>>,
    /// By blob and by the upload's id, which Azure does without.
    uploads: HashMap<(Spot, String), Upload>,
    bytes: usize,
    begun: u64,
    /// When blobs in memory were stored.
    written: HashMap<Spot, DateTime<Utc>>,
}

impl Blobs {
    /// In memory, or in a folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folders: folder.map(Folders::new),
            ..Self::default()
        }
    }

    /// Whether containers are folders.
    pub fn are_on_disk(&self) -> bool {
        self.folders.is_some()
    }

    /// Makes a folder of a container, where containers are folders.
    pub fn make_container(&self, (.., name): &Container) {
        if let Some(folders) = &self.folders {
            folders.make(name);
        }
    }

    /// Bytes of all blobs and parts in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether anything was stored in a container.
    pub fn has(&self, container: &Container) -> bool {
        if let Some(folders) = &self.folders {
            return folders.has(&container.2);
        }
        self.containers.contains_key(container)
    }

    /// The blobs of a container with their sizes, in order.
    pub fn list(&self, container: &Container) -> Vec<(String, u64)> {
        if let Some(folders) = &self.folders {
            return folders.list(&container.2);
        }
        let blobs = self.containers.get(container).into_iter().flatten();
        blobs
            .map(|(path, bytes)| (path.clone(), bytes.len() as u64))
            .collect()
    }

    /// All blobs in memory: container, path, bytes.
    pub fn all(&self) -> impl Iterator<Item = (&Container, &String, &Bytes)> {
        let each = self.containers.iter();
        each.flat_map(|(container, blobs)| {
            blobs
                .iter()
                .map(move |(path, bytes)| (container, path, bytes))
        })
    }

    /// The bytes of a blob.
    pub fn get(&self, (container, path): &Spot) -> Option<Bytes> {
        if let Some(folders) = &self.folders {
            return folders.get(&container.2, path);
        }
        self.containers.get(container)?.get(path).cloned()
    }

    /// Whether a blob can have this place.
    pub fn can_hold(&self, (container, path): &Spot) -> bool {
        let folders = self.folders.as_ref();
        !path.contains(char::is_control)
            && folders.is_none_or(|folders| folders.can_hold(&container.2, path))
    }

    /// Notes when a blob was stored.
    pub fn note(&mut self, spot: Spot, time: DateTime<Utc>) {
        if self.folders.is_none() {
            self.written.insert(spot, time);
        }
    }

    /// When a blob was stored; none when nobody noted it.
    pub fn written(&self, spot: &Spot) -> Option<DateTime<Utc>> {
        match &self.folders {
            Some(folders) => folders.written(&spot.0.2, &spot.1).map(DateTime::from),
            None => self.written.get(spot).copied(),
        }
    }

    /// Stores a blob; one at the same place is replaced. False when it cannot be written to its folder.
    pub fn put(&mut self, (container, path): Spot, bytes: Bytes) -> bool {
        if let Some(folders) = &self.folders {
            return folders.put(&container.2, &path, &bytes);
        }
        self.bytes += bytes.len();
        let blobs = self.containers.entry(container).or_default();
        let replaced = blobs.insert(path, bytes);
        self.bytes -= replaced.map_or(0, |old| old.len());
        true
    }

    /// Removes a blob; false when there is none.
    pub fn remove(&mut self, spot: &Spot) -> bool {
        let (container, path) = spot;
        self.written.remove(spot);
        if let Some(folders) = &self.folders {
            return folders.remove(&container.2, path);
        }
        let blobs = self.containers.get_mut(container);
        let removed = blobs.and_then(|blobs| blobs.remove(path));
        self.bytes -= removed.as_ref().map_or(0, Bytes::len);
        removed.is_some()
    }

    /// Removes a container with all that is in it.
    pub fn remove_container(&mut self, container: &Container) {
        if let Some(folders) = &self.folders {
            folders.remove_all(&container.2);
        }
        self.written.retain(|(own, _), _| own != container);
        let removed = self.containers.remove(container).unwrap_or_default();
        self.bytes -= removed.values().map(Bytes::len).sum::<usize>();
    }

    /// Begins an upload in parts.
    pub fn begin(&mut self, spot: Spot, upload: &str) {
        if self.uploads.len() >= MOST_UPLOADS {
            let oldest = self.uploads.iter().min_by_key(|(_, upload)| upload.order);
            if let Some((spot, id)) = oldest.map(|(key, _)| key.clone()) {
                self.abandon(spot, &id);
            }
        }
        self.begun += 1;
        let order = self.begun;
        let begun = self.uploads.entry((spot, upload.to_owned())).or_default();
        begun.order = order;
    }

    /// Whether an upload has begun and not ended.
    pub fn is_open(&self, spot: &Spot, upload: &str) -> bool {
        self.uploads
            .contains_key(&(spot.clone(), upload.to_owned()))
    }

    /// Keeps a part of an upload; false when the upload has not begun.
    pub fn put_part(&mut self, spot: Spot, upload: &str, part: Part, bytes: Bytes) -> bool {
        let Some(open) = self.uploads.get_mut(&(spot, upload.to_owned())) else {
            return false;
        };
        self.bytes += bytes.len();
        let replaced = open.parts.insert(part, bytes);
        self.bytes -= replaced.map_or(0, |old| old.len());
        true
    }

    /// Ends an upload: the bytes of these parts, in this order; they do not make a blob yet. None when a part is missing; the upload stays
    /// then.
    pub fn finish(&mut self, spot: Spot, upload: &str, parts: &[Part]) -> Option<Bytes> {
        let open = self.uploads.get(&(spot.clone(), upload.to_owned()))?;
        let mut whole = BytesMut::new();
        for part in parts {
            whole.extend_from_slice(open.parts.get(part)?);
        }
        self.abandon(spot, upload);
        Some(whole.freeze())
    }

    /// Ends an upload and drops its parts.
    pub fn abandon(&mut self, spot: Spot, upload: &str) {
        let dropped = self.uploads.remove(&(spot, upload.to_owned()));
        let parts = dropped.unwrap_or_default().parts;
        self.bytes -= parts.values().map(Bytes::len).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(path: &str) -> Spot {
        let container = ("demo".to_owned(), "storage1".to_owned(), "in".to_owned());
        (container, path.to_owned())
    }

    #[test]
    fn parts_are_put_together_in_the_order_told() {
        let mut blobs = Blobs::default();
        let part = Bytes::from_static;
        assert!(!blobs.put_part(spot("a"), "", "1".to_owned(), part(b"x")));
        blobs.begin(spot("a"), "");
        blobs.put_part(spot("a"), "", "1".to_owned(), part(b"old"));
        blobs.put_part(spot("a"), "", "1".to_owned(), part(b"one"));
        blobs.put_part(spot("a"), "", "2".to_owned(), part(b"two"));
        blobs.put_part(spot("a"), "", "3".to_owned(), part(b"unused"));
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(blobs.finish(spot("a"), "", &names(&["2", "4"])), None);
        let whole = blobs.finish(spot("a"), "", &names(&["2", "1"]));
        assert_eq!(whole.as_deref(), Some(&b"twoone"[..]));
        assert!(!blobs.is_open(&spot("a"), ""));
        assert_eq!(blobs.bytes(), 0);
    }

    #[test]
    fn what_is_gone_weighs_nothing() {
        let mut blobs = Blobs::default();
        for _ in 0..2 {
            blobs.put(spot("a"), Bytes::from_static(b"12345"));
        }
        blobs.put(spot("b"), Bytes::from_static(b"1"));
        assert_eq!(blobs.bytes(), 6);
        assert!(blobs.remove(&spot("b")) && !blobs.remove(&spot("b")));
        for upload in 0..MOST_UPLOADS + 5 {
            let id = upload.to_string();
            blobs.begin(spot("c"), &id);
            blobs.put_part(spot("c"), &id, "1".to_owned(), Bytes::from_static(b"1"));
        }
        assert_eq!(blobs.bytes(), 5 + MOST_UPLOADS);
        assert!(!blobs.is_open(&spot("c"), "0"), "the oldest is forgotten");
        for upload in 0..MOST_UPLOADS + 5 {
            blobs.abandon(spot("c"), &upload.to_string());
        }
        blobs.remove_container(&spot("a").0);
        assert_eq!((blobs.bytes(), blobs.list(&spot("a").0).len()), (0, 0));
    }
}
