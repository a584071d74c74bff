//! A list of 100,000 assets in pages of 1,000, over loopback.
//!
//! - Items per second and CPU time, against a loop written by hand with reqwest and serde_json into
//!   the same types. Target: at most 1.10 times its CPU time.
//! - Wall time where every response takes 20 ms and every page 10 ms of work, with the next page
//!   fetched ahead and without. Target: at most 0.75.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput};
use mkio::media::{ProjectClient, types::AssetList};
use mkio_bench::{Compared, CpuTime, LIST, List, TOKEN, by_hand, measuring, runtime, sdk, server};

const PAGES: usize = 100;
const PAGE: usize = 1_000;
const ITEMS: u32 = 100_000;

async fn with_sdk(media: &ProjectClient) -> usize {
    let mut assets = media.list_assets().items();
    let mut seen = 0;
    while let Some(asset) = assets.try_next().await.expect("the server answers") {
        black_box(asset);
        seen += 1;
    }
    seen
}

async fn with_reqwest(client: &reqwest::Client, base_url: &str) -> usize {
    let mut next = Some(format!("{base_url}{LIST}"));
    let mut seen = 0;
    while let Some(url) = next {
        let request = client
            .get(url)
            .header(reqwest::header::ACCEPT, "application/json")
            .bearer_auth(TOKEN);
        let response = request
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let body = response.expect("the server answers").bytes().await;
        let page: AssetList =
            serde_json::from_slice(&body.expect("the body arrives")).expect("the body decodes");
        next = page.odata_next_link.map(|link| format!("{base_url}{link}"));
        for asset in page.value.into_iter().flatten() {
            black_box(asset);
            seen += 1;
        }
    }
    seen
}

/// Wall time of reading all pages with 10 ms of work for each.
async fn paced(media: &ProjectClient, prefetch: usize) -> Duration {
    let started = Instant::now();
    let mut pages = media.list_assets().pages().prefetch(prefetch);
    while let Some(page) = pages.try_next().await.expect("the server answers") {
        black_box(page);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

fn serve(latency: Duration) -> String {
    let list = List::new(PAGES, PAGE);
    server::start(latency, Arc::new(move |query| list.respond(query).into()))
}

fn main() {
    let base_url = serve(Duration::ZERO);
    let media = sdk(&base_url);
    let client = by_hand();
    let runtime = runtime();
    let all = PAGES * PAGE;

    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .sample_size(10)
        .configure_from_args();
    let mut group = criterion.benchmark_group("100,000 assets, CPU time");
    group.throughput(Throughput::Elements(u64::from(ITEMS)));
    group.bench_function("mkio", |bencher| {
        bencher.iter(|| assert_eq!(runtime.block_on(with_sdk(&media)), all));
    });
    group.bench_function("reqwest", |bencher| {
        bencher.iter(|| assert_eq!(runtime.block_on(with_reqwest(&client, &base_url)), all));
    });
    group.finish();
    criterion.final_summary();

    if measuring() {
        let started = Instant::now();
        assert_eq!(runtime.block_on(with_sdk(&media)), all);
        let rate = f64::from(ITEMS) / started.elapsed().as_secs_f64();
        println!("items per second (wall time, with the server): {rate:.0}");
        let compared = Compared::new(
            11,
            || assert_eq!(runtime.block_on(with_sdk(&media)), all),
            || assert_eq!(runtime.block_on(with_reqwest(&client, &base_url)), all),
        );
        let (ours, plain, ratio) = compared.medians();
        println!(
            "CPU time of the list: mkio {ours:.1?}, by hand {plain:.1?}; ratio {ratio:.3} (target 1.10)",
        );

        let media = sdk(&serve(Duration::from_millis(20)));
        // Interleaved, so that what disturbs one disturbs the other.
        let mut rounds: Vec<_> = (0..5)
            .map(|_| [1, 0].map(|prefetch| runtime.block_on(paced(&media, prefetch))))
            .collect();
        let ratio = |[ahead, without]: &[Duration; 2]| ahead.as_secs_f64() / without.as_secs_f64();
        rounds.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
        let median = rounds[rounds.len() / 2];
        let [ahead, without] = median;
        println!(
            "wall time with 20 ms per response and 10 ms of work per page: fetched ahead {ahead:.2?}, \
             without {without:.2?}; ratio {:.3} (target 0.75)",
            ratio(&median)
        );
    }
}
