//! The same client for programs without async: scripts, command line tools, build steps.
//!
//! Requests, lists and waits are made as everywhere else; [`Client::run`] carries a request or a
//! wait out, and [`Client::iter`] turns a list, the changes of a wait or a streamed body into an
//! iterator. So the blocking client can do everything that the async client can.
//!
//! ```no_run
//! # #[cfg(feature = "media")]
//! # fn main() -> mkio::Result<()> {
//! let mkio = mkio::blocking::Client::from_env()?;
//! let media = mkio.project("acme").media();
//!
//! // A call.
//! let asset = mkio.run(media.get_asset("intro").send())?;
//! println!("{:?}", asset.properties);
//!
//! // A list. While its items are in use, the next page is fetched.
//! for asset in mkio.iter(media.list_assets().items()) {
//!     println!("{}", asset?.name.unwrap_or_default());
//! }
//!
//! // A wait: each change as it is seen, then the finished job, or why there is none.
//! let mut wait = media.wait_for_job("h264", "job-1");
//! for change in mkio.iter(&mut wait) {
//!     println!("{}", change?.state);
//! }
//! let job = mkio.run(wait)?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "media"))]
//! # fn main() {}
//! ```
//!
//! Everything else of the async client is here as well, because [`Client`] dereferences to it.

mod client;
mod iter;
mod runtime;

#[cfg(all(test, feature = "media"))]
mod tests;

pub use client::Client;
pub use iter::Iter;
