//! Streaming response bodies.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::time::{Instant, Sleep, sleep};

use crate::{Error, ErrorKind, Operation, Result};

type Inner = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// The body of a response, in the pieces in which it arrives.
///
/// A stream that stalls for longer than the attempt timeout of the call ends with an error of kind
/// [`Timeout`](ErrorKind::Timeout); one that breaks off ends with
/// [`Connection`](ErrorKind::Connection). Pieces handed out before that stay valid. Nothing is
/// retried once a stream has begun.
///
/// ```no_run
/// # async fn example(mut bytes: mkio_core::ByteStream) -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::Write;
///
/// // `bytes` is `channels.get_channel_thumbnail("news", "1").send().await?.into_inner()`, for example.
/// let mut file = std::fs::File::create("news.jpg")?;
/// while let Some(piece) = bytes.try_next().await? {
///     file.write_all(&piece)?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct ByteStream {
    inner: Option<Inner>,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    /// The timer runs: a piece has been asked for and has not come yet.
    waiting: bool,
    operation: &'static Operation,
}

impl ByteStream {
    pub(crate) fn new(
        response: reqwest::Response,
        idle: Duration,
        operation: &'static Operation,
    ) -> Self {
        Self {
            inner: Some(Box::pin(response.bytes_stream())),
            idle,
            timer: Box::pin(sleep(idle)),
            waiting: false,
            operation,
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// Kind [`Timeout`](ErrorKind::Timeout) when the body stalls, [`Connection`](ErrorKind::Connection)
    /// when it breaks off.
    pub async fn try_next(&mut self) -> Result<Option<Bytes>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
            .await
            .transpose()
    }

    /// Reads the rest of the body into memory.
    ///
    /// # Errors
    ///
    /// Those of [`try_next`](Self::try_next).
    pub async fn bytes(mut self) -> Result<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    fn fail(&mut self, kind: ErrorKind, message: String) -> Error {
        self.inner = None;
        Error::new(kind, message).with_operation(self.operation)
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        match inner.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                this.waiting = false;
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(Some(Err(cause))) => {
                let error = this.fail(
                    ErrorKind::Connection,
                    "the connection broke in the middle of the body".to_owned(),
                );
                Poll::Ready(Some(Err(error.with_source(cause.without_url()))))
            }
            Poll::Ready(None) => {
                this.inner = None;
                Poll::Ready(None)
            }
            Poll::Pending => {
                // Time that the reader takes between pieces is not the sender's silence.
                if !this.waiting {
                    this.waiting = true;
                    if let Some(limit) = Instant::now().checked_add(this.idle) {
                        this.timer.as_mut().reset(limit);
                    }
                }
                match this.timer.as_mut().poll(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(()) => {
                        let message = format!("the body stalled for {:?}", this.idle);
                        Poll::Ready(Some(Err(this.fail(ErrorKind::Timeout, message))))
                    }
                }
            }
        }
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("operation", &self.operation.id)
            .field("ended", &self.inner.is_none())
            .finish_non_exhaustive()
    }
}
