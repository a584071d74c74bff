//! An emulator, a client of it, and what most workflows need.

use std::time::Duration;

use anyhow::Context;
use mkio::media::types::AssetPutProperties;
use mkio::wait::StateName;
use mkio::{Client, Project, Wait};
use mkio_emulator::Emulator;

use crate::checked::Checked;

/// Both live as long as the test.
pub struct Place {
    pub emulator: Emulator,
    pub client: Client,
    pub project: Project,
    checked: Checked,
}

/// A workflow is through when all its answers were as the documents have them.
impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.checked.assert_clean();
        }
    }
}

impl Place {
    /// Some hundred times faster than the service.
    pub async fn start() -> anyhow::Result<Self> {
        Self::scaled(400.0).await
    }

    pub async fn scaled(scale: f64) -> anyhow::Result<Self> {
        let emulator = Emulator::builder()
            .project("demo")
            .time_scale(scale)
            .start()
            .await?;
        let checked = Checked::default();
        let client = client(&emulator, &checked, emulator.token())?;
        let project = client.default_project()?;
        Ok(Self {
            emulator,
            client,
            project,
            checked,
        })
    }

    /// A client with another token.
    pub fn client_with(&self, token: &str) -> anyhow::Result<Client> {
        client(&self.emulator, &self.checked, token)
    }

    /// Makes an asset in the project's first storage account and waits for it.
    pub async fn asset(&self, name: &str) -> anyhow::Result<()> {
        let media = self.project.media();
        let storage = media.list_storages().items().try_next().await?;
        let storage = storage.context("the project has no storage account")?;
        let storage = storage.metadata().name().context("its name")?;
        media
            .create_or_update_asset(name, AssetPutProperties::new(storage))
            .send()
            .await?;
        quick(media.wait_for_asset(name)).await?;
        Ok(())
    }
}

fn client(emulator: &Emulator, checked: &Checked, token: &str) -> anyhow::Result<Client> {
    let builder = Client::builder()
        .base_url(emulator.base_url())
        .api_base_url("channels", emulator.base_url())
        .token(token)
        .project(emulator.project())
        .dispatch(checked.clone());
    Ok(builder.build()?)
}

/// The wait, polling often: the emulator's time runs fast.
pub fn quick<T, S: StateName>(wait: Wait<T, S>) -> Wait<T, S>
where
    T: Send + 'static,
{
    wait.timeout(Duration::from_secs(30))
        .poll_every(Duration::from_millis(50)..Duration::from_millis(100))
}
