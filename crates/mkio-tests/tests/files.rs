//! Files of assets against the emulator: down, up, and what may go wrong in between.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use mkio::{
    Client, Dispatch, DispatchFuture, ErrorKind, Project, RetryPolicy, Secret,
    files::{Progress, StorageCredential},
    media::types::*,
};
use mkio_emulator::{Emulator, STORAGE_SAS};
use serde_json::json;

/// Path, bearer token and range of a request.
type Asked = (String, String, Option<String>);

/// The network, with a note of every request.
#[derive(Clone)]
struct Noted {
    http: mkio::reqwest::Client,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Dispatch for Noted {
    fn dispatch(&self, request: mkio::reqwest::Request) -> DispatchFuture<'_> {
        let text = |name: &str| {
            let value = request.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let path = request.url().path().to_owned();
        let bearer = text("authorization").unwrap_or_default();
        let seen = (path, bearer, text("range"));
        self.seen.lock().unwrap().push(seen);
        self.http.dispatch(request)
    }
}

struct Place {
    emulator: Emulator,
    project: Project,
    noted: Noted,
}

impl Place {
    async fn start() -> anyhow::Result<Self> {
        Self::with(|builder| builder).await
    }

    async fn with(
        change: impl FnOnce(mkio_emulator::EmulatorBuilder) -> mkio_emulator::EmulatorBuilder,
    ) -> anyhow::Result<Self> {
        let emulator = change(Emulator::builder()).start().await?;
        let noted = Noted {
            http: mkio::http_client_builder()?.build()?,
            seen: Arc::default(),
        };
        let client = Client::builder()
            .base_url(emulator.base_url())
            .token(emulator.token())
            .project(emulator.project())
            .retry(RetryPolicy::default().initial_backoff(Duration::from_millis(1)))
            .dispatch(noted.clone())
            .build()?;
        let project: Project = Client::default_project(&client)?;
        let place = Self {
            emulator,
            project,
            noted,
        };
        let filled = AssetPutProperties::new("storage1").with_container("filled");
        let media = place.project.media();
        media
            .create_or_update_asset("filled", filled)
            .send()
            .await?;
        Ok(place)
    }

    /// The requests to the file host.
    fn downloads(&self) -> Vec<(String, Option<String>)> {
        let seen = self.noted.seen.lock().unwrap();
        let downloads = seen
            .iter()
            .filter(|(path, ..)| path == "/files/downloadBlob");
        downloads
            .map(|(_, bearer, range)| (bearer.clone(), range.clone()))
            .collect()
    }

    async fn upload(&self, name: &str, bytes: &[u8]) -> mkio::Result<u64> {
        let sas = StorageCredential::sas(STORAGE_SAS);
        let files = self.project.files();
        files
            .upload("filled", name, sas)
            .bytes(bytes.to_vec())
            .await
    }

    async fn downloaded(&self, name: &str) -> mkio::Result<Vec<u8>> {
        let download = self.project.files().download("filled", name).send().await?;
        Ok(download.bytes().await?.to_vec())
    }
}

fn numbers(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

/// A folder of this test, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("mkio-files-{}", uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn files_are_listed_and_downloaded_with_their_own_token() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let files = place.project.files();
    let listing = files.list("filled").await?;
    let files_of = listing.files.iter();
    let mut names: Vec<_> = files_of.map(|file| (&*file.name, file.size)).collect();
    names.sort_unstable();
    let [("audio.mp4", Some(_)), ("video.mp4", Some(size))] = names[..] else {
        panic!("{names:?}");
    };
    let download = files.download("filled", "video.mp4").send().await?;
    assert_eq!((download.size(), download.position()), (Some(size), 0));
    assert_eq!(download.bytes().await?.len() as u64, size);
    let own = format!("Bearer {}", place.emulator.token());
    let seen = place.downloads();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].0.starts_with("Bearer ey") && seen[0].0 != own);
    Ok(())
}

#[tokio::test]
async fn a_refused_file_token_is_replaced_once() -> anyhow::Result<()> {
    let place = Place::start().await?;
    place
        .emulator
        .control()
        .faults("POST /files/* status=401 times=1")
        .unwrap();
    assert!(!place.downloaded("audio.mp4").await?.is_empty());
    let seen = place.downloads();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].0, seen[1].0);
    place
        .emulator
        .control()
        .faults("POST /files/* status=401")
        .unwrap();
    let error = place.downloaded("audio.mp4").await.unwrap_err();
    assert!(error.is_denied(), "{error}");
    assert_eq!(place.downloads().len(), 4);
    Ok(())
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke_off() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let bytes = numbers(5_000);
    place.upload("film.mp4", &bytes).await?;
    place
        .emulator
        .control()
        .faults("POST /files/* cut=2000 times=2")
        .unwrap();
    assert_eq!(place.downloaded("film.mp4").await?, bytes);
    let ranges: Vec<_> = place
        .downloads()
        .into_iter()
        .map(|(_, range)| range)
        .collect();
    assert_eq!(
        ranges,
        [
            None,
            Some("bytes=2000-".to_owned()),
            Some("bytes=4000-".to_owned())
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_host_without_ranges_is_read_over() -> anyhow::Result<()> {
    let settings = |settings: &mut mkio_emulator::Settings| settings.file_ranges = false;
    let place = Place::with(|builder| builder.settings(settings)).await?;
    let bytes = numbers(5_000);
    place.upload("film.mp4", &bytes).await?;
    place
        .emulator
        .control()
        .faults("POST /files/* cut=2000 times=1")
        .unwrap();
    assert_eq!(place.downloaded("film.mp4").await?, bytes);
    let files = place.project.files();
    let rest = files
        .download("filled", "film.mp4")
        .start_at(4_990)
        .send()
        .await?;
    assert_eq!(rest.bytes().await?, &bytes[4_990..]);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_replaced_meanwhile_is_not_mixed() -> anyhow::Result<()> {
    let place = Place::start().await?;
    place.upload("film.mp4", &numbers(5_000)).await?;
    place
        .emulator
        .control()
        .faults("POST /files/* cut=2000 times=1")
        .unwrap();
    let files = place.project.files();
    let mut download = files.download("filled", "film.mp4").send().await?;
    let first = download.try_next().await?;
    assert!(first.is_some());
    place.upload("film.mp4", &numbers(6_000)).await?;
    let error = loop {
        match download.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the end of a mixed file"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("replaced"), "{error}");
    Ok(())
}

#[tokio::test]
async fn downloads_that_never_get_on_end() -> anyhow::Result<()> {
    let place = Place::start().await?;
    place
        .emulator
        .control()
        .faults("POST /files/* cut=0")
        .unwrap();
    let error = place.downloaded("video.mp4").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(place.downloads().len(), 6);
    Ok(())
}

#[tokio::test]
async fn a_local_file_is_resumed_and_whole_in_the_end() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let folder = Folder::new();
    let (path, part) = (folder.0.join("film.mp4"), folder.0.join("film.mp4.part"));
    let bytes = numbers(5_000);
    place.upload("film.mp4", &bytes).await?;
    let files = place.project.files();
    place
        .emulator
        .control()
        .faults("POST /files/* status=404")
        .unwrap();
    files
        .download("filled", "film.mp4")
        .to_file(&path)
        .await
        .unwrap_err();
    place.emulator.control().clear_faults();
    // As another process left it.
    std::fs::write(&part, &bytes[..3_000])?;
    let size = files.download("filled", "film.mp4").to_file(&path).await?;
    assert_eq!((size, std::fs::read(&path)?), (5_000, bytes.clone()));
    assert!(!part.exists());
    let last = place.downloads().pop().and_then(|(_, range)| range);
    assert_eq!(last.as_deref(), Some("bytes=3000-"));
    // Everything was there, but not under its name.
    std::fs::rename(&path, &part)?;
    assert_eq!(
        files.download("filled", "film.mp4").to_file(&path).await?,
        5_000
    );
    assert_eq!(std::fs::read(&path)?, bytes);
    // More than everything is another file's.
    std::fs::write(&part, numbers(6_000))?;
    let error = files
        .download("filled", "film.mp4")
        .to_file(&path)
        .await
        .unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(416));
    Ok(())
}

#[tokio::test]
async fn names_that_leave_the_asset_are_refused() -> anyhow::Result<()> {
    let place = Place::start().await?;
    for name in ["", "../other/film.mp4", "/film.mp4", "a\\b"] {
        let error = place.downloaded(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
    }
    let error = place.upload("film?.mp4", b"x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(place.downloads().is_empty());
    let missing = place.downloaded("nowhere.mp4").await.unwrap_err();
    assert_eq!(missing.status().map(|status| status.as_u16()), Some(502));
    Ok(())
}

#[tokio::test]
async fn an_upload_travels_in_parts_that_are_retried() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let folder = Folder::new();
    let path = folder.0.join("film.mp4");
    let bytes = numbers(10_000);
    std::fs::write(&path, &bytes)?;
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let keep = Arc::clone(&told);
    place
        .emulator
        .control()
        .faults("PUT /blobs/* status=503 times=2")
        .unwrap();
    let sas = StorageCredential::sas(STORAGE_SAS);
    let size = place
        .project
        .files()
        .upload("filled", "film.mp4", sas)
        .part_size(3_000)
        .parts_at_once(2)
        .on_progress(move |progress| keep.lock().unwrap().push(progress))
        .file(&path)
        .await?;
    assert_eq!(size, 10_000);
    assert_eq!(place.downloaded("film.mp4").await?, bytes);
    let told = told.lock().unwrap();
    let sent: Vec<u64> = told.iter().map(|progress| progress.sent).collect();
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert_eq!(sent.last(), Some(&10_000));
    assert!(told.iter().all(|progress| progress.total == Some(10_000)));
    // The storage client has its own connections; the token of the API is not sent.
    let own = format!("Bearer {}", place.emulator.token());
    let seen = place.noted.seen.lock().unwrap();
    assert!(
        seen.iter()
            .all(|(path, bearer, _)| !path.starts_with("/blobs") || *bearer != own)
    );
    Ok(())
}

#[tokio::test]
async fn a_stream_is_uploaded_and_its_error_ends_it() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let pieces = || [&b"ab"[..], b"", b"cde"].map(Ok::<_, std::io::Error>);
    let sas = StorageCredential::sas(STORAGE_SAS);
    let files = place.project.files();
    let upload = |name: &str| files.upload("filled", name, sas.clone()).part_size(2);
    let size = upload("a.mp4").stream(stream(Vec::from(pieces()))).await?;
    assert_eq!(size, 5);
    assert_eq!(place.downloaded("a.mp4").await?, b"abcde");
    let mut broken = Vec::from(pieces());
    broken.push(Err(std::io::Error::other("the tape is torn")));
    let error = upload("b.mp4").stream(stream(broken)).await.unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("the tape is torn"));
    let listing = files.list("filled").await?;
    assert!(listing.files.iter().all(|file| file.name != "b.mp4"));
    assert_eq!(upload("empty.mp4").bytes(Vec::new()).await?, 0);
    Ok(())
}

fn stream<T: Send + 'static>(items: Vec<T>) -> impl futures_util::Stream<Item = T> + Send {
    futures_util::stream::iter(items)
}

#[tokio::test]
async fn an_s3_bucket_takes_an_upload() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    let key = "AKIAIOSFODNN7EXAMPLE";
    let storage: StoragePut = serde_json::from_value(json!({ "spec": {
        "type": "AWS.S3", "bucketName": "films",
        "credential": { "accessKeyId": key, "secretAccessKey": "x".repeat(40) },
    } }))?;
    media.create_or_update_storage("s3", storage).send().await?;
    let asset = AssetPutProperties::new("s3")
        .with_container("in-s3")
        .with_sub_path("raw/one");
    media.create_or_update_asset("in-s3", asset).send().await?;
    let files = place.project.files();
    let bytes = numbers(10_000);
    let endpoint = format!("{}/blobs/demo/s3", place.emulator.base_url());
    let credential = StorageCredential::access_key(key, Secret::new("x".repeat(40)));
    for part_size in [20_000, 4_000] {
        let name = format!("film-{part_size}.mp4");
        let upload = files.upload("in-s3", &name, credential.clone());
        let sent = upload
            .part_size(part_size)
            .endpoint(&endpoint)
            .bytes(bytes.clone())
            .await?;
        assert_eq!(sent, 10_000);
        let download = files.download("in-s3", &name).send().await?;
        assert_eq!(download.bytes().await?, bytes);
    }
    Ok(())
}

#[tokio::test]
async fn uploads_say_what_they_cannot_serve() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    let storage: StoragePut = serde_json::from_value(json!({ "spec": {
        "type": "Google.Storage", "bucketName": "films", "credential": { "gac": {} },
    } }))?;
    media
        .create_or_update_storage("google", storage)
        .send()
        .await?;
    let asset = AssetPutProperties::new("google");
    media
        .create_or_update_asset("in-google", asset)
        .send()
        .await?;
    let files = place.project.files();
    let sas = || StorageCredential::sas(STORAGE_SAS);
    let error = files
        .upload("in-google", "a.mp4", sas())
        .bytes("x")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("Google.Storage"), "{error}");
    let key = StorageCredential::access_key("id", Secret::new("secret-of-the-key".to_owned()));
    let error = files
        .upload("filled", "a.mp4", key)
        .bytes("x")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("SAS"), "{error}");
    let plain = files
        .upload("filled", "a.mp4", sas())
        .endpoint("http://storage.example");
    let error = plain.bytes("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let error = files
        .upload("nowhere", "a.mp4", sas())
        .bytes("x")
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    let missing = files
        .upload("filled", "a.mp4", sas())
        .file("/nowhere/a.mp4")
        .await
        .unwrap_err();
    assert!(missing.to_string().contains("/nowhere/a.mp4"), "{missing}");
    Ok(())
}

#[tokio::test]
async fn a_refused_credential_is_told_without_the_secret() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let sas = StorageCredential::sas("?sv=2024&sig=my-canary");
    let files = place.project.files();
    assert!(!format!("{sas:?}").contains("canary"));
    let error = files
        .upload("filled", "a.mp4", sas)
        .bytes("x")
        .await
        .unwrap_err();
    assert!(error.is_denied(), "{error}");
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(told) = cause {
        assert!(!format!("{told} {told:?}").contains("canary"), "{told:?}");
        cause = told.source();
    }
    Ok(())
}
