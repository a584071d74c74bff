//! Pages of 1,000 out of 100,000 assets: the last page against the first, as they come, filtered, and in an order asked for.

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use mkio_emulator::core::call::Payload;
use mkio_emulator::core::engine::Engine;
use mkio_emulator::core::seed;
use mkio_emulator::core::settings::Settings;

/// Asks for a page and returns how many items it has.
fn page(engine: &Engine, query: &str, start: usize) -> usize {
    let request = Request::get(format!(
        "/api/v1/projects/demo/media/assets?$top=1000&$skiptoken={start}{query}"
    ))
    .header("authorization", "Bearer T")
    .body(Bytes::new());
    let Ok(request) = request else {
        panic!("a request")
    };
    let answer = engine.plain(&request);
    assert_eq!(answer.status, 200);
    match answer.payload {
        Payload::Json(body) => body["value"].as_array().map_or(0, Vec::len),
        _ => 0,
    }
}

fn pages(criterion: &mut Criterion) {
    let engine = Engine::new(Settings::default(), chrono::Utc::now(), 1.0);
    if let Err(error) = seed::start(&engine, "demo", 100_000, Some("T")) {
        panic!("{error:?}");
    }
    for (group, query) in [
        ("as they come", ""),
        (
            "filtered",
            "&$filter=created%20ge%202024-01-01T00:00:00Z%20and%20name%20ne%20'x'",
        ),
        ("ordered", "&$orderby=name%20desc"),
        (
            "both",
            "&$filter=startswith(name,'asset-')&$orderby=properties/container",
        ),
    ] {
        let mut group = criterion.benchmark_group(format!("1,000 of 100,000 assets, {group}"));
        group.sample_size(10);
        for (name, start) in [("first", 0), ("middle", 50_000), ("last", 99_000)] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| assert_eq!(page(&engine, query, start), 1_000));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, pages);
criterion_main!(benches);
