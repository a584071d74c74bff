//! Arguments that cannot be used, and those that need care.

use mkio::ErrorKind;
use mkio::media::types::Asset;
use mkio_httpmock::{httpmock::MockServer, media::MockServerExt};
use percent_encoding::percent_decode_str;

use super::{media, mocked, offline};

/// URLs lose these, so the request would go to another resource.
#[test]
fn path_values_that_change_the_path_are_refused() {
    for value in ["", ".", ".."] {
        let refused = [
            (
                media().get_asset(value).into_request(),
                "get_asset",
                "asset_name",
            ),
            (
                media().delete_asset(value).into_request(),
                "delete_asset",
                "asset_name",
            ),
            (
                offline()
                    .project(value)
                    .media()
                    .list_assets()
                    .into_request(),
                "list_assets",
                "project_name",
            ),
            (
                offline()
                    .channels()
                    .get_channel_thumbnail("c", value)
                    .into_request(),
                "get_channel_thumbnail",
                "thumbnail_id",
            ),
        ];
        for (request, operation, argument) in refused {
            let error = request.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            assert_eq!(error.operation_id(), Some(operation));
            let text = error.to_string();
            assert!(text.contains(operation), "{text}");
            assert!(text.contains(&format!("`{argument}`")), "{text}");
        }
    }
}

#[tokio::test]
async fn a_refused_call_sends_nothing() {
    let server = MockServer::start_async().await;
    let mock = server.mock(|_, then| {
        then.status(200);
    });
    let media = mocked(&server).project("acme").media();
    let call = media.delete_asset("..").send().await;
    assert_eq!(call.expect_err("refused").kind(), ErrorKind::InvalidRequest);
    let mut items = mocked(&server).project("..").media().list_assets().items();
    let next = items.try_next().await;
    assert_eq!(next.expect_err("refused").kind(), ErrorKind::InvalidRequest);
    let wait = media.wait_for_asset("").await;
    assert_eq!(wait.expect_err("refused").kind(), ErrorKind::InvalidRequest);
    mock.assert_calls(0);
}

/// They stay one segment, and a typed mock finds them by the value that the caller gave.
#[tokio::test]
async fn other_path_values_survive() {
    for name in ["a/b?c#d%2e", "%2e%2e", "my intro", "...", "é", "a.b+c(d)"] {
        let request = media().get_asset(name).into_request();
        let request = request.expect("a request");
        let path = request.url().path();
        let sent = path.rsplit('/').next().unwrap_or_default();
        let sent = percent_decode_str(sent).decode_utf8().expect("text");
        assert_eq!(sent, name, "{path}");
        assert!(
            path.starts_with("/api/v1/projects/acme/media/assets/"),
            "{path}"
        );
        assert_eq!(path.matches('/').count(), 7, "{path}");
        assert_eq!(
            (request.url().query(), request.url().fragment()),
            (None, None)
        );

        let server = MockServer::start_async().await;
        let mock = server.get_asset(|when, then| {
            when.project_name("acme").asset_name(name);
            let mut asset = Asset::default();
            asset.name = Some(name.to_owned());
            then.success(200, &asset);
        });
        let media = mocked(&server).project("acme").media();
        let asset = media.get_asset(name).send().await;
        assert_eq!(asset.expect("found").name.as_deref(), Some(name));
        mock.assert_calls(1);
    }
}
