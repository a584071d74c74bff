//! Requests as generated code puts them together.

use mkio_core::{
    CallOptions, Edit, Operation, Response, RetryPolicy,
    glue::{RequestBuilder, Writing},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::*;

const NAMES: &[&str] = &["acme", "intro"];

fn text(body: Option<&reqwest::Body>) -> &str {
    let bytes = body.and_then(reqwest::Body::as_bytes);
    std::str::from_utf8(bytes.unwrap()).unwrap()
}

#[test]
fn a_parameter_is_set_once_or_repeated() {
    let transport = transport(&Script::new([]));
    let mut request = RequestBuilder::new(&transport, &GET, NAMES);
    request.query("$top", &5);
    request.query("$skip", &1);
    request.query("$top", &7);
    request.add_query("tag", "a b");
    request.add_query("tag", "c");
    request.accept("text/csv");
    let request = request.build().unwrap();
    assert_eq!(request.url().path(), PATH);
    let pairs: Vec<_> = request.url().query_pairs().collect();
    let expected = [("$top", "7"), ("$skip", "1"), ("tag", "a b"), ("tag", "c")];
    assert_eq!(pairs, expected.map(|(k, v)| (k.into(), v.into())));
    assert_eq!(request.headers()["accept"], "text/csv");
}

#[test]
fn a_body_has_the_media_type_of_its_operation() {
    static FORM: Operation = Operation {
        id: "form",
        api: "media",
        method: http::Method::POST,
        path: "/form",
        request_body: Some("application/x-www-form-urlencoded"),
        streams: false,
    };
    let transport = transport(&Script::new([]));
    let mut form = RequestBuilder::new(&transport, &FORM, &[]);
    form.form(&json!({"a": "x y", "n": 1}));
    let bytes = RequestBuilder::new(&transport, &PUT, NAMES);
    for (request, body, media_type) in [
        (
            form.build(),
            "a=x+y&n=1",
            "application/x-www-form-urlencoded",
        ),
        (bytes.build_with("{ }".into()), "{ }", "application/json"),
    ] {
        let request = request.unwrap();
        assert_eq!(text(request.body()), body);
        assert_eq!(request.headers()["content-type"], media_type);
        assert_eq!(request.headers()["accept"], "application/json");
    }
}

#[tokio::test(start_paused = true)]
async fn options_are_those_of_this_call() {
    let script = Script::new([Scripted::status(503)]);
    let mut request = RequestBuilder::new(&transport(&script), &GET, NAMES);
    request.options(CallOptions::new().retry(RetryPolicy::none()));
    request.send::<Value>().await.unwrap_err();
    assert_eq!(script.count(), 1);
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
struct Asset {
    name: String,
}

fn edit(
    transport: &mkio_core::Transport,
    to: &'static str,
) -> Edit<Asset, Asset, impl FnOnce(Asset) -> Asset> {
    let writing = Writing {
        within: "",
        merges: false,
        tags: &[],
        masked: &[],
        read_only: &[],
    };
    let (read, write) = (
        RequestBuilder::new(transport, &GET, NAMES),
        RequestBuilder::new(transport, &PUT, NAMES),
    );
    Edit::new(read, write, writing, move |_| Asset {
        name: to.to_owned(),
    })
}

#[tokio::test(start_paused = true)]
async fn an_edit_writes_the_whole_resource_when_something_changed() {
    let script = Script::new([Scripted::json(200, r#"{"name":"intro","new":1}"#)]);
    let transport = transport(&script);
    let same: Response<Asset> = edit(&transport, "intro").send().await.unwrap();
    assert_eq!((same.name.as_str(), script.count()), ("intro", 1));
    let shown = format!("{:?}", edit(&transport, "hunter2"));
    edit(&transport, "other").send().await.unwrap();
    let seen = &script.seen()[2];
    assert_eq!(seen.method, "PUT");
    assert_eq!(
        serde_json::from_str::<Value>(&seen.body).unwrap(),
        json!({"name": "other", "new": 1})
    );
    // `Debug` shows both requests, and of each the operation and the path.
    let builder = |operation| {
        format!("RequestBuilder {{ operation: \"{operation}\", path: Ok(\"{PATH}\"), .. }}")
    };
    assert_eq!(
        shown,
        format!(
            "Edit {{ read: {}, write: {}, .. }}",
            builder("GET"),
            builder("PUT")
        )
    );
}
