//! Downloads that go on where they broke off.

use std::{
    io,
    path::{Path, PathBuf},
};

use http::{HeaderMap, StatusCode, header};
use mkio_core::{ByteStream, Error, ErrorKind, Response, Result, bytes::Bytes};
use mkio_media::ProjectClient;
use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt,
};

use super::{access::Access, name};

/// Times in a row that a download is taken up again without a byte having come.
const TRIES: u32 = 5;

/// A download that has not begun. Made by [`Files::download`](super::Files::download).
#[must_use = "a download sends nothing until `send` or `to_file`"]
pub struct DownloadRequest {
    access: Access,
    file: String,
    from: u64,
}

impl DownloadRequest {
    pub(super) fn new(media: ProjectClient, asset: String, file: String) -> Self {
        Self {
            access: Access::new(media, asset, file.clone()),
            file,
            from: 0,
        }
    }

    /// Begins at this byte instead of at the first one, for example at the
    /// [`position`](Download::position) where an earlier download stopped.
    pub fn start_at(mut self, byte: u64) -> Self {
        self.from = byte;
        self
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the name is not a path of a file;
    /// [`Config`](ErrorKind::Config) when the token would travel unencrypted. 404 when there is no such
    /// asset, 502 from the file host when there is no such file or its storage cannot be reached.
    pub async fn send(mut self) -> Result<Download> {
        name::check(&self.file)?;
        let opened = self.access.open(self.from).await?;
        let mut download = Download {
            whole: Whole::of(opened.headers(), opened.http_status()),
            body: None,
            skip: 0,
            position: self.from,
            tries: 0,
            ended: false,
            access: self.access,
        };
        download.take_up(opened)?;
        Ok(download)
    }

    /// Downloads into a local file; gives its size in bytes.
    ///
    /// What arrives is kept in `<path>.part` until it is whole. A later call for the same path goes on
    /// where that ends: delete the `.part` file if the asset's file has changed since.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send) and [`Download::try_next`]; kind
    /// [`Config`](ErrorKind::Config) when the local file cannot be written, or a link, a folder or a device
    /// has its name or that of the `.part` file. The `.part` file stays.
    pub async fn to_file(mut self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let failed = |error: io::Error| {
            let message = format!("the file {} cannot be written", part.display());
            Error::new(ErrorKind::Config, message).with_source(error)
        };
        for taken in [&part, path] {
            refuse_other_than_files(taken).await?;
        }
        let options = OpenOptions::new().create(true).append(true).clone();
        let mut file = options.open(&part).await.map_err(failed)?;
        self.from = file.metadata().await.map_err(failed)?.len();
        write(self, &mut file).await?.map_err(failed)?;
        let size = file.metadata().await.map_err(failed)?.len();
        drop(file);
        fs::rename(&part, path).await.map_err(failed)?;
        Ok(size)
    }
}

/// A write through a link or into a device would go elsewhere.
async fn refuse_other_than_files(path: &Path) -> Result<()> {
    let about = fs::symlink_metadata(path).await;
    if about.is_ok_and(|about| !about.is_file()) {
        let message = format!("{} is not a file; nothing was downloaded", path.display());
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(())
}

/// Writes the rest of a file. The inner error is the local file's.
async fn write(request: DownloadRequest, file: &mut File) -> Result<io::Result<()>> {
    let has = request.from;
    let mut download = match request.send().await {
        Ok(download) => download,
        // Everything was there already.
        Err(error) if has > 0 && is_at_end(&error, has) => return Ok(Ok(())),
        Err(error) => return Err(error),
    };
    while let Some(bytes) = download.try_next().await? {
        if let Err(error) = file.write_all(&bytes).await {
            return Ok(Err(error));
        }
    }
    Ok(file.flush().await)
}

/// The host has as many bytes as there are here, and none after them.
fn is_at_end(error: &Error, has: u64) -> bool {
    let range = error.headers().get(header::CONTENT_RANGE);
    let range = range.and_then(|range| range.to_str().ok());
    error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE)
        && range.is_none_or(|range| range.trim() == format!("bytes */{has}"))
}

/// A file on its way: its bytes in the pieces in which they arrive.
///
/// When the connection breaks, the body stalls or the file token expires, the download is taken up
/// again by itself: by range, or where the host sends the whole file again, by skipping the bytes
/// that came before. It gives up after five times in a row without a new byte;
/// [`position`](Self::position) then says where to go on with [`DownloadRequest::start_at`].
pub struct Download {
    access: Access,
    body: Option<ByteStream>,
    whole: Whole,
    /// Bytes that the host sends again.
    skip: u64,
    position: u64,
    tries: u32,
    /// All bytes were handed out.
    ended: bool,
}

/// The version of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Whole {
    size: Option<u64>,
    tag: Option<String>,
}

impl Whole {
    fn of(headers: &HeaderMap, status: StatusCode) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let size = match status {
            StatusCode::PARTIAL_CONTENT => {
                text(header::CONTENT_RANGE).and_then(|range| range.rsplit('/').next())
            }
            _ => text(header::CONTENT_LENGTH),
        };
        Self {
            size: size.and_then(|size| size.trim().parse().ok()),
            tag: text(header::ETAG).map(str::to_owned),
        }
    }

    /// What both know is the same.
    fn fits(&self, other: &Self) -> bool {
        let same_size = self.size.is_none() || other.size.is_none() || self.size == other.size;
        let same_tag = self.tag.is_none() || other.tag.is_none() || self.tag == other.tag;
        same_size && same_tag
    }
}

impl Download {
    /// Size of the whole file in bytes, if the response has it.
    pub fn size(&self) -> Option<u64> {
        self.whole.size
    }

    /// `ETag` of the file, if the response has one: each version of the file has another.
    pub fn etag(&self) -> Option<&str> {
        self.whole.tag.as_deref()
    }

    /// The byte that comes next, counted from the beginning of the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next piece; `None` at the end.
    ///
    /// A future that is dropped loses nothing: the next call goes on at the same byte.
    ///
    /// # Errors
    ///
    /// Kind [`Connection`](ErrorKind::Connection) or [`Timeout`](ErrorKind::Timeout) when the download
    /// broke off five times in a row, [`Decode`](ErrorKind::Decode) when the file was replaced
    /// meanwhile. Pieces handed out before stay valid.
    pub async fn try_next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let next = match &mut self.body {
                Some(body) => body.try_next().await,
                None if self.ended => return Ok(None),
                // An earlier read failed, or was dropped while the file was opened again.
                None => Err(Error::new(ErrorKind::Connection, "the download broke off")),
            };
            match next {
                Ok(Some(piece)) => {
                    if let Some(piece) = self.taken(piece) {
                        return Ok(Some(piece));
                    }
                }
                Ok(None) if self.whole.size.is_some_and(|size| self.position < size) => {
                    let message = "the body ended before the end of the file";
                    self.resume(Error::new(ErrorKind::Connection, message))
                        .await?;
                }
                Ok(None) => {
                    self.ended = true;
                    self.body = None;
                    return Ok(None);
                }
                Err(error) => self.resume(error).await?,
            }
        }
    }

    /// The rest of the file in memory.
    ///
    /// # Errors
    ///
    /// Those of [`try_next`](Self::try_next).
    pub async fn bytes(mut self) -> Result<Bytes> {
        let mut whole = Vec::new();
        while let Some(piece) = self.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }

    /// What of a piece is new.
    fn taken(&mut self, mut piece: Bytes) -> Option<Bytes> {
        let known = usize::try_from(self.skip).map_or(piece.len(), |skip| skip.min(piece.len()));
        let new = piece.split_off(known);
        self.skip -= known as u64;
        if new.is_empty() {
            return None;
        }
        self.tries = 0;
        self.position += new.len() as u64;
        Some(new)
    }

    /// Opens the file again after a failure, unless that has been tried too often.
    async fn resume(&mut self, mut error: Error) -> Result<()> {
        self.body = None;
        loop {
            if self.tries >= TRIES || !error.is_retryable() {
                return Err(error);
            }
            self.tries += 1;
            match self.access.open(self.position).await {
                Ok(opened) => return self.take_up(opened),
                Err(next) => error = next,
            }
        }
    }

    /// Reads on from a body that was opened at the position, or gives the whole file again.
    fn take_up(&mut self, opened: Response<ByteStream>) -> Result<()> {
        let whole = Whole::of(opened.headers(), opened.http_status());
        if !self.whole.fits(&whole) {
            let message = "the file was replaced while it was downloaded; download it again";
            return Err(Error::new(ErrorKind::Decode, message));
        }
        let is_part = opened.http_status() == StatusCode::PARTIAL_CONTENT;
        self.skip = if is_part { 0 } else { self.position };
        self.body = Some(opened.into_inner());
        Ok(())
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("position", &self.position)
            .field("size", &self.whole.size)
            .finish_non_exhaustive()
    }
}
