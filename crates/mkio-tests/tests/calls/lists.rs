//! Lists of all seven APIs: every one ends in a stream, and its parameters are sent.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use mkio::media::{fields, types::JobState};
use mkio::{Client, ErrorKind, Items, Page, Result};
use mkio_core::{Dispatch, DispatchFuture};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{client, media, offline};

/// Answers every list with two items and a link, and the page behind the link with one. It does so
/// in all forms that lists have; each reads its own.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<Vec<Url>>>);

impl Service {
    fn client(&self) -> Client {
        Client::builder()
            .base_url("https://app.mk.io")
            .api_base_url("channels", "https://beam.example")
            .token("no-real-token")
            .dispatch(self.clone())
            .build()
            .expect("a client")
    }

    fn log(&self) -> Vec<Url> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Dispatch for Service {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let url = request.url().clone();
        let second = url.query_pairs().any(|(name, _)| name == "$skiptoken");
        let items = vec![json!({}); if second { 1 } else { 2 }];
        let mut page =
            json!({"supplemental": {"pagination": {"total": 3}}, "revokedTokens": ["a", "b"]});
        for field in ["value", "streamingLocators", "contentKeys", "types", "keys"] {
            page[field] = json!(items);
        }
        if !second {
            page["@odata.nextLink"] = json!("?%24skiptoken=2");
        }
        self.0.lock().expect("no panic").push(url);
        Box::pin(async move {
            let mut response = http::Response::new(page.to_string());
            *response.status_mut() = StatusCode::OK;
            Ok(response.into())
        })
    }
}

async fn read<P: Page>(items: Items<P>) -> Result<usize> {
    Ok(items.try_collect::<Vec<_>>().await?.len())
}

/// Reads lists to their end; gives their names with how many items each has.
macro_rules! read {
    ($api:literal, $($client:ident: $($list:ident $(($($value:expr),*))?),* $(,)?);* $(;)?) => {
        vec![$($((
            format!("{}: {}", $api, stringify!($list)),
            read($client.$list($($($value),*)?).items()).await,
        )),*),*]
    };
}

#[tokio::test]
async fn every_list_is_read_to_its_end_and_no_further() {
    let service = Service::default();
    let client = service.client();
    let project = client.project("acme");
    let (media, live, templates) = (project.media(), project.live(), project.templates());
    let (fleets, infra) = (project.fleets(), project.infrastructure());
    let (in_project, management) = (project.management(), client.management());
    let channels = client.channels();

    let paged = [
        read!("media", media:
            list_account_filters, list_asset_filters("a"), list_assets,
            list_content_key_policies, list_contents, list_destinations, list_jobs,
            list_live_events, list_live_outputs("e"), list_sources,
            list_storage_credentials("s"), list_storages,
            list_streaming_endpoints, list_streaming_locators, list_streaming_policies,
            list_transform_jobs("t"), list_transforms),
        read!("live", live:
            list_flows, list_live_channels, list_live_events, list_static_multiview_channels,
            list_static_multiview_events, list_live_channel_scheduled_operations("n"),
            list_live_event_scheduled_operations("n"),
            list_static_multiview_channel_scheduled_operations("n"),
            list_static_multiview_event_scheduled_operations("n")),
        read!("templates", templates:
            list_configs, list_presets, list_configs_of_type("t"),
            list_presets_of_type("t"),
            list_config_versions("t", "n")),
        read!("fleets", fleets: list_devices, list_device_software("n"), list_backups,
            list_support_packages("n")),
        read!("infrastructure", infra: list_networks),
        read!("management", management: list_locations, list_projects, list_payment_methods;
            in_project: list_webhook_rules, list_webhook_rule_events("r")),
        read!("channels", channels: list_channels),
    ]
    .concat();
    for (list, read) in &paged {
        assert_eq!(*read.as_ref().expect(list), 3, "{list}");
    }
    let log = service.log();
    assert_eq!(log.len(), 2 * paged.len());
    for pair in log.chunks(2) {
        assert_eq!(pair[0].path(), pair[1].path());
        assert_eq!(pair[1].query(), Some("%24skiptoken=2"));
    }

    let report = mkio::management::types::UsageReportQuery::new()
        .start_date("2025-01-01")
        .end_date("2025-02-01");
    let single = [
        read!("media", media: list_asset_streaming_locators("a"),
            list_streaming_locator_content_keys("l")),
        read!("templates", templates: list_config_types),
        read!("management", management:
            list_invites, list_organization_tokens, list_public_keys,
            list_revoked_tokens, list_roles, list_scopes, list_teams, list_user_organizations,
            list_user_tokens, list_users, create_usage_report(report);
            in_project: get_project_usage),
        read!("channels", channels: list_active_alarms("c"), list_biss_injected_ids),
    ]
    .concat();
    for (list, read) in &single {
        assert_eq!(*read.as_ref().expect(list), 2, "{list}");
    }
    assert_eq!(service.log().len(), single.len());

    // These are all.
    let read: BTreeSet<_> = paged
        .into_iter()
        .chain(single)
        .map(|(list, _)| list)
        .collect();
    for list in surface().difference(&read) {
        assert_eq!(by_name(&client, list).await, 3, "{list}");
    }
}

/// The items of a list of the catalogs: one that a document has and no line above reads.
async fn by_name(client: &Client, list: &str) -> usize {
    let entry = mkio::CATALOGS
        .iter()
        .flat_map(|catalog| catalog.entries)
        .find(|entry| format!("{}: {}", entry.operation.api, entry.id()) == list)
        .expect(list);
    let required = entry.parameters.iter().filter(|given| given.required);
    let arguments = required
        .map(|given| (given.name.to_owned(), json!("n")))
        .collect();
    let pages = entry.pages(client.transport(), &arguments).expect(list);
    let items: Vec<Value> = pages.items().try_collect().await.expect(list);
    items.len()
}

/// Every operation of the surface files that is called a list.
fn surface() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/surface");
    let mut lists = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let Some(api) = path.file_stem().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        for line in fs::read_to_string(&path).expect("text").lines() {
            if let Some((name, _)) = line
                .split_once(" -> ")
                .filter(|_| line.starts_with("list_"))
            {
                let name = name.split('(').next().unwrap_or(name);
                lists.insert(format!("{api}: {name}"));
            }
        }
    }
    assert!(lists.len() > 50, "{lists:?}");
    lists
}

/// Parameters of a request, decoded.
fn parameters(request: Result<reqwest::Request>) -> Vec<(String, String)> {
    let request = request.expect("a request");
    request.url().query_pairs().into_owned().collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    expected.iter().map(own).collect()
}

#[test]
fn filters_and_orders_reach_the_service_as_they_are_meant() {
    use fields::assets::*;

    let owner = Uuid::from_u128(7);
    let filter = NAME
        .eq("Bob's “intro” & 100% Ü+#?")
        .or(PROPERTIES_CREATED.ge("2026-03-01T01:00:00+01:00"))
        .and(ID.ne(owner))
        .and(PROPERTIES_ALTERNATE_ID.is_null());
    let request = media()
        .list_assets()
        .filter(filter)
        .orderby([PROPERTIES_CREATED.desc(), NAME.asc()])
        .top(50)
        .into_request();
    let mut sent = parameters(request);
    sent.sort();
    assert_eq!(
        sent,
        pairs(&[
            (
                "$filter",
                "(name eq 'Bob''s “intro” & 100% Ü+#?' or properties/created ge \
                 2026-03-01T00:00:00Z) and id ne '00000000-0000-0000-0000-000000000007' and \
                 properties/alternateId eq null"
            ),
            ("$orderby", "properties/created desc,name asc"),
            ("$top", "50"),
        ])
    );

    // States have their type, and text stays possible everywhere.
    let jobs = media()
        .list_jobs()
        .filter(fields::jobs::PROPERTIES_STATE.one_of([JobState::Finished, JobState::Error]))
        .orderby("name")
        .into_request();
    let mut sent = parameters(jobs);
    sent.sort();
    assert_eq!(
        sent,
        pairs(&[
            (
                "$filter",
                "properties/state eq 'Finished' or properties/state eq 'Error'"
            ),
            ("$orderby", "name"),
        ])
    );
    let raw = "tolower(name) eq 'a''b' and not (x eq 1)";
    let sent = parameters(media().list_assets().filter(raw).into_request());
    assert_eq!(sent, pairs(&[("$filter", raw)]));
}

/// Each condition is a parameter of its own, in the order given, in every list that has labels.
#[test]
fn conditions_on_labels_are_repeated() {
    let project = offline().project("acme");
    macro_rules! labelled {
        ($($request:expr),* $(,)?) => {
            [$($request
                .label_key("studio")
                .label_key("genre")
                .label_eq("genre", "news & more")
                .label_eq("genre", "talk=show")
                .label_contains("title", "sum up")
                .into_request()),*]
        };
    }
    let requests = labelled![
        project.media().list_assets(),
        project.media().list_live_events(),
        project.live().list_flows(),
        project.templates().list_presets(),
        project.fleets().list_devices(),
        // Its document names no fields to filter by.
        project.fleets().list_device_software("n"),
        project.infrastructure().list_sites(),
    ];
    for request in requests {
        let sent = parameters(request);
        let of = |name| -> Vec<_> {
            let values = sent.iter().filter(|(key, _)| key == name);
            values.map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(of("$label_key"), ["studio", "genre"]);
        assert_eq!(
            of("$label"),
            ["genre=news & more", "genre=talk=show", "title~sum up"]
        );
        assert_eq!(sent.len(), 5);
    }
}

#[test]
fn the_page_size_is_a_number() {
    for size in [0_u32, 1, 1000] {
        let sent = parameters(media().list_assets().top(size).into_request());
        assert_eq!(sent, pairs(&[("$top", &size.to_string())]));
    }
}

/// A limit is the page size as well, if the list takes one and the caller has set none.
#[tokio::test]
async fn a_limit_is_a_page_size() {
    let service = Service::default();
    let project = service.client().project("acme");
    let sizes = || -> Vec<Option<String>> {
        let top = |url: &Url| {
            let mut query = url.query_pairs();
            query.find_map(|(name, value)| (name == "$top").then(|| value.into_owned()))
        };
        service.log().iter().map(top).collect()
    };
    let media = project.media();
    for (list, expected) in [
        (media.list_assets().items().limit(2), Some("2")),
        (media.list_assets().top(7).items().limit(2), Some("7")),
        (media.list_assets().items().limit(200), None),
    ] {
        read(list).await.expect("the list");
        assert_eq!(sizes()[0].as_deref(), expected);
    }
    let backups = project.fleets().list_backups().items();
    read(backups.limit(2)).await.expect("the list");
    assert_eq!(sizes(), [None]);
}

/// A token is made by a client and survives it.
#[tokio::test]
async fn a_list_goes_on_in_another_process() {
    let service = Service::default();
    let list = || {
        service
            .client()
            .project("acme")
            .media()
            .list_assets()
            .items()
    };
    for stop in 0..=3 {
        let mut first = list();
        for _ in 0..stop {
            first.try_next().await.expect("the list");
        }
        let token = serde_json::to_string(&first.resume_token()).expect("JSON");
        assert!(
            !token.contains("no-real-token") && !token.contains("mk.io"),
            "{token}"
        );
        let token = serde_json::from_str(&token).expect("a token");
        let rest = read(list().resume(&token)).await.expect("the rest");
        assert_eq!(rest, 3 - stop);
    }
    // Another project's list does not take it.
    let token = list().resume_token();
    service.log();
    let other = client("https://app.mk.io").project("other").media();
    let mut other = other.list_assets().items().resume(&token);
    let error = other.try_next().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(service.log(), []);
}

/// The members of a page beside its items.
#[tokio::test]
async fn a_page_has_its_total_and_what_came_with_it() {
    let service = Service::default();
    let media = service.client().project("acme").media();
    let mut pages = media.list_assets().pages();
    let first = pages.try_next().await.expect("a page").expect("a page");
    assert_eq!((first.total(), pages.total()), (Some(3), Some(3)));
    assert_eq!(first.http_status(), 200);
    let raw: Value = serde_json::from_slice(first.raw()).expect("JSON");
    assert_eq!(raw["@odata.nextLink"], "?%24skiptoken=2");
}
