//! Reading a request's body: within its limit, and within a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, header::EXPECT};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::{base::error::ApiError, engine::check::too_large};

/// Bytes over the limit that are read and dropped: a caller that is still sending reads no response.
const DRAINED: usize = 64 * 1024 * 1024;

/// The whole body.
///
/// # Errors
/// 413 over the limit, also when the rest of such a body does not come; 408 when it does not arrive in time, 400 when it breaks off or its encoding is broken.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    limit: usize,
    timeout: Option<Duration>,
) -> Result<Bytes, ApiError> {
    let announced = body.size_hint().lower();
    let mut over = announced > limit as u64;
    // A client that sent `Expect` gets its response first; a body that is too large to be drained is not read at all.
    if over && (headers.contains_key(EXPECT) || announced > (limit.saturating_add(DRAINED)) as u64)
    {
        return Err(too_large(limit));
    }
    let all = collect(body, limit, &mut over);
    let Some(timeout) = timeout else {
        return all.await;
    };
    match tokio::time::timeout(timeout, all).await {
        Ok(read) => read,
        Err(_) if over => Err(too_large(limit)),
        Err(_) => Err(ApiError::timeout(format!(
            "the request body did not arrive within {} seconds",
            timeout.as_secs_f64()
        ))),
    }
}

/// Reads the whole body. `over` is set as soon as the body is known to be over the limit.
async fn collect(body: Incoming, limit: usize, over: &mut bool) -> Result<Bytes, ApiError> {
    let mut stream = body.into_data_stream();
    let mut kept = BytesMut::new();
    let mut dropped = 0_usize;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| {
            tracing::debug!(%error, "a request body broke off");
            ApiError::bad_request(
                "the request body breaks off or is not encoded as its headers say",
            )
        })?;
        if !*over && kept.len().saturating_add(piece.len()) <= limit {
            kept.extend_from_slice(&piece);
            continue;
        }
        *over = true;
        kept = BytesMut::new();
        dropped = dropped.saturating_add(piece.len());
        if dropped > DRAINED {
            break;
        }
    }
    if *over {
        return Err(too_large(limit));
    }
    Ok(kept.freeze())
}
