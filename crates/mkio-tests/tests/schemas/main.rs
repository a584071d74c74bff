//! Values of the documents' schemas are read, also with changes that a careless service may make.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod values;

use std::{
    collections::BTreeMap,
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
};

use mkio::{
    Client, Dispatch, DispatchError, DispatchFuture, ErrorKind, Operation, RateBudget, Response,
    Result, RetryPolicy, dynamic::DynamicResponse,
};
use serde_json::{Map, Value};
use values::{Chance, Maker, Size, hostile};

/// Answers every request with one body.
#[derive(Clone, Default)]
struct Body(Arc<Mutex<String>>);

impl Dispatch for Body {
    fn dispatch(&self, _: mkio::reqwest::Request) -> DispatchFuture<'_> {
        let body = self.0.lock().expect("no panic").clone();
        Box::pin(async move {
            let response = http::Response::builder().header("content-type", "application/json");
            response
                .body(body)
                .map(Into::into)
                .map_err(DispatchError::not_sent)
        })
    }
}

type Called<'a> = Pin<Box<dyn Future<Output = Result<Response<DynamicResponse>>> + 'a>>;
type Call = for<'a> fn(&'a Client, &'a str, &'a Map<String, Value>) -> Called<'a>;

macro_rules! api {
    ($name:ident) => {{
        let call: Call = |client, operation, arguments| {
            let transport = client.transport().clone();
            Box::pin(async move {
                let client = mkio::$name::Client::new(transport);
                mkio::$name::dynamic::call(&client, operation, arguments).await
            })
        };
        let operations: Vec<&'static Operation> =
            mkio::$name::operations::ALL.iter().copied().collect();
        (stringify!($name), operations, call)
    }};
}

fn document(api: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec");
    let text = std::fs::read_to_string(folder.join(format!("{api}.json"))).expect("a document");
    serde_json::from_str(&text).expect("the document is JSON")
}

/// Schema of the JSON that an operation answers.
fn respond(of: &Value) -> Option<&Value> {
    let responses = of["responses"].as_object()?;
    let success = responses
        .iter()
        .find(|(status, _)| status.starts_with('2'))?
        .1;
    let schema = &success["content"]["application/json"]["schema"];
    schema.is_object().then_some(schema)
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let path = value.get("$ref").and_then(Value::as_str);
    path.and_then(|path| document.pointer(path.trim_start_matches('#')))
        .unwrap_or(value)
}

/// Arguments that an operation takes.
fn arguments(
    document: &Value,
    path: &Value,
    operation: &Operation,
    size: Size,
) -> Map<String, Value> {
    let of = &path[operation.method.as_str().to_lowercase()];
    let mut all = Map::new();
    let lists = [&path["parameters"], &of["parameters"]];
    for parameter in lists.iter().filter_map(|list| list.as_array()).flatten() {
        let parameter = resolved(document, parameter);
        if parameter["in"] == "path" || parameter["required"] == true {
            let value = Maker::new(document, Size::Minimal, 1).value(&parameter["schema"]);
            all.insert(
                parameter["name"].as_str().unwrap_or_default().to_owned(),
                value,
            );
        }
    }
    let content = &resolved(document, &of["requestBody"])["content"];
    if let Some(media) = operation.request_body.and_then(|of| content.get(of)) {
        all.insert(
            "body".to_owned(),
            Maker::new(document, size, 1).value(&media["schema"]),
        );
    }
    all
}

/// With the body that the catalog makes: the document may require what only the service sets.
fn with_skeleton(
    api: &str,
    operation: &Operation,
    arguments: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let catalog = mkio::CATALOGS.iter().find(|catalog| catalog.api == api)?;
    let body = catalog.entry(operation.id).ok()?.skeleton()?;
    let mut all = arguments.clone();
    all.insert("body".to_owned(), body);
    Some(all)
}

/// The value that was read has all members; `null` counts as absent.
fn same(sent: &Value, read: &Value) -> std::result::Result<(), String> {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => {
            for (name, sent) in sent.iter().filter(|(_, sent)| !sent.is_null()) {
                let read = read.get(name).unwrap_or(&Value::Null);
                same(sent, read).map_err(|why| format!("{name}: {why}"))?;
            }
            match read.keys().find(|name| !sent.contains_key(*name)) {
                Some(name) => Err(format!("{name} was not there")),
                None => Ok(()),
            }
        }
        (Value::Array(sent), Value::Array(read)) if sent.len() == read.len() => sent
            .iter()
            .zip(read)
            .try_for_each(|(sent, read)| same(sent, read)),
        (Value::Number(sent), Value::Number(read)) if sent.as_f64() == read.as_f64() => Ok(()),
        (sent, read) if sent == read => Ok(()),
        (sent, read) => Err(format!("{sent} became {read}")),
    }
}

/// The name of an item's list stands before the place that the error tells: the stream of items
/// gives the others.
fn is_of_one_item(error: &mkio::Error) -> bool {
    let path = error.json_path().unwrap_or_default();
    let list = path.split_once('[').map(|(list, _)| list);
    error.kind() == ErrorKind::Decode && list.is_some_and(|list| !list.contains('.'))
}

/// Changes of one value that are tried at most.
const MOST: usize = 150;

#[derive(Debug, Default)]
struct Figures {
    schemas: usize,
    values: usize,
    hostile: usize,
    told_in_place: usize,
    lost: Vec<String>,
    changed: Vec<String>,
    unreached: Vec<String>,
}

#[tokio::test]
async fn every_schema_is_read() {
    let body = Body::default();
    let client = Client::builder()
        .base_url("https://service.example")
        .token("t")
        .rate_budget(RateBudget::off())
        .retry(RetryPolicy::none())
        .dispatch(body.clone())
        .build()
        .expect("a client");
    let mut all = Figures::default();
    for (api, operations, call) in [
        api!(media),
        api!(management),
        api!(fleets),
        api!(infrastructure),
        api!(live),
        api!(templates),
        api!(channels),
    ] {
        let document = document(api);
        for operation in operations {
            let path = &document["paths"][operation.path];
            let of = &path[operation.method.as_str().to_lowercase()];
            let Some(schema) = respond(of).filter(|_| !operation.streams) else {
                continue;
            };
            // The document says any JSON; the overlay says that it is the payload of an import.
            if operation.id == "export_channels" {
                continue;
            }
            let sizes = [Size::Minimal, Size::Maximal];
            let sizes = sizes.map(|size| arguments(&document, path, operation, size));
            all.schemas += 1;
            let read = async |value: &Value| {
                *body.0.lock().expect("no panic") = value.to_string();
                let mut last = call(&client, operation.id, &sizes[0]).await;
                let mut others = vec![sizes[1].clone()];
                others.extend(with_skeleton(api, operation, &sizes[0]));
                for other in others {
                    if matches!(&last, Err(error) if error.kind() == ErrorKind::InvalidRequest) {
                        last = call(&client, operation.id, &other).await;
                    }
                }
                last.map(|response| response.into_inner().into_value())
            };
            let name = format!("{api}.{}", operation.id);
            let random = (1..=5).map(|seed| (Size::Random, seed));
            let values = [(Size::Minimal, 1), (Size::Maximal, 1)]
                .into_iter()
                .chain(random);
            for (size, seed) in values {
                let value = Maker::new(&document, size, seed).value(schema);
                all.values += 1;
                match read(&value).await {
                    Ok(read) => {
                        if let Err(why) = same(&value, &read) {
                            all.changed.push(format!("{name} {size:?} {seed}: {why}"));
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::InvalidRequest => {
                        all.unreached.push(format!("{name}: {error}"));
                        break;
                    }
                    Err(error) => all.lost.push(format!("{name} {size:?} {seed}: {error}")),
                }
            }
            let value = Maker::new(&document, Size::Maximal, 1).value(schema);
            let mut changes = hostile(&value);
            let mut chance = Chance::new(all.schemas as u64);
            while changes.len() > MOST {
                changes.swap_remove(chance.below(changes.len()));
            }
            for (what, value) in changes {
                all.hostile += 1;
                match read(&value).await {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::InvalidRequest => break,
                    Err(error) if is_of_one_item(&error) => all.told_in_place += 1,
                    Err(error) => all.lost.push(format!("{name} {what}: {error}")),
                }
            }
        }
    }
    let by_place = |lines: &[String]| {
        let mut seen = BTreeMap::new();
        for line in lines {
            seen.entry(line.split(' ').next().unwrap_or_default().to_owned())
                .or_insert(line.clone());
        }
        seen.into_values().collect::<Vec<_>>().join("\n")
    };
    println!(
        "{} schemas, {} values, {} hostile variants, {} told in place, {} lost",
        all.schemas,
        all.values,
        all.hostile,
        all.told_in_place,
        all.lost.len()
    );
    assert!(all.schemas > 150 && all.hostile > 5000, "{all:?}");
    assert!(all.unreached.is_empty(), "{}", by_place(&all.unreached));
    assert!(all.lost.is_empty(), "{}", by_place(&all.lost));
    assert!(all.changed.is_empty(), "{}", by_place(&all.changed));
}
