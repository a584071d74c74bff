//! The runtime of a client.

/// A runtime on the calling thread, so that all work of a client is on that thread's CPU clock.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}
