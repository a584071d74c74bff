//! The runtime inside a blocking client.

use mkio_core::{Error, ErrorKind, Result};
use tokio::runtime::{Builder, Handle, Runtime};

/// A tokio runtime that may be dropped anywhere.
#[derive(Debug)]
pub(super) struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    /// One background thread: it keeps connections alive, fetches pages ahead and polls for waits
    /// while the caller does something else.
    pub(super) fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mkio-blocking")
            .enable_all()
            .build();
        runtime.map(Self::of).map_err(|error| {
            let message = "the thread of the blocking client cannot be started";
            Error::new(ErrorKind::Config, message).with_source(error)
        })
    }

    pub(super) fn of(runtime: Runtime) -> Self {
        Self(Some(runtime))
    }

    pub(super) fn block_on<F: Future>(&self, work: F) -> Result<F::Output> {
        let message = if Handle::try_current().is_ok() {
            "the blocking client was called within a tokio runtime, which it would block: use \
             the async mkio::Client there, or call this one on a thread of std::thread::spawn"
        } else if let Some(runtime) = &self.0 {
            return Ok(runtime.block_on(work));
        } else {
            "the blocking client has ended"
        };
        Err(Error::new(ErrorKind::Config, message))
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        // The usual drop waits for the thread, and panics within another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
