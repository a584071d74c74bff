//! Connections.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_core::Stream;
use http::{Request, header};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::core::call::Answer;
use crate::core::engine::{Delivery, Engine};
use crate::core::error::ApiError;

/// Marks a response whose connection is to break instead.
#[derive(Debug, Clone)]
struct Break;

/// Accepts connections until the task is dropped.
pub(super) async fn serve(listener: TcpListener, engine: Arc<Engine>) {
    let app = Router::new().fallback(answer).with_state(engine);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // Out of file descriptors, or the peer left before it was accepted: the next one may do better.
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                connections.spawn(connection(stream, app.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: tokio::net::TcpStream, app: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    let app = TowerToHyperService::new(app);
    let service = hyper::service::service_fn(move |request| {
        let response = hyper::service::Service::call(&app, request);
        async move {
            match response.await {
                Ok(response) if response.extensions().get::<Break>().is_some() => {
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                }
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        }
    });
    let http = hyper::server::conn::http1::Builder::new();
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(
    State(engine): State<Arc<Engine>>,
    request: Request<Body>,
) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let limit = engine.body_limit;
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let (answer, delivery) = match axum::body::to_bytes(body, limit).await {
        Ok(bytes) => engine.handle(&Request::from_parts(parts, bytes)),
        Err(error) => {
            tracing::debug!(%error, "a request body was refused");
            (
                Answer::from(ApiError::too_large(format!(
                    "a request body is at most {limit} bytes"
                ))),
                Delivery::default(),
            )
        }
    };
    tracing::info!(%method, path, status = answer.status.as_u16(), "answered");
    if !delivery.delay.is_zero() {
        tokio::time::sleep(delivery.delay).await;
    }
    let response = answer.into_response();
    if delivery.reset {
        let mut response = response.map(Body::from);
        response.extensions_mut().insert(Break);
        return Ok(response);
    }
    if delivery.cut.is_none() && delivery.slow.is_zero() {
        return Ok(response.map(Body::from));
    }
    let (mut parts, bytes) = response.into_parts();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, bytes.len().into());
    Ok(Response::from_parts(
        parts,
        Body::from_stream(pieces(bytes, delivery)),
    ))
}

/// Bytes of a slow body that travel together.
const PIECE: usize = 64;

/// The body in pieces, with waits in between, and with an end before its end.
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
                // What was sent before has to leave the buffers first.
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
