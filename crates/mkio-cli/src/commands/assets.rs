//! The assets that commands write to.

use crate::{
    failure::{Failure, Result},
    options::text,
    session::Session,
};
use clap::ArgMatches;
use mkio::{
    Project,
    media::types::{AssetPut, AssetPutProperties},
};

/// Makes the asset unless it is there, in the storage account that is named, or in that of `source`; whether
/// it has made it.
pub(super) async fn make(
    session: &Session,
    project: &Project,
    name: &str,
    source: Option<&str>,
    matches: &ArgMatches,
) -> Result<bool> {
    let media = project.media();
    match media.get_asset(name).send().await {
        Ok(_) => return Ok(false),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(Failure::from(error)),
    }
    let storage = match (text(matches, "storage"), source) {
        (Some(storage), _) => Some(storage),
        (None, Some(source)) => {
            let asset = media.get_asset(source).send().await?;
            asset.properties().storage_account_name().map(str::to_owned)
        }
        (None, None) => only_storage(project).await?,
    };
    let storage = storage.ok_or_else(|| {
        Failure::usage(format!("there is no asset `{name}`"))
            .hint("--storage names the storage account in which it is made")
    })?;
    let body = AssetPut::new(AssetPutProperties::new(storage));
    media.create_or_update_asset(name, body).send().await?;
    session.tell(format!("asset {name}: created"));
    Ok(true)
}

/// The hint that a failed command has left an asset, and how to remove it.
pub(super) fn left(session: &Session, asset: &str) -> String {
    let delete = session.command(&["asset", "delete", asset]);
    format!("the asset {asset} is left: {delete} removes it")
}

/// The storage account of a project that has one only.
async fn only_storage(project: &Project) -> Result<Option<String>> {
    let mut storages = project.media().list_storages().items();
    let first = storages.try_next().await?;
    let others = storages.try_next().await?;
    let only = first.filter(|_| others.is_none());
    Ok(only.and_then(|storage| storage.metadata().name().map(str::to_owned)))
}
