//! How to test code that uses MK.IO without MK.IO. Copy what you need.
//!
//! The mock server listens on this machine, so the client is the real one and only its base URL
//! differs from production. A mock is set up by the name of the operation: `when` says which
//! requests it is for, `then` what it answers. Types of responses have only optional fields: set
//! those that your code reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mkio::{
    Client,
    media::{
        ProjectClient,
        types::{Asset, AssetList, Job, JobOutputAsset, JobProperties, JobState},
    },
};
use mkio_httpmock::{
    httpmock::{HttpMockResponse, MockServer},
    media::MockServerExt,
};

/// The Media API of the project `acme`, as the mock server plays it.
fn media(server: &MockServer) -> ProjectClient {
    let client = Client::builder()
        .base_url(server.base_url())
        .token("no-real-token")
        .build()
        .expect("a client");
    client.project("acme").media()
}

/// A page of the list of assets. The link to the next page is the service's to make, so code under
/// test must take it as it is; here it says at which asset that page begins.
fn page(server: &MockServer, names: &[&str], next: Option<u64>) -> AssetList {
    let asset = |name: &&str| {
        let mut asset = Asset::default();
        asset.name = Some((*name).to_owned());
        asset
    };
    let mut page = AssetList::default();
    page.value = Some(names.iter().map(asset).collect());
    page.odata_next_link = next.map(|skip| {
        server.url(format!(
            "/api/v1/projects/acme/media/assets?$skiptoken={skip}"
        ))
    });
    page
}

#[tokio::test]
async fn a_list_of_three_pages() {
    let server = MockServer::start_async().await;
    // A mock for each page; the request for the first one has no `$skiptoken`.
    let first = server.list_assets(|when, then| {
        when.project_name("acme")
            .orderby("name")
            .skiptoken(None::<u64>);
        then.success(200, &page(&server, &["a", "b"], Some(2)));
    });
    let second = server.list_assets(|when, then| {
        when.project_name("acme").skiptoken(2);
        then.success(200, &page(&server, &["c", "d"], Some(4)));
    });
    let third = server.list_assets(|when, then| {
        when.project_name("acme").skiptoken(4);
        then.success(200, &page(&server, &["e"], None));
    });

    let mut assets = media(&server).list_assets().orderby("name").items();
    let mut names = Vec::new();
    while let Some(asset) = assets.try_next().await.expect("the next asset") {
        names.push(asset.name.unwrap_or_default());
    }

    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    for page in [first, second, third] {
        page.assert_calls(1);
    }
}

/// A job with one output.
fn job(state: JobState, progress: i64) -> Job {
    let mut output = JobOutputAsset::default();
    output.progress = progress.into();
    let mut properties = JobProperties::default();
    properties.state = Some(state);
    properties.outputs = Some(vec![output.into()]);
    let mut job = Job::default();
    job.name = Some("job-1".to_owned());
    job.properties = Some(properties);
    job
}

#[tokio::test]
async fn a_job_that_finishes_at_the_third_poll() {
    let server = MockServer::start_async().await;
    // `into_inner` gives httpmock's own type for what is not typed, here a response that changes
    // from call to call.
    let polls = AtomicUsize::new(0);
    let mock = server.get_job(|when, then| {
        when.project_name("acme")
            .transform_name("h264")
            .job_name("job-1");
        then.into_inner().respond_with(move |_| {
            let job = match polls.fetch_add(1, Ordering::Relaxed) {
                0 => job(JobState::Queued, 0),
                1 => job(JobState::Processing, 40),
                _ => job(JobState::Finished, 100),
            };
            HttpMockResponse::builder()
                .status(200)
                .header("content-type", "application/json")
                .body(serde_json::to_string(&job).expect("JSON"))
                .build()
        });
    });

    // Without `poll_every` the wait polls every 2 s at first; 100 ms is the shortest.
    let mut wait = media(&server)
        .wait_for_job("h264", "job-1")
        .poll_every(Duration::ZERO..Duration::ZERO);
    let mut seen = Vec::new();
    while let Some(change) = wait.try_next().await.expect("the next change") {
        seen.push((change.state, change.progress));
    }
    let job = wait.await.expect("the finished job");

    assert_eq!(
        seen,
        [
            (JobState::Queued, Some(0)),
            (JobState::Processing, Some(40)),
            (JobState::Finished, Some(100)),
        ]
    );
    assert_eq!(job.name.as_deref(), Some("job-1"));
    mock.assert_calls(3);
}
