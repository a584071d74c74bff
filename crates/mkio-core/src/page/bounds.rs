//! How far a list is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the list is read, counted from the beginning of the walk. The stream and the task that
/// fetches ahead for it share this, so that it can be changed on the way.
#[derive(Debug)]
pub(crate) struct Bounds {
    items: AtomicU64,
    pages: AtomicU64,
}

impl Bounds {
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self {
            items: AtomicU64::new(u64::MAX),
            pages: AtomicU64::new(u64::MAX),
        })
    }

    pub(crate) fn items(&self) -> u64 {
        self.items.load(Ordering::Relaxed)
    }

    pub(crate) fn set_items(&self, items: u64) {
        self.items.store(items, Ordering::Relaxed);
    }

    pub(crate) fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    pub(crate) fn set_pages(&self, pages: u64) {
        self.pages.store(pages, Ordering::Relaxed);
    }
}
