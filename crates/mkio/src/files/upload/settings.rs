//! What an upload is given: a credential, and how it is to be carried out.

use std::time::Duration;

use mkio_core::Secret;

/// Credential of a storage account. The service does not return its own.
#[derive(Debug, Clone)]
pub struct StorageCredential(pub(super) Kind);

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Sas(Secret<String>),
    AccessKey {
        id: String,
        secret: Secret<String>,
        session: Option<Secret<String>>,
    },
}

impl StorageCredential {
    /// The shared access signature of an Azure account or container, with or without its `?`. It must
    /// allow to create and to write.
    pub fn sas(token: impl Into<String>) -> Self {
        Self(Kind::Sas(Secret::new(token.into())))
    }

    /// The access key of an S3 bucket. It must allow `s3:PutObject` and `s3:AbortMultipartUpload`.
    ///
    /// ```
    /// use mkio::{Secret, files::StorageCredential};
    ///
    /// let secret = std::env::var("AWS_SECRET_ACCESS_KEY").unwrap_or_default();
    /// let credential = StorageCredential::access_key("AKIAEXAMPLE", Secret::new(secret));
    /// ```
    pub fn access_key(id: impl Into<String>, secret: Secret<String>) -> Self {
        Self(Kind::AccessKey {
            id: id.into(),
            secret,
            session: None,
        })
    }

    /// Adds the session token of temporary credentials to an access key. A shared access signature
    /// has none and stays as it is.
    #[must_use]
    pub fn with_session_token(mut self, token: Secret<String>) -> Self {
        if let Kind::AccessKey { session, .. } = &mut self.0 {
            *session = Some(token);
        }
        self
    }
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that storage has taken.
    pub sent: u64,
    /// Bytes in all, if that is known: for files and bytes, not for streams.
    pub total: Option<u64>,
}

pub(super) type OnProgress = Box<dyn FnMut(Progress) + Send>;

/// How an upload is carried out.
pub(super) struct Settings {
    pub(super) part_size: usize,
    pub(super) at_once: usize,
    pub(super) part_timeout: Duration,
    pub(super) max_retries: usize,
    pub(super) endpoint: Option<String>,
    pub(super) allow_plain_http: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            part_size: 8 * 1024 * 1024,
            at_once: 4,
            part_timeout: Duration::from_secs(300),
            max_retries: 10,
            endpoint: None,
            allow_plain_http: false,
        }
    }
}
