//! A server on loopback, on a thread of its own.

use std::{convert::Infallible, net::TcpListener, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use reqwest::Body;

use crate::runtime::runtime;

/// What answers: from the request's query to a JSON body.
pub type Respond = Arc<dyn Fn(&str) -> Bytes + Send + Sync>;

/// Starts a server that answers every request after `latency`; gives its address. It ends with the
/// process.
pub fn start(latency: Duration, respond: Respond) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener
        .set_nonblocking(true)
        .expect("a socket can be non-blocking");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    std::thread::spawn(move || runtime().block_on(serve(listener, latency, respond)));
    format!("http://{address}")
}

async fn serve(listener: TcpListener, latency: Duration, respond: Respond) {
    let listener =
        tokio::net::TcpListener::from_std(listener).expect("the socket is fit for tokio");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        stream.set_nodelay(true).expect("TCP has TCP_NODELAY");
        let respond = respond.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let respond = respond.clone();
            async move {
                if !latency.is_zero() {
                    tokio::time::sleep(latency).await;
                }
                let body = respond(request.uri().query().unwrap_or_default());
                let mut response = Response::new(Body::from(body));
                let json = header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                Ok::<_, Infallible>(response)
            }
        });
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            // A client may close its connection early.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
