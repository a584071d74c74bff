//! CPU time of one `get_asset` through the SDK, against the same call written by hand with reqwest
//! and serde_json into the same type, over loopback. Target: at most 1.10 times.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::Criterion;
use mkio::media::{ProjectClient, types::Asset};
use mkio_bench::{Compared, CpuTime, TOKEN, asset, by_hand, measuring, runtime, sdk, server};

async fn with_sdk(media: &ProjectClient) -> Asset {
    let asset = media.get_asset("intro").send().await;
    asset.expect("the server answers").into_inner()
}

async fn with_reqwest(client: &reqwest::Client, base_url: &str) -> Asset {
    let (project, name) = ("acme", "intro");
    let url = format!("{base_url}/api/v1/projects/{project}/media/assets/{name}");
    let request = client
        .get(url)
        .header(reqwest::header::ACCEPT, "application/json")
        .bearer_auth(TOKEN);
    let response = request
        .send()
        .await
        .and_then(reqwest::Response::error_for_status);
    let body = response.expect("the server answers").bytes().await;
    serde_json::from_slice(&body.expect("the body arrives")).expect("the body decodes")
}

fn main() {
    let body = bytes::Bytes::from(asset(1).to_string());
    let base_url = server::start(Duration::ZERO, Arc::new(move |_| body.clone()));
    let media = sdk(&base_url);
    let client = by_hand();
    let runtime = runtime();

    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .configure_from_args();
    let mut group = criterion.benchmark_group("get_asset, CPU time");
    group.bench_function("mkio", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(with_sdk(&media))));
    });
    group.bench_function("reqwest", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(with_reqwest(&client, &base_url))));
    });
    group.finish();
    criterion.final_summary();

    if measuring() {
        let calls = 200;
        let compared = Compared::new(
            101,
            || {
                runtime.block_on(async {
                    for _ in 0..calls {
                        black_box(with_sdk(&media).await);
                    }
                });
            },
            || {
                runtime.block_on(async {
                    for _ in 0..calls {
                        black_box(with_reqwest(&client, &base_url).await);
                    }
                });
            },
        );
        let (ours, plain, ratio) = compared.medians();
        println!(
            "CPU time of a call: mkio {:.1?}, by hand {:.1?}; ratio {ratio:.3} (target 1.10)",
            ours / calls,
            plain / calls,
        );
    }
}
