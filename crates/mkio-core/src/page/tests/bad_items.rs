//! Items that do not decode.

use serde_json::{Value, json};

use super::*;
use crate::Result;

/// Three pages of four; everything that is not a small number does not decode.
fn service() -> Arc<Script> {
    Script::new(|seen| {
        let pages = [
            json!([0, null, 2, 3]),
            json!([{"name": "broken", "size": {"x": 1}}, 5, "six", -7]),
            json!([8, 9, 10, [11]]),
        ];
        let number: usize = seen
            .parameter("$skiptoken")
            .map_or(0, |n| n.parse().unwrap());
        let mut page = json!({"value": pages[number], "total": 12});
        if number < 2 {
            page["@odata.nextLink"] = format!("?$skiptoken={}", number + 1).into();
        }
        Ok(page.to_string())
    })
}

const BAD: [u32; 5] = [1, 4, 6, 7, 11];

/// Every item, or the path of an error in its place.
async fn read(mut items: Items<Assets>, most: usize) -> (Vec<Result<u32, String>>, Items<Assets>) {
    let mut all = Vec::new();
    while all.len() < most {
        match items.try_next().await {
            Ok(Some(item)) => all.push(Ok(item)),
            Ok(None) => break,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
                all.push(Err(error.json_path().unwrap().to_owned()));
            }
        }
    }
    (all, items)
}

fn expected() -> Vec<Result<u32, String>> {
    let item = |n: u32| {
        if BAD.contains(&n) {
            Err(format!("value[{}]", n % 4))
        } else {
            Ok(n)
        }
    };
    (0..12).map(item).collect()
}

#[tokio::test(start_paused = true)]
async fn an_item_that_does_not_decode_is_an_error_in_its_place() {
    for prefetch in [0, 1, 3] {
        let script = service();
        let (all, items) = read(items(&script).prefetch(prefetch), usize::MAX).await;
        assert_eq!(all, expected(), "prefetch {prefetch}");
        assert_eq!((script.calls(), items.total()), (3, Some(12)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_resumed_at_every_place_whatever_is_there() {
    for place in 0..=12 {
        let (head, items) = read(items(&service()), place).await;
        let token = items.resume_token();
        let rest = super::items(&service()).resume(&token);
        let (rest, _) = read(rest, usize::MAX).await;
        let all: Vec<_> = head.into_iter().chain(rest).collect();
        assert_eq!(all, expected(), "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_counts_them() {
    for limit in 0..=12 {
        let script = service();
        let (all, _) = read(items(&script).limit(limit), usize::MAX).await;
        assert_eq!(all, expected()[..limit as usize], "{limit}");
    }
    let error = items(&service()).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.json_path(), Some("value[1]"));
    let one: Vec<_> = items(&service()).limit(1).try_collect().await.unwrap();
    assert_eq!(one, [0]);
    // A good item does not stand in for it.
    let two = items(&service()).limit(2).try_collect::<Vec<_>>().await;
    assert_eq!(two.unwrap_err().json_path(), Some("value[1]"));
}

#[tokio::test(start_paused = true)]
async fn the_error_tells_the_item() {
    let mut items = items(&service());
    let error = loop {
        match items.try_next().await {
            Err(error) if error.json_path() == Some("value[0]") => break error,
            Ok(None) => panic!("there is a broken item"),
            _ => {}
        }
    };
    let line = error.to_string();
    assert!(
        line.contains("`broken`") && line.contains("list_assets"),
        "{line}"
    );
    assert_eq!(error.value::<Value>().unwrap()["size"]["x"], 1);
    assert_eq!(error.expectation(), Some("expected u32, found map"));
    assert!(error.body().starts_with(b"{\"name\""));
}

#[tokio::test(start_paused = true)]
async fn pages_tell_it_once_and_go_on() {
    let mut pages = pages(&service());
    let mut places = Vec::new();
    for _ in 0..3 {
        let error = pages.try_next().await.unwrap_err();
        places.push(error.json_path().unwrap().to_owned());
    }
    assert_eq!(places, ["value[1]", "value[0]", "value[3]"]);
    assert!(pages.try_next().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_beside_the_items_ends_the_list() {
    for (body, path) in [
        (json!({"value": [1, "x"], "total": "many"}), "value[1]"),
        (json!({"value": {"x": 1}}), "value"),
        (
            json!({"value": [1], "@odata.nextLink": 5}),
            "@odata.nextLink",
        ),
    ] {
        let script = Script::new(move |_| Ok(body.to_string()));
        let mut items = items(&script);
        let error = items.try_next().await.unwrap_err();
        assert_eq!(error.json_path(), Some(path));
        assert!(items.try_next().await.unwrap().is_none());
    }
}
