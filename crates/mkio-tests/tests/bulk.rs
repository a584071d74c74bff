//! Work on every item of a list, against the emulator.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use mkio::{Client, ResumeToken, bulk::Bulk, media::ProjectClient};
use mkio_emulator::Emulator;

async fn start(assets: usize) -> anyhow::Result<(Emulator, ProjectClient)> {
    let emulator = Emulator::builder()
        .seed(assets)
        .page_size(7, 7)
        .start()
        .await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .build()?;
    let media = client.project(emulator.project()).media();
    Ok((emulator, media))
}

#[tokio::test]
async fn failures_are_collected_with_their_names() -> anyhow::Result<()> {
    let (emulator, media) = start(40).await?;
    emulator
        .control()
        .faults("DELETE */media/assets/asset-1* status=403")
        .unwrap();
    let (most, now) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let report = Bulk::list(media.list_assets().items())
        .at_once(5)
        .run(|asset| {
            let name = asset.name.unwrap_or_default();
            let call = media.delete_asset(&name).send();
            let (most, now) = (&most, &now);
            (name, async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let outcome = call.await;
                now.fetch_sub(1, Ordering::SeqCst);
                outcome
            })
        })
        .await;
    assert_eq!((report.done, report.failed.len()), (29, 11));
    let mut names: Vec<_> = report
        .failed
        .iter()
        .map(|failed| failed.name.clone())
        .collect();
    names.sort();
    let expected: Vec<_> = [1]
        .into_iter()
        .chain(10..20)
        .map(|number| format!("asset-{number}"))
        .collect();
    assert_eq!(names, expected);
    assert!(report.failed.iter().all(|failed| failed.error.is_denied()));
    assert_eq!(most.into_inner(), 5);
    assert!(!report.is_complete());
    let told = report.into_result().unwrap_err().to_string();
    assert!(told.starts_with("asset-1"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_was_stopped_goes_on_at_its_checkpoint() -> anyhow::Result<()> {
    let (emulator, media) = start(40).await?;
    emulator
        .control()
        .faults("GET */media/assets/asset-5 status=404")
        .unwrap();
    let visited: Arc<Mutex<Vec<String>>> = Arc::default();
    let visit = |name: String| {
        let (media, visited) = (media.clone(), Arc::clone(&visited));
        (name.clone(), async move {
            media.get_asset(&name).send().await?;
            visited.lock().unwrap().push(name);
            Ok::<_, mkio::Error>(())
        })
    };
    let kept: Mutex<Option<ResumeToken>> = Mutex::default();
    let list = || media.list_assets().orderby("created").items();
    let first = Bulk::list(list())
        .at_once(3)
        .stop_after_failures(1)
        .on_checkpoint(|place| *kept.lock().unwrap() = Some(place.clone()))
        .run(|asset| visit(asset.name.unwrap_or_default()))
        .await;
    assert!(first.stopped && first.failed[0].name == "asset-5");
    let done = first.done;
    assert!((4..10).contains(&done), "{done}");
    // As text, in another process.
    let place = serde_json::to_string(&kept.lock().unwrap().take())?;
    let place: ResumeToken = serde_json::from_str(&place)?;
    assert_eq!(Some(&place), first.resume.as_ref());
    emulator.control().clear_faults();
    let rest = Bulk::list(list().resume(&place))
        .run(|asset| visit(asset.name.unwrap_or_default()))
        .await;
    assert!(rest.is_complete());
    let mut all = visited.lock().unwrap().clone();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 39, "all but the one that failed");
    Ok(())
}

#[tokio::test]
async fn a_list_that_breaks_off_tells_where() -> anyhow::Result<()> {
    let (emulator, media) = start(20).await?;
    emulator
        .control()
        .faults("GET */media/assets status=400 nth=2")
        .unwrap();
    let report = Bulk::list(media.list_assets().items())
        .run(|asset| {
            (asset.name.unwrap_or_default(), async {
                Ok::<_, mkio::Error>(())
            })
        })
        .await;
    assert_eq!(report.done, 7);
    assert!(report.list_error.is_some());
    let place = report.resume.expect("a place");
    let rest = Bulk::list(media.list_assets().items().resume(&place))
        .run(|asset| {
            (asset.name.unwrap_or_default(), async {
                Ok::<_, mkio::Error>(())
            })
        })
        .await;
    assert_eq!((rest.done, rest.is_complete()), (13, true));
    Ok(())
}

#[tokio::test]
async fn a_signal_lets_what_is_under_way_finish() {
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let tell = Mutex::new(Some(tell));
    let finished = AtomicUsize::new(0);
    let report = Bulk::each(0..1_000)
        .at_once(4)
        .stop_on(told)
        .run(|number| {
            if number == 10 {
                let tell = tell.lock().unwrap().take();
                let _ = tell.map(|tell| tell.send(()));
            }
            let finished = &finished;
            (number.to_string(), async move {
                tokio::task::yield_now().await;
                finished.fetch_add(1, Ordering::SeqCst);
                Ok::<_, mkio::Error>(())
            })
        })
        .await;
    assert!(report.stopped && report.resume.is_none());
    assert_eq!(report.done, finished.load(Ordering::SeqCst) as u64);
    assert!(report.done > 10 && report.done < 20, "{}", report.done);
}
