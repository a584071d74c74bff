//! How an emulator is set up.

use std::{path::PathBuf, time::Duration};

/// Sizes of pages. The platform publishes neither its default nor its maximum.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// Items in a page when `$top` is absent.
    pub default: usize,
    /// Most items in a page, whatever `$top` says.
    pub maximum: usize,
}

/// How `@odata.nextLink` is written. The platform's own documents disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NextLink {
    /// A complete URL.
    #[default]
    Absolute,
    /// Path and query only.
    Relative,
}

/// Settings of the emulated platform.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "options that a user switches, not states of something"
)]
pub struct Settings {
    /// Sizes of pages.
    pub pages: PageLimits,
    /// How `@odata.nextLink` is written.
    pub next_link: NextLink,
    /// Sends `@odata.nextLink` with every full page, even when it is the last one.
    pub link_when_full: bool,
    /// Jobs that run at a time in a project.
    pub job_slots: usize,
    /// Platform time that a job spends in `Processing`.
    pub job_duration: Duration,
    /// Most resources of a kind under one parent.
    pub resource_limit: usize,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Most values (numbers, texts, lists, objects, and so on) in a request body of JSON. Small ones take far more memory than
    /// they take space in a request.
    pub body_values: usize,
    /// Largest body of a request to the storage host, in bytes: a file, or a part of one.
    pub blob_limit: usize,
    /// Most bytes of all files that callers store in memory, parts of uploads included; files in folders do not count.
    pub storage_limit: usize,
    /// A folder whose folders are the containers of all storage accounts: their files are on disk and not in memory.
    pub files: Option<PathBuf>,
    /// Gives a part of a file where a caller asks for it by `Range`; else always the whole. The platform does not publish which.
    pub file_ranges: bool,
    /// Most bytes of memory, as estimated, for the bodies of all resources together.
    pub memory_limit: usize,
    /// How long a connection may take to send the head of a request, and the body after it; a connection that stays idle for as
    /// long is closed. No limit by default: time in tests may be paused, and then leaps.
    pub read_timeout: Option<Duration>,
    /// Applies the published rate limits.
    pub rate_limit: bool,
    /// Sends `Retry-After` with a 429 of the rate limit.
    pub retry_after: bool,
    /// Names, beside those of this machine, that `Host` and `Origin` may hold: `ci.example`, or `*` for any.
    pub allowed_hosts: Vec<String>,
    /// Refuses a job whose output asset does not exist, instead of making the asset.
    pub strict_outputs: bool,
    /// Delivers webhooks to other hosts than this one.
    pub remote_webhooks: bool,
    /// Attempts of a webhook delivery before it counts as failed.
    pub webhook_attempts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pages: PageLimits {
                default: 100,
                maximum: 1_000,
            },
            next_link: NextLink::default(),
            link_when_full: false,
            job_slots: 2,
            job_duration: Duration::from_secs(60),
            resource_limit: 200_000,
            body_limit: 2 * 1024 * 1024,
            body_values: 20_000,
            blob_limit: 64 * 1024 * 1024,
            storage_limit: 512 * 1024 * 1024,
            files: None,
            file_ranges: true,
            memory_limit: 512 * 1024 * 1024,
            read_timeout: None,
            rate_limit: false,
            retry_after: false,
            allowed_hosts: Vec::new(),
            strict_outputs: false,
            remote_webhooks: false,
            webhook_attempts: 5,
        }
    }
}
