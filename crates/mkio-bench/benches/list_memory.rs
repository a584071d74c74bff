//! Peak memory of lists of 10,000 to 1,000,000 assets in pages of 1,000: it stays the same. The
//! server is in the same process; its share is the same for every length.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput};
use mkio::media::ProjectClient;
use mkio_bench::{List, measuring, runtime, sdk, server};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Items of a page.
const PAGE: usize = 1_000;
/// Pages of the longest list.
const LONGEST: usize = 1_000;

async fn read(media: &ProjectClient) -> usize {
    let mut assets = media.list_assets().items();
    let mut seen = 0;
    while let Some(asset) = assets.try_next().await.expect("the server answers") {
        black_box(asset);
        seen += 1;
    }
    seen
}

fn main() {
    let runtime = runtime();
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("list, wall time with allocations counted");
    let mut peaks = Vec::new();
    for pages in [10, 100, LONGEST] {
        let items = pages * PAGE;
        let responses = List::new(pages, PAGE);
        let response = Arc::new(move |query: &str| responses.respond(query).into());
        let media = sdk(&server::start(Duration::ZERO, response));
        if pages == 10 {
            group.throughput(Throughput::Elements(items as u64));
            let id = BenchmarkId::from_parameter(items);
            group.bench_with_input(id, &items, |bencher, items| {
                bencher.iter(|| assert_eq!(runtime.block_on(read(&media)), *items));
            });
        }
        if measuring() {
            // Connections and buffers are made before the count begins.
            runtime
                .block_on(async { media.list_assets().items().take(1).try_next().await })
                .expect("the server answers");
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            // Every length has as many pages to reach its peak in.
            for _ in 0..LONGEST / pages {
                assert_eq!(runtime.block_on(read(&media)), items);
            }
            peaks.push((items, MEMORY.peak_usage().saturating_sub(before)));
        }
    }
    group.finish();
    criterion.final_summary();
    for (items, peak) in &peaks {
        println!(
            "{items:>9} items: peak of {} KiB above the start",
            peak / 1024
        );
    }
    if let [(_, first), .., (_, last)] = peaks[..] {
        println!(
            "ratio of the longest to the shortest: {:.3}",
            last as f64 / first as f64
        );
    }
}
