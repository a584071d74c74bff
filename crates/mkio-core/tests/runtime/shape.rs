//! What the types promise to the compiler.

use http::Method;
use mkio_core::{
    ByteStream, Error, RawRequest, Response, Token, TokenProvider, Transport, TransportBuilder,
};
use serde_json::Value;

use crate::support::*;

fn shared<T: Send + Sync + Clone + 'static>() {}
fn sent<T: Send + 'static>(_: T) {}
fn moved<T: Send + 'static>() {}

#[test]
fn types_are_shared_between_threads() {
    shared::<Transport>();
    shared::<TransportBuilder>();
    shared::<Error>();
    shared::<Token>();
    shared::<Response<Value>>();
    moved::<ByteStream>();
    moved::<RawRequest>();
    moved::<Box<dyn TokenProvider>>();
}

#[test]
fn errors_are_small() {
    assert!(size_of::<Error>() <= 128);
    assert!(size_of::<mkio_core::Result<()>>() <= 16);
}

#[test]
fn futures_are_send() {
    let script = Script::new([]);
    let transport = transport(&script);
    let request = request(&transport, &GET);
    let spare = request.try_clone().unwrap();
    let (a, b) = (transport.clone(), transport.clone());
    sent(async move { a.exec(request, &GET).await });
    sent(async move { b.send_as::<Value>(spare, &GET).await });
    sent(transport.request(Method::GET, "/").send());
    sent(transport.request(Method::GET, "/").send_as::<Value>());
    sent(transport.request(Method::GET, "/").send_stream());
    sent(async move { transport.fetch::<Value>(&GET, "/").await });
}
