//! Operations by name, all of them: unknown arguments are refused before anything is sent.

use std::{
    collections::BTreeSet,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
};

use mkio::{
    Client, Dispatch, DispatchError, DispatchFuture, ErrorKind,
    dynamic::{Catalog, Entry, Place, Shape, Ty, Type},
};
use serde_json::{Map, Value, json};

/// Counts requests, and answers none.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Dispatch for Counting {
    fn dispatch(&self, _: mkio::reqwest::Request) -> DispatchFuture<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(DispatchError::not_sent("no service")) })
    }
}

fn all() -> impl Iterator<Item = (&'static Catalog, &'static Entry)> {
    let catalogs = mkio::CATALOGS.iter().copied();
    catalogs.flat_map(|catalog| catalog.entries.iter().map(move |entry| (catalog, entry)))
}

fn client(service: &Counting) -> Client {
    Client::builder()
        .base_url("https://service.example")
        .token("t")
        .retry(mkio::RetryPolicy::none())
        .dispatch(service.clone())
        .build()
        .expect("a client")
}

/// The arguments that the operation requires.
fn arguments(entry: &Entry) -> Map<String, Value> {
    let mut all = Map::new();
    for parameter in entry
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
    {
        let value = match parameter.ty {
            Ty::Integer | Ty::Unsigned | Ty::Number => json!(1),
            Ty::Flag => json!(true),
            _ => json!("x"),
        };
        all.insert(parameter.name.to_owned(), value);
    }
    if let Some(body) = entry.skeleton() {
        all.insert("body".to_owned(), body);
    } else if entry.body.is_some() {
        all.insert("body".to_owned(), json!("bytes"));
    }
    all
}

/// Any member is right for it.
fn is_open(entry: &Entry, body: Ty) -> bool {
    match body {
        Ty::Json | Ty::Map(_) => true,
        Ty::List(of) => is_open(entry, *of),
        Ty::Named(name) => {
            let of = Type::find(entry.types, name);
            of.is_some_and(|of| matches!(of.shape, Shape::Object(_, Some(_))))
        }
        _ => false,
    }
}

/// The argument with two letters exchanged; a short one with another in the end.
fn misspelt(name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    match (1..letters.len())
        .rev()
        .find(|&n| letters[n] != letters[n - 1])
    {
        Some(n) => letters.swap(n - 1, n),
        None => letters.push('x'),
    }
    letters.into_iter().collect()
}

#[tokio::test]
async fn every_operation_takes_what_it_needs_and_refuses_what_it_does_not_know() {
    let service = Counting::default();
    let client = client(&service);
    let transport = client.transport();
    let (mut operations, mut bodies, mut free) = (0, 0, Vec::new());
    for (catalog, entry) in all() {
        operations += 1;
        let name = format!("{}.{}", catalog.api, entry.id());
        let good = arguments(entry);
        let made = entry.request(transport, &good);
        let made = made.unwrap_or_else(|error| panic!("{name}: {error}\n{}", json!(good)));
        assert_eq!(made.method(), entry.operation.method, "{name}");

        let known = entry
            .parameters
            .last()
            .map_or("body", |parameter| parameter.name);
        let wrong = misspelt(known);
        let mut bad = good.clone();
        bad.insert(wrong.clone(), json!("x"));
        let error = entry.call(transport, &bad).await.expect_err(&name);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
        let text = error.to_string();
        assert!(
            text.contains(&format!("unknown argument `{wrong}`")),
            "{name}: {text}"
        );
        if known != "body" {
            assert!(text.contains(&format!("`{known}`")), "{name}: {text}");
        }

        let Some(body) = entry.body.as_ref().and_then(|body| body.ty) else {
            continue;
        };
        let mut bad = good.clone();
        let target = match &mut bad["body"] {
            Value::Array(items) => &mut items[0],
            whole => whole,
        };
        let of = body
            .type_name()
            .and_then(|name| Type::find(entry.types, name));
        let field = of.and_then(|of| of.fields().first());
        let wrong = field.map_or_else(|| "nonsense".to_owned(), |field| misspelt(field.name) + "x");
        target[&wrong] = json!(1);
        bodies += 1;
        match entry.call(transport, &bad).await {
            Err(error) if error.kind() == ErrorKind::InvalidRequest => {
                let text = error.to_string();
                assert!(text.contains(&wrong), "{name}: {text}");
                if let Some(field) = field {
                    assert!(text.contains(field.name), "{name}: {text}");
                }
            }
            _ => {
                assert!(is_open(entry, body), "{name} takes {wrong}");
                free.push(name);
            }
        }
    }
    println!("{operations} operations, {bodies} bodies");
    assert!(operations >= 259 && bodies > 70, "{operations} {bodies}");
    assert!(free.len() < 10, "{free:?}");
    assert_eq!(
        service.0.load(Ordering::SeqCst),
        free.len(),
        "requests were sent"
    );
}

#[test]
fn catalogs_are_sorted_and_commands_are_unique() {
    let mut commands = BTreeSet::new();
    for catalog in mkio::CATALOGS {
        let ids: Vec<&str> = catalog.entries.iter().map(Entry::id).collect();
        assert!(ids.is_sorted(), "{}", catalog.api);
        let types: Vec<&str> = catalog.types.iter().map(|of| of.name).collect();
        assert!(types.is_sorted(), "{}", catalog.api);
    }
    for (catalog, entry) in all() {
        assert!(catalog.entry(entry.id()).is_ok());
        assert!(commands.insert(entry.command), "{:?} twice", entry.command);
        let path = entry.operation.path;
        let places = entry.parameters.iter().filter(|p| p.place == Place::Path);
        assert_eq!(places.count(), path.matches('{').count(), "{}", entry.id());
        let named = |ty: Ty| {
            ty.type_name()
                .is_none_or(|name| catalog.type_of(name).is_some())
        };
        assert!(entry.item.is_none_or(named), "{}", entry.id());
    }
}

#[test]
fn secrets_are_known_by_their_places() {
    let entry = |api: &str, id: &str| {
        let catalog = mkio::CATALOGS.iter().find(|catalog| catalog.api == api);
        catalog.expect("an API").entry(id).expect("an operation")
    };
    let keys = entry("media", "list_streaming_locator_content_keys").secrets();
    assert!(!keys.is_empty(), "{keys:?}");
    let rule = entry("management", "create_or_update_webhook_rule").body_secrets();
    assert!(!rule.is_empty(), "{rule:?}");
    let token = entry("management", "create_user_token").secrets();
    assert!(!token.is_empty(), "{token:?}");
    let fixed = entry("media", "create_live_event").immutable();
    assert!(
        fixed.contains(&"/properties/encoding".to_owned()),
        "{fixed:?}"
    );
}
