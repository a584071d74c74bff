//! Webhooks: events of the service, received, verified and read.
//!
//! The service posts an event ([CloudEvents] 1.0, structured JSON) to the URL of a webhook rule
//! when a job, streaming locator, channel or scheduled operation changes its state. It signs
//! nothing; a rule can add a secret as a header or query parameter, and [`Webhook`] refuses
//! requests without it. Events may come twice or late: an event's id is remembered, and waits know
//! an older event from a newer one.
//!
//! ```
//! use mkio::webhook::{Event, EventType, SharedSecret, Webhook};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # let mkio: mkio::Client = mkio::Client::builder().token("a.b.c").build()?.into();
//! let webhook = Webhook::builder()
//!     .secret(SharedSecret::header("x-mkio-secret", "correct horse battery staple"))
//!     .waits(mkio.waits())
//!     .on_event(|event: Event| async move {
//!         if event.kind == EventType::JobFinished {
//!             println!("{} is {:?}", event.source, event.data.state);
//!         }
//!         Ok(())
//!     })
//!     .build()?;
//!
//! // With any HTTP framework: an `http::Request` in, an `http::Response` out. `serve` does the same
//! // with the requests of a server, whose bodies are still to come.
//! let request = http::Request::post("/events").body(r#"{"id": "1"}"#)?;
//! let response = webhook.handle(request).await;
//! assert_eq!(response.status(), 401);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
//! ```
//!
//! With the feature `axum`, `Webhook::router` serves it. With the feature `management`, `Rule`
//! ensures that the service has the rule, and `deliveries` reads the deliveries of its events.
//!
//! [CloudEvents]: https://cloudevents.io

mod event;
mod handler;
mod memory;
#[cfg(feature = "axum")]
mod router;
#[cfg(feature = "management")]
mod rule;
mod secret;

#[cfg(test)]
mod tests;

pub use event::{Event, EventData, EventResource, EventType};
pub use handler::{BoxError, Webhook, WebhookBuilder};
#[cfg(feature = "management")]
pub use rule::{Rule, deliveries};
pub use secret::SharedSecret;
