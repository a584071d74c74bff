//! Connections.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version, header, uri::Authority};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::{
    base::error::ApiError,
    control::{self, Access, Control, PREFIX, Seen},
    engine::{Delivery, Outcome, route::methods},
    host::{body, door},
    platform::{
        call::{Payload, Response},
        refusal::refusal,
    },
};

/// The page for people.
const PAGE: &str = include_str!("../../data/page.html");

/// Most bytes of a request that steers the emulator: it may hold a whole platform.
const STATE_LIMIT: usize = 1024 * 1024 * 1024;

/// A body on its way out; an error breaks the connection.
type Outgoing = UnsyncBoxBody<Bytes, io::Error>;

/// Shared by all connections.
#[derive(Debug)]
pub(super) struct Host {
    /// The emulator.
    pub(super) control: Control,
    /// Which callers may steer it over HTTP.
    pub(super) access: Access,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

/// Accepts connections until it is stopped; requests under way are answered first.
pub(super) async fn serve(listener: TcpListener, host: Host, mut stopped: watch::Receiver<bool>) {
    let host = Arc::new(host);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // No file descriptors are left, or the peer closed the connection: the next one may succeed.
                let Ok((stream, peer)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                connections.spawn(connection(stream, peer.ip(), host.clone(), stopped.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = on_stop(&mut stopped) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Completes when the emulator is stopped.
async fn on_stop(stopped: &mut watch::Receiver<bool>) {
    // An error means that the handle is gone, which stops the emulator as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    host: Arc<Host>,
    mut stopped: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    let timeout = host.control.engine.settings.read_timeout;
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let host = host.clone();
        async move { respond(&host, peer, request).await }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(timeout);
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), service));
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        () = on_stop(&mut stopped) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Keeps exactly one `Host`: links in responses are made from it.
fn check_host(
    version: Version,
    headers: &mut HeaderMap,
    address: SocketAddr,
) -> Result<(), ApiError> {
    let mut given = headers.get_all(header::HOST).iter();
    match (given.next(), given.next()) {
        (Some(_), Some(_)) => Err(ApiError::bad_request("more than one Host header was sent")),
        (Some(host), None) => match host.to_str().map(str::parse::<Authority>) {
            Ok(Ok(_)) => Ok(()),
            _ => Err(ApiError::bad_request("the Host header is not a host")),
        },
        (None, _) if version < Version::HTTP_11 => {
            if let Ok(host) = HeaderValue::from_str(&address.to_string()) {
                headers.insert(header::HOST, host);
            }
            Ok(())
        }
        (None, _) => Err(ApiError::bad_request("the Host header is missing")),
    }
}

/// Headers of a response that a web page may read.
fn share(headers: &mut HeaderMap, origin: &HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("content-disposition, date, retry-after"),
    );
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// OPTIONS: the methods of a path, for web pages too.
fn options(methods: &[Method], asked: &HeaderMap) -> Response {
    let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let methods = methods.join(", ");
    let mut response = Response::empty(StatusCode::NO_CONTENT);
    response.headers.insert("allow".to_owned(), json!(methods));
    if asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        let headers = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let headers = headers.and_then(|headers| headers.to_str().ok());
        for (name, value) in [
            ("access-control-allow-methods", methods.as_str()),
            (
                "access-control-allow-headers",
                headers.unwrap_or("authorization, content-type"),
            ),
            ("access-control-max-age", "600"),
        ] {
            response.headers.insert(name.to_owned(), json!(value));
        }
    }
    response
}

/// Logs one line for each request; for a refusal also its reason and its `ref`.
fn log(method: &Method, path: &str, response: &Response) {
    let status = response.status.as_u16();
    let Payload::Json(body) = &response.payload else {
        tracing::info!(%method, path, status, "answered");
        return;
    };
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if let (true, Some(reference)) = (status >= 400, text("/ref")) {
        let reason = text("/error/detail").unwrap_or_default();
        tracing::info!(%method, path, status, reference, reason, "refused");
    } else if status >= 400 {
        let reason = body.get("detail").map(Value::to_string).unwrap_or_default();
        tracing::info!(%method, path, status, reason, "refused");
    } else {
        tracing::info!(%method, path, status, "answered");
    }
}

/// Answers a request.
///
/// # Errors
/// When a fault breaks the connection instead.
async fn respond(
    host: &Host,
    peer: IpAddr,
    request: Request<Incoming>,
) -> io::Result<http::Response<Outgoing>> {
    let path = request.uri().path();
    let (sent, origin) = if path == "/" || path.starts_with(PREFIX) {
        steer(host, peer, request).await
    } else {
        serve_platform(host, request).await
    };
    let delivery = sent.delivery;
    if !delivery.delay.is_zero() {
        tokio::time::sleep(delivery.delay).await;
    }
    if delivery.reset {
        return Err(io::Error::from(io::ErrorKind::ConnectionReset));
    }
    let mut response = sent.response;
    // Resources carry platform time, so the `Date` of a response does, too.
    let now = host.control.now().format("%a, %d %b %Y %H:%M:%S GMT");
    if let Ok(now) = HeaderValue::from_str(&now.to_string()) {
        response.headers_mut().insert(header::DATE, now);
    }
    if let Some(origin) = &origin {
        share(response.headers_mut(), origin);
    }
    if delivery.cut.is_none() && delivery.slow.is_zero() {
        let whole = |bytes| {
            Full::new(bytes)
                .map_err(|never| match never {})
                .boxed_unsync()
        };
        return Ok(response.map(whole));
    }
    let (mut parts, bytes) = response.into_parts();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, bytes.len().into());
    let body = StreamBody::new(pieces(bytes, delivery).map_ok(Frame::data));
    Ok(http::Response::from_parts(parts, body.boxed_unsync()))
}

/// A response on its way out.
struct Sent {
    response: http::Response<Bytes>,
    delivery: Delivery,
}

/// The response of the platform. The request is remembered.
async fn serve_platform(host: &Host, request: Request<Incoming>) -> (Sent, Option<HeaderValue>) {
    let engine = &host.control.engine;
    let (mut parts, body) = request.into_parts();
    let origin = check_host(parts.version, &mut parts.headers, host.address)
        .and_then(|()| door::enter(&parts.headers, &engine.settings.allowed_hosts));
    let read = match &origin {
        Ok(_) => {
            let limit = engine.body_limit_at(&parts.method, parts.uri.path());
            body::read(&parts.headers, body, limit, engine.settings.read_timeout).await
        }
        Err(refused) => Err(refused.clone()),
    };
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let query = parts.uri.query().map(str::to_owned);
    let sent = read.clone().unwrap_or_default();
    let refused = |refused| Outcome::from(refusal(&path, refused));
    let outcome = match read {
        Ok(_) if method == Method::OPTIONS => match methods(&path) {
            Ok(methods) => Outcome::from(options(&methods, &parts.headers)),
            Err(unknown) => refused(unknown),
        },
        Ok(bytes) => engine.handle(&Request::from_parts(parts, bytes)),
        Err(error) => refused(error),
    };
    log(&method, &path, &outcome.response);
    let response = outcome.response.into_response();
    host.control.note(Seen {
        time: engine.clock.now(),
        method,
        path,
        query,
        status: response.status().as_u16(),
        operation: outcome.operation,
        fault: outcome.fault,
        request: sent,
        response: response.body().clone(),
    });
    let delivery = outcome.delivery;
    (Sent { response, delivery }, origin.ok().flatten())
}

/// Answers the page, and the requests that steer the emulator.
async fn steer(
    host: &Host,
    peer: IpAddr,
    request: Request<Incoming>,
) -> (Sent, Option<HeaderValue>) {
    let engine = &host.control.engine;
    let (mut parts, body) = request.into_parts();
    // Names that are allowed one by one may steer; `*` does not count here.
    let named: Vec<String> = engine
        .settings
        .allowed_hosts
        .iter()
        .filter(|name| *name != "*")
        .cloned()
        .collect();
    let origin = check_host(parts.version, &mut parts.headers, host.address)
        .and_then(|()| door::enter(&parts.headers, &named));
    let path = parts.uri.path().to_owned();
    let response = match &origin {
        Err(refused) => Err(refused.clone()),
        Ok(_) if path == "/" => page(&parts.method),
        Ok(_) if parts.method == Method::OPTIONS => {
            Ok(options(&control::methods(&path), &parts.headers))
        }
        Ok(_) => match host.access.check(peer, &parts.headers) {
            Err(refused) => Err(refused),
            Ok(()) => body::read(
                &parts.headers,
                body,
                STATE_LIMIT,
                engine.settings.read_timeout,
            )
            .await
            .and_then(|bytes| control::respond(&host.control, &Request::from_parts(parts, bytes))),
        },
    };
    let response = response.unwrap_or_else(Response::from).into_response();
    let delivery = Delivery::default();
    (Sent { response, delivery }, origin.ok().flatten())
}

/// The page for people.
fn page(method: &Method) -> Result<Response, ApiError> {
    match *method {
        Method::GET | Method::HEAD => Ok(Response::bytes("text/html; charset=utf-8", PAGE)),
        _ => Err(ApiError::method_not_allowed(
            format!("{method} is not possible at /"),
            "GET, HEAD".to_owned(),
        )),
    }
}

/// Bytes of a slow body that are sent at once.
const PIECE: usize = 64;

/// The body in pieces, with waits in between, cut off where the fault says.
fn pieces(bytes: Bytes, delivery: Delivery) -> impl Stream<Item = Result<Bytes, io::Error>> {
    futures_util::stream::unfold(
        (bytes, 0_usize, delivery),
        |(mut rest, sent, delivery)| async move {
            if rest.is_empty() {
                return None;
            }
            if !delivery.slow.is_zero() {
                tokio::time::sleep(delivery.slow).await;
            }
            let size = if delivery.slow.is_zero() {
                rest.len()
            } else {
                PIECE.min(rest.len())
            };
            let size = delivery
                .cut
                .map_or(size, |cut| size.min(cut.saturating_sub(sent)));
            if size == 0 {
                // The bytes before have to leave the buffers first.
                tokio::time::sleep(Duration::from_millis(5)).await;
                return Some((
                    Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                    (Bytes::new(), sent, delivery),
                ));
            }
            let piece = rest.split_to(size);
            Some((Ok(piece), (rest, sent + size, delivery)))
        },
    )
}
