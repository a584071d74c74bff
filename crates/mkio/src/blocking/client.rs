//! The blocking client: it runs futures and streams of the async one.

use std::{future::IntoFuture, ops::Deref, sync::Arc};

use mkio_core::{Error, Result};

use super::{Iter, runtime::OwnRuntime};

/// A client that runs calls to their end on a runtime of its own.
///
/// It dereferences to the async [`mkio::Client`](crate::Client), so
/// [`project`](crate::Client::project) and all that follows are the same. Give a future to
/// [`run`](Self::run), and a stream to [`iter`](Self::iter).
///
/// Cheap to clone, usable from several threads at once; clones share the runtime, which is one
/// background thread that ends with the last of them (and the last [`Iter`]).
#[derive(Clone, Debug)]
pub struct Client {
    runtime: Arc<OwnRuntime>,
    client: crate::Client,
}

impl Client {
    /// A blocking client from the environment, as
    /// [`mkio::Client::from_env`](crate::Client::from_env) makes the async one.
    ///
    /// # Errors
    ///
    /// When there is no token, settings contradict each other, or no thread can be started.
    pub fn from_env() -> Result<Self> {
        Self::new(crate::Client::from_env()?)
    }

    /// A blocking client with the settings of an async one.
    ///
    /// Give it a client that no other runtime has used: connections belong to the runtime that
    /// opened them.
    ///
    /// ```
    /// # fn main() -> mkio::Result<()> {
    /// let settings = mkio::Client::builder().token("a.b.c").project("acme");
    /// let mkio = mkio::blocking::Client::new(settings.build()?)?;
    /// assert_eq!(mkio.default_project()?.name(), "acme");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Kind [`Config`](crate::ErrorKind::Config) when the background thread cannot be started.
    pub fn new(client: impl Into<crate::Client>) -> Result<Self> {
        Ok(Self::over(OwnRuntime::new()?, client.into()))
    }

    pub(super) fn over(runtime: OwnRuntime, client: crate::Client) -> Self {
        Self {
            runtime: Arc::new(runtime),
            client,
        }
    }

    /// Carries out a request, a wait, or any other future, and returns its result.
    ///
    /// An `async` block makes several calls in one run, one after the other or at the same time.
    ///
    /// # Errors
    ///
    /// That of the future. Kind [`Config`](crate::ErrorKind::Config), with nothing sent, on a
    /// thread that belongs to a tokio runtime, where this client would stop other tasks: use the
    /// async client there. Threads of tokio's `spawn_blocking` count as such; a thread of
    /// [`std::thread::spawn`] does not.
    pub fn run<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: IntoFuture<Output = Result<T, E>>,
        E: From<Error>,
    {
        self.runtime.block_on(work.into_future())?
    }

    /// The items of a list, its pages, the changes of a wait, or the pieces of a body, one at a
    /// time as an iterator of results.
    ///
    /// Takes the stream itself, or `&mut` of it when it is needed afterwards, for example to
    /// [`run`](Self::run) a wait for its outcome. Nothing is sent before the first item is asked
    /// for.
    ///
    /// # Errors
    ///
    /// Those of the stream, as items, after which it ends. On a thread that belongs to a tokio
    /// runtime the only item is the error that [`run`](Self::run) would give.
    pub fn iter<S>(&self, stream: S) -> Iter<S> {
        Iter::new(self.runtime.clone(), stream)
    }
}

/// Everything of the async client: projects, APIs, options, requests by hand.
impl Deref for Client {
    type Target = crate::Client;

    fn deref(&self) -> &crate::Client {
        &self.client
    }
}
