//! Connections.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::core::call::Answer;
use crate::core::engine::Engine;
use crate::core::error::ApiError;

/// Accepts connections until the task is dropped.
pub(super) async fn serve(listener: TcpListener, engine: Arc<Engine>) {
    let app = Router::new().fallback(answer).with_state(engine);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let service = TowerToHyperService::new(app.clone());
                connections.spawn(async move {
                    if let Err(error) = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                        tracing::debug!(%error, "a connection ended early");
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(State(engine): State<Arc<Engine>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let limit = engine.world().settings.body_limit;
    let answer = match axum::body::to_bytes(body, limit).await {
        Ok(bytes) => engine.handle(&Request::from_parts(parts, bytes), "http"),
        Err(error) => {
            tracing::debug!(%error, "a request body was refused");
            Answer::from(ApiError::too_large(format!(
                "a request body is at most {limit} bytes"
            )))
        }
    };
    answer.into_response().map(Body::from)
}
