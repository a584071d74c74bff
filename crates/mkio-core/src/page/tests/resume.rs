//! Places in lists.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::super::ResumeToken;
use super::*;

#[tokio::test(start_paused = true)]
async fn goes_on_after_every_single_item() {
    for prefetch in [0, 1, 2] {
        for stop in 0..=12 {
            let script = list(FIVE);
            let mut first = items(&script).prefetch(prefetch);
            let mut all = Vec::new();
            for _ in 0..stop {
                all.extend(first.try_next().await.unwrap());
            }
            let token = serde_json::to_string(&first.resume_token()).unwrap();
            drop(first);

            let token: ResumeToken = serde_json::from_str(&token).unwrap();
            let rest: Vec<_> = items(&script).resume(&token).try_collect().await.unwrap();
            all.extend(rest);
            assert_eq!(all, (0..12).collect::<Vec<_>>(), "stopped after {stop}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn goes_on_again_and_again_with_one_item_each() {
    let script = list(FIVE);
    let mut token = items(&script).resume_token();
    let mut all = Vec::new();
    loop {
        let mut part = items(&script).resume(&token);
        let Some(item) = part.try_next().await.unwrap() else {
            break;
        };
        all.push(item);
        token = part.resume_token();
    }
    assert_eq!(all, (0..12).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn pages_go_on_after_every_page_and_within_one() {
    for stop in 0..=5 {
        let script = list(FIVE);
        let mut first = pages(&script);
        let mut all = Vec::new();
        for _ in 0..stop {
            let page = first.try_next().await.unwrap().unwrap();
            all.extend_from_slice(page.items());
        }
        let rest: Vec<_> = pages(&script)
            .resume(&first.resume_token())
            .try_collect()
            .await
            .unwrap();
        assert_eq!(rest.len(), 5 - stop);
        all.extend(rest.iter().flat_map(|page| page.items().to_vec()));
        assert_eq!(all, (0..12).collect::<Vec<_>>(), "stopped after {stop}");
    }
    let script = list(FIVE);
    let mut four = items(&script);
    for _ in 0..4 {
        four.try_next().await.unwrap();
    }
    let mut rest = pages(&script).resume(&four.resume_token());
    let page = rest.try_next().await.unwrap().unwrap();
    assert_eq!(page.items(), [4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_back_to_its_own_list_only() {
    let script = list(FIVE);
    let token = items(&script).resume_token();
    let other = get("https://app.mk.io/api/v1/projects/other/media/assets");
    let mut other = Pages::<Assets>::new(script.transport(), &LIST, other).resume(&token);
    let error = other.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "nothing was sent");
    assert!(error.to_string().contains("/projects/acme/"), "{error}");
    assert_eq!(script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_comes_in_its_place_and_can_be_taken_up() {
    for prefetch in [0, 1, 9] {
        let down = Arc::new(AtomicBool::new(true));
        let switch = down.clone();
        let script = Script::new(move |seen| {
            if seen.parameter("$skiptoken") == Some("2") && switch.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Connection, "gone"));
            }
            Ok(page(FIVE, seen))
        });
        let mut assets = items(&script).prefetch(prefetch);
        for expected in 0..6 {
            assert_eq!(assets.try_next().await.unwrap(), Some(expected));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let error = assets.try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(assets.try_next().await.unwrap(), None);

        down.store(false, Ordering::Relaxed);
        let rest: Vec<_> = items(&script)
            .resume(&assets.resume_token())
            .try_collect()
            .await
            .unwrap();
        assert_eq!(rest, (6..12).collect::<Vec<_>>());
    }
}

/// Stopped by a limit, with whatever was fetched ahead by then.
#[tokio::test(start_paused = true)]
async fn goes_on_after_a_limit_wherever_it_ends() {
    for prefetch in [0, 1, 9] {
        for limit in 0..=12 {
            let script = list(FIVE);
            let mut first = items(&script).prefetch(prefetch).limit(limit);
            let mut all = Vec::new();
            while let Some(asset) = first.try_next().await.unwrap() {
                all.push(asset);
            }
            let token = first.resume_token();
            let rest = items(&script).resume(&token).limit(12 - limit);
            all.extend(rest.try_collect::<Vec<_>>().await.unwrap());
            assert_eq!(all, (0..12).collect::<Vec<_>>(), "stopped after {limit}");
        }
    }
}

/// The service has another page size than when the place was noted.
#[tokio::test(start_paused = true)]
async fn goes_on_when_the_pages_have_become_smaller_or_larger() {
    let size = Arc::new(AtomicUsize::new(5));
    let sized = size.clone();
    let script = Script::new(move |seen| {
        let from = seen
            .parameter("$skiptoken")
            .map_or(0, |n| n.parse().unwrap());
        let to = 20.min(from + sized.load(Ordering::Relaxed));
        let mut page = serde_json::json!({"value": (from..to).collect::<Vec<_>>()});
        if to < 20 {
            page["@odata.nextLink"] = format!("?$filter=x&$skiptoken={to}").into();
        }
        Ok(page.to_string())
    });
    for later in [1, 2, 3, 7, 100] {
        for stop in 0..=20 {
            size.store(5, Ordering::Relaxed);
            let mut first = items(&script).prefetch(0);
            let mut all = Vec::new();
            for _ in 0..stop {
                all.extend(first.try_next().await.unwrap());
            }
            size.store(later, Ordering::Relaxed);
            let token = first.resume_token();
            let mut rest = pages(&script).resume(&token);
            while let Some(page) = rest.try_next().await.unwrap() {
                assert!(
                    !page.items().is_empty(),
                    "a page that was handed out before"
                );
                all.extend_from_slice(page.items());
            }
            assert_eq!(
                all,
                (0..20).collect::<Vec<_>>(),
                "{stop}, then pages of {later}"
            );
        }
    }
}

/// Also while the pages that are left out go by.
#[tokio::test(start_paused = true)]
async fn the_place_holds_on_the_way_to_it() {
    let token = serde_json::json!({
        "list": "/api/v1/projects/acme/media/assets", "query": "$filter=x", "offset": 8,
    });
    let token: ResumeToken = serde_json::from_value(token).unwrap();
    for prefetch in [0, 1] {
        let script = Script::slow(Duration::from_millis(20), |seen| Ok(page(FIVE, seen)));
        let mut assets = items(&script).prefetch(prefetch).resume(&token);
        let mut interrupted = 0;
        let first = loop {
            match tokio::time::timeout(Duration::from_millis(7), assets.try_next()).await {
                Ok(first) => break first.unwrap(),
                Err(_) => interrupted += 1,
            }
            let rest = items(&script).resume(&assets.resume_token());
            let rest: Vec<_> = rest.try_collect().await.unwrap();
            assert_eq!(rest, [8, 9, 10, 11], "after {interrupted}");
        };
        assert_eq!(first, Some(8));
        assert!(interrupted > 2, "{interrupted}");
    }
}

/// One page means one page with something to read.
#[tokio::test(start_paused = true)]
async fn a_page_that_was_handed_out_before_is_not_taken() {
    let token = serde_json::json!({
        "list": "/api/v1/projects/acme/media/assets", "query": "$filter=x", "offset": 3,
    });
    let token: ResumeToken = serde_json::from_value(token).unwrap();
    for prefetch in [0, 1] {
        let script = list(FIVE);
        let one = pages(&script).prefetch(prefetch).resume(&token).take(1);
        let one: Vec<_> = one.try_collect().await.unwrap();
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].items(), [3, 4, 5]);
        assert_eq!(script.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_was_added_at_the_end_is_seen() {
    let grown = Arc::new(AtomicBool::new(false));
    let more = grown.clone();
    let script = Script::new(move |seen| {
        let sizes: &[u32] = if more.load(Ordering::Relaxed) {
            &[3, 3, 1]
        } else {
            &[3, 1]
        };
        Ok(page(sizes, seen))
    });
    let mut first = items(&script);
    while first.try_next().await.unwrap().is_some() {}
    let token = first.resume_token();
    let none: Vec<_> = items(&script).resume(&token).try_collect().await.unwrap();
    assert!(none.is_empty());
    grown.store(true, Ordering::Relaxed);
    let new: Vec<_> = items(&script).resume(&token).try_collect().await.unwrap();
    assert_eq!(new, [4, 5, 6]);
}

/// A token is data from outside: whatever it says, the request goes to the list it is given to.
#[tokio::test(start_paused = true)]
async fn a_forged_token_leads_nowhere_else() {
    let path = "/api/v1/projects/acme/media/assets";
    for list in [
        "https://evil.example/api/v1/projects/acme/media/assets",
        "//evil.example/api/v1/projects/acme/media/assets",
        "/api/v1/projects/other/media/assets",
        "/api/v1/projects/acme/media/assets/../../../../user/tokens",
        "",
    ] {
        let script = super::list(FIVE);
        let token = serde_json::json!({"list": list, "query": "$filter=x"});
        let token = serde_json::from_value(token).unwrap();
        let error = items(&script).resume(&token).try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{list}");
        assert_eq!(script.calls(), 0);
    }
    for query in [
        "$filter=x#@evil.example/",
        "$filter=x&a=\r\nHost: evil.example",
        "$filter=x& @evil.example/\\..//",
        "$filter=x&?https://evil.example/",
    ] {
        let script = Script::new(|_| Ok(r#"{"value": []}"#.to_owned()));
        let token = serde_json::json!({"list": path, "query": query, "offset": u32::MAX});
        let token = serde_json::from_value(token).unwrap();
        let none = items(&script).resume(&token).try_next().await.unwrap();
        assert_eq!(none, None);
        let log = script.log();
        assert_eq!(
            (log.len(), log[0].host.as_str()),
            (1, "app.mk.io"),
            "{query}"
        );
        assert_eq!(log[0].path, path, "{query}");
        assert_eq!(log[0].parameter("$filter").map(|x| &x[..1]), Some("x"));
    }
    for nonsense in [
        r#"{}"#,
        r#"{"list": 7}"#,
        r#"{"list": "/x", "offset": -1}"#,
        "[]",
    ] {
        assert!(
            serde_json::from_str::<ResumeToken>(nonsense).is_err(),
            "{nonsense}"
        );
    }
}

/// The place is in the list, not on a server.
#[tokio::test(start_paused = true)]
async fn a_token_holds_for_the_same_list_elsewhere_and_has_nothing_of_the_client() {
    let script = list(FIVE);
    let mut first = Pages::<Assets>::new(
        script.transport_at("http://127.0.0.1:8080"),
        &LIST,
        get("http://127.0.0.1:8080/api/v1/projects/acme/media/assets?$filter=x"),
    )
    .items();
    for _ in 0..4 {
        first.try_next().await.unwrap();
    }
    let token = serde_json::to_value(first.resume_token()).unwrap();
    assert_eq!(
        token,
        serde_json::json!({
            "list": "/api/v1/projects/acme/media/assets",
            "query": "%24filter=x&%24skiptoken=1",
            "offset": 1,
        })
    );
    let token: ResumeToken = serde_json::from_value(token).unwrap();
    let rest: Vec<_> = items(&script).resume(&token).try_collect().await.unwrap();
    assert_eq!(rest, (4..12).collect::<Vec<_>>());
}

/// Only before the first poll: a list does not jump.
#[tokio::test(start_paused = true)]
async fn a_list_that_has_begun_is_not_resumed_elsewhere() {
    for prefetch in [0, 1] {
        let script = list(FIVE);
        let token = items(&script).resume_token();
        let mut assets = items(&script).prefetch(prefetch);
        assert_eq!(assets.try_next().await.unwrap(), Some(0));
        let rest: Vec<_> = assets.resume(&token).try_collect().await.unwrap();
        assert_eq!(rest, (1..12).collect::<Vec<_>>());
    }
}

/// Formats that write members without their names need all of them.
#[tokio::test(start_paused = true)]
async fn a_token_has_the_same_members_everywhere() {
    let script = Script::new(|_| Ok(r#"{"value": [1]}"#.to_owned()));
    let list = get("https://app.mk.io/assets");
    let token = Pages::<Assets>::new(script.transport(), &LIST, list).resume_token();
    assert_eq!(
        serde_json::to_value(&token).unwrap(),
        serde_json::json!({"list": "/assets", "query": null, "offset": 0})
    );
    let nameless = serde_json::json!(["/assets", null, 0]);
    assert_eq!(
        serde_json::from_value::<ResumeToken>(nameless).unwrap(),
        token
    );
    let short = serde_json::json!({"list": "/assets"});
    assert_eq!(serde_json::from_value::<ResumeToken>(short).unwrap(), token);
}
