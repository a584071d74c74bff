//! Uploads straight to the storage account of an asset.

mod http_service;
mod parts;
mod settings;
mod source;
mod store;

use std::{path::Path, time::Duration};

use futures_util::stream::Stream;
use mkio_core::{BoxError, Result, bytes::Bytes};
use mkio_media::ProjectClient;

use super::name;
use settings::{OnProgress, Settings};
pub use settings::{Progress, StorageCredential};
use source::Source;
use store::Place;

/// An upload that has not begun. Made by [`Files::upload`](super::Files::upload).
#[must_use = "an upload sends nothing until `file`, `bytes` or `stream`"]
pub struct UploadRequest {
    media: ProjectClient,
    asset: String,
    file: String,
    credential: StorageCredential,
    settings: Settings,
    on_progress: Option<OnProgress>,
}

/// Settings of an upload.
impl UploadRequest {
    pub(super) fn new(
        media: ProjectClient,
        asset: String,
        file: String,
        credential: StorageCredential,
    ) -> Self {
        Self {
            media,
            asset,
            file,
            credential,
            settings: Settings::default(),
            on_progress: None,
        }
    }

    /// Bytes of a part. Default 8 MiB; S3 takes no part but the last below 5 MiB, and no more than
    /// 10,000 parts, Azure 50,000. What fits into one part is sent as one request.
    pub fn part_size(mut self, bytes: usize) -> Self {
        self.settings.part_size = bytes.max(1);
        self
    }

    /// Parts that are on their way at a time. Default 4. Each is held in memory.
    pub fn parts_at_once(mut self, parts: usize) -> Self {
        self.settings.at_once = parts.max(1);
        self
    }

    /// Longest time for one attempt of a part. Default 300 s.
    pub fn part_timeout(mut self, limit: Duration) -> Self {
        self.settings.part_timeout = limit;
        self
    }

    /// Retries of a part after a failure that may pass. Default 10, within 3 minutes.
    pub fn max_retries(mut self, retries: usize) -> Self {
        self.settings.max_retries = retries;
        self
    }

    /// Sends to another address than the account's own: a private endpoint, MinIO, an emulator. The
    /// container (or bucket) is put behind it.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.settings.endpoint = Some(url.into());
        self
    }

    /// Allows the credential over plain HTTP to hosts that are not this machine. Default `false`.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.settings.allow_plain_http = allow;
        self
    }

    /// Calls `report` after each part that storage has taken.
    pub fn on_progress(mut self, report: impl FnMut(Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(report));
        self
    }
}

/// The sources of an upload.
///
/// The file is there when the future is ready, and not before. An upload that fails is aborted. One
/// whose future is dropped leaves its parts: Azure removes them after a week, S3 by a lifecycle rule
/// of the bucket.
impl UploadRequest {
    /// Uploads a local file; gives its size in bytes.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest): the name is one that the service cannot read, or
    /// the credential is of another kind than the account. [`Config`](mkio_core::ErrorKind::Config): the local file
    /// cannot be read, the storage account is of a kind that uploads do not serve, or the credential
    /// would travel unencrypted. [`Api`](mkio_core::ErrorKind::Api): the asset or its account cannot be read, or storage refuses,
    /// with its status. [`Connection`](mkio_core::ErrorKind::Connection): storage cannot be reached.
    pub async fn file(self, path: impl AsRef<Path>) -> Result<u64> {
        let source = Source::file(path.as_ref()).await?;
        self.send(source).await
    }

    /// Uploads bytes; gives their number.
    ///
    /// # Errors
    ///
    /// As for [`file`](Self::file).
    pub async fn bytes(self, bytes: impl Into<Bytes>) -> Result<u64> {
        self.send(Source::bytes(bytes.into())).await
    }

    /// Uploads a stream; gives the number of its bytes.
    ///
    /// # Errors
    ///
    /// As for [`file`](Self::file); kind [`Config`](mkio_core::ErrorKind::Config) with the stream's error as its cause.
    pub async fn stream<S, B, E>(self, stream: S) -> Result<u64>
    where
        S: Stream<Item = std::result::Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        self.send(Source::stream(stream)).await
    }

    async fn send(self, source: Source) -> Result<u64> {
        name::check_new(&self.file)?;
        let place = Place::of(&self.media, &self.asset, &self.file).await?;
        let transport = self.media.transport();
        let store = store::open(&place, &self.credential, &self.settings, transport)?;
        let at = &place.path;
        parts::send(&*store, at, source, &self.settings, self.on_progress).await
    }
}
