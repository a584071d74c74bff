//! Files of assets: list, download, upload. Feature `files`; uploads need `upload`.
//!
//! ```no_run
//! # async fn run(project: mkio::Project) -> mkio::Result<()> {
//! let files = project.files();
//! for file in files.list("intro").await?.files {
//!     println!("{} ({} bytes)", file.name, file.size.unwrap_or_default());
//! }
//! let bytes = files.download("intro", "intro.mp4").to_file("intro.mp4").await?;
//! println!("{bytes} bytes");
//! # Ok(())
//! # }
//! ```
//!
//! An upload goes straight to the storage account, with a credential of that account: the service
//! does not give its own away.
//!
//! ```no_run
//! # #[cfg(feature = "upload")]
//! # async fn run(project: mkio::Project) -> mkio::Result<()> {
//! use mkio::files::StorageCredential;
//!
//! let sas = std::env::var("STORAGE_SAS").unwrap_or_default();
//! project
//!     .files()
//!     .upload("intro", "intro.mp4", StorageCredential::sas(sas))
//!     .on_progress(|progress| println!("{} bytes", progress.sent))
//!     .file("intro.mp4")
//!     .await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod download;
mod name;
#[cfg(feature = "upload")]
mod upload;

use mkio_core::Result;
use mkio_media::ProjectClient;

pub use download::{Download, DownloadRequest};
#[cfg(feature = "upload")]
pub use upload::{Progress, StorageCredential, UploadRequest};

use crate::Project;

/// The files of a project's assets. Made by [`Project::files`] or from the client of the Media API.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    media: ProjectClient,
}

impl Project {
    /// The files of the project's assets.
    pub fn files(&self) -> Files {
        Files::from(self.media())
    }
}

impl From<ProjectClient> for Files {
    fn from(media: ProjectClient) -> Self {
        Self { media }
    }
}

/// A file of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct File {
    /// Name, as [`Files::download`] takes it.
    pub name: String,
    /// Size in bytes, if the list has it.
    pub size: Option<u64>,
}

/// The content of an asset's storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileList {
    /// Files at the top.
    pub files: Vec<File>,
    /// Names of folders. The service does not list their files; a file in one is downloaded as
    /// `folder/name`.
    pub folders: Vec<String>,
}

impl Files {
    /// The files of an asset (operation `get_asset_storage`).
    ///
    /// # Errors
    ///
    /// Those of the call: 404 when there is no such asset, 400 when the service cannot read the storage
    /// account, for example because its credential has expired.
    pub async fn list(&self, asset: impl AsRef<str>) -> Result<FileList> {
        let storage = self.media.get_asset_storage(asset).send().await?;
        let files = storage.spec().files().iter().filter_map(|file| {
            Some(File {
                name: file.name()?.to_owned(),
                size: file.size().and_then(|size| u64::try_from(size).ok()),
            })
        });
        let folders = storage.spec().folders().iter();
        Ok(FileList {
            files: files.collect(),
            folders: folders
                .filter_map(|folder| folder.name().map(str::to_owned))
                .collect(),
        })
    }

    /// A file of an asset, as a stream of bytes or into a local file (operation
    /// `get_asset_file_access_info`, then a request to the host that it names).
    ///
    /// `file` is the name that [`list`](Self::list) gives, or `folder/name`.
    pub fn download(&self, asset: impl Into<String>, file: impl Into<String>) -> DownloadRequest {
        DownloadRequest::new(self.media.clone(), asset.into(), file.into())
    }

    /// Puts a file into an asset, with a credential of the asset's storage account.
    ///
    /// A file of the same name is replaced. Azure accounts (`Microsoft.Storage`) take a SAS token, S3
    /// buckets (`AWS.S3`) an access key. Google buckets are refused with an error.
    #[cfg(feature = "upload")]
    pub fn upload(
        &self,
        asset: impl Into<String>,
        file: impl Into<String>,
        credential: StorageCredential,
    ) -> UploadRequest {
        UploadRequest::new(self.media.clone(), asset.into(), file.into(), credential)
    }
}
