//! The webhook as a part of an axum application.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::any;

use super::Webhook;

impl Webhook {
    /// A router that serves the webhook at `path`, for example `/mkio/events`; merge it into your
    /// own or serve it alone.
    ///
    /// # Panics
    ///
    /// When `path` is not an axum path: it begins with a slash.
    pub fn router(self, path: &str) -> Router {
        let serve = move |request: Request| {
            let webhook = self.clone();
            async move { webhook.serve(request).await.map(Body::from) }
        };
        Router::new().route(path, any(serve))
    }
}
