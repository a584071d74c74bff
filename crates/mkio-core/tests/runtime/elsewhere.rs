//! Transports to other hosts.

use http::Method;
use mkio_core::{ErrorKind, Transport};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn another_host_gets_its_own_token_alone() {
    let script = Script::new([Scripted::ok()]);
    let main = builder(&script)
        .user_agent_suffix("test/1")
        .build()
        .unwrap();
    let files = main
        .to_host("https://files.example/v2/", "short-lived")
        .unwrap();
    files
        .request(Method::POST, "/downloadBlob")
        .send()
        .await
        .unwrap();
    main.request(Method::GET, "/api/ready")
        .send()
        .await
        .unwrap();
    let seen = script.seen();
    assert_eq!(
        seen[0].url.as_str(),
        "https://files.example/v2/downloadBlob"
    );
    assert_eq!(seen[0].bearer(), Some("short-lived"));
    assert_eq!(seen[0].headers["user-agent"], seen[1].headers["user-agent"]);
    assert_eq!(seen[1].bearer(), Some("canary"));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_away_from_the_other_host_is_not_followed() {
    for target in ["https://evil.example/x", "https://app.mk.io/x"] {
        let script = Script::new([Scripted::Response(
            307,
            vec![("location", target.to_owned())],
            String::new(),
        )]);
        let files = transport(&script)
            .to_host("https://files.example", "t")
            .unwrap();
        let error = files.request(Method::POST, "/x").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Origin, "{target}");
        assert_eq!(script.count(), 1);
    }
}

#[test]
fn a_token_travels_encrypted_unless_told_otherwise() {
    let script = Script::new([]);
    let strict = transport(&script);
    let kind = |transport: &Transport, url| transport.to_host(url, "t").map_err(|e| e.kind()).err();
    assert_eq!(
        kind(&strict, "http://files.example"),
        Some(ErrorKind::Config)
    );
    assert_eq!(
        kind(&strict, "ftp://files.example"),
        Some(ErrorKind::Config)
    );
    assert_eq!(
        kind(&strict, "https://u:p@files.example"),
        Some(ErrorKind::Config)
    );
    assert_eq!(kind(&strict, "http://127.0.0.1:4080/files/"), None);
    let plain = builder(&script).allow_plain_http(true).build().unwrap();
    assert_eq!(kind(&plain, "http://files.example"), None);
}
