//! Every list of the documents: the fields it sorts and filters by, labels, pages.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{Caller, served};
use crate::samples;
use mkio_emulator::docs::Operation;
use reqwest::Method;
use serde_json::{Value, json};

/// Fields that are null in the samples for a reason, by the end of the list's path.
const EMPTY: &[(&str, &[&str])] = &[
    ("/media/storage", &["privateLinkServiceConnectionStatus"]),
    (
        "/fleet/devices",
        &[
            "status/beamHA/activeControllerDeviceName",
            "status/beamHA/roles",
            "status/rollbackSoftwareVersion",
        ],
    ),
    (
        "/organization/paymentMethods",
        &[
            "aws/awsAccountId",
            "azure/azureSaasSubscriptionId",
            "azure/azureSaasSubscriptionName",
        ],
    ),
];

/// The lists that take `$filter`, with a path that has items.
fn lists() -> Vec<(&'static Operation, String)> {
    let found =
        served().filter(|operation| operation.method == Method::GET && operation.takes("$filter"));
    found
        .map(|operation| {
            let mut path = operation.path.clone();
            let flow = match path.split('/').nth(6) {
                Some("liveChannels") => "flow1",
                Some("liveEvents") => "flow2",
                Some("staticMultiviewChannels") => "flow3",
                _ => "flow4",
            };
            for (parameter, name) in [
                ("{project_name}", "demo"),
                ("{asset_name}", "film"),
                ("{event_name}", "match"),
                ("{transform_name}", "encode"),
                ("{config_type}", "encodingLive"),
                ("configs/encodingLive/{name}", "configs/encodingLive/cfg"),
                ("devices/{name}", "devices/beam"),
                ("{name}", flow),
            ] {
                path = path.replace(parameter, name);
            }
            (operation, path)
        })
        .collect()
}

fn items(body: &Value) -> usize {
    body["value"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn every_field_that_a_list_names_can_be_filtered_and_sorted_by() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    caller.step(10);
    let mut wrong = Vec::new();
    let mut fields = 0;
    for (operation, path) in lists() {
        let all = caller.get(&path).await.expect(200);
        if items(&all.body) == 0 {
            wrong.push(format!("{path} is empty"));
            continue;
        }
        let end = path
            .strip_prefix("/api/v1/projects/demo")
            .or_else(|| path.strip_prefix("/api/v1"))
            .unwrap_or(&path);
        let empty = EMPTY
            .iter()
            .find(|(of, _)| *of == end)
            .map_or(&[][..], |(_, fields)| fields);
        for field in &operation.filterable {
            fields += 1;
            let found = caller
                .get(&format!("{path}?$filter={field}%20ne%20null"))
                .await
                .expect(200);
            if (items(&found.body) == 0) != empty.contains(&field.as_str()) {
                wrong.push(format!(
                    "{path} $filter={field}: {} of {}",
                    items(&found.body),
                    items(&all.body)
                ));
            }
        }
        for field in &operation.sortable {
            for direction in ["", "%20asc", "%20desc"] {
                let path = format!("{path}?$orderby={field}{direction}");
                let ordered = caller.get(&path).await.expect(200);
                assert_eq!(items(&ordered.body), items(&all.body), "{path}");
            }
        }
        if operation.filterable.is_empty() {
            continue;
        }
        let source = "id eq 'x' and (nothing eq 1)";
        let refused = caller
            .get(&format!("{path}?$filter={}", source.replace(' ', "%20")))
            .await
            .expect(400);
        assert_eq!(
            refused.body["error"]["extraDetail"]["position"], 15,
            "{path}: {}",
            refused.body
        );
        caller
            .get(&format!("{path}?$orderby=nothing"))
            .await
            .expect(400);
        caller
            .get(&format!("{path}?$orderby=name%20up"))
            .await
            .expect(400);
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(fields > 300, "{fields}");
}

#[tokio::test]
async fn every_list_pages_and_counts() {
    let caller = Caller::start().await;
    let all = samples::make(&caller).await;
    // A second one of each kind.
    for sample in &all {
        let mut body = sample.body.clone();
        for (at, value) in [
            ("/properties/container", "second"),
            ("/metadata/name", "two"),
            ("/properties/streamingLocatorId", "second"),
        ] {
            if let Some(field) = body.pointer_mut(at) {
                *field = json!(value);
            }
        }
        if sample.path.contains("scheduledOperations") {
            body = samples::window(&caller, 2_000, 2_010);
        }
        if sample.path.contains("liveOutputs") {
            caller.asset("spare").await;
            body["properties"]["assetName"] = json!("spare");
        }
        if sample.path.contains("/devices/") {
            body["spec"]["shortCode"] = json!("efgh5678");
        }
        let path = match sample.path {
            "/api/channels/one/" => "/api/channels/two/".to_owned(),
            "templating/configs/encodingLive/cfg" => {
                let body = json!({ "spec": { "config": { "other": 1 }, "parameters": [] } });
                caller.put(sample.path, body).await.expect(200);
                format!("{}2", sample.path)
            }
            path => format!("{path}2"),
        };
        let made = caller.put(&path, body).await;
        assert_eq!(made.status, sample.put.first(), "{path}: {}", made.body);
    }
    caller.step(10);
    for (operation, path) in lists() {
        let all = caller.get(&path).await.expect(200).body;
        let bare = all.get("supplemental").is_none();
        let total = items(&all);
        let mut seen = Vec::new();
        for at in 0..total {
            let page = caller
                .get(&format!("{path}?$top=1&$skiptoken={at}"))
                .await
                .expect(200)
                .body;
            assert_eq!(items(&page), 1, "{path}");
            seen.push(page["value"][0].clone());
            if bare {
                continue;
            }
            let supplemental = &page["supplemental"];
            assert_eq!(supplemental["count"], 1, "{path}");
            assert_eq!(supplemental["operation"], "list", "{path}");
            assert_eq!(supplemental["kind"], all["supplemental"]["kind"], "{path}");
            assert_eq!(
                supplemental["pagination"],
                json!({ "start": at, "end": at + 1, "records": 1, "total": total }),
                "{path}"
            );
            assert_eq!(
                supplemental.get("subscription").is_some(),
                operation.in_project(),
                "{path}"
            );
            assert_eq!(
                page.get("@odata.nextLink").is_some(),
                at + 1 < total,
                "{path} {at}"
            );
        }
        assert_eq!(Value::Array(seen), all["value"], "{path}");
        if bare {
            continue;
        }
        // Links lead through all of it, whatever the order.
        let order = operation
            .sortable
            .first()
            .map_or(String::new(), |field| format!("&$orderby={field}%20desc"));
        let mut next = Some(format!("{path}?$top=1{order}"));
        let mut linked = BTreeSet::new();
        while let Some(link) = next {
            let page = caller.get(&link).await.expect(200).body;
            assert!(
                linked.insert(page["value"].to_string()),
                "{path} repeats an item"
            );
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        assert_eq!(linked.len(), total, "{path}");
        let beyond = caller
            .get(&format!("{path}?$skiptoken=1000"))
            .await
            .expect(200)
            .body;
        assert_eq!(
            (items(&beyond), beyond.get("@odata.nextLink")),
            (0, None),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_list_with_labels_selects_by_them() {
    let caller = Caller::start().await;
    samples::make(&caller).await;
    let mut checked = 0;
    for (operation, path) in lists() {
        if !operation.takes("$label") {
            continue;
        }
        // Software and presets are the platform's own, without labels.
        let own = path.contains("/presets") || path.ends_with("/software");
        let all = items(&caller.get(&path).await.expect(200).body);
        let labelled = if own { 0 } else { all };
        let system = ["/networks", "/sites"]
            .iter()
            .any(|end| path.ends_with(end));
        for (query, matches) in [
            ("$label_key=studio", true),
            ("$label_key=studio&$label_key=other", false),
            ("$label=studio=north", true),
            ("$label=studio=south&$label=studio=north", true),
            ("$label=studio=south", false),
            ("$label=studio~ort", true),
            ("$label=studio~NORT", false),
            ("$label=studio=north&$label_key=other", false),
            ("$label_key=studio&label_key=studio", true),
        ] {
            let found = items(
                &caller
                    .get(&format!("{path}?{query}"))
                    .await
                    .expect(200)
                    .body,
            );
            // Networks and sites of the system have no labels.
            let wanted = match (matches, system) {
                (false, _) => 0,
                (true, true) => 1,
                (true, false) => labelled,
            };
            assert_eq!(found, wanted, "{path}?{query}");
        }
        for query in ["$label=studio", "$label=%3Dnorth"] {
            caller.get(&format!("{path}?{query}")).await.expect(400);
        }
        checked += 1;
    }
    assert!(checked >= 14, "{checked}");
}

/// Filters, and the seeded assets that they select.
const FILTERS: &[(&str, &[u32])] = &[
    ("name eq 'asset-3'", &[3]),
    ("name ne 'asset-3'", &[1, 2, 4, 5]),
    ("name gt 'asset-3'", &[4, 5]),
    ("name ge 'asset-3' and name lt 'asset-5'", &[3, 4]),
    ("name le 'asset-1' or name eq 'asset-5'", &[1, 5]),
    ("not (name eq 'asset-1' or name eq 'asset-2')", &[3, 4, 5]),
    (
        "not contains(name, '4') and not startswith(name, 'asset-5')",
        &[1, 2, 3],
    ),
    ("contains(properties/container, 'ner-2')", &[2]),
    (
        "tolower(name) eq 'asset-2' or toupper(name) eq 'ASSET-3'",
        &[2, 3],
    ),
    ("endswith(name, '5')", &[5]),
    ("name in ('asset-2', 'asset-4')", &[2, 4]),
    (
        "name eq 'asset-1' or name eq 'asset-2' and name eq 'asset-3'",
        &[1],
    ),
    (
        "(name eq 'asset-1' or name eq 'asset-2') and name eq 'asset-2'",
        &[2],
    ),
    ("name eq 'other'", &[]),
    ("properties/alternateId eq null", &[1, 2, 3, 4, 5]),
    ("properties/alternateId ne null", &[]),
    ("created ge 2024-05-01T00:00:00Z", &[1, 2, 3, 4, 5]),
    (
        "created ge 2024-05-01 and created lt 2024-05-02",
        &[1, 2, 3, 4, 5],
    ),
    ("created gt 2024-05-01T15:00:00+02:00", &[]),
    ("created le 2024-05-01T12:10:00.000Z", &[1, 2, 3, 4, 5]),
    ("properties/created lt 2024-05-01T11:59:59Z", &[]),
    (
        "createdByEmail eq 'emulator@example.com' and createdByName eq 'Emulator User'",
        &[1, 2, 3, 4, 5],
    ),
];

#[tokio::test]
async fn filters_select_what_they_say() {
    let start = "2024-05-01T12:00:00Z".parse().expect("a time");
    let caller = Caller::with(|builder| builder.seed(5).start_time(start)).await;
    for (filter, wanted) in FILTERS {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("$filter", filter)
            .finish();
        let found = caller
            .get(&format!("media/assets?{query}"))
            .await
            .expect(200)
            .body;
        let names: Vec<String> = found["value"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item["name"].as_str().map(str::to_owned))
            .collect();
        let wanted: Vec<String> = wanted
            .iter()
            .map(|number| format!("asset-{number}"))
            .collect();
        assert_eq!(names, wanted, "{filter}");
        assert_eq!(found["supplemental"]["pagination"]["total"], 5, "{filter}");
    }
    let id = caller
        .get("media/assets/asset-2")
        .await
        .expect(200)
        .text("/properties/assetId");
    let by_id = caller
        .get(&format!(
            "media/assets?$filter=properties/assetId%20eq%20{id}"
        ))
        .await
        .expect(200);
    assert_eq!(by_id.text("/value/0/name"), "asset-2");
    for (filter, position) in [
        ("", 0),
        ("name eq", 7),
        ("name eq 'open", 8),
        ("(name eq 'a'", 12),
        ("name eq 'a' or", 14),
        ("name eq 'a') ", 11),
        ("name like 'a'", 5),
        ("sum(name) eq 1", 0),
        ("name eq asset", 8),
        ("name.first eq 'a'", 0),
        ("contains(name) eq 'a'", 13),
        ("name eq 'ä' and nothing eq 1", 16),
    ] {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("$filter", filter)
            .finish();
        let refused = caller
            .get(&format!("media/assets?{query}"))
            .await
            .expect(400);
        assert_eq!(
            refused.body["error"]["extraDetail"]["position"], position,
            "{filter}: {}",
            refused.body
        );
        assert!(
            refused.detail().contains(&format!("position {position}")),
            "{}",
            refused.detail()
        );
    }
}

#[tokio::test]
async fn several_keys_sort_and_ties_keep_their_order() {
    let caller = Caller::start().await;
    for (name, container, account) in [
        ("b", "one", "x"),
        ("a", "two", "y"),
        ("d", "three", "x"),
        ("c", "four", "y"),
    ] {
        let body = json!({ "labels": { "group": account }, "properties": { "storageAccountName": "storage1", "container": container, "alternateId": account } });
        caller
            .put(&format!("media/assets/{name}"), body)
            .await
            .expect(201);
    }
    let mut orders = BTreeMap::new();
    for order in [
        "name",
        "name desc",
        "properties/alternateId desc,name",
        "properties/alternateId asc, name desc",
        "properties/alternateId",
        "properties/alternateId desc",
        "labels,name",
    ] {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("$orderby", order)
            .finish();
        let page = caller
            .get(&format!("media/assets?{query}"))
            .await
            .expect(200)
            .body;
        let names: String = page["value"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item["name"].as_str())
            .collect();
        orders.insert(order, names);
    }
    let wanted = BTreeMap::from([
        ("name", "abcd"),
        ("name desc", "dcba"),
        ("properties/alternateId desc,name", "acbd"),
        ("properties/alternateId asc, name desc", "dbca"),
        ("properties/alternateId", "bdac"),
        ("properties/alternateId desc", "acbd"),
        ("labels,name", "bdac"),
    ]);
    let orders: BTreeMap<&str, &str> = orders
        .iter()
        .map(|(order, names)| (*order, names.as_str()))
        .collect();
    assert_eq!(orders, wanted);
}

#[tokio::test]
async fn a_device_takes_its_own_operators_and_links_in_its_own_form() {
    let caller = Caller::start().await;
    for name in ["one", "two", "three"] {
        let body = json!({
            "kind": "BeamChannel", "metadata": { "name": name, "displayName": name.to_uppercase() },
            "spec": { "type": "EncodingDistribution", "state": "Stopped", "outputs": [], "inputs": [] },
        });
        caller
            .put(&format!("/api/channels/{name}/"), body)
            .await
            .expect(200);
    }
    let page = caller
        .get("/api/channels/?$top=2&$orderby=metadata/name%20desc")
        .await
        .expect(200);
    assert_eq!(page.text("/value/0/metadata/name"), "two");
    assert_eq!(page.body["supplemental"]["pagination"]["total"], 3);
    let link = page.text("/@odata.nextLink");
    assert!(
        link.starts_with("/") && link.contains("%24skiptoken=2") && !link.contains('$'),
        "{link}"
    );
    assert_eq!(
        caller
            .get(&link)
            .await
            .expect(200)
            .text("/value/0/metadata/name"),
        "one"
    );
    for (filter, count) in [
        ("contains(metadata/name,'t')", 2),
        ("tolower(metadata/displayName) eq 'one'", 1),
        ("metadata/name ne 'one' and spec/state eq 'Stopped'", 2),
        ("toupper(metadata/name) ge 'THREE'", 2),
    ] {
        let found = caller
            .get(&format!(
                "/api/channels/?$filter={}",
                filter.replace(' ', "%20")
            ))
            .await
            .expect(200);
        // The device counts what matches.
        assert_eq!(
            found.body["supplemental"]["pagination"]["total"], count,
            "{filter}"
        );
    }
    for query in [
        "$filter=startswith(metadata/name,'o')",
        "$filter=not%20(metadata/name%20eq%20'one')",
        "$filter=metadata/name%20in%20('one')",
        "$top=0",
        "$top=1001",
        "$top=x",
        "$skiptoken=-1",
    ] {
        let refused = caller
            .get(&format!("/api/channels/?{query}"))
            .await
            .expect(422);
        assert!(
            refused.body["detail"].is_array(),
            "{query}: {}",
            refused.body
        );
    }
    let selected = caller
        .get("/api/channels/?$select=metadata")
        .await
        .expect(200);
    assert_eq!(selected.body["value"][0].get("status"), None);
}

#[tokio::test]
async fn a_filter_by_name_finds_what_the_same_filter_finds_among_all() {
    let caller = Caller::with(|builder| builder.seed(30)).await;
    caller.asset("other").await;
    // What names one is looked up; the same in other words looks at all of them.
    for (looked_up, among_all) in [
        (
            "name eq 'asset-7'",
            "startswith(name,'asset-7') and name ne 'asset-70'",
        ),
        ("'asset-7' eq name", "name in ('asset-7')"),
        ("name eq 'other'", "not startswith(name,'asset')"),
        ("name eq 'ASSET-7'", "name eq 'a' and name eq 'b'"),
        (
            "name eq 'asset-7' and properties/container eq 'container-7'",
            "properties/container eq 'container-7'",
        ),
        (
            "name eq 'asset-7' and properties/container eq 'container-8'",
            "name eq 'none'",
        ),
        (
            "name eq 'asset-7' or name eq 'asset-8'",
            "name in ('asset-7','asset-8')",
        ),
    ] {
        let list = async |filter: &str| {
            let filter =
                percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
            let page = caller.get(&format!("media/assets?$filter={filter}")).await;
            page.expect(200).body
        };
        let (one, other) = (list(looked_up).await, list(among_all).await);
        assert_eq!(one["value"], other["value"], "{looked_up}");
        assert_eq!(one["supplemental"], other["supplemental"], "{looked_up}");
    }
}
