//! Types that can be shared between threads and spawned: checked by the compiler.

use mkio::{Client, Error, Project, Transport, Wait, WaitDescription};

use super::{media, offline};

fn shared<T: Clone + Send + Sync + 'static>() {}
fn sent<T: Send>(_: &T) {}
fn spawned<T: Send + 'static>(_: &T) {}

#[test]
fn clients_are_shared() {
    shared::<Client>();
    shared::<Project>();
    shared::<Transport>();
    shared::<Error>();
    shared::<WaitDescription>();
    shared::<mkio::media::Client>();
    shared::<mkio::media::ProjectClient>();
    shared::<mkio::management::Client>();
    shared::<mkio::channels::Client>();
}

#[test]
fn futures_move_between_threads() {
    let client = offline();
    let media = media();
    sent(&media.get_asset("a").send());
    sent(&media.list_assets().send());
    let body = mkio::management::types::UsageReportQuery::new()
        .start_date("")
        .end_date("");
    let management = client.management();
    sent(&management.create_usage_report_csv(body).send());
    let fleets = client.project("acme").fleets();
    sent(&fleets.upload_backup(Vec::new()).send());
    let mut items = media.list_assets().items();
    sent(&items.try_next());
    spawned(&items);
    let mut pages = media.list_assets().pages();
    sent(&pages.try_next());
    spawned(&pages);
    let mut wait: Wait<_, _> = media.wait_for_job("t", "j");
    sent(&wait.try_next());
    spawned(&wait);
    spawned(&wait.into_future());
    spawned(&media.delete_asset_and_wait("a"));
}

/// A whole piece of work in a task of its own, with a clone of the client.
#[tokio::test]
async fn work_is_spawned() {
    let media = media();
    let clone = media.clone();
    let work = async move { clone.get_asset("").send().await.is_err() };
    assert!(tokio::spawn(work).await.expect("no panic"), "refused");
    assert_eq!(media.project_name(), "acme");
}
