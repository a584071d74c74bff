//! Absent, null and empty are three different things.

use mkio::media::types::*;
use mkio::{Nullable, management::types::UsageReportQuery};
use serde_json::{Value, json};

use super::{body, media, offline};

fn report(query: UsageReportQuery) -> Value {
    let request = offline()
        .management()
        .create_usage_report(query)
        .into_request();
    body(&request.expect("a request"))
}

#[test]
fn an_empty_list_is_not_an_absent_one() {
    let query = || {
        UsageReportQuery::new()
            .start_date("2025-01-01")
            .end_date("2025-02-01")
    };
    let dates = json!({"endDate": "2025-02-01", "startDate": "2025-01-01"});
    assert_eq!(report(query()), dates);
    let mut empty = dates.clone();
    empty["projectNames"] = json!([]);
    assert_eq!(
        report(query().with_project_names(Vec::<String>::new())),
        empty
    );
}

fn asset(put: AssetPut) -> Value {
    let request = media().create_or_update_asset("a", put).into_request();
    body(&request.expect("a request"))
}

#[test]
fn an_empty_map_is_not_an_absent_one() {
    let put = || AssetPut::new(AssetPutProperties::new("store"));
    let properties = json!({"storageAccountName": "store"});
    assert_eq!(asset(put()), json!({"properties": properties}));
    assert_eq!(
        asset(put().with_labels(Vec::<(String, String)>::new())),
        json!({"labels": {}, "properties": properties})
    );
    assert_eq!(
        asset(put().with_labels([("k", "v")])),
        json!({"labels": {"k": "v"}, "properties": properties})
    );
}

/// An empty text is a text.
#[test]
fn an_empty_text_travels() {
    let put = AssetPut::new(AssetPutProperties::new("store").with_description(""));
    assert_eq!(asset(put)["properties"]["description"], json!(""));
}

#[test]
fn a_patch_leaves_out_removes_or_sets() {
    let sent = |spec: AwsStorageSpecPatch| {
        let request = media()
            .update_storage("s", StoragePatch::new().with_spec(spec))
            .into_request();
        body(&request.expect("a request"))
    };
    let new = AwsStorageSpecPatch::new;
    assert_eq!(sent(new()), json!({"spec": {"type": "AWS.S3"}}));
    let null = json!({"spec": {"type": "AWS.S3", "description": null}});
    assert_eq!(sent(new().with_description(Nullable::Null)), null);
    assert_eq!(
        sent(new().with_description(None)),
        json!({"spec": {"type": "AWS.S3"}})
    );
    for text in ["", "new"] {
        assert_eq!(
            sent(new().with_description(text)),
            json!({"spec": {"type": "AWS.S3", "description": text}})
        );
    }
    assert_eq!(
        sent(
            new()
                .with_description("old")
                .with_description(Nullable::Absent)
        ),
        json!({"spec": {"type": "AWS.S3"}})
    );
}

/// The document gives `priority` a default, and `progress` of an output, too; only the service
/// applies them.
#[test]
fn defaults_of_the_document_do_not_travel() {
    let job = || JobPutProperties::new(JobInputAsset::new("in"), [JobOutputAsset::new("out")]);
    let sent = |properties: JobPutProperties| {
        let request = media()
            .create_job("t", "j", JobPut::new(properties))
            .into_request();
        body(&request.expect("a request"))
    };
    let mut expected = json!({"properties": {
        "input": {"@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "in"},
        "outputs": [{"@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "out"}]
    }});
    assert_eq!(sent(job()), expected);
    expected["properties"]["priority"] = json!("Normal");
    assert_eq!(sent(job().with_priority(JobPriority::Normal)), expected);
}
