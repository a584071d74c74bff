//! The webhook as a part of an axum application.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::StatusCode;

use super::Webhook;

impl Webhook {
    /// A router that serves the webhook at `path`, for example `/mkio/events`; merge it into your
    /// own or serve it alone.
    ///
    /// # Panics
    ///
    /// When `path` is no axum path: it begins with a slash.
    pub fn router(self, path: &str) -> Router {
        let serve = move |request: Request| {
            let webhook = self.clone();
            async move { webhook.serve(request).await }
        };
        Router::new().route(path, any(serve))
    }

    async fn serve(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, self.largest_body()).await else {
            let why = "the body is too large or ended early";
            return (StatusCode::PAYLOAD_TOO_LARGE, why).into_response();
        };
        let request = http::Request::from_parts(parts, body);
        self.handle(request).await.map(Body::from)
    }
}
