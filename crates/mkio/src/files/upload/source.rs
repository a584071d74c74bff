//! Where the bytes come from.

use std::{future::poll_fn, io, path::Path, pin::Pin, task::Poll};

use futures_util::stream::Stream;
use mkio_core::{
    BoxError, Error, ErrorKind, Result,
    bytes::{Bytes, BytesMut},
};
use tokio::{fs::File, io::AsyncReadExt};

type Pieces = Pin<Box<dyn Stream<Item = std::result::Result<Bytes, BoxError>> + Send>>;

enum From {
    File(File, String),
    Pieces(Pieces),
    Nothing,
}

/// Gives bytes part by part.
pub(super) struct Source {
    from: From,
    /// Bytes that came and are not given yet.
    ahead: BytesMut,
    pub(super) total: Option<u64>,
}

impl Source {
    pub(super) async fn file(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let file = File::open(path).await.map_err(|e| unreadable(&shown, e))?;
        let size = file.metadata().await.map_err(|e| unreadable(&shown, e))?;
        Ok(Self {
            from: From::File(file, shown),
            ahead: BytesMut::new(),
            total: Some(size.len()),
        })
    }

    pub(super) fn bytes(bytes: Bytes) -> Self {
        Self {
            total: Some(bytes.len() as u64),
            from: From::Nothing,
            ahead: bytes.into(),
        }
    }

    pub(super) fn stream<S, B, E>(stream: S) -> Self
    where
        S: Stream<Item = std::result::Result<B, E>> + Send + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self {
            from: From::Pieces(Box::pin(Mapped(Box::pin(stream)))),
            ahead: BytesMut::new(),
            total: None,
        }
    }

    /// The next bytes: as many as asked for, or fewer at the end.
    pub(super) async fn next(&mut self, size: usize) -> Result<Bytes> {
        while self.ahead.len() < size {
            let more = match &mut self.from {
                From::Nothing => false,
                From::File(file, shown) => {
                    self.ahead.reserve(size - self.ahead.len());
                    let read = file.read_buf(&mut self.ahead).await;
                    read.map_err(|error| unreadable(shown, error))? > 0
                }
                From::Pieces(pieces) => {
                    let piece = poll_fn(|cx| pieces.as_mut().poll_next(cx)).await;
                    match piece.transpose().map_err(broken)? {
                        Some(piece) => {
                            self.ahead.extend_from_slice(&piece);
                            true
                        }
                        None => false,
                    }
                }
            };
            if !more {
                self.from = From::Nothing;
                break;
            }
        }
        let size = size.min(self.ahead.len());
        Ok(self.ahead.split_to(size).freeze())
    }
}

fn unreadable(path: &str, error: io::Error) -> Error {
    let message = format!("the file {path} cannot be read");
    Error::new(ErrorKind::Config, message).with_source(error)
}

fn broken(error: BoxError) -> Error {
    let message = "the stream that was to be uploaded failed";
    Error::new(ErrorKind::Config, message).with_source(error)
}

/// A stream of any bytes and errors as one of ours.
struct Mapped<S>(Pin<Box<S>>);

impl<S, B, E> Stream for Mapped<S>
where
    S: Stream<Item = std::result::Result<B, E>>,
    B: Into<Bytes>,
    E: Into<BoxError>,
{
    type Item = std::result::Result<Bytes, BoxError>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        let next = self.0.as_mut().poll_next(cx);
        next.map(|next| next.map(|item| item.map(Into::into).map_err(Into::into)))
    }
}
