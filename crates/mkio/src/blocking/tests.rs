//! Calls, lists and waits without async, against a scripted service in memory.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use http::Response;
use mkio_core::{Dispatch, DispatchError, DispatchFuture, ErrorKind};

use super::{Client, runtime::OwnRuntime};

/// Answers each request with the result of a closure of its path and query.
struct Script<F>(F);

impl<F: Fn(&str) -> (u16, String) + Send + Sync> Dispatch for Script<F> {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let url = request.url();
        let asked = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let (status, body) = (self.0)(&asked);
        Box::pin(async move {
            let response = Response::builder().status(status).body(body);
            response.map(Into::into).map_err(DispatchError::not_sent)
        })
    }
}

fn settings(response: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> crate::Client {
    let settings = crate::Client::builder().token("a-token").project("acme");
    settings.dispatch(Script(response)).build().unwrap()
}

fn client(response: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Client {
    Client::new(settings(response)).unwrap()
}

/// A client whose clock stands still and jumps ahead when everything waits for it.
fn paused(response: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Client {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    Client::over(OwnRuntime::of(runtime), settings(response))
}

/// A list of three pages with two assets each.
fn three_pages(asked: &str) -> (u16, String) {
    let page = ["$skiptoken=1", "$skiptoken=2"];
    let page = page
        .iter()
        .position(|page| asked.ends_with(page))
        .map_or(0, |place| place + 1);
    let link = match page {
        2 => String::new(),
        _ => format!(r#","@odata.nextLink":"?$skiptoken={}""#, page + 1),
    };
    let (one, two) = (2 * page, 2 * page + 1);
    let body = format!(r#"{{"value":[{{"name":"a{one}"}},{{"name":"a{two}"}}]{link}}}"#);
    (200, body)
}

#[test]
fn a_call_gives_its_response() {
    let mkio = client(|asked| {
        assert_eq!(asked, "/api/v1/projects/acme/media/assets/intro");
        (200, r#"{"name":"intro"}"#.to_owned())
    });
    let media = mkio.default_project().unwrap().media();
    let asset = mkio.run(media.get_asset("intro").send()).unwrap();
    assert_eq!(asset.name.as_deref(), Some("intro"));
}

#[test]
fn a_call_gives_its_error() {
    let mkio = client(|_| {
        (
            404,
            r#"{"error":{"code":"NotFound","detail":"no asset"}}"#.to_owned(),
        )
    });
    let media = mkio.project("acme").media();
    let error = mkio.run(media.get_asset("intro").send()).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.operation_id(), Some("get_asset"));
}

#[test]
fn a_list_is_an_iterator_over_all_pages() {
    let mkio = client(three_pages);
    let media = mkio.project("acme").media();
    let mut assets = mkio.iter(media.list_assets().items());
    let mut names = Vec::new();
    for asset in assets.by_ref().take(3) {
        names.push(asset.unwrap().name.unwrap());
    }
    assert_eq!(names, ["a0", "a1", "a2"]);
    let token = assets.get_ref().resume_token();
    let rest = mkio.iter(media.list_assets().items().resume(&token));
    let rest: Vec<_> = rest.map(|asset| asset.unwrap().name.unwrap()).collect();
    assert_eq!(rest, ["a3", "a4", "a5"]);
}

#[test]
fn an_error_ends_a_list_in_its_place() {
    let mkio = client(|asked| {
        if asked.contains("skiptoken") {
            (403, String::new())
        } else {
            three_pages(asked)
        }
    });
    let media = mkio.project("acme").media();
    let mut assets = mkio.iter(media.list_assets().items());
    let names: Vec<_> = assets
        .by_ref()
        .map_while(Result::ok)
        .filter_map(|a| a.name)
        .collect();
    assert_eq!(names, ["a0", "a1"]);
    assert!(assets.next().is_none());
}

#[test]
fn the_next_page_is_fetched_while_items_are_in_use() {
    let (asked, requests) = mpsc::channel();
    let mkio = client(move |path| {
        asked.send(path.to_owned()).unwrap();
        three_pages(path)
    });
    let media = mkio.project("acme").media();
    let mut assets = mkio.iter(media.list_assets().items());
    assert_eq!(assets.next().unwrap().unwrap().name.as_deref(), Some("a0"));
    // Nobody asks for another item meanwhile.
    let limit = Duration::from_secs(30);
    assert!(!requests.recv_timeout(limit).unwrap().contains("skiptoken"));
    assert!(
        requests
            .recv_timeout(limit)
            .unwrap()
            .contains("skiptoken=1")
    );
}

#[test]
fn a_wait_gives_its_changes_and_then_the_resource() {
    let polls = Mutex::new(0);
    let mkio = paused(move |_| {
        let mut polls = polls.lock().unwrap();
        *polls += 1;
        let (state, progress) = [("Queued", 0), ("Processing", 40)]
            .get(*polls / 3)
            .copied()
            .unwrap_or(("Finished", 100));
        let outputs = format!(r#"[{{"progress":{progress}}}]"#);
        let job = format!(
            r#"{{"name":"job-1","properties":{{"state":"{state}","outputs":{outputs}}},"status":{{"state":"{state}"}}}}"#
        );
        (200, job)
    });
    let media = mkio.project("acme").media();
    let mut wait = media.wait_for_job("h264", "job-1");
    let states: Vec<_> = mkio
        .iter(&mut wait)
        .map(|change| change.unwrap().state.as_str().to_owned())
        .collect();
    assert_eq!(states, ["Queued", "Processing", "Finished"]);
    let job = mkio.run(wait).unwrap();
    assert_eq!(job.name.as_deref(), Some("job-1"));
}

#[test]
fn an_error_type_of_the_caller_is_kept() {
    let mkio = client(|_| (200, "{}".to_owned()));
    let outcome: anyhow::Result<()> = mkio.run(async { anyhow::bail!("mine") });
    assert_eq!(outcome.unwrap_err().to_string(), "mine");
}

#[test]
fn within_a_runtime_it_is_an_error_and_nothing_is_sent() {
    let mkio = client(|asked| panic!("{asked} was sent"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let media = mkio.project("acme").media();
        let error = mkio.run(media.get_asset("intro").send()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("async mkio::Client"), "{error}");

        let mut assets = mkio.iter(media.list_assets().items());
        let error = assets.next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        // A loop over what is fine must end.
        assert!(assets.next().is_none());

        let error = mkio.run(media.wait_for_asset("intro")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    });
}

#[test]
fn it_may_be_dropped_within_a_runtime() {
    let mkio = client(three_pages);
    let media = mkio.project("acme").media();
    let mut assets = mkio.iter(media.list_assets().items());
    assert!(assets.next().is_some());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async move {
        drop(mkio);
        drop(assets);
    });
}

#[test]
fn an_iterator_outlives_its_client() {
    let mkio = client(three_pages);
    let assets = mkio.iter(mkio.project("acme").media().list_assets().items());
    drop(mkio);
    assert_eq!(assets.filter(Result::is_ok).count(), 6);
}

#[test]
fn threads_share_a_client() {
    fn shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    let count = Arc::new(Mutex::new(0));
    let counted = count.clone();
    let mkio = client(move |_| {
        *counted.lock().unwrap() += 1;
        (200, r#"{"name":"intro"}"#.to_owned())
    });
    shareable(&mkio);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mkio = mkio.clone();
                let media = mkio.project("acme").media();
                mkio.run(media.get_asset("intro").send()).unwrap();
            });
        }
    });
    assert_eq!(*count.lock().unwrap(), 4);
}
