//! Every example on an emulator: it runs, prints the expected lines, and leaves nothing behind.

use std::time::Duration;

use mkio_emulator::Emulator;
use mkio_examples::{Example, examples, place::Place, run};
use serde_json::Value;

#[allow(dead_code, reason = "a program of its own, with a main function")]
#[path = "../../mkio/examples/quickstart.rs"]
mod quickstart;

#[tokio::test]
async fn the_quickstart_runs() {
    quickstart::run().await.expect("nothing is needed for it");
}

/// Lists in which nothing may be left, besides what the emulator starts with.
const LISTS: &[&str] = &[
    "media/assets",
    "media/transforms",
    "media/jobs",
    "media/streamingLocators",
    "media/streamingEndpoints",
    "media/contentKeyPolicies",
    "media/accountFilters",
    "media/liveEvents",
    "media/content",
    "media/sources",
    "live/liveChannels",
    "templating/configs/encodingLive",
    "fleet/devices",
    "fleet/backups",
    "infra/networks",
    "infra/sites",
    "webhook/rules",
];

/// Names in all lists, in the emulator's project.
fn everything(place: &Place) -> Vec<String> {
    let emulator = place.emulator.as_ref().expect("an emulator");
    // What is being deleted is gone a few seconds later.
    emulator.control().step(Duration::from_secs(120));
    let mut found = Vec::new();
    for list in LISTS {
        let page = emulator.control().inspect(emulator.project(), list);
        let page = page.unwrap_or_else(|| panic!("there is no list {list}"));
        for item in page["value"].as_array().into_iter().flatten() {
            let name = item.pointer("/metadata/name").or(item.get("name"));
            found.push(format!(
                "{list}/{}",
                name.and_then(Value::as_str).unwrap_or("?")
            ));
        }
    }
    found
}

fn example(name: &str) -> &'static Example {
    let found = examples::ALL.iter().find(|example| example.name == name);
    found.unwrap_or_else(|| panic!("there is no example {name}"))
}

/// Runs an example; gives its output.
async fn run_on_emulator(name: &str) -> Vec<String> {
    let emulator = Emulator::builder()
        .time_scale(120.0)
        .start()
        .await
        .expect("an emulator");
    let place = Place::on(emulator).await.expect("a place");
    let before = everything(&place);
    let ran = run(example(name), &place, std::future::pending()).await;
    ran.unwrap_or_else(|error| panic!("{name}: {error:#}"));
    assert_eq!(everything(&place), before, "{name} leaves nothing behind");
    place.said()
}

/// A test for each example: the beginnings or parts of lines that it has to print.
macro_rules! tests {
    ($($name:ident: $($part:literal),*;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let said = run_on_emulator(stringify!($name)).await;
            $(assert!(said.iter().any(|line| line.contains($part)), "no {:?} in {said:#?}", $part);)*
        })*

        #[test]
        fn every_example_has_a_test() {
            let tested = [$(stringify!($name)),*];
            let all: Vec<&str> = examples::ALL.iter().map(|example| example.name).collect();
            assert_eq!(all, tested);
        }
    };
}

tests! {
    vod_encode_and_publish: "uploaded intro.mp4 (100000 bytes)", "/manifest(format=m3u8-cmaf)", "Hls (NoEncryption)";
    vod_captions_and_thumbnails: "insert is through", "thumbnails: ";
    live_event: "send RTMP to rtmp://", "live: Hls", "vod: Hls";
    live_channel: "its input is", "is Running", "the schedule is Completed", "is Stopped";
    content_protection: "encryption=cenc", "licences for widevine: http", "a player's token has";
    playback_filters: "everybody: ", ",filter=", "phones: ";
    bulk_jobs: "Finished              500";
    bulk_change: "made 30 assets", "changed 30, failed 0", "deleted 30";
    sync_assets: "the first run read 10 assets, the second 15";
    copy_project: "transforms: 1 copied", "assets: 1 copied", "locators: 1 copied";
    streaming_urls: "-film-1 (", "  Hls http", "  file http", "warning: no streaming endpoint runs";
    webhooks: "the job is Finished", "event MediaKind.JobFinished", "delivery of MediaKind.JobFinished: Sent";
    provision_project: "made provisioned in", "may read provisioned", "made a token of";
    beam_fleet: "-beam runs ", "-backup is there", "runs 1.13.0.2";
    beam_channels: "SDI cards", "is Running", "0 alarms", "import of";
    usage_report: "encoding-minutes", "meterName";
    errors_and_retries: "expected: ", "advice: change the request", "at attempt 3", "gave up: ";
    custom_http_client: "2 requests for a call of 2 attempts";
    blocking_script: "is Ready";
}

/// Stops an example once it has made a number of things, as Ctrl-C does.
async fn stopped(name: &str, made: usize) {
    let emulator = Emulator::builder()
        .time_scale(120.0)
        .start()
        .await
        .expect("an emulator");
    let place = Place::on(emulator).await.expect("a place");
    let before = everything(&place);
    let stop = place.made(made);
    let ended = run(example(name), &place, stop).await;
    assert_eq!(
        ended.expect_err("it was stopped").to_string(),
        "stopped",
        "{name}"
    );
    assert_eq!(everything(&place), before, "{name} leaves nothing behind");
}

#[tokio::test]
async fn what_is_stopped_cleans_up() {
    for name in ["vod_encode_and_publish", "live_event", "live_channel"] {
        for made in 1..6 {
            stopped(name, made).await;
        }
    }
}
