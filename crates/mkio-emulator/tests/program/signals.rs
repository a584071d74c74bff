//! The end of the program after a signal.

use reqwest::Method;
use tokio::io::AsyncReadExt;

use crate::run::{Program, soon};

#[tokio::test]
async fn requests_under_way_are_answered_and_the_status_is_0() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::start(&[
            "--seed",
            "3",
            "--log",
            "info",
            "--faults",
            "GET */media/assets delay=500 nth=1",
        ])
        .await;
        let address = program.base.replace("http://", "");
        // A connection without a request must not keep it from ending.
        let mut idle = tokio::net::TcpStream::connect(&address)
            .await
            .expect("a connection");
        let url = format!("{}/api/v1/projects/demo/media/assets", program.base);
        let request = program.http.get(&url).bearer_auth("T").send();
        let under_way =
            tokio::spawn(async move { request.await?.error_for_status()?.bytes().await });
        program.logged("answered").await;
        program.signal(signal).await;
        let body = soon(under_way).await.expect("no panic");
        let body = body.unwrap_or_else(|error| panic!("SIG{signal}: {error}"));
        assert!(body.starts_with(b"{\"value\":[{"), "{body:?}");
        let (status, out, _) = program.end().await;
        assert_eq!((status.code(), out.as_str()), (Some(0), ""), "SIG{signal}");
        let mut rest = Vec::new();
        let read = soon(idle.read_to_end(&mut rest)).await;
        assert!(read.is_err() || rest.is_empty());
        assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let mut program = Program::start(&[
        "--log",
        "info",
        "--faults",
        "GET */media/assets delay=3600000",
    ])
    .await;
    let url = format!("{}/api/v1/projects/demo/media/assets", program.base);
    let request = program.http.get(&url).bearer_auth("T").send();
    let under_way = tokio::spawn(request);
    program.logged("answered").await;
    program.signal("TERM").await;
    // It has stopped listening once it knows; the request is still under way then.
    let address = program.base.replace("http://", "");
    soon(async { while tokio::net::TcpStream::connect(&address).await.is_ok() {} }).await;
    assert!(!under_way.is_finished());
    program.signal("TERM").await;
    let (status, _, err) = program.end().await;
    assert_eq!(status.code(), Some(0));
    assert!(!err.contains("still under way"), "it waited: {err}");
    assert!(soon(under_way).await.expect("no panic").is_err());
}

#[tokio::test]
async fn it_prints_at_once_although_nobody_is_at_the_terminal() {
    // Standard output is a pipe here; had it been kept in a buffer, `start` would have waited for it in vain.
    let program = Program::start(&[]).await;
    let ready = program.call(Method::GET, "/api/ready", None).await;
    assert_eq!(ready.status().as_u16(), 200);
}
