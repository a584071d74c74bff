//! Pages of 1,000 out of 100,000 assets: the last page against the first.

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use mkio_emulator::core::engine::Engine;
use mkio_emulator::core::seed;
use mkio_emulator::core::settings::Settings;

fn page(engine: &Engine, start: usize) {
    let request = Request::get(format!(
        "/api/v1/projects/demo/media/assets?$top=1000&$skiptoken={start}"
    ))
    .header("authorization", "Bearer T")
    .body(Bytes::new());
    let Ok(request) = request else {
        panic!("a request")
    };
    assert_eq!(engine.plain(&request).status, 200);
}

fn pages(criterion: &mut Criterion) {
    let engine = Engine::new(Settings::default(), chrono::Utc::now(), 1.0);
    if let Err(error) = seed::start(&engine, "demo", 100_000, Some("T")) {
        panic!("{error:?}");
    }
    let mut group = criterion.benchmark_group("assets, pages of 1,000 out of 100,000");
    group.sample_size(20);
    for (name, start) in [("first", 0), ("middle", 50_000), ("last", 99_000)] {
        group.bench_function(name, |bencher| bencher.iter(|| page(&engine, start)));
    }
    group.finish();
}

criterion_group!(benches, pages);
criterion_main!(benches);
