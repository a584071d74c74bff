//! What a call keeps for its caller next to the response: the body, and what the call took.

use bytes::Bytes;
use reqwest::ResponseBuilderExt;

use crate::response::CallInfo;

/// Travels with a response whose body was read inside the retry loop, so that decoding need not
/// collect it again.
#[derive(Clone)]
pub(crate) struct Received {
    /// The whole body; nothing when it is streamed.
    pub(crate) body: Option<Bytes>,
    pub(crate) call: CallInfo,
}

impl Received {
    pub(crate) fn attach(self, response: &mut reqwest::Response) {
        response.extensions_mut().insert(self);
    }

    /// Takes it off a response; nothing when the response came another way.
    pub(crate) fn detach(response: &mut reqwest::Response) -> Option<Self> {
        response.extensions_mut().remove()
    }
}

/// Puts the body back where readers of a response expect it.
pub(crate) fn restored(mut response: reqwest::Response) -> reqwest::Response {
    let body = response.extensions().get::<Received>();
    let Some(body) = body.and_then(|received| received.body.clone()) else {
        return response;
    };
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
