//! Problem: documents describe more than a client of this kind supports. This pass refuses parts
//! that a call needs (cookies, multipart, XML, websockets), warns of other parts, and removes both.

use serde_json::{Map, Value};

use crate::{
    document::{Document, entries, escape, operation_pointer},
    media,
    report::Changes,
};

const BY_HAND: &str =
    "an overlay action that removes the operation, to call it with `Transport::request`";

pub fn run(mut document: Document, changes: &mut Changes) -> Document {
    roots(&document, changes);
    other_methods(&mut document, changes);
    let mut refused = Vec::new();
    for operation in document.operations() {
        let pointer = operation_pointer(operation.path, operation.method);
        let before = refused.len();
        parameters(&document, operation.value, &pointer, &mut refused);
        bodies(&document, operation.value, &pointer, &mut refused);
        warn_of_ignored(&document, operation.value, &pointer, changes);
        if refused.len() > before {
            changes.note(format!("{} {}: refused", operation.method, operation.path));
        }
    }
    for (pointer, problem) in refused {
        changes.refuse(problem);
        drop_operation(&mut document, &pointer);
    }
    document.operations_mut(|_, _, operation| drop_what_http_says(operation));
    document
}

type Refused = Vec<(String, crate::document::Problem)>;

fn roots(document: &Document, changes: &mut Changes) {
    if entries(document.root.get("webhooks")).next().is_some() {
        changes.warn(document.problem(
            "/webhooks",
            "webhooks, for which no code is made",
            "an overlay action that removes them",
        ));
    }
    let servers = document.root.get("servers").and_then(Value::as_array);
    for (index, server) in servers.into_iter().flatten().enumerate() {
        let url = server
            .get("url")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let after = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = after.split_once('/').map_or("", |(_, path)| path);
        if index == 0 && !path.trim_matches('/').is_empty() {
            changes.warn(document.problem(
                format!("/servers/{index}/url"),
                format!("a server with the path {path:?}, which requests do not have"),
                "a base URL with that path given to the client, and an overlay action that removes it here",
            ));
        }
    }
}

/// Methods that no code is made for.
fn other_methods(document: &mut Document, changes: &mut Changes) {
    let mut found = Vec::new();
    for (path, item) in entries(document.root.get("paths")) {
        for (key, _) in entries(Some(item)) {
            let pointer = format!("/paths/{}/{}", escape(path), escape(key));
            let (what, way) = match key {
                "head" | "options" | "trace" => (
                    "a method for which no code is made",
                    "GET, PUT, POST, PATCH or DELETE; an overlay action that removes it",
                ),
                "servers" => (
                    "servers of one path; all requests go to the client's base URL",
                    "an overlay action that removes them",
                ),
                _ => continue,
            };
            changes.warn(document.problem(pointer, what, way));
            found.push((path.to_owned(), key.to_owned()));
        }
    }
    for (path, key) in found {
        if let Some(item) = document.root["paths"][&path].as_object_mut() {
            item.shift_remove(&key);
        }
    }
}

fn parameters(
    document: &Document,
    operation: &Map<String, Value>,
    pointer: &str,
    refused: &mut Refused,
) {
    let list = operation.get("parameters").and_then(Value::as_array);
    for (index, parameter) in list.into_iter().flatten().enumerate() {
        let at = format!("{pointer}/parameters/{index}");
        let text = |key: &str| {
            parameter
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (place, name, style) = (text("in"), text("name"), text("style"));
        let problem = if place == "cookie" {
            document.problem(
                at,
                format!("the cookie parameter {name:?}: cookies are not sent"),
                format!("a path, query or header parameter; {BY_HAND}"),
            )
        } else if parameter.get("schema").is_none() {
            document.problem(
                at,
                format!("the parameter {name:?} with a media type of its own (`content`)"),
                format!("a parameter with a `schema`; {BY_HAND}"),
            )
        } else if matches!(style, "matrix" | "label") {
            document.problem(
                format!("{at}/style"),
                format!("the style {style:?} of the path parameter {name:?}"),
                format!("style simple; {BY_HAND}"),
            )
        } else if !matches!(
            style,
            "" | "form" | "simple" | "spaceDelimited" | "pipeDelimited"
        ) {
            document.problem(
                format!("{at}/style"),
                format!("the style {style:?} of the parameter {name:?}"),
                format!("form, simple, spaceDelimited or pipeDelimited; {BY_HAND}"),
            )
        } else {
            continue;
        };
        refused.push((pointer.to_owned(), problem));
    }
}

fn bodies(
    document: &Document,
    operation: &Map<String, Value>,
    pointer: &str,
    refused: &mut Refused,
) {
    let body = operation.get("requestBody");
    let body = body.map(|body| (format!("{pointer}/requestBody"), body, true));
    let responses = entries(operation.get("responses"))
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(status, response)| (format!("{pointer}/responses/{status}"), response, false));
    for (at, holder, sent) in body.into_iter().chain(responses) {
        let types: Vec<&str> = entries(holder.get("content"))
            .map(|(name, _)| name)
            .collect();
        let usable = |name: &&str| media::kind(name).is_ok_and(|kind| !sent || kind.can_be_sent());
        if types.is_empty() || types.iter().any(usable) {
            continue;
        }
        let why = match media::kind(types[0]) {
            Err(why) => why,
            Ok(_) => "a range of media types does not name the one to send",
        };
        refused.push((
            pointer.to_owned(),
            document.problem(
                format!("{at}/content/{}", escape(types[0])),
                format!("media type {:?}: {why}", types[0]),
                format!("{}; {BY_HAND}", media::ACCEPTED),
            ),
        ));
    }
    if entries(operation.get("responses")).any(|(status, _)| status == "101") {
        refused.push((
            pointer.to_owned(),
            document.problem(
                format!("{pointer}/responses/101"),
                "a change of protocol: websockets are not spoken",
                format!("an operation that ends with its response; {BY_HAND}"),
            ),
        ));
    }
}

/// Warns of parts of an operation that have no code.
fn warn_of_ignored(
    document: &Document,
    operation: &Map<String, Value>,
    pointer: &str,
    changes: &mut Changes,
) {
    for (key, what) in [
        ("callbacks", "callbacks, for which no code is made"),
        (
            "servers",
            "servers of one operation; all requests go to the client's base URL",
        ),
    ] {
        if operation.get(key).is_some_and(|value| !value.is_null()) {
            changes.warn(document.problem(
                format!("{pointer}/{key}"),
                what,
                "an overlay action that removes them",
            ));
        }
    }
}

fn drop_operation(document: &mut Document, pointer: &str) {
    if let Some((item, method)) = pointer.rsplit_once('/')
        && let Some(item) = document
            .root
            .pointer_mut(item)
            .and_then(Value::as_object_mut)
    {
        item.shift_remove(method);
    }
}

/// Drops parameters for headers that OpenAPI describes in other ways, as it demands.
fn drop_what_http_says(operation: &mut Map<String, Value>) {
    let Some(parameters) = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    parameters.retain(|parameter| {
        let name = parameter["name"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase();
        let own = ["accept", "content-type", "authorization"].contains(&name.as_str());
        !(parameter["in"] == "header" && own)
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

    #[test]
    fn all_that_stays_outside_is_named_at_once() {
        let content = |name: &str| json!({"content": {name: {"schema": {}}}});
        let string = json!({"type": "string"});
        let document = testing::with_paths(json!({
            "/a": {
                "post": {"requestBody": content("multipart/form-data"), "responses": {"200": {}}},
                "put": {"requestBody": content("application/xml"), "responses": {"200": {}}},
                "get": {"parameters": [{"name": "sid", "in": "cookie", "schema": string}], "responses": {"200": {}}},
            },
            "/b": {
                "get": {"responses": {"101": {}}},
                "put": {"parameters": [{"name": "f", "in": "query", "style": "deepObject", "schema": {"type": "object"}}], "responses": {"200": {}}},
                "post": {"parameters": [{"name": "f", "in": "query", "content": {}}], "responses": {"200": {}}},
                "delete": {"responses": {"200": {}}, "callbacks": {"x": {}}},
                "head": {"responses": {"200": {}}},
                "servers": [{"url": "https://other"}],
            },
            "/c": {"put": {"requestBody": content("*/*"), "responses": {"200": {}}}},
        }));
        let mut changes = Changes::default();
        let document = run(document, &mut changes);
        let problems: Vec<String> = changes.problems().iter().map(ToString::to_string).collect();
        for (pointer, word) in [
            (
                "/paths/~1a/post/requestBody/content/multipart~1form-data",
                "multipart",
            ),
            ("/paths/~1a/put/requestBody/content/application~1xml", "XML"),
            ("/paths/~1c/put/requestBody/content/*~1*", "range"),
            ("/paths/~1a/get/parameters/0", "cookies"),
            ("/paths/~1b/get/responses/101", "websockets"),
            ("/paths/~1b/put/parameters/0/style", "deepObject"),
            ("/paths/~1b/post/parameters/0", "content"),
        ] {
            let found = problems
                .iter()
                .find(|problem| problem.contains(&format!("{pointer}:")));
            assert!(
                found.is_some_and(|text| text.contains(word)),
                "{pointer}: {problems:#?}"
            );
        }
        assert_eq!(problems.len(), 7);
        let warnings: Vec<&str> = changes
            .warnings()
            .iter()
            .map(|w| w.pointer.as_str())
            .collect();
        assert_eq!(
            warnings,
            [
                "/paths/~1b/head",
                "/paths/~1b/servers",
                "/paths/~1b/delete/callbacks"
            ]
        );
        // Each operation that is refused is noted.
        assert_eq!(changes.len(), 7);
        // The other operations stay.
        assert_eq!(document.operations().len(), 1);
    }

    #[test]
    fn what_no_request_can_follow_is_said() {
        for (servers, warned) in [
            (json!([{"url": "https://host/base/"}]), true),
            (json!([{"url": "/base"}]), true),
            (
                json!([{"url": "https://host/"}, {"url": "https://host/base"}]),
                false,
            ),
        ] {
            let mut document = testing::with_paths(json!({}));
            document.root["servers"] = servers;
            let mut changes = Changes::default();
            run(document, &mut changes);
            let found: Vec<_> = changes.warnings().iter().map(|w| &w.pointer).collect();
            let expected: &[&str] = if warned { &["/servers/0/url"] } else { &[] };
            assert_eq!(found, expected);
        }
        let mut document = testing::with_paths(json!({}));
        document.root["webhooks"] = json!({"x": {}});
        let mut changes = Changes::default();
        run(document, &mut changes);
        assert_eq!(changes.warnings()[0].pointer, "/webhooks");
    }

    #[test]
    fn headers_that_a_client_sets_itself_are_no_parameters() {
        let parameter = |name: &str, place: &str| json!({"name": name, "in": place, "schema": {}});
        let document = testing::with_paths(
            json!({"/a": {"get": {"responses": {"200": {}}, "parameters": [
                parameter("Accept", "header"), parameter("X-Note", "header"), parameter("accept", "query"),
            ]}}}),
        );
        let (document, _) = testing::run(run, document);
        assert_eq!(
            document.root["paths"]["/a"]["get"]["parameters"],
            json!([parameter("X-Note", "header"), parameter("accept", "query")])
        );
    }

    #[test]
    fn one_usable_media_type_is_enough() {
        let document = testing::with_paths(json!({"/a": {"post": {
            "requestBody": {"content": {"application/xml": {}, "application/json": {}}},
            "responses": {"200": {"content": {"application/xml": {}, "*/*": {}}}},
        }}}));
        let (document, _) = testing::run(run, document);
        assert_eq!(document.operations().len(), 1);
    }
}
