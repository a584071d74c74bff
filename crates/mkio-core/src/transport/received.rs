//! A body that was read inside the retry loop and travels on with its response.

use bytes::Bytes;
use http::HeaderMap;
use reqwest::ResponseBuilderExt;

use crate::response::CallInfo;

/// The whole body, so that decoding need not collect it again.
#[derive(Clone)]
pub(crate) struct Received(pub(crate) Bytes);

/// Status and headers of a response whose body has been taken out.
pub(crate) struct Head {
    response: http::response::Builder,
}

impl Head {
    /// Takes everything but the body.
    pub(crate) fn take(response: &mut reqwest::Response) -> Self {
        let mut builder = http::Response::builder()
            .status(response.status())
            .version(response.version())
            .url(response.url().clone());
        if let Some(headers) = builder.headers_mut() {
            *headers = std::mem::take(response.headers_mut());
        }
        if let Some(extensions) = builder.extensions_mut() {
            extensions.extend(std::mem::take(response.extensions_mut()));
        }
        Self { response: builder }
    }

    /// The headers, which leave with this.
    pub(crate) fn into_headers(mut self) -> HeaderMap {
        self.response
            .headers_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The response again, its body now in memory.
    pub(crate) fn with_body(self, body: Bytes) -> Result<reqwest::Response, http::Error> {
        let mut response = self.response.body(body.clone())?;
        response.extensions_mut().insert(Received(body));
        Ok(response.into())
    }
}

/// Notes on the response what the call took.
pub(crate) fn annotate(response: &mut reqwest::Response, call: CallInfo) {
    response.extensions_mut().insert(call);
}
