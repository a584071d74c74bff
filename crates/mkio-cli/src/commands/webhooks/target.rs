//! The target that events are posted to.

use std::{error::Error, time::Duration};

use clap::ArgMatches;
use mkio::reqwest::Url;
use mkio_core::glue::is_loopback;
use serde_json::Value;

use crate::{
    failure::{Exit, Failure, Result},
    options::text,
    session::Session,
};

/// Header of the secret that events carry, unless another one is named.
pub const HEADER: &str = "x-mkio-secret";

/// An address of a target.
pub const EXAMPLE: &str = "http://localhost:3000/events";

/// The error with its causes.
fn causes(error: &dyn Error) -> String {
    let below = error.source().map(causes);
    let told = error.to_string();
    below.map_or(told.clone(), |below| format!("{told}: {below}"))
}

/// Longest time for a post: a target that never answers does not stop the others.
const PATIENCE: Duration = Duration::from_secs(30);

/// A target of events: nothing but these headers goes there, above all no token.
pub struct Target {
    url: String,
    secret: Option<String>,
    http: mkio::reqwest::Client,
}

impl Target {
    pub fn new(matches: &ArgMatches) -> Result<Option<Self>> {
        let Some(url) = text(matches, "forward-to") else {
            return Ok(None);
        };
        let secret = text(matches, "secret-env").map(|name| {
            std::env::var(&name)
                .map_err(|_| Failure::usage(format!("{name}: this variable is not set")))
        });
        let secret = secret.transpose()?;
        Self::at(url, secret).map(Some)
    }

    fn at(url: String, secret: Option<String>) -> Result<Self> {
        let address = Url::parse(&url);
        let address = address.map_err(|_| {
            let message = format!("--forward-to takes an address such as {EXAMPLE}, not `{url}`");
            Failure::usage(message)
        })?;
        let mut http = mkio::http_client_builder()?.timeout(PATIENCE);
        // The environment's proxies are for other machines: events for this one stay here.
        if is_loopback(&address) {
            http = http.no_proxy();
        }
        let http = http.build();
        let http = http.map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        Ok(Self { url, secret, http })
    }

    /// Posts an event, and prints the result.
    pub async fn post(&self, session: &Session, event: &Value) -> Result<()> {
        let status = self.status(event).await?;
        session.tell(format!("{}: {status}", self.url));
        self.taken(status)
    }

    /// Redirects are not followed, so that only a success counts as taken.
    fn taken(&self, status: u16) -> Result<()> {
        if (200..300).contains(&status) {
            return Ok(());
        }
        let message = format!("{} answered {status}", self.url);
        Err(Failure::new(Exit::Refused, message))
    }

    async fn status(&self, event: &Value) -> Result<u16> {
        let mut request = self
            .http
            .post(&self.url)
            .header("content-type", "application/cloudevents+json")
            .body(event.to_string());
        if let Some(secret) = &self.secret {
            request = request.header(HEADER, secret);
        }
        let response = request.send().await.map_err(|error| {
            let exit = match error {
                ref error if error.is_timeout() => Exit::Timeout,
                _ => Exit::Later,
            };
            Failure::new(
                exit,
                format!("{}: {}", self.url, causes(&error.without_url())),
            )
        })?;
        Ok(response.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_success_says_that_an_event_is_taken() {
        let target = Target::at("http://127.0.0.1:9/".into(), None).unwrap();
        let taken = |status: &u16| target.taken(*status).is_ok();
        let statuses = [199, 200, 202, 204, 299, 300, 302, 304, 400, 500];
        let taken: Vec<u16> = statuses.into_iter().filter(taken).collect();
        assert_eq!(taken, [200, 202, 204, 299]);
        let odd = Target::at("localhost/events".into(), None).map(drop);
        let odd = odd.unwrap_err().to_string();
        assert!(odd.contains(EXAMPLE), "{odd}");
    }

    #[tokio::test]
    async fn a_target_that_is_not_there_is_told() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", free.local_addr().unwrap());
        drop(free);
        let target = Target::at(url, None).unwrap();
        let failure = target.status(&json!({})).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Later);
        assert!(failure.to_string().contains("refused"), "{failure}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_never_answers_is_given_up() {
        // Connections wait in its queue for ever.
        let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", deaf.local_addr().unwrap());
        let target = Target::at(url, None).unwrap();
        let event = json!({});
        let post = target.status(&event);
        let outcome = tokio::time::timeout(Duration::from_secs(300), post).await;
        let failure = outcome.expect("it gives up by itself").unwrap_err();
        assert_eq!(failure.exit, Exit::Timeout, "{failure}");
    }
}
