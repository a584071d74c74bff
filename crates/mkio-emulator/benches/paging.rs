//! Pages of 1,000 out of 100,000 assets: the last page against the first, as they come, filtered, and in an order asked for.

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use mkio_emulator::Settings;
use mkio_emulator::engine::Engine;
use mkio_emulator::platform::call::Payload;
use mkio_emulator::seed;

/// Follows a link: how many items the page has, and the link to the next.
fn page(engine: &Engine, link: &str) -> (usize, Option<String>) {
    let request = Request::get(link)
        .header("authorization", "Bearer T")
        .body(Bytes::new());
    let Ok(request) = request else {
        panic!("a request")
    };
    let response = engine.plain(&request);
    assert_eq!(response.status, 200);
    let Payload::Json(body) = response.payload else {
        panic!("a page")
    };
    let next = body["@odata.nextLink"].as_str().map(str::to_owned);
    (body["value"].as_array().map_or(0, Vec::len), next)
}

/// The links to the first, the middle and the last page.
fn links(engine: &Engine, query: &str) -> [String; 3] {
    let mut links = vec![format!(
        "/api/v1/projects/demo/media/assets?$top=1000{query}"
    )];
    while let Some(next) = links.last().and_then(|link| page(engine, link).1) {
        links.push(next);
    }
    assert_eq!(links.len(), 100);
    [0, 50, 99].map(|at: usize| links[at].clone())
}

fn pages(criterion: &mut Criterion) {
    let engine = Engine::new(Settings::default(), chrono::Utc::now(), 1.0);
    if let Err(error) = seed::start(&engine, "demo", 100_000, Some("T")) {
        panic!("{error:?}");
    }
    // Pages in an order asked for look at every asset, so a walk through a hundred of them is left out.
    for (group, query) in [
        ("as they come", ""),
        (
            "filtered",
            "&$filter=created%20ge%202024-01-01T00:00:00Z%20and%20name%20ne%20'x'",
        ),
    ] {
        let links = links(&engine, query);
        let mut group = criterion.benchmark_group(format!("1,000 of 100,000 assets, {group}"));
        group.sample_size(20);
        for (name, link) in ["first", "middle", "last"].iter().zip(links) {
            group.bench_function(*name, |bencher| {
                bencher.iter(|| assert_eq!(page(&engine, &link).0, 1_000));
            });
        }
        group.finish();
    }
    let mut group = criterion.benchmark_group("1,000 of 100,000 assets, ordered");
    group.sample_size(10);
    for (name, start) in [("first", 0), ("last", 99_000)] {
        let link = format!(
            "/api/v1/projects/demo/media/assets?$top=1000&$orderby=name%20desc&$skiptoken={start}"
        );
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(page(&engine, &link).0, 1_000));
        });
    }
    group.finish();
}

criterion_group!(benches, pages);
criterion_main!(benches);
