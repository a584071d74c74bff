//! Bodies that are not JSON, in both directions.

use mkio::management::types::{UsageReport, UsageReportQuery};
use mkio_httpmock::{
    channels::MockServerExt as _, fleets::MockServerExt as _, httpmock::MockServer,
    management::MockServerExt as _,
};

use super::{header, mocked, offline};

/// No text in any encoding that could be guessed.
const JPEG: [u8; 12] = [
    0xff, 0xd8, 0xff, 0xe0, 0, 0x10, b'J', b'F', b'I', b'F', 0, 0xff,
];

fn query() -> UsageReportQuery {
    UsageReportQuery::new()
        .start_date("2025-01-01")
        .end_date("2025-02-01")
}

#[test]
fn each_report_asks_for_its_media_type() {
    let management = offline().management();
    let json = management.create_usage_report(query());
    let csv = management.create_usage_report_csv(query());
    let json = json.into_request().expect("a request");
    let csv = csv.into_request().expect("a request");
    assert_eq!((json.method(), json.url()), (csv.method(), csv.url()));
    assert_eq!(header(&json, "accept"), "application/json");
    assert_eq!(header(&csv, "accept"), "text/csv");
    assert_eq!(header(&csv, "content-type"), "application/json");
}

#[tokio::test]
async fn a_usage_report_comes_as_the_bytes_of_its_csv() {
    const CSV: &str = "meter,quantity\r\n\"encoded, minutes\",12.5\r\n";
    let server = MockServer::start_async().await;
    let json = server.create_usage_report(|when, then| {
        when.body(&query());
        then.success(200, &UsageReport::default());
    });
    let csv = server.create_usage_report_csv(|when, then| {
        when.body(&query());
        then.success(200, CSV);
    });
    let management = mocked(&server).management();
    let call = management.create_usage_report_csv(query()).send();
    let response = call.await.expect("a response");
    assert_eq!(response.headers()["content-type"], "text/csv");
    assert_eq!(response.into_inner().bytes().await.expect("bytes"), CSV);
    assert_eq!((json.calls(), csv.calls()), (0, 1));

    let call = management.create_usage_report(query()).send();
    assert_eq!(*call.await.expect("a response"), UsageReport::default());
    assert_eq!((json.calls(), csv.calls()), (1, 1));
}

#[tokio::test]
async fn a_thumbnail_comes_as_bytes() {
    let server = MockServer::start_async().await;
    let mock = server.get_channel_thumbnail(|when, then| {
        when.channel_id("c 1")
            .thumbnail_id("t")
            .into_inner()
            .header("accept", "image/jpeg");
        then.success(200, JPEG);
    });
    let channels = mocked(&server).channels();
    let call = channels.get_channel_thumbnail("c 1", "t");
    let response = call.send().await.expect("a response");
    assert_eq!(response.headers()["content-type"], "image/jpeg");
    let bytes = response.into_inner().bytes().await.expect("bytes");
    assert_eq!(bytes, JPEG.as_slice());
    mock.assert_calls(1);
}

/// An error is an error, not a stream of its JSON.
#[tokio::test]
async fn a_missing_thumbnail_is_an_error() {
    let server = MockServer::start_async().await;
    server.get_channel_thumbnail(|_, then| {
        then.client_error(404, &Default::default());
    });
    let channels = mocked(&server).channels();
    let call = channels.get_channel_thumbnail("c", "t");
    let error = call.send().await.map(drop).expect_err("an error");
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.operation_id(), Some("get_channel_thumbnail"));
}

#[tokio::test]
async fn a_backup_is_sent_as_octets() {
    let server = MockServer::start_async().await;
    let mock = server.upload_backup(|when, then| {
        when.project_name("acme")
            .body(JPEG)
            .into_inner()
            .header("content-type", "application/octet-stream");
        then.success(204);
    });
    let fleets = mocked(&server).project("acme").fleets();
    let call = fleets.upload_backup(JPEG.to_vec()).send();
    call.await.expect("accepted");
    mock.assert_calls(1);
}
