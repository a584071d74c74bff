//! Our HTTP clients under the storage clients: TLS, proxies and certificates are those of all calls.

use std::{future::Future, pin::Pin, time::Duration};

use mkio_core::{Transport, reqwest::Url};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use tokio::time::timeout;

/// The HTTP clients of a transport; requests end after a while.
#[derive(Debug, Clone)]
pub(super) struct Limited {
    pub(super) transport: Transport,
    pub(super) limit: Duration,
}

impl HttpConnector for Limited {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

type ServiceFuture<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Limited {
    // The signature that the macro `async_trait` makes.
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> ServiceFuture<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let url = Url::parse(&request.uri().to_string())
                .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
            let http = self.transport.http_for(&url);
            let http = http.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
            let sent = HttpService::call(&http, request);
            match timeout(self.limit, sent).await {
                Ok(response) => response,
                Err(elapsed) => Err(HttpError::new(HttpErrorKind::Timeout, elapsed)),
            }
        })
    }
}
