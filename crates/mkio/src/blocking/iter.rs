//! A stream as an iterator.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use futures_core::Stream;
use mkio_core::{Error, Result};

use super::runtime::OwnRuntime;

/// An iterator over a stream; made by [`Client::iter`](super::Client::iter).
///
/// Between two items, a list fetches ahead and a wait polls, in the background.
#[derive(Debug)]
#[must_use = "an iterator sends nothing until it is asked for an item"]
pub struct Iter<S> {
    // Dropped before the runtime in which its tasks run.
    stream: S,
    runtime: Arc<OwnRuntime>,
    refused: bool,
}

impl<S> Iter<S> {
    pub(super) fn new(runtime: Arc<OwnRuntime>, stream: S) -> Self {
        Self {
            stream,
            runtime,
            refused: false,
        }
    }

    /// The stream, for example to ask a list for its
    /// [`resume_token`](crate::Items::resume_token) or its [`total`](crate::Items::total).
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream, to go on with in another way. No item is lost.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S, T, E> Iterator for Iter<S>
where
    S: Stream<Item = Result<T, E>> + Unpin,
    E: From<Error>,
{
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.refused {
            return None;
        }
        let stream = &mut self.stream;
        let next = poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx));
        match self.runtime.block_on(next) {
            Ok(item) => item,
            // Once only: a loop that leaves errors out must end.
            Err(error) => {
                self.refused = true;
                Some(Err(error.into()))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // The refusal is an item that the stream does not count.
        (0, self.stream.size_hint().1.map(|most| most.max(1)))
    }
}
