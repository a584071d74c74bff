//! Lists against a scripted service.

mod ahead;
mod bad_items;
mod limits;
mod resume;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::script::{LIST, Script, Seen, get};
use super::{Items, Page, Pages};
use crate::{Error, ErrorKind};

#[derive(Debug, Clone, Deserialize)]
struct Assets {
    value: Option<Vec<u32>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    total: Option<u64>,
}

impl Page for Assets {
    type Item = u32;

    fn items(&self) -> &[u32] {
        self.value.as_deref().unwrap_or_default()
    }

    fn items_mut(&mut self) -> Option<&mut Vec<u32>> {
        self.value.as_mut()
    }

    fn next_link(&self) -> Option<&str> {
        self.next.as_deref()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}

const URL: &str = "https://app.mk.io/api/v1/projects/acme/media/assets?$filter=x";

/// A list of pages of the given sizes, linked by `$skiptoken=<number of the page>`.
fn list(sizes: &'static [u32]) -> Arc<Script> {
    Script::new(move |seen| Ok(page(sizes, seen)))
}

fn page(sizes: &[u32], seen: &Seen) -> String {
    assert_eq!(seen.parameter("$filter"), Some("x"), "a parameter was lost");
    let number: usize = seen
        .parameter("$skiptoken")
        .map_or(0, |n| n.parse().unwrap());
    let first: u32 = sizes[..number].iter().sum();
    let items: Vec<_> = (first..first + sizes[number]).collect();
    let mut page = serde_json::json!({"value": items, "total": sizes.iter().sum::<u32>()});
    if number + 1 < sizes.len() {
        page["@odata.nextLink"] = format!(
            "/api/v1/projects/acme/media/assets?%24filter=x&%24skiptoken={}",
            number + 1
        )
        .into();
    }
    page.to_string()
}

fn pages(script: &Arc<Script>) -> Pages<Assets> {
    Pages::new(script.transport(), &LIST, get(URL))
}

fn items(script: &Arc<Script>) -> Items<Assets> {
    pages(script).items()
}

const FIVE: &[u32] = &[3, 3, 1, 3, 2];

#[tokio::test(start_paused = true)]
async fn gives_all_items_and_the_total() {
    for prefetch in [0, 1, 3] {
        let script = list(FIVE);
        let mut assets = items(&script).prefetch(prefetch);
        assert_eq!(assets.total(), None);
        let mut all = Vec::new();
        while let Some(asset) = assets.try_next().await.unwrap() {
            assert_eq!(assets.total(), Some(12));
            all.push(asset);
        }
        assert_eq!(all, (0..12).collect::<Vec<_>>());
        assert_eq!(script.calls(), 5);
        assert_eq!(assets.try_next().await.unwrap(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn gives_pages_with_what_came_with_them() {
    let script = list(FIVE);
    let all: Vec<_> = pages(&script).try_collect().await.unwrap();
    let sizes: Vec<_> = all.iter().map(|page| page.items().len()).collect();
    assert_eq!(sizes, [3, 3, 1, 3, 2]);
    assert_eq!(all[4].http_status(), 200);
    assert!(all[4].raw().starts_with(b"{\"value\":[10,11]"));
}

#[tokio::test(start_paused = true)]
async fn sends_nothing_before_the_first_poll() {
    let script = list(FIVE);
    let list = items(&script).prefetch(3);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(script.calls(), 0);
    drop(list);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unusable_request_is_the_first_item() {
    let script = list(FIVE);
    let unusable = Err(Error::new(
        ErrorKind::InvalidRequest,
        "asset_name is missing",
    ));
    let mut assets = Pages::<Assets>::new(script.transport(), &LIST, unusable).items();
    let _ = assets.resume_token();
    let error = assets.try_next().await.unwrap_err();
    assert_eq!(error.to_string(), "asset_name is missing");
    assert_eq!(script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn empty_pages_with_a_link_go_on() {
    let script = list(&[0, 2, 0, 0, 1, 0]);
    let all: Vec<_> = items(&script).try_collect().await.unwrap();
    assert_eq!(all, [0, 1, 2]);
    assert_eq!(script.calls(), 6);
    // Who asks for pages gets these, too.
    let all: Vec<_> = pages(&script).try_collect().await.unwrap();
    let sizes: Vec<_> = all.iter().map(|page| page.items().len()).collect();
    assert_eq!(sizes, [0, 2, 0, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_tells_only_its_items_is_the_whole_list() {
    #[derive(Deserialize)]
    struct Plain(Vec<u32>);

    impl Page for Plain {
        type Item = u32;

        fn items(&self) -> &[u32] {
            &self.0
        }

        fn items_mut(&mut self) -> Option<&mut Vec<u32>> {
            Some(&mut self.0)
        }
    }

    let plain = Plain(vec![1]);
    assert_eq!((plain.next_link(), plain.total()), (None, None));
    let script = Script::new(|_| Ok("[1, 2]".into()));
    let mut plain = Pages::<Plain>::new(script.transport(), &LIST, get(URL)).items();
    for expected in [Some(1), Some(2), None] {
        assert_eq!(plain.try_next().await.unwrap(), expected);
    }
    assert_eq!((plain.total(), script.calls()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn debug_shows_which_list_it_is_and_how_far_it_was_read() {
    let mut assets = items(&list(FIVE));
    assets.try_next().await.unwrap();
    assert_eq!(
        format!("{assets:?}"),
        "Items { pages: Pages { list: \"/api/v1/projects/acme/media/assets\", prefetch: 1, \
         total: Some(12), .. }, taken: 1, .. }"
    );
}

#[tokio::test(start_paused = true)]
async fn pages_without_end_are_an_error() {
    let script = Script::new(|seen| {
        let next: u32 = seen
            .parameter("$skiptoken")
            .map_or(0, |n| n.parse().unwrap())
            + 1;
        Ok(format!(
            r#"{{"value": [], "@odata.nextLink": "?$skiptoken={next}"}}"#
        ))
    });
    let mut assets = items(&script).max_empty_pages(7).prefetch(0);
    let error = assets.try_next().await.unwrap_err();
    assert!(
        error.to_string().contains("7 empty pages in a row"),
        "{error}"
    );
    assert_eq!(script.calls(), 7);
}

/// No number of empty pages makes an error of a page that is not empty.
#[tokio::test(start_paused = true)]
async fn the_first_empty_page_can_be_one_too_many() {
    for most in [0, 1] {
        let script = list(&[2, 1, 0, 1]);
        let mut assets = items(&script).max_empty_pages(most);
        for expected in 0..3 {
            assert_eq!(assets.try_next().await.unwrap(), Some(expected));
        }
        let error = assets.try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Paging);
        assert_eq!(script.calls(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_seen_before_is_an_error() {
    for (link, calls) in [
        // Back to the first page, differently escaped.
        ("/assets?%24filter=x", 2),
        // The page itself.
        ("/assets?$filter=x&$skiptoken=1", 2),
    ] {
        let script = Script::new(move |seen| match seen.parameter("$skiptoken") {
            None => Ok(r#"{"value": [1], "@odata.nextLink": "?$filter=x&%24skiptoken=1"}"#.into()),
            Some(_) => Ok(format!(r#"{{"value": [2], "@odata.nextLink": "{link}"}}"#)),
        });
        let mut assets = items(&script);
        assert_eq!(assets.try_next().await.unwrap(), Some(1));
        assert_eq!(assets.try_next().await.unwrap(), Some(2));
        let error = assets.try_next().await.unwrap_err();
        assert!(error.to_string().contains("read before"), "{error}");
        assert_eq!(script.calls(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_to_another_list_is_refused_after_the_items() {
    let script = Script::new(|_| {
        Ok(r#"{"value": [1], "@odata.nextLink": "https://evil.example/tokens?x=1"}"#.into())
    });
    let mut assets = items(&script);
    assert_eq!(assets.try_next().await.unwrap(), Some(1));
    let error = assets.try_next().await.unwrap_err();
    assert!(error.to_string().contains("/tokens"), "{error}");
    assert_eq!(script.calls(), 1);
    // With a limit that ends before, the bad link does not matter.
    let one: Vec<_> = items(&script).limit(1).try_collect().await.unwrap();
    assert_eq!(one, [1]);
}

#[tokio::test(start_paused = true)]
async fn only_the_query_of_a_link_is_used() {
    let script = Script::new(|seen| {
        Ok(match seen.parameter("$skiptoken") {
            None => {
                r#"{"value": [1], "@odata.nextLink": "https://evil.example/x/assets?$skiptoken=1"}"#
            }
            Some(_) => r#"{"value": [2]}"#,
        }
        .into())
    });
    let transport = script.transport_at("https://gw.example/mkio");
    let url = "https://gw.example/mkio/api/v1/projects/acme/media/assets";
    let assets = Pages::<Assets>::new(transport, &LIST, get(url)).items();
    assert_eq!(assets.try_collect::<Vec<_>>().await.unwrap(), [1, 2]);
    for seen in script.log() {
        assert_eq!(seen.host, "gw.example");
        assert_eq!(seen.path, "/mkio/api/v1/projects/acme/media/assets");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_without_paging_ends_after_one_page() {
    let script = Script::new(|_| Ok(r#"{"value": [1, 2]}"#.into()));
    let all: Vec<_> = items(&script).try_collect().await.unwrap();
    assert_eq!((all, script.calls()), (vec![1, 2], 1));
    let script = Script::new(|_| Ok(r#"{"@odata.nextLink": ""}"#.into()));
    let all: Vec<_> = items(&script).try_collect().await.unwrap();
    assert_eq!((all, script.calls()), (vec![], 1));
}

#[test]
fn streams_are_send() {
    fn send<T: Send + Unpin + futures_core::Stream + futures_core::stream::FusedStream>() {}
    send::<Items<Assets>>();
    send::<Pages<Assets>>();
}
