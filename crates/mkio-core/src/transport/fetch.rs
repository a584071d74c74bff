//! Reading links and raw paths through the seam.

use http::{HeaderValue, Method, header::ACCEPT};
use serde::de::DeserializeOwned;

use super::Transport;
use crate::{Operation, Response, Result, glue};

impl Transport {
    /// GETs a link from an answer, or a path, as a call of `operation`.
    ///
    /// A path is appended to the base URL of the operation's API, unless it has the base URL's own
    /// path in front already. An absolute link must be of the same origin.
    ///
    /// # Errors
    ///
    /// Kind [`Origin`](crate::ErrorKind::Origin) when the link leads elsewhere, and whatever
    /// [`exec`](Self::exec) and decoding give.
    pub async fn fetch<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        url_or_path: &str,
    ) -> Result<Response<T>> {
        let url = self
            .core
            .routes
            .of(operation.api)
            .resolve(url_or_path)
            .map_err(|error| error.with_operation(operation))?;
        let mut request = reqwest::Request::new(Method::GET, url);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json);
        glue::decode(self.call(request, operation).await?, operation).await
    }
}
