//! The storage account of an asset, and the client that it takes.

use http::StatusCode;
use mkio_core::{Error, ErrorKind, Result, Transport, reqwest};
use mkio_media::{ProjectClient, types::StorageSpec};
use object_store::{
    ObjectStore, RetryConfig, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    client::HttpConnector, path::Path,
};
use percent_encoding::percent_decode_str;

use super::{
    http_service::Limited,
    settings::{Kind, Settings, StorageCredential},
};

/// Where a file of an asset is kept.
pub(super) struct Place {
    account: String,
    spec: StorageSpec,
    container: String,
    /// In the container; in the bucket for S3.
    pub(super) path: Path,
}

impl Place {
    /// Looks up the asset and its storage account.
    pub(super) async fn of(media: &ProjectClient, asset: &str, file: &str) -> Result<Self> {
        let found = media.get_asset(asset).send().await?;
        let properties = found.properties();
        let lacks = |field: &str| {
            let message = format!("the service returned no `{field}` of the asset `{asset}`");
            Error::new(ErrorKind::Decode, message)
        };
        let account = properties.storage_account_name();
        let account = account
            .ok_or_else(|| lacks("storageAccountName"))?
            .to_owned();
        let container = properties.container();
        let container = container.ok_or_else(|| lacks("container"))?.to_owned();
        let storage = media.get_storage(account.as_str()).send().await?;
        let spec = storage.into_inner().spec.ok_or_else(|| lacks("storage"))?;
        let mut path = String::new();
        if matches!(spec, StorageSpec::Aws(_)) {
            // In a bucket, the container of an asset is its folder.
            path = format!("{container}/");
        }
        if let Some(folder) = properties.sub_path().filter(|folder| !folder.is_empty()) {
            path = format!("{path}{folder}/");
        }
        let path = Path::parse(format!("{path}{file}")).map_err(|error| {
            let message = format!(
                "the file name `{}` is not a valid path",
                file.escape_debug()
            );
            Error::new(ErrorKind::InvalidRequest, message).with_source(error)
        })?;
        Ok(Self {
            account,
            spec,
            container,
            path,
        })
    }
}

/// The client of the account.
///
/// # Errors
///
/// Kind `Config` for accounts that uploads do not serve.
pub(super) fn open(
    place: &Place,
    credential: &StorageCredential,
    settings: &Settings,
    transport: &Transport,
) -> Result<Box<dyn ObjectStore>> {
    let http = Limited {
        transport: transport.clone(),
        limit: settings.part_timeout,
    };
    let retry = RetryConfig {
        max_retries: settings.max_retries,
        ..RetryConfig::default()
    };
    match &place.spec {
        StorageSpec::Azure(spec) => {
            let url = spec.url().map(|url| url.as_str().to_owned());
            azure(place, url, credential, settings, http, retry)
        }
        StorageSpec::Aws(spec) => {
            let bucket = spec.bucket_name().unwrap_or_default();
            let region = spec.region().unwrap_or_default();
            s3(place, (bucket, region), credential, settings, http, retry)
        }
        StorageSpec::Google(_) => Err(unserved(&place.account, "Google.Storage")),
        _ => Err(unserved(
            &place.account,
            "one that this version does not know",
        )),
    }
}

fn unserved(account: &str, kind: &str) -> Error {
    let message = format!(
        "the storage account `{account}` is of the kind {kind}; uploads serve Microsoft.Storage \
         and AWS.S3. Put the file there with a tool of its cloud"
    );
    Error::new(ErrorKind::Config, message)
}

fn mismatch(account: &str, wanted: &str) -> Error {
    let message = format!("the storage account `{account}` takes {wanted}");
    Error::new(ErrorKind::InvalidRequest, message)
}

fn azure(
    place: &Place,
    url: Option<String>,
    credential: &StorageCredential,
    settings: &Settings,
    http: impl HttpConnector,
    retry: RetryConfig,
) -> Result<Box<dyn ObjectStore>> {
    let Kind::Sas(sas) = &credential.0 else {
        let wanted = "a SAS token (`StorageCredential::sas`)";
        return Err(mismatch(&place.account, wanted));
    };
    let endpoint = settings.endpoint.clone().or(url);
    let endpoint = endpoint.ok_or_else(|| {
        let message = format!(
            "the service returned no `url` of the storage account `{}`",
            place.account
        );
        Error::new(ErrorKind::Decode, message)
    })?;
    check_endpoint(&place.account, &endpoint, settings)?;
    let client = MicrosoftAzureBuilder::new()
        .with_account(&place.account)
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_container_name(&place.container)
        .with_sas_authorization(pairs(sas.expose()))
        .with_retry(retry)
        .with_http_connector(http)
        .build();
    Ok(Box::new(client.map_err(unusable)?))
}

/// The parameters of a SAS token, decoded.
fn pairs(token: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = token.trim().trim_start_matches('?').split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn s3(
    place: &Place,
    (bucket, region): (&str, &str),
    credential: &StorageCredential,
    settings: &Settings,
    http: impl HttpConnector,
    retry: RetryConfig,
) -> Result<Box<dyn ObjectStore>> {
    let Kind::AccessKey {
        id,
        secret,
        session,
    } = &credential.0
    else {
        let wanted = "an access key (`StorageCredential::access_key`)";
        return Err(mismatch(&place.account, wanted));
    };
    let mut client = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_access_key_id(id)
        .with_secret_access_key(secret.expose())
        .with_retry(retry)
        .with_http_connector(http);
    if !region.is_empty() {
        client = client.with_region(region);
    }
    if let Some(session) = session {
        client = client.with_token(session.expose());
    }
    if let Some(endpoint) = &settings.endpoint {
        check_endpoint(&place.account, endpoint, settings)?;
        client = client.with_endpoint(endpoint).with_allow_http(true);
    }
    Ok(Box::new(client.build().map_err(unusable)?))
}

/// Refuses addresses at which the credential would travel unencrypted.
fn check_endpoint(account: &str, endpoint: &str, settings: &Settings) -> Result<()> {
    let refused = |why: &str| {
        let message = format!("the address of the storage account `{account}` {why}");
        Error::new(ErrorKind::Config, message)
    };
    let url = reqwest::Url::parse(endpoint).map_err(|_| refused("is not a URL"))?;
    let here = mkio_core::glue::is_loopback(&url);
    match url.scheme() {
        "https" => Ok(()),
        "http" if here || settings.allow_plain_http => Ok(()),
        "http" => Err(refused(
            "would get its credential unencrypted; use https, or allow it with `allow_plain_http`",
        )),
        _ => Err(refused("must begin with https://")),
    }
}

fn unusable(error: object_store::Error) -> Error {
    let message = "the client of the storage account cannot be made";
    Error::new(ErrorKind::Config, message).with_source(error)
}

/// A failure of storage as one of ours.
pub(super) fn failed(error: object_store::Error) -> Error {
    use object_store::Error as Storage;
    let status = match &error {
        Storage::NotFound { .. } => Some(StatusCode::NOT_FOUND),
        Storage::AlreadyExists { .. } => Some(StatusCode::CONFLICT),
        Storage::Precondition { .. } => Some(StatusCode::PRECONDITION_FAILED),
        Storage::PermissionDenied { .. } => Some(StatusCode::FORBIDDEN),
        Storage::Unauthenticated { .. } => Some(StatusCode::UNAUTHORIZED),
        _ => None,
    };
    match status {
        Some(status) => Error::new(ErrorKind::Api, refusal(status))
            .with_status(status)
            .with_source(error),
        None => {
            Error::new(ErrorKind::Connection, "storage did not take the file").with_source(error)
        }
    }
}

fn refusal(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "storage does not have the container of the asset",
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
            "storage refuses the credential: it must be of the asset's account, valid now, and allow writing"
        }
        _ => "storage refuses the file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sas_tokens() {
        let expected = [("sv", "2024"), ("sig", "a+b/c=")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for token in ["?sv=2024&sig=a%2Bb%2Fc%3D", "sv=2024&sig=a+b/c="] {
            assert_eq!(pairs(token), expected, "{token}");
        }
    }
}
