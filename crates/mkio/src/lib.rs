//! Rust SDK for MK.IO, MediaKind's cloud video platform. Unofficial; not affiliated with
//! MediaKind.
//!
//! ```no_run
//! # #[cfg(feature = "media")]
//! # async fn run() -> mkio::Result<()> {
//! let mkio = mkio::Client::from_env()?; // reads MKIO_TOKEN and MKIO_BASE_URL, or a profile
//! let media = mkio.project("acme").media();
//!
//! let asset = media.get_asset("intro").send().await?;
//! println!("{:?}", asset.properties().storage_account_name());
//!
//! let mut assets = media.list_assets().orderby("properties/created desc").items();
//! while let Some(asset) = assets.try_next().await? {
//!     println!("{}", asset.name().unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every list is a stream, by item or by page, with its order and conditions typed: a field of another
//! list does not compile.
//!
//! ```no_run
//! # #[cfg(feature = "media")]
//! # async fn run(media: mkio::media::ProjectClient) -> mkio::Result<()> {
//! use mkio::media::{fields::jobs, types::JobState};
//!
//! let failed = jobs::PROPERTIES_STATE.eq(JobState::Error).and(jobs::CREATED.ge("2026-03-01"));
//! let mut jobs = media.list_jobs().filter(failed).orderby(jobs::CREATED.desc()).items().limit(20);
//! while let Some(job) = jobs.try_next().await? {
//!     println!("{} is {}", job.name().unwrap_or_default(), job.state());
//! }
//! let place = jobs.resume_token(); // goes on there, in another process, too
//! # let _ = place;
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn run(media: mkio::media::ProjectClient) {
//! let filter = mkio::media::fields::jobs::PROPERTIES_STATE.eq("Finished");
//! let assets = media.list_assets().filter(filter);
//! # }
//! ```
//!
//! Required values are arguments of the method, in the order of the URL, with the body last. A call
//! that lacks one does not compile. Optional values are set on the request. A request owns its
//! values: it can be built step by step, stored, returned, and moved into a task.
//!
//! ```no_run
//! # #[cfg(feature = "media")]
//! # async fn run(media: mkio::media::ProjectClient, newest: bool) -> mkio::Result<()> {
//! let mut request = media.list_assets().top(100);
//! if newest {
//!     request = request.orderby("properties/created desc");
//! }
//! let assets = request.send().await?;
//!
//! let call = media.get_asset("intro").header("x-trace", "42").send();
//! let asset = tokio::spawn(call).await.expect("the task ends")?;
//! # Ok(())
//! # }
//! ```
//!
//! A PUT replaces a resource. `edit_…` reads it, changes it and writes it back, so that all other
//! fields keep their values; see [`Edit`].
//!
//! ```no_run
//! # #[cfg(feature = "media")]
//! # async fn run(media: mkio::media::ProjectClient) -> mkio::Result<()> {
//! media.edit_transform("h264", |t| t.with_description("house encode")).send().await?;
//! # Ok(())
//! # }
//! ```
//!
//! One [`Client`] serves all APIs: they share token, connections, retries and rate budget. Each
//! API is a crate of its own behind a feature of the same name; its types and requests are
//! re-exported as modules here ([`media`], [`management`], …).
//!
//! <!-- features: APIs of spec/apis.yaml, by cargo xtask generate -->
//!
//! | feature | API | default |
//! |---|---|---|
//! | `media` | assets, transforms, jobs, live events, publishing and content protection | yes |
//! | `management` | organizations, projects, users, tokens, billing and webhooks | no |
//! | `fleets` | devices, their software, backups and support packages | no |
//! | `infrastructure` | networks and sites | no |
//! | `live` | live channels, live events and multiview flows | no |
//! | `templates` | configurations and presets of transforms | no |
//! | `channels` | channels of one Beam device, called on the device itself | no |
//! | `full` | all of them | no |
//!
//! <!-- end of APIs -->
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `rustls-ring` | TLS by rustls with ring | yes |
//! | `rustls-aws-lc` | TLS by rustls with AWS-LC | no |
//! | `rustls-no-provider` | TLS by rustls with the provider that the program installs | no |
//! | `blocking` | the same client without async, for scripts, in the module `blocking` | no |
//! | `axum` | a router for webhooks | no |
//! | `files` | lists and downloads the files of assets, in the module `files` | no |
//! | `upload` | uploads files to Azure and S3 storage, in the module `files` | no |
//! | `dynamic` | operations by name with JSON arguments, in each API's `dynamic` module | no |
//! | `schemars` | JSON Schema of every type | no |

#![cfg_attr(docsrs, feature(doc_cfg))]

#[rustfmt::skip]
mod apis;
// The enums of webhooks need it.
#[cfg(feature = "schemars")]
use schemars as _;

#[cfg(feature = "blocking")]
pub mod blocking;
pub mod bulk;
mod client;
#[cfg(feature = "files")]
pub mod files;
#[cfg(all(
    feature = "axum",
    feature = "blocking",
    feature = "live",
    feature = "management",
    feature = "upload"
))]
pub mod guide;
#[cfg(feature = "media")]
pub mod playback;
mod project;
pub mod webhook;

pub use client::Client;
pub use mkio_core::{
    BoxError, ByteStream, CallInfo, CallOptions, Change, Dispatch, DispatchError, DispatchFuture,
    Edit, Error, ErrorKind, Items, Jitter, Measurement, Metrics, Nullable, OpenEnum, Operation,
    Page, Pages, Priority, RateBudget, RawRequest, Response, Result, ResumeToken, RetryPolicy,
    Secret, StateRef, Timestamp, Token, TokenCommand, TokenFile, TokenFuture, TokenProvider,
    Transport, TransportBuilder, UrlText, Wait, WaitDescription, WaitFailure, Waits, bytes, chrono,
    config_file, http, http_client_builder, page::query, reqwest, serde_json, token_fn, wait,
};
pub use project::Project;

#[cfg(feature = "dynamic")]
pub use mkio_core::dynamic;

#[allow(unused_imports, reason = "without a feature there is nothing to show")]
pub use apis::*;

#[cfg(all(doctest, feature = "media"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Calls that must not compile.
///
/// A name that was forgotten:
/// ```compile_fail,E0061
/// # fn run(media: mkio::media::ProjectClient) {
/// let request = media.get_job("h264");
/// # }
/// ```
/// A body that was forgotten:
/// ```compile_fail,E0061
/// # fn run(media: mkio::media::ProjectClient) {
/// let request = media.create_job("h264", "job-1");
/// # }
/// ```
/// The body of another operation:
/// ```compile_fail,E0277
/// # fn run(media: mkio::media::ProjectClient, asset: mkio::media::types::AssetPut) {
/// let request = media.create_job("h264", "job-1", asset);
/// # }
/// ```
/// Another project than the client's:
/// ```compile_fail,E0599
/// # fn run(media: mkio::media::ProjectClient) {
/// let request = media.get_asset("intro").project_name("other");
/// # }
/// ```
/// ```compile_fail,E0061
/// # fn run(media: mkio::media::ProjectClient) {
/// let request = media.get_asset("other", "intro");
/// # }
/// ```
/// A value of another enum:
/// ```compile_fail,E0308
/// # fn run(job: mkio::media::types::Job) {
/// use mkio::media::types::{JobState, LiveEventState};
/// let running: JobState = LiveEventState::Running;
/// # }
/// ```
/// The same calls with all that they need:
/// ```no_run
/// # fn run(media: mkio::media::ProjectClient, client: mkio::media::Client, job: mkio::media::types::JobPut) {
/// let requests = (
///     media.get_job("h264", "job-1"),
///     media.create_job("h264", "job-1", job),
///     media.get_asset("intro"),
///     client.get_asset("other", "intro"),
/// );
/// # }
/// ```
#[cfg(all(doctest, feature = "media"))]
struct Refused;
