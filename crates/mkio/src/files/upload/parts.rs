//! Sends a file, in parts where it is large.

use mkio_core::{Error, ErrorKind, Result, bytes::Bytes};
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, path::Path};
use tokio::task::JoinSet;

use super::{
    settings::{OnProgress, Progress, Settings},
    source::Source,
    store::failed,
};

/// Reports how much has been sent.
struct Reporter {
    progress: Progress,
    report: Option<OnProgress>,
}

impl Reporter {
    fn add(&mut self, bytes: u64) {
        self.progress.sent += bytes;
        if let Some(report) = &mut self.report {
            report(self.progress);
        }
    }
}

/// Sends all bytes of a source to a place; gives their number.
pub(super) async fn send(
    store: &dyn ObjectStore,
    at: &Path,
    mut source: Source,
    settings: &Settings,
    report: Option<OnProgress>,
) -> Result<u64> {
    let progress = Progress {
        sent: 0,
        total: source.total,
    };
    let mut reporter = Reporter { progress, report };
    let first = source.next(settings.part_size).await?;
    if first.len() < settings.part_size {
        let size = first.len() as u64;
        store.put(at, first.into()).await.map_err(failed)?;
        reporter.add(size);
        return Ok(size);
    }
    let mut upload = store.put_multipart(at).await.map_err(failed)?;
    let sent = send_parts(&mut *upload, first, &mut source, settings, &mut reporter).await;
    let outcome = match sent {
        Ok(()) => upload.complete().await.map(drop).map_err(failed),
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        // The failure counts; parts that stay are removed by storage sooner or later.
        let _ = upload.abort().await;
        return Err(error);
    }
    Ok(reporter.progress.sent)
}

async fn send_parts(
    upload: &mut dyn MultipartUpload,
    first: Bytes,
    source: &mut Source,
    settings: &Settings,
    reporter: &mut Reporter,
) -> Result<()> {
    // Dropping the set ends the parts under way.
    let mut under_way = JoinSet::new();
    let mut part = first;
    while !part.is_empty() {
        let size = part.len() as u64;
        let sent = upload.put_part(part.into());
        under_way.spawn(async move { sent.await.map(|()| size) });
        while under_way.len() >= settings.at_once {
            join(&mut under_way, reporter).await?;
        }
        part = source.next(settings.part_size).await?;
    }
    while !under_way.is_empty() {
        join(&mut under_way, reporter).await?;
    }
    Ok(())
}

async fn join(
    under_way: &mut JoinSet<object_store::Result<u64>>,
    reporter: &mut Reporter,
) -> Result<()> {
    match under_way.join_next().await {
        Some(Ok(Ok(size))) => {
            reporter.add(size);
            Ok(())
        }
        Some(Ok(Err(error))) => Err(failed(error)),
        Some(Err(error)) => {
            let message = "a part of the upload was broken off";
            Err(Error::new(ErrorKind::Connection, message).with_source(error))
        }
        None => Ok(()),
    }
}
