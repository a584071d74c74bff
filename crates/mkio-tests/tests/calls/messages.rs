//! Error lines name the operation, the resource, where the request went, and the cause.

use mkio::media::fields::jobs::CREATED;
use mkio::{Client, ErrorKind, RetryPolicy};
use mkio_httpmock::httpmock::MockServer;
use serde_json::json;

use super::mocked;

#[tokio::test]
async fn a_refused_connection_names_the_resource_the_address_and_the_cause() {
    // Nobody listens at a port that was just given back.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").port()
    };
    let base_url = format!("http://127.0.0.1:{port}");
    let client = Client::builder()
        .base_url(&base_url)
        .token("t")
        .retry(RetryPolicy::none())
        .build()
        .expect("a client");
    let call = client.project("acme").media().get_job("h264", "job 1");
    let error = call.send().await.expect_err("nobody listens");
    let line = error.to_string();
    assert!(
        line.starts_with(&format!("get_job 'h264/job 1' at {base_url}: ")),
        "{line}"
    );
    assert!(line.to_lowercase().contains("connection refused"), "{line}");
    assert_eq!(
        error.path(),
        Some("/api/v1/projects/acme/media/transforms/h264/jobs/job%201")
    );
}

#[tokio::test]
async fn an_error_of_the_service_names_the_resource() {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.path_includes("/assets/");
        then.status(404).json_body(json!({
            "error": {"code": "Asset_NotFound", "detail": "there is none"}, "ref": "r1",
        }));
    });
    server.mock(|when, then| {
        when.path_includes("/transforms/");
        then.status(200).body("<html>");
    });
    let client = mocked(&server);
    let media = client.project("acme").media();
    let error = media.get_asset("intro").send().await.expect_err("404");
    assert_eq!(
        error.to_string(),
        "get_asset 'intro': 404 Not Found: Asset_NotFound: there is none (ref r1)"
    );
    let error = media.get_transform("h264").send().await.expect_err("HTML");
    assert!(
        error.to_string().starts_with("get_transform 'h264': 200"),
        "{error}"
    );
    assert_eq!(
        error.path(),
        Some("/api/v1/projects/acme/media/transforms/h264")
    );
    let raw = client.request(http::Method::GET, "/api/v1/assets/raw?sig=secret");
    let error = raw.send().await.expect_err("404");
    let line = error.to_string();
    assert!(
        line.starts_with("request '/api/v1/assets/raw': 404"),
        "{line}"
    );
}

#[tokio::test]
async fn a_filter_by_a_time_that_is_none_is_refused_before_it_is_sent() {
    let server = MockServer::start_async().await;
    let mock = server.mock(|_, then| {
        then.status(200).json_body(json!({"value": []}));
    });
    let media = mocked(&server).project("acme").media();
    let filters = [
        CREATED.ge("yesterday"),
        CREATED.lt("2026-13-01T00:00:00Z").and("name eq 'a'"),
        CREATED
            .gt("2026-01-01")
            .and(CREATED.one_of(["2026-01-01", ""])),
        mkio::query::Filter::from("name eq 'a'").or(CREATED.ne("2026-02-30")),
    ];
    for filter in filters {
        let list = || media.list_jobs().filter(filter.clone());
        let errors = [
            list().send().await.map(drop).expect_err("refused"),
            list()
                .items()
                .try_next()
                .await
                .map(drop)
                .expect_err("refused"),
            list()
                .pages()
                .try_next()
                .await
                .map(drop)
                .expect_err("refused"),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
            let line = error.to_string();
            assert!(
                line.contains("is not a time") && line.contains("created"),
                "{line}"
            );
        }
    }
    mock.assert_calls(0);
    let timed = media.list_jobs().filter(
        CREATED
            .ge("2026-03-01")
            .and(CREATED.lt("2026-03-02T00:00:00+01:00")),
    );
    timed.send().await.expect("a filter that is one");
    mock.assert_calls(1);
}
