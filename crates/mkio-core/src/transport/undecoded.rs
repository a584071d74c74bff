//! A successful response on its way to its caller.

use bytes::Bytes;
use reqwest::ResponseBuilderExt;

use crate::{Response, response::CallInfo};

/// A response in the 200s, with the body that was read and the cost of the call.
pub(crate) struct UndecodedResponse {
    pub(crate) response: reqwest::Response,
    /// The whole body; nothing when it is streamed and still in `response`.
    pub(crate) body: Option<Bytes>,
    pub(crate) call: CallInfo,
}

impl UndecodedResponse {
    /// The typed value with what came with it.
    pub(crate) fn with<T>(mut self, value: T, raw: Bytes) -> Response<T> {
        let headers = std::mem::take(self.response.headers_mut());
        Response::of_call(value, self.response.status(), headers, raw, self.call)
    }

    /// The response with its body where readers of a [`reqwest::Response`] expect it.
    pub(super) fn into_response(self) -> reqwest::Response {
        let Some(body) = self.body else {
            return self.response;
        };
        let mut response = self.response;
        let mut whole = http::Response::new(body);
        let mut url = http::Response::builder().url(response.url().clone());
        if let Some(extensions) = url.extensions_mut() {
            let url = std::mem::replace(extensions, std::mem::take(response.extensions_mut()));
            extensions.extend(url);
            *whole.extensions_mut() = std::mem::take(extensions);
        }
        *whole.status_mut() = response.status();
        *whole.version_mut() = response.version();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        whole.into()
    }
}

#[cfg(test)]
impl From<http::Response<Bytes>> for UndecodedResponse {
    fn from(response: http::Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            response: http::Response::from_parts(head, Bytes::new()).into(),
            body: Some(body),
            call: CallInfo::default(),
        }
    }
}
