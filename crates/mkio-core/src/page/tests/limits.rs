//! Lists that are not read to their end.

use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_limit_fetches_no_page_too_many() {
    for (limit, calls) in [(0, 0), (1, 1), (3, 1), (4, 2), (7, 3), (12, 5), (99, 5)] {
        for prefetch in [0, 1, 9] {
            let script = list(FIVE);
            let got: Vec<_> = items(&script)
                .prefetch(prefetch)
                .limit(limit)
                .try_collect()
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(got, (0..12.min(limit as u32)).collect::<Vec<_>>());
            assert_eq!(script.calls(), calls, "limit {limit}, prefetch {prefetch}");
        }
    }
    let script = list(FIVE);
    let got: Vec<_> = pages(&script).take(2).try_collect().await.unwrap();
    assert_eq!((got.len(), script.calls()), (2, 2));
}

/// A limit that comes later counts from then on, and a list that has ended at one goes on.
#[tokio::test(start_paused = true)]
async fn a_limit_can_come_at_any_time() {
    for prefetch in [0, 1, 9] {
        let script = list(FIVE);
        let mut assets = items(&script).prefetch(prefetch);
        let mut all = Vec::new();
        for part in [1, 3, 1, 0, 4, 1] {
            assets = assets.limit(part);
            assert_eq!(assets.is_terminated(), part == 0);
            let from = all.len();
            while let Some(asset) = assets.try_next().await.unwrap() {
                all.push(asset);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(all.len() - from, part as usize, "prefetch {prefetch}");
            assert_eq!(assets.size_hint(), (0, Some(0)));
            assert!(assets.is_terminated());
        }
        // All that is wanted is on four pages.
        assert_eq!(script.calls(), 4, "prefetch {prefetch}");
        all.extend(
            assets
                .limit(u64::MAX)
                .try_collect::<Vec<_>>()
                .await
                .unwrap(),
        );
        assert_eq!(all, (0..12).collect::<Vec<_>>());
        assert_eq!(script.calls(), 5);
    }
}

/// Each part fetches what it needs and no more.
#[tokio::test(start_paused = true)]
async fn a_later_limit_fetches_no_page_too_many() {
    for prefetch in [0, 1, 9] {
        let script = list(FIVE);
        let mut assets = items(&script).prefetch(prefetch).limit(3);
        for (next, calls) in [(1, 1), (3, 2), (1, 3)] {
            while assets.try_next().await.unwrap().is_some() {}
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(script.calls(), calls, "prefetch {prefetch}");
            assets = assets.limit(next);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_says_how_many_items_may_follow() {
    let mut assets = items(&list(FIVE));
    assert_eq!(assets.size_hint(), (0, None));
    assets.try_next().await.unwrap();
    // The rest of the page is here.
    assert_eq!(assets.size_hint(), (2, None));
    for (limit, here) in [(1, 1), (2, 2), (7, 2)] {
        assets = assets.limit(limit);
        assert_eq!(assets.size_hint(), (here, Some(limit as usize)));
    }
}

/// Empty ones count as well, and one whose beginning was read before.
#[tokio::test(start_paused = true)]
async fn every_page_that_is_taken_counts() {
    async fn sizes(pages: Pages<Assets>) -> Vec<usize> {
        let pages: Vec<_> = pages.try_collect().await.unwrap();
        pages.iter().map(|page| page.items().len()).collect()
    }
    for prefetch in [0, 1] {
        let script = list(&[0, 3, 0, 1]);
        let first = || pages(&script).prefetch(prefetch);
        assert_eq!(sizes(first().take(3)).await, [0, 3, 0]);
        assert_eq!(script.calls(), 3);
        let mut begun = items(&script).prefetch(0);
        for _ in 0..2 {
            begun.try_next().await.unwrap();
        }
        let token = begun.resume_token();
        assert_eq!(token.offset(), 2);
        let calls = script.calls();
        assert_eq!(sizes(first().resume(&token).take(1)).await, [1]);
        assert_eq!(script.calls(), calls + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn pages_can_be_taken_at_any_time() {
    for prefetch in [0, 1, 9] {
        let script = list(FIVE);
        let mut list = pages(&script).prefetch(prefetch).take(1);
        for _ in 0..2 {
            assert_eq!(list.try_next().await.unwrap().unwrap().items().len(), 3);
            assert!(list.try_next().await.unwrap().is_none());
            assert!(list.is_terminated());
            list = list.take(1);
        }
        assert_eq!(script.calls(), 2, "prefetch {prefetch}");
        // The rest as items, with a limit of its own.
        let rest: Vec<_> = list.take(9).items().limit(4).try_collect().await.unwrap();
        assert_eq!(rest, [6, 7, 8, 9]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(script.calls(), 4, "prefetch {prefetch}");
    }
}

/// What the link says of a page that was asked for with `$top`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Echo {
    /// The page size and where the next page is.
    All,
    /// Where the next page is.
    Place,
    /// There is no link: `$top` is all that was asked for.
    Nothing,
}

/// A list in pages of `$top` items, or of 1,000; no page has more than `most`.
fn sized(items: usize, most: usize, echo: Echo) -> Arc<Script> {
    Script::new(move |seen| {
        let number = |name| seen.parameter(name).map(|n| n.parse::<usize>().unwrap());
        let top = number("$top");
        let from = number("$skiptoken").unwrap_or(0);
        let to = items.min(from + top.unwrap_or(1000).min(most));
        let mut page = serde_json::json!({"value": (from..to).collect::<Vec<_>>()});
        if to < items && (top.is_none() || echo != Echo::Nothing) {
            let top = top
                .filter(|_| echo == Echo::All)
                .map(|top| format!("%24top={top}&"));
            let top = top.unwrap_or_default();
            page["@odata.nextLink"] = format!("/assets?{top}$skiptoken={to}").into();
        }
        Ok(page.to_string())
    })
}

fn tops(script: &Script) -> Vec<Option<String>> {
    let log = script.log();
    let top = |seen: &Seen| seen.parameter("$top").map(str::to_owned);
    log.iter().map(top).collect()
}

#[tokio::test(start_paused = true)]
async fn a_small_limit_is_the_page_size_where_none_was_said() {
    let url = |query: &str| format!("https://app.mk.io/assets{query}");
    let text = |tops: &[&str]| -> Vec<_> {
        tops.iter()
            .map(|top| (!top.is_empty()).then(|| (*top).to_owned()))
            .collect()
    };
    for (query, limit, most, expected) in [
        ("", 5, 1000, text(&["5"])),
        ("?x=%241", 100, 1000, text(&["100"])),
        // A size that the service might not take is not asked for.
        ("", 101, 1000, text(&[""])),
        ("", 1040, 1000, text(&["", "40"])),
        // The service gives less than it was asked for.
        ("", 7, 3, text(&["7", "4", "1"])),
        // The caller has said one.
        ("?$top=2", 5, 1000, text(&["2", "2", "2"])),
        ("?%24top=20", 5, 1000, text(&["20"])),
        ("", 0, 1000, text(&[])),
    ] {
        for prefetch in [0, 1] {
            let script = sized(3000, most, Echo::All);
            let list =
                Pages::<Assets>::new(script.transport(), &LIST, get(&url(query))).supports_top();
            let list = list.items().prefetch(prefetch).limit(limit);
            let all: Vec<u32> = list.try_collect().await.unwrap();
            assert_eq!(all.len() as u64, limit);
            assert_eq!(tops(&script), expected, "{query:?} {limit} {most}");
        }
    }
    // Neither for lists that take no page size, nor without a limit.
    let script = sized(5, 1000, Echo::All);
    let list =
        |script: &Arc<Script>| Pages::<Assets>::new(script.transport(), &LIST, get(&url("")));
    let _: Vec<u32> = list(&script).items().limit(5).try_collect().await.unwrap();
    let all = list(&script).supports_top().items();
    let _: Vec<u32> = all.try_collect().await.unwrap();
    assert_eq!(tops(&script), [None, None]);
}

/// The page size was for the limit: a list that goes on without one has pages of the usual size.
#[tokio::test(start_paused = true)]
async fn the_page_size_of_a_limit_ends_with_it() {
    for echo in [Echo::All, Echo::Place, Echo::Nothing] {
        let script = sized(3000, 1000, echo);
        let list = || {
            let list = get("https://app.mk.io/assets");
            let list = Pages::<Assets>::new(script.transport(), &LIST, list);
            list.supports_top().items()
        };
        for limit in 1..=7 {
            let mut first = list().limit(limit);
            let mut all = Vec::new();
            while let Some(asset) = first.try_next().await.unwrap() {
                all.push(asset);
            }
            let from = script.calls();
            let mut rest = list().resume(&first.resume_token());
            while let Some(asset) = rest.try_next().await.unwrap() {
                all.push(asset);
            }
            assert_eq!(all, (0..3000).collect::<Vec<_>>(), "{limit}");
            assert_eq!(tops(&script)[from..], [const { None }; 3]);
            // The same stream without its limit.
            let from = script.calls();
            let rest: Vec<_> = first.limit(u64::MAX).try_collect().await.unwrap();
            assert_eq!(rest, (limit as u32..3000).collect::<Vec<_>>());
            assert_eq!(tops(&script)[from..], [const { None }; 3]);
        }
    }
}

/// What is all of a list is found out once, and only by those who want more.
#[tokio::test(start_paused = true)]
async fn a_limit_that_is_the_whole_list_ends_it() {
    for prefetch in [0, 1] {
        let script = sized(5, 1000, Echo::All);
        let list = get("https://app.mk.io/assets");
        let list = Pages::<Assets>::new(script.transport(), &LIST, list).supports_top();
        let mut list = list.items().prefetch(prefetch).limit(5);
        let mut all = Vec::new();
        for calls in [1, 2, 2] {
            while let Some(asset) = list.try_next().await.unwrap() {
                all.push(asset);
            }
            assert_eq!((&all[..], script.calls()), (&[0, 1, 2, 3, 4][..], calls));
            list = list.limit(3);
        }
        assert_eq!(tops(&script), [Some("5".to_owned()), Some("8".to_owned())]);
    }
}
