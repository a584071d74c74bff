//! Pages: their links, their order, their counts.

use mkio_emulator::NextLink;
use serde_json::json;

use crate::common::Caller;

async fn walk(caller: &Caller, first: &str, between: impl AsyncFn(usize)) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(first.to_owned());
    let mut page = 0;
    while let Some(path) = next {
        let response = caller.get(&path).await.expect(200);
        names.extend(
            response.body["value"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|item| item["name"].as_str().or(item["metadata"]["name"].as_str()))
                .map(str::to_owned),
        );
        next = response.body["@odata.nextLink"].as_str().map(str::to_owned);
        page += 1;
        assert!(page < 100, "paging does not end");
        between(page).await;
    }
    names
}

#[tokio::test]
async fn a_scan_keeps_its_place_while_items_come_and_go() {
    let caller = Caller::with(|builder| builder.seed(10)).await;
    for order in [
        "",
        "&$orderby=name",
        "&$filter=name%20ne%20'x'",
        "&$orderby=properties/container%20desc,name",
    ] {
        let names = walk(
            &caller,
            &format!("media/assets?$top=4{order}"),
            async |_| {},
        )
        .await;
        assert_eq!(names.len(), 10, "{order}: {names:?}");
    }
    let names = walk(&caller, "media/assets?$top=4", async |page| {
        if page == 1 {
            for name in ["asset-1", "asset-4"] {
                caller
                    .delete(&format!("media/assets/{name}"))
                    .await
                    .expect(200);
            }
            caller.step(2);
            caller.asset("newcomer").await;
        }
    })
    .await;
    let expected: Vec<String> = (1..=10)
        .map(|number| format!("asset-{number}"))
        .chain(["newcomer".to_owned()])
        .collect();
    assert_eq!(names, expected);
    let names = walk(&caller, "media/assets?$top=4&$orderby=name", async |page| {
        if page == 1 {
            // The last of the page before, too.
            for name in ["asset-2", "asset-5"] {
                caller
                    .delete(&format!("media/assets/{name}"))
                    .await
                    .expect(200);
            }
            caller.step(2);
        }
    })
    .await;
    assert_eq!(
        names,
        [
            "asset-10", "asset-2", "asset-3", "asset-5", "asset-6", "asset-7", "asset-8",
            "asset-9", "newcomer"
        ]
    );
}

#[tokio::test]
async fn pages_of_what_is_selected_hold_it_all_whatever_the_list_is_made_of() {
    let caller = Caller::with(|builder| builder.seed(40)).await;
    for transform in ["t", "u"] {
        let body = json!({ "properties": { "outputs": [{ "preset": { "@odata.type": "#MediaKind.ThumbnailGeneratorPreset", "thumbnails": [{ "format": "Png" }] } }] } });
        caller
            .put(&format!("media/transforms/{transform}"), body)
            .await
            .expect(201);
        for job in 0..4 {
            let body = json!({ "properties": {
                "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "asset-1" },
                "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "asset-2" }],
            } });
            let path = format!("media/transforms/{transform}/jobs/{transform}{job}");
            caller.put(&path, body).await.expect(201);
        }
    }
    let presets = caller.get("templating/presets").await.expect(200);
    let presets = presets.body["value"].as_array().map_or(0, Vec::len);
    for (list, expected) in [
        ("media/assets?$filter=contains(name,'3')", 13),
        ("media/jobs?$filter=name%20ne%20't1'", 7),
        ("media/jobs?$orderby=name%20desc", 8),
        (
            "templating/presets?$filter=name%20ne%20'passthrough'",
            presets - 1,
        ),
        ("templating/presets?$orderby=name", presets),
    ] {
        for size in [1, 2, 3, 7, 8, 100] {
            let mut names = walk(&caller, &format!("{list}&$top={size}"), async |_| {}).await;
            assert_eq!(names.len(), expected, "{list} {size}: {names:?}");
            names.sort();
            names.dedup();
            assert_eq!(names.len(), expected, "{list} {size} repeats: {names:?}");
            // The same by offsets, which need no link.
            let mut counted = 0;
            for start in (0..expected + size).step_by(size) {
                let path = format!("{list}&$top={size}&$skiptoken={start}");
                let page = caller.get(&path).await.expect(200);
                counted += page.body["value"].as_array().map_or(0, Vec::len);
            }
            assert_eq!(counted, expected, "{list} {size} by offset");
        }
    }
}

#[tokio::test]
async fn pages_are_counted_and_linked_as_told() {
    let caller = Caller::with(|builder| {
        builder
            .seed(4)
            .next_link(NextLink::Relative)
            .link_when_full(true)
    })
    .await;
    let page = caller
        .get("media/assets?$top=2&$skiptoken=1")
        .await
        .expect(200);
    assert_eq!(
        page.body["supplemental"]["pagination"],
        json!({ "start": 1, "end": 3, "records": 2, "total": 4 })
    );
    assert_eq!(page.body["supplemental"]["subscription"]["name"], "demo");
    assert!(
        page.text("/@odata.nextLink")
            .starts_with("/api/v1/projects/demo/media/assets?$top=2&$skiptoken=3")
    );
    let last = caller
        .get("media/assets?$top=2&$skiptoken=2")
        .await
        .expect(200);
    let beyond = caller.get(&last.text("/@odata.nextLink")).await.expect(200);
    assert_eq!(
        (
            beyond.body["value"].clone(),
            beyond.body.get("@odata.nextLink")
        ),
        (json!([]), None)
    );
    assert_eq!(
        caller.get("media/assets?$top=0").await.expect(200).body["value"],
        json!([])
    );
    for (query, position) in [
        ("$filter=name%20eq", Some(7)),
        ("$filter=nothing%20eq%201", Some(0)),
        ("$orderby=nothing", None),
        ("$top=x", None),
        ("$label=x", None),
    ] {
        let refused = caller
            .get(&format!("media/assets?{query}"))
            .await
            .expect(400);
        assert_eq!(
            refused.body["error"]["extraDetail"]["position"].as_u64(),
            position,
            "{}",
            refused.body
        );
    }
}
