//! Addresses at which a streaming locator plays.
//!
//! The service lists paths (operation `get_streaming_locator_paths`) and hosts
//! (`list_streaming_endpoints`) in different places; [`playback_urls`] joins them.
//!
//! ```no_run
//! # async fn run(media: mkio::media::ProjectClient) -> mkio::Result<()> {
//! let playback = mkio::playback::playback_urls(&media, "film").await?;
//! for warning in &playback.warnings {
//!     eprintln!("warning: {warning}");
//! }
//! for stream in playback.streams.iter().filter(|stream| stream.endpoint.running) {
//!     println!("{} {} {}", stream.protocol, stream.encryption, stream.url);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Which streaming policy gives what (the predefined ones, as the documents and the emulator have
//! them):
//!
//! | policy | streams | downloads | content key policy needs |
//! |---|---|---|---|
//! | `Predefined_ClearStreamingOnly` | HLS, DASH | no | none |
//! | `Predefined_DownloadOnly` | none | yes | none |
//! | `Predefined_DownloadAndClearStreaming` | HLS, DASH | yes | none |
//! | `Predefined_ClearKey` | HLS, DASH (`cbc`) | no | a ClearKey option |
//! | `Predefined_MultiDrmCencStreaming` | HLS, DASH (`cenc`) | no | PlayReady and Widevine options |
//! | `Predefined_MultiDrmStreaming` | HLS, DASH (`cenc`), HLS (`cbcs`) | no | PlayReady, Widevine and FairPlay options |
//!
//! The policies of an account may have Smooth Streaming switched on as well; the service does not
//! support it.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use mkio_core::{Error, ErrorKind, Result};
use mkio_media::{
    ProjectClient,
    types::{EncryptionScheme, StreamingEndpoint, StreamingEndpointState, StreamingProtocol},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that are not escaped in the name of a filter.
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// All addresses of a streaming locator: at every streaming endpoint of the project.
///
/// `.await` the request, or give it filters before.
pub fn playback_urls(media: &ProjectClient, locator: impl Into<String>) -> PlaybackRequest {
    PlaybackRequest {
        media: media.clone(),
        locator: locator.into(),
        filters: Vec::new(),
    }
}

/// Request for the addresses of a locator. Made by [`playback_urls`]; `.await` it.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is awaited"]
pub struct PlaybackRequest {
    media: ProjectClient,
    locator: String,
    filters: Vec<String>,
}

impl PlaybackRequest {
    /// Puts a filter of the account or the asset into every manifest's address; call it again for more.
    /// Filters that the locator itself names apply without this.
    pub fn filter(mut self, name: impl Into<String>) -> Self {
        self.filters.push(name.into());
        self
    }

    async fn resolve(self) -> Result<Playback> {
        if self.filters.iter().any(String::is_empty) {
            let message = "the name of a playback filter is empty; nothing was sent";
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let paths = self.media.get_streaming_locator_paths(&self.locator).send();
        let paths = paths.await?;
        let mut endpoints: Vec<Arc<Endpoint>> = Vec::new();
        let mut listed = self.media.list_streaming_endpoints().items();
        while let Some(endpoint) = listed.try_next().await? {
            endpoints.extend(Endpoint::of(&endpoint).map(Arc::new));
        }
        // What plays comes first.
        endpoints.sort_by_key(|endpoint| !endpoint.running);
        let filters = self.filters.iter().map(|name| encoded(name));
        let filters: Vec<String> = filters.collect();
        let mut playback = Playback::default();
        for endpoint in &endpoints {
            for group in paths.streaming_paths() {
                let streams = group.paths().iter().map(|path| Stream {
                    url: join(endpoint, &filtered(path, &filters)),
                    protocol: group.streaming_protocol().cloned().unwrap_or("?".into()),
                    encryption: group.encryption_scheme().cloned().unwrap_or("?".into()),
                    endpoint: Arc::clone(endpoint),
                });
                playback.streams.extend(streams);
            }
            let downloads = paths.download_paths().iter().map(|path| DownloadUrl {
                url: join(endpoint, path),
                endpoint: Arc::clone(endpoint),
            });
            playback.downloads.extend(downloads);
        }
        let nothing = paths.streaming_paths().is_empty() && paths.download_paths().is_empty();
        playback.warnings = warnings(&endpoints, nothing);
        Ok(playback)
    }
}

impl IntoFuture for PlaybackRequest {
    type Output = Result<Playback>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// # Errors
    ///
    /// Those of the calls: 404 when there is no such locator. Kind
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) when the name of a filter is empty.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.resolve())
    }
}

/// Where a locator plays. Addresses at endpoints that run come first.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Playback {
    /// Manifests, for players.
    pub streams: Vec<Stream>,
    /// Files, where the streaming policy allows downloads.
    pub downloads: Vec<DownloadUrl>,
    /// Why some or all of the addresses do not play.
    pub warnings: Vec<PlaybackWarning>,
}

/// The address of a manifest.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Stream {
    /// The complete address.
    pub url: String,
    /// HLS, DASH or Smooth Streaming.
    pub protocol: StreamingProtocol,
    /// How the media are encrypted.
    pub encryption: EncryptionScheme,
    /// The streaming endpoint that serves it.
    pub endpoint: Arc<Endpoint>,
}

/// The address of a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DownloadUrl {
    /// The complete address.
    pub url: String,
    /// The streaming endpoint that serves it.
    pub endpoint: Arc<Endpoint>,
}

/// A streaming endpoint, as far as addresses need it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Endpoint {
    /// Name of the endpoint.
    pub name: String,
    /// Host of its addresses.
    pub host_name: String,
    /// A content delivery network stands before it.
    pub cdn: bool,
    /// It serves viewers now: it runs or restarts.
    pub running: bool,
    /// The beginning of every address.
    base: String,
}

impl Endpoint {
    /// None for an endpoint that has no host yet.
    fn of(endpoint: &StreamingEndpoint) -> Option<Self> {
        use StreamingEndpointState as State;
        let properties = endpoint.properties();
        let host_name = properties.host_name().filter(|host| !host.is_empty())?;
        let running = matches!(
            properties.resource_state(),
            Some(State::Running | State::Restarting)
        );
        let base = properties.cdn_base_path().unwrap_or_default();
        let base = base.trim_matches('/');
        let scheme = scheme(host_name);
        let base = match base {
            "" => format!("{scheme}://{host_name}"),
            base => format!("{scheme}://{host_name}/{base}"),
        };
        Some(Self {
            name: endpoint.name().unwrap_or_default().to_owned(),
            host_name: host_name.to_owned(),
            cdn: properties.cdn_enabled() == Some(true),
            running,
            base,
        })
    }
}

/// Why addresses do not play.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaybackWarning {
    /// The project has no streaming endpoint with a host: there are no addresses.
    NoEndpoint,
    /// None of the endpoints runs: nothing plays until one is started (`start_streaming_endpoint`).
    NoneRunning(Vec<String>),
    /// The locator has no path: its policy allows neither streaming nor download, or the asset has no media yet.
    NoPaths,
}

impl fmt::Display for PlaybackWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndpoint => f.write_str("the project has no streaming endpoint; make one"),
            Self::NoneRunning(names) => write!(
                f,
                "no streaming endpoint runs, so nothing plays; start one of: {}",
                names.join(", ")
            ),
            Self::NoPaths => f.write_str(
                "the locator has no path: its streaming policy allows neither streaming nor \
                 download, or its asset has no media yet",
            ),
        }
    }
}

fn warnings(endpoints: &[Arc<Endpoint>], nothing: bool) -> Vec<PlaybackWarning> {
    let mut warnings = Vec::new();
    if endpoints.is_empty() {
        warnings.push(PlaybackWarning::NoEndpoint);
    } else if !endpoints.iter().any(|endpoint| endpoint.running) {
        let names = endpoints.iter().map(|endpoint| endpoint.name.clone());
        warnings.push(PlaybackWarning::NoneRunning(names.collect()));
    }
    if nothing {
        warnings.push(PlaybackWarning::NoPaths);
    }
    warnings
}

/// Endpoints serve by HTTPS. An emulator on this machine has no certificate.
fn scheme(host_name: &str) -> &'static str {
    let url = mkio_core::reqwest::Url::parse(&format!("http://{host_name}"));
    let here = url.is_ok_and(|url| mkio_core::glue::is_loopback(&url));
    if here { "http" } else { "https" }
}

/// An endpoint's base and a path with one slash between them.
fn join(endpoint: &Endpoint, path: &str) -> String {
    format!("{}/{}", endpoint.base, path.trim_start_matches('/'))
}

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, &KEPT).to_string()
}

/// The path of a manifest with filters besides those that it names itself.
fn filtered(path: &str, filters: &[String]) -> String {
    if filters.is_empty() {
        return path.to_owned();
    }
    let filters = filters.join(";");
    let Some(inner) = path.strip_suffix(')') else {
        return format!("{path}(filter={filters})");
    };
    match inner.find("filter=") {
        Some(at) => {
            let end = inner[at..].find(',').map_or(inner.len(), |end| at + end);
            format!("{};{filters}{})", &inner[..end], &inner[end..])
        }
        None => format!("{inner},filter={filters})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str, base: &str, state: &str) -> Option<Endpoint> {
        let body = serde_json::json!({
            "name": "front",
            "properties": { "hostName": host, "cdnBasePath": base, "resourceState": state },
        });
        Endpoint::of(&serde_json::from_value(body).unwrap())
    }

    #[test]
    fn one_slash_at_every_seam() {
        for (host, base, path, expected) in [
            ("h.example", "", "/a/b", "https://h.example/a/b"),
            ("h.example", "/", "a/b", "https://h.example/a/b"),
            ("h.example", "/cdn", "/a", "https://h.example/cdn/a"),
            ("h.example", "cdn/", "a", "https://h.example/cdn/a"),
            ("ep.localhost:4080", "", "/a", "http://ep.localhost:4080/a"),
            ("localhost.example", "", "/a", "https://localhost.example/a"),
        ] {
            let endpoint = endpoint(host, base, "Running").unwrap();
            assert_eq!(join(&endpoint, path), expected);
        }
        assert!(endpoint("", "", "Creating").is_none());
    }

    #[test]
    fn filters_go_into_the_manifest() {
        let filters = ["hd".to_owned(), encoded("two words")];
        for (path, expected) in [
            (
                "/i/f.ism/manifest",
                "/i/f.ism/manifest(filter=hd;two%20words)",
            ),
            (
                "/m(format=mpd-time-cmaf)",
                "/m(format=mpd-time-cmaf,filter=hd;two%20words)",
            ),
            (
                "/m(filter=a,format=x)",
                "/m(filter=a;hd;two%20words,format=x)",
            ),
            (
                "/m(format=x,filter=a;b)",
                "/m(format=x,filter=a;b;hd;two%20words)",
            ),
        ] {
            assert_eq!(filtered(path, &filters), expected);
            assert_eq!(filtered(path, &[]), path);
        }
    }

    #[test]
    fn warnings_name_what_is_to_be_started() {
        let stopped = Arc::new(endpoint("h", "", "Stopped").unwrap());
        let running = Arc::new(endpoint("h", "", "Running").unwrap());
        let warned = warnings(std::slice::from_ref(&stopped), false);
        assert_eq!(
            warned,
            [PlaybackWarning::NoneRunning(vec!["front".to_owned()])]
        );
        assert!(warned[0].to_string().ends_with("start one of: front"));
        assert_eq!(warnings(&[stopped, running], false), []);
        assert_eq!(
            warnings(&[], true),
            [PlaybackWarning::NoEndpoint, PlaybackWarning::NoPaths]
        );
    }
}
