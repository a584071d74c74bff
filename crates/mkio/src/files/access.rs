//! The host that serves the files of an asset, and the token that it takes.

use http::{Method, StatusCode, header};
use mkio_core::{
    ByteStream, Error, ErrorKind, Operation, Response, Result, Token, Transport, reqwest,
};
use mkio_media::{ProjectClient, types::AssetFileAccessInfo};
use serde_json::json;

/// The one request of the host. No document describes it; the service's guide on downloads does.
static DOWNLOAD_BLOB: Operation = Operation {
    id: "download_blob",
    api: "",
    method: Method::POST,
    path: "/downloadBlob",
    request_body: Some("application/json"),
    streams: true,
};

/// Opens one file again and again.
pub(super) struct Access {
    media: ProjectClient,
    asset: String,
    file: String,
    /// The service's information about the host, and the transport to it: one for each token.
    info: Option<(AssetFileAccessInfo, Transport)>,
}

impl Access {
    pub(super) fn new(media: ProjectClient, asset: String, file: String) -> Self {
        Self {
            media,
            asset,
            file,
            info: None,
        }
    }

    /// The file from a byte on, or from its beginning where the host knows no ranges.
    ///
    /// A token that the host refuses is replaced once: it may end at any time.
    pub(super) async fn open(&mut self, from: u64) -> Result<Response<ByteStream>> {
        match self.try_open(from).await {
            Err(error) if is_refused(&error) => {
                self.info = None;
                self.try_open(from).await
            }
            opened => opened,
        }
    }

    async fn try_open(&mut self, from: u64) -> Result<Response<ByteStream>> {
        let known = match self.info.take() {
            Some(known) => known,
            None => {
                let asked = self.media.get_asset_file_access_info(self.asset.as_str());
                let info = asked.send().await?.into_inner();
                let host = host(self.media.transport(), &info)?;
                (info, host)
            }
        };
        let (info, host) = self.info.insert(known);
        let request = request(host, info, &self.file, from)?;
        host.send_stream(request, &DOWNLOAD_BLOB).await
    }
}

/// The host refuses its token; not the service that of the API.
fn is_refused(error: &Error) -> bool {
    let is_here = error.operation_id() == Some(DOWNLOAD_BLOB.id);
    is_here && error.status() == Some(StatusCode::UNAUTHORIZED)
}

/// A transport to the host, which gets the token that was made for it and never that of the API.
fn host(transport: &Transport, info: &AssetFileAccessInfo) -> Result<Transport> {
    let url = info.url().ok_or_else(|| lacks("url"))?;
    let token = info.jwt().ok_or_else(|| lacks("jwt"))?;
    transport.to_host(url.as_str(), Token::new(token.expose().as_str()))
}

fn request(
    host: &Transport,
    info: &AssetFileAccessInfo,
    file: &str,
    from: u64,
) -> Result<reqwest::Request> {
    let account = info.storage_account_name();
    let account = account.ok_or_else(|| lacks("storageAccountName"))?;
    let container = info.container_name();
    let container = container.ok_or_else(|| lacks("containerName"))?;
    let path = match info.sub_path() {
        Some(folder) if !folder.is_empty() => format!("{folder}/{file}"),
        _ => file.to_owned(),
    };
    let url = format!("{}{}", host.base_url(DOWNLOAD_BLOB.api), DOWNLOAD_BLOB.path);
    let mut request = host.http().post(url).json(&json!({
        "storageAccountName": account, "containerName": container, "fileName": path,
    }));
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    request.build().map_err(|error| {
        let message = "the request for the file cannot be built";
        Error::new(ErrorKind::InvalidRequest, message).with_source(error.without_url())
    })
}

fn lacks(field: &str) -> Error {
    let message = format!("the service's file access info lacks `{field}`; nothing was downloaded");
    Error::new(ErrorKind::Decode, message)
}
