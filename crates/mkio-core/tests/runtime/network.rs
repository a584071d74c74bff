//! Over real connections: certificates, proxies, and a client of one's own.

use std::sync::Arc;

use http::Method;
use mkio_core::{
    ErrorKind, RetryPolicy, Transport, TransportBuilder, http_client_builder, reqwest,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// Reads one request, tells its lines, answers with an empty object.
async fn respond(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    lines: &mpsc::UnboundedSender<String>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 2 {
        let _ = lines.send(line.trim_end().to_owned());
        line.clear();
    }
    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    stream.write_all(response).await?;
    stream.shutdown().await
}

struct Server {
    port: u16,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Server {
    /// Listens on loopback; with a certificate, it speaks TLS.
    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                // A client that does not trust the certificate hangs up.
                let _ = match &tls {
                    None => respond(socket, &sender).await,
                    Some(tls) => match tls.accept(socket).await {
                        Ok(stream) => respond(stream, &sender).await,
                        Err(error) => Err(error),
                    },
                };
            }
        });
        Self { port, lines }
    }

    /// All lines of the requests so far.
    fn lines(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.try_recv().ok()).collect()
    }
}

/// A client that follows redirects by itself.
pub fn following() -> reqwest::Client {
    let client = http_client_builder().unwrap();
    client
        .redirect(reqwest::redirect::Policy::limited(10))
        .build()
        .unwrap()
}

/// A certificate for `localhost` that nobody trusts, and what a server needs to use it.
pub fn certificate() -> (reqwest::Certificate, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(made.cert)], key)
        .unwrap();
    (trusted, TlsAcceptor::from(Arc::new(config)))
}

fn builder() -> TransportBuilder {
    Transport::builder().token("t").retry(RetryPolicy::none())
}

async fn get(builder: TransportBuilder) -> mkio_core::Result<()> {
    let transport = builder.build()?;
    let sent = transport.request(Method::GET, "/api/v1/locations").send();
    sent.await.map(drop)
}

#[tokio::test]
async fn a_root_certificate_is_trusted_besides_the_platforms() {
    let (trusted, tls) = certificate();
    let mut server = Server::start(Some(tls)).await;
    let builder = || builder().base_url(format!("https://localhost:{}", server.port));
    let error = get(builder()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    // Nothing was sent, so even a POST may try again.
    assert!(!error.outcome_unknown());
    get(builder().root_certificate(trusted)).await.unwrap();
    let lines = server.lines();
    assert_eq!(lines[0], "GET /api/v1/locations HTTP/1.1");
    assert!(
        lines.contains(&"authorization: Bearer t".to_owned()),
        "{lines:?}"
    );
}

/// Names under `localhost` count as this machine, so no DNS decides where they are.
#[tokio::test]
async fn names_under_localhost_are_this_machine() {
    let mut server = Server::start(None).await;
    let address = format!("http://no-such-name.localhost:{}", server.port);
    get(builder().base_url(address)).await.unwrap();
    assert_eq!(server.lines()[0], "GET /api/v1/locations HTTP/1.1");
}

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let mut proxy = Server::start(None).await;
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let builder = Transport::builder()
        .anonymous()
        .base_url("http://service.example")
        .proxy(reqwest::Proxy::all(address).unwrap());
    get(builder).await.unwrap();
    let lines = proxy.lines();
    assert_eq!(
        lines[0],
        "GET http://service.example/api/v1/locations HTTP/1.1"
    );
}

#[tokio::test]
async fn a_client_of_ones_own_is_used_as_it_is() {
    let mut server = Server::start(None).await;
    let client = http_client_builder()
        .unwrap()
        .user_agent("mine/1")
        .build()
        .unwrap();
    let address = format!("http://127.0.0.1:{}", server.port);
    let builder = builder().base_url(&address).http_client(client);
    get(builder.clone()).await.unwrap();
    // For uploads, too.
    let url = address.parse().unwrap();
    let client = builder.build().unwrap().http_for(&url).unwrap();
    client.get(url).send().await.unwrap();
    let lines = server.lines();
    let named = lines.iter().filter(|line| *line == "user-agent: mine/1");
    assert_eq!(named.count(), 2, "{lines:?}");
}

#[tokio::test]
async fn a_client_of_ones_own_may_follow_redirects_of_reads_within_the_service() {
    let moved = "302 Found\r\nlocation: /api/v1/other";
    for (method, heads) in [
        (Method::GET, vec![moved, "200 OK"]),
        (Method::GET, vec!["200 OK"]),
        (Method::POST, vec!["200 OK"]),
    ] {
        let heads = heads.into_iter().map(str::to_owned).collect();
        let transport = builder()
            .base_url(answering(heads).await)
            .http_client(following())
            .build()
            .unwrap();
        let request = transport.request(method, "/api/v1/organization");
        request.send().await.unwrap();
    }
}

/// Trying again would go the same way.
#[tokio::test]
async fn a_client_of_ones_own_that_refuses_a_redirect_is_not_tried_again() {
    let moved = "302 Found\r\nlocation: /api/v1/other".to_owned();
    let client = http_client_builder().unwrap();
    let strict = reqwest::redirect::Policy::limited(0);
    let transport = Transport::builder()
        .token("t")
        .base_url(answering(vec![moved]).await)
        .http_client(client.redirect(strict).build().unwrap())
        .build()
        .unwrap();
    let get = transport.request(Method::GET, "/api/v1/organization");
    let error = get.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_tried_again_whatever_the_verb() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let transport = Transport::builder()
        .token("t")
        .base_url(address)
        .retry(
            RetryPolicy::default()
                .max_attempts(3)
                .max_backoff(std::time::Duration::ZERO),
        )
        .build()
        .unwrap();
    let post = transport.request(Method::POST, "/api/v1/organization");
    let error = post.json(&serde_json::json!({})).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(error.attempts(), 3);
    assert!(!error.outcome_unknown(), "{error}");
}

/// Answers each connection with one of these heads, in order; gives the address.
async fn answering(heads: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for head in heads {
            let (socket, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(socket);
            let mut line = String::new();
            while stream.read_line(&mut line).await.unwrap() > 2 {
                line.clear();
            }
            let rest = "content-length: 0\r\nconnection: close\r\n\r\n";
            let response = format!("HTTP/1.1 {head}\r\n{rest}");
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    address
}

/// A client that follows redirects by itself asks with GET after a write; its success is not ours.
#[tokio::test]
async fn a_write_that_a_client_of_ones_own_redirected_is_no_success() {
    let heads = ["302 Found\r\nlocation: /login", "200 OK"].map(str::to_owned);
    let transport = builder()
        .base_url(answering(heads.to_vec()).await)
        .http_client(following())
        .build()
        .unwrap();
    let post = transport.request(Method::POST, "/api/v1/organization");
    let error = post.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Origin, "{error}");
}

/// Our own client takes the token nowhere, whatever a redirect says.
#[tokio::test]
async fn a_redirect_away_is_not_followed_over_real_connections() {
    let mut elsewhere = Server::start(None).await;
    let location = format!("http://127.0.0.1:{}/", elsewhere.port);
    let address = answering(vec![format!("307 Away\r\nlocation: {location}")]).await;
    let error = get(builder().base_url(address)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Origin, "{error}");
    assert!(elsewhere.lines().is_empty());
}

/// The client that is told to use the environment's proxies is not used for this machine.
#[test]
fn child_with_a_proxy_in_its_environment() {
    let Ok(address) = std::env::var("MKIO_TEST_ADDRESS") else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(get(builder().base_url(&address))).unwrap();
    // The rule is one for each request: the main service is elsewhere.
    runtime.block_on(async {
        let transport = builder()
            .base_url("http://service.example")
            .allow_plain_http(true)
            .api_base_url("channels", &address)
            .api_token("channels", "of-the-device")
            .build()
            .unwrap();
        let device = transport.request(Method::GET, "/api/device");
        device.api("channels").send().await.unwrap();
        let cloud = transport.request(Method::GET, "/api/cloud");
        cloud.send().await.unwrap();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environments_proxy_does_not_get_what_is_for_this_machine() {
    let mut server = Server::start(None).await;
    let mut proxy = Server::start(None).await;
    let address = |port: u16| format!("http://127.0.0.1:{port}");
    let (here, there) = (address(server.port), address(proxy.port));
    let output = tokio::task::spawn_blocking(move || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "network::child_with_a_proxy_in_its_environment"])
            .env("MKIO_TEST_ADDRESS", here)
            .env("HTTP_PROXY", &there)
            .env("http_proxy", &there)
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
    });
    let output = output.await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    let (here, there) = (server.lines(), proxy.lines());
    let paths = |lines: &[String]| -> Vec<String> {
        let lines = lines.iter().filter(|line| line.starts_with("GET "));
        lines.cloned().collect()
    };
    assert_eq!(
        paths(&here),
        ["GET /api/v1/locations HTTP/1.1", "GET /api/device HTTP/1.1"]
    );
    assert_eq!(
        paths(&there),
        ["GET http://service.example/api/cloud HTTP/1.1"]
    );
    assert!(!there.iter().any(|line| line.contains("of-the-device")));
}

/// Answers any number of requests on each connection.
fn keeping_alive() -> String {
    use std::io::{BufRead, BufReader, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
                let mut socket = socket;
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                        socket.write_all(response).unwrap();
                    }
                }
            });
        }
    });
    address
}

/// A connection does nothing while its runtime does nothing.
#[test]
fn a_runtime_that_stands_still_holds_up_no_call_on_another_one() {
    let transport = builder()
        .base_url(keeping_alive())
        .attempt_timeout(std::time::Duration::from_secs(5))
        .build()
        .unwrap();
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let call = || async {
        let get = transport.request(Method::GET, "/api/v1/locations");
        get.send().await.map(drop)
    };
    let still: Vec<_> = (0..20)
        .map(|_| {
            let runtime = runtime();
            runtime.block_on(call()).unwrap();
            runtime
        })
        .collect();
    runtime().block_on(call()).unwrap();
    // Those that go on have their connections still.
    for runtime in &still {
        runtime.block_on(call()).unwrap();
    }
}
