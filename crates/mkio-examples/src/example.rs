//! Examples, and running them.

use std::{future::Future, pin::Pin};

use anyhow::{Result, anyhow};

use crate::place::Place;

type Run = for<'a> fn(&'a Place) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// One example.
pub struct Example {
    /// Its name, which is that of its file.
    pub name: &'static str,
    /// Its subject, in one line.
    pub about: &'static str,
    /// Runs it.
    pub run: Run,
}

/// Runs an example until it ends or `stop` is ready, and removes the resources that it made.
///
/// # Errors
///
/// The first error: of the example, else of cleaning up.
pub async fn run(
    example: &Example,
    place: &Place,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let outcome = tokio::select! {
        outcome = (example.run)(place) => outcome,
        () = stop => Err(anyhow!("stopped")),
    };
    let cleaned = place.clean_up().await;
    outcome.and(cleaned)
}
