//! Where an example runs: the service or an emulator, with the resources that it made and its
//! output.

use std::{
    env,
    future::IntoFuture,
    path::PathBuf,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use mkio::{
    Client, Project, RateBudget, Wait, files::StorageCredential, media::ProjectClient,
    wait::StateName,
};
use mkio_emulator::{Emulator, STORAGE_SAS};
use tokio::sync::watch;

type Undo = Pin<Box<dyn Future<Output = mkio::Result<()>> + Send>>;

/// A client, a project, and everything that is to be removed in the end.
pub struct Place {
    /// The client of all APIs.
    pub client: Client,
    /// The project of the example.
    pub project: Project,
    /// The storage account of its assets.
    pub storage: String,
    /// Where it runs, unless it is the service.
    pub emulator: Option<Emulator>,
    run: String,
    undo: Mutex<Vec<(String, Undo)>>,
    /// How many removals there have been.
    registered: watch::Sender<usize>,
    said: Mutex<Vec<String>>,
}

impl Place {
    /// With `MKIO_TOKEN` the service: `MKIO_PROJECT` names the project, `MKIO_STORAGE` the storage
    /// account if it shall not be the project's first. Without it an emulator in this process.
    ///
    /// # Errors
    ///
    /// When settings are missing, or nothing can be reached.
    pub async fn start() -> Result<Self> {
        if env::var_os("MKIO_TOKEN").is_some() {
            return Self::of(Client::from_env()?, None).await;
        }
        Self::on(Emulator::builder().time_scale(60.0).start().await?).await
    }

    /// On an emulator that runs already.
    ///
    /// # Errors
    ///
    /// When the emulator has no storage account.
    pub async fn on(emulator: Emulator) -> Result<Self> {
        let client = Client::builder()
            .base_url(emulator.base_url())
            .api_base_url("channels", emulator.base_url())
            .token(emulator.token())
            .project(emulator.project())
            // It has no limits, and nobody wants to wait for it.
            .rate_budget(RateBudget::off())
            .build()?;
        Self::of(client, Some(emulator)).await
    }

    async fn of(client: Client, emulator: Option<Emulator>) -> Result<Self> {
        let project = client.default_project()?;
        let storage = storage(&project.media()).await?;
        let run = uuid::Uuid::new_v4().simple().to_string();
        let place = Self {
            client,
            project,
            storage,
            emulator,
            run: run[..8].to_owned(),
            undo: Mutex::default(),
            registered: watch::Sender::new(0),
            said: Mutex::default(),
        };
        let url = place.client.transport().base_url("media").to_owned();
        let kind = if place.emulator.is_some() {
            "the emulator (set MKIO_TOKEN for the service)"
        } else {
            "the service"
        };
        place.say(format!("using {kind} at {url}"));
        Ok(place)
    }

    /// A name that no other run uses.
    pub fn name(&self, what: &str) -> String {
        format!("ex{}-{what}", self.run)
    }

    /// Prints a line.
    pub fn say(&self, line: impl Into<String>) {
        let line = line.into();
        println!("{line}");
        lock(&self.said).push(line);
    }

    /// The printed lines.
    pub fn said(&self) -> Vec<String> {
        lock(&self.said).clone()
    }

    /// Removes a resource in the end, after those that were made later. Call it before the resource
    /// is made: the example may be stopped at any time. A missing resource counts as removed.
    pub fn undo<T>(
        &self,
        what: &str,
        removal: impl IntoFuture<Output = mkio::Result<T>, IntoFuture: Send + 'static>,
    ) {
        let removal = removal.into_future();
        let removal = Box::pin(async move { removal.await.map(drop) });
        lock(&self.undo).push((what.to_owned(), removal));
        self.registered.send_modify(|count| *count += 1);
    }

    /// Ready once `count` things are to be removed in the end.
    pub async fn made(&self, count: usize) {
        let mut registered = self.registered.subscribe();
        // The sender lives as long as the place.
        let _ = registered.wait_for(|made| *made >= count).await;
    }

    /// Removes a job in the end. One that runs is canceled first.
    pub fn undo_job(&self, transform: &str, job: &str) {
        let media = self.project.media();
        let (transform, job) = (transform.to_owned(), job.to_owned());
        let ended = self.wait(media.wait_for_job(&*transform, &*job).goal("ended"));
        self.undo(&job.clone(), async move {
            // One that has ended cannot be canceled.
            if media.cancel_job(&transform, &job).send().await.is_ok() {
                ended.await?;
            }
            media.delete_job(&transform, &job).send().await
        });
    }

    /// Removes all resources that were made and can be removed.
    ///
    /// # Errors
    ///
    /// The resources that could not be removed, by name.
    pub async fn clean_up(&self) -> Result<()> {
        let mut left = Vec::new();
        loop {
            let next = lock(&self.undo).pop();
            let Some((what, removal)) = next else { break };
            match removal.await {
                Err(error) if !error.is_not_found() => left.push(format!("{what}: {error}")),
                _ => {}
            }
        }
        if left.is_empty() {
            self.say("cleaned up");
            return Ok(());
        }
        bail!("left behind: {}", left.join("; "))
    }

    /// The wait with the times between polls that suit the place: the time of the emulator runs fast.
    pub fn wait<T: Send + 'static, S: StateName>(&self, wait: Wait<T, S>) -> Wait<T, S> {
        let (often, seldom) = match self.emulator {
            Some(_) => (Duration::from_millis(50), Duration::from_millis(200)),
            None => (Duration::from_secs(2), Duration::from_secs(15)),
        };
        wait.poll_every(often..seldom)
            .timeout(Duration::from_secs(3600))
    }

    /// Makes an asset that is removed in the end.
    ///
    /// # Errors
    ///
    /// Those of the calls.
    pub async fn asset(&self, what: &str) -> Result<String> {
        let (media, name) = (self.project.media(), self.name(what));
        self.undo(&name, media.delete_asset(&name).send());
        let asset = mkio::media::types::AssetPutProperties::new(&self.storage);
        media.create_or_update_asset(&name, asset).send().await?;
        self.wait(media.wait_for_asset(&name)).await?;
        Ok(name)
    }

    /// An asset with a video in it, and the video's name. On the service the video is the local file
    /// `MKIO_INPUT`, and `MKIO_STORAGE_SAS` opens the storage account.
    ///
    /// # Errors
    ///
    /// Those of the calls, and a setting that is missing.
    pub async fn video(&self) -> Result<(String, String)> {
        let asset = self.asset("input").await?;
        let files = self.project.files();
        let file = "intro.mp4".to_owned();
        let upload = files.upload(&asset, &file, self.storage_credential()?);
        let bar = self.bar("upload");
        let upload = upload.on_progress(move |progress| {
            let total = progress.total.unwrap_or(progress.sent).max(1);
            bar.set(progress.sent * 100 / total, "");
        });
        let size = match env::var_os("MKIO_INPUT").map(PathBuf::from) {
            Some(path) => upload.file(path).await?,
            None if self.emulator.is_some() => upload.bytes(vec![0; 100_000]).await?,
            None => bail!("set MKIO_INPUT to a local video, which is uploaded and encoded"),
        };
        self.say(format!("uploaded {file} ({size} bytes) to {asset}"));
        Ok((asset, file))
    }

    /// The credential of the storage account.
    ///
    /// # Errors
    ///
    /// On the service, when `MKIO_STORAGE_SAS` is not set.
    pub fn storage_credential(&self) -> Result<StorageCredential> {
        match (env::var("MKIO_STORAGE_SAS"), &self.emulator) {
            (Ok(token), _) => Ok(StorageCredential::sas(token)),
            (Err(_), Some(_)) => Ok(StorageCredential::sas(STORAGE_SAS)),
            (Err(_), None) => bail!(
                "set MKIO_STORAGE_SAS to a SAS token of the storage account {}",
                self.storage
            ),
        }
    }

    /// A progress bar: drawn on a terminal, plain lines elsewhere.
    pub fn bar(&self, what: &str) -> Bar {
        Bar::new(what)
    }
}

/// The storage account that is named, or the project's first.
async fn storage(media: &ProjectClient) -> Result<String> {
    if let Ok(name) = env::var("MKIO_STORAGE") {
        return Ok(name);
    }
    let first = media.list_storages().items().try_next().await?;
    let name = first.and_then(|storage| storage.metadata?.name);
    name.context("the project has no storage account: register one, assets need it")
}

fn lock<T>(kept: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Progress.
pub struct Bar {
    what: String,
    drawn: indicatif::ProgressBar,
    last: Mutex<(u64, String)>,
}

impl Bar {
    fn new(what: &str) -> Self {
        let drawn = indicatif::ProgressBar::new(100);
        drawn.set_prefix(what.to_owned());
        let style = indicatif::ProgressStyle::with_template("{prefix} [{bar:30}] {pos} % {msg}");
        if let Ok(style) = style {
            drawn.set_style(style);
        }
        Self {
            what: what.to_owned(),
            drawn,
            last: Mutex::new((u64::MAX, String::new())),
        }
    }

    /// The percentage, and a word on it.
    pub fn set(&self, percent: u64, word: &str) {
        let now = (percent, word.to_owned());
        let mut last = lock(&self.last);
        if *last == now {
            return;
        }
        if self.drawn.is_hidden() {
            println!("{}: {percent} % {word}", self.what);
        } else {
            self.drawn.set_message(word.to_owned());
            self.drawn.set_position(percent);
        }
        *last = now;
    }
}
