//! `mkio api`: a request by hand.

use std::io::{self, Write};

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use mkio::{
    Client, Page, RawRequest,
    dynamic::{AnyPage, ResponseBody},
    http::{HeaderMap, Method, StatusCode, header},
};
use serde_json::{Map, Value, json};

use crate::{
    body,
    failure::{Exit, Failure, Result},
    fields,
    options::{self, Switch},
    output::{self, List, path},
    run,
    session::Session,
};

pub fn command() -> Command {
    Command::new("api")
        .about("Sends a request by hand, with the token, retries and rate budget of the other commands")
        .after_help(
            "Examples:\n  mkio api GET /api/v1/locations\n  mkio api PUT /api/v1/projects/acme/media/assets/intro \
             -F properties.storageAccountName=main\n\nSecrets are hidden only where an operation of the catalog has the path.",
        )
        .arg(Arg::new("method").value_name("METHOD").required(true).help("GET, PUT, POST, PATCH or DELETE"))
        .arg(Arg::new("path").value_name("PATH").required(true).help("Path below the address of the service"))
        .arg(
            Arg::new("field")
                .short('F')
                .long("field")
                .value_name("PATH=VALUE")
                .action(ArgAction::Append)
                .help("Field of the JSON body; numbers, flags and null keep their JSON type"),
        )
        .arg(
            Arg::new("query-field")
                .short('f')
                .long("query")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("Parameter of the query"),
        )
        .arg(
            Arg::new("input")
                .long("input")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help("File with the JSON body, or - for standard input"),
        )
        .arg(
            Arg::new("of")
                .long("api")
                .value_name("API")
                .help("API whose address the path belongs to, such as channels"),
        )
        .arg(
            Arg::new("include")
                .short('i')
                .long("include")
                .action(ArgAction::SetTrue)
                .conflicts_with("paginate")
                .help("Writes status and headers of the response to standard error"),
        )
        .arg(
            Arg::new("paginate")
                .long("paginate")
                .action(ArgAction::SetTrue)
                .help("Follows the links of a list, and writes its items"),
        )
}

pub async fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let text = |name: &str| options::text(matches, name);
    let method = text("method").unwrap_or_default().to_uppercase();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| {
        Failure::usage(format!(
            "{method}: a method such as GET, PUT or POST is expected"
        ))
    })?;
    let path = text("path").unwrap_or_default();
    if !path.starts_with('/') {
        let message = format!("{path}: a path begins with /, such as /api/v1/locations");
        return Err(Failure::usage(message));
    }
    if session.is(Switch::DryRun) {
        return show_request(session, &method, &path, matches);
    }
    refuse_form(session, (&method, &path), matches.get_flag("paginate"))?;
    let body = with_fields(given_input(matches)?, matches, body::expanded)?;
    match entries_of(&method, &path).next() {
        // The same questions as for `mkio NOUN VERB`.
        Some(entry) => run::ask(session, entry, &[])?,
        None if method != Method::GET => session.guard(&format!("{method} {path}"))?,
        None => {}
    }
    let client = session.client()?;
    let mut request = request(&client, &method, &path, matches)?;
    if let Some(body) = &body {
        request = request.json(body);
    }
    if matches.get_flag("paginate") {
        let of = text("of").unwrap_or_default();
        return paginate(session, &client, request, (&path, &of)).await;
    }
    let shows_head = matches.get_flag("include");
    let response = match request.send_bytes().await {
        Ok(response) => response,
        Err(error) => {
            if shows_head {
                head(error.status(), error.headers())?;
            }
            return Err(Failure::from(error));
        }
    };
    if shows_head {
        head(Some(response.http_status()), response.headers())?;
    }
    match serde_json::from_slice::<Value>(response.raw()) {
        Ok(value) => {
            let value = session.shown(value, |value| {
                entries_of(&method, &path).for_each(|entry| entry.mask(value));
            });
            show(session, &value)
        }
        Err(_) => io::stdout()
            .write_all(response.raw())
            .map_err(Failure::from),
    }
}

/// Writes status and headers to standard error: standard output has the response alone.
fn head(status: Option<StatusCode>, headers: &HeaderMap) -> Result<()> {
    let Some(status) = status else {
        return Ok(());
    };
    let mut out = io::stderr().lock();
    writeln!(out, "{status}")?;
    for (name, value) in headers {
        let text = match name {
            &header::SET_COOKIE => "***".into(),
            _ => String::from_utf8_lossy(value.as_bytes()),
        };
        writeln!(out, "{name}: {}", output::plain(&text))?;
    }
    writeln!(out).map_err(Failure::from)
}

/// The request without its body.
fn request(
    client: &Client,
    method: &Method,
    path: &str,
    matches: &ArgMatches,
) -> Result<RawRequest> {
    let mut request = client.request(method.clone(), path);
    if let Some(api) = matches.get_one::<String>("of") {
        request = request.api(api);
    }
    for (name, value) in body::pairs(matches, "query-field")? {
        request = request.query(name, value);
    }
    Ok(request)
}

/// JSON unless another format was asked for: nobody knows the columns.
fn show(session: &Session, value: &Value) -> Result<()> {
    if session.output.is_for_people() {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        println(&text)
    } else {
        session.output.one(value, &[])
    }
}

/// Refuses columns and names that the response lacks, where an operation of the catalog has the path.
fn refuse_form(session: &Session, (method, path): (&Method, &str), items: bool) -> Result<()> {
    let Some(entry) = entries_of(method, path).next() else {
        return Ok(());
    };
    let ty = match entry.response {
        _ if items => entry.item,
        ResponseBody::Json(ty, _) => Some(ty),
        _ => None,
    };
    ty.map_or(Ok(()), |ty| fields::refuse(session, entry, ty))
}

fn println(text: &str) -> Result<()> {
    writeln!(io::stdout(), "{text}").map_err(Failure::from)
}

/// Shows the request instead of sending it, without secrets and values of `${…}`.
fn show_request(
    session: &Session,
    method: &Method,
    path: &str,
    matches: &ArgMatches,
) -> Result<()> {
    let input = given_input(matches)?;
    // The fields of an unknown path may be secrets: `${…}` is not expanded.
    let body = if session.is(Switch::ShowSecrets) {
        with_fields(input, matches, body::expanded)?
    } else {
        with_fields(input, matches, |text| Ok(text.to_owned()))?
    };
    let body = body.map(|body| {
        session.shown(body, |body| {
            entries_of(method, path).for_each(|entry| entry.mask_body(body));
        })
    });
    let client = session.offline_client()?;
    let request = request(&client, method, path, matches)?.into_request()?;
    let shown = json!({"method": method.as_str(), "url": request.url().as_str(), "body": body});
    session.output.one(&shown, &[])
}

fn given_input(matches: &ArgMatches) -> Result<Option<Value>> {
    let path = matches.get_one::<String>("input");
    path.map(|path| body::parse(&body::text(path)?, body::place(path)))
        .transpose()
}

fn with_fields(
    mut body: Option<Value>,
    matches: &ArgMatches,
    expanded: impl Fn(&str) -> Result<String>,
) -> Result<Option<Value>> {
    for (place, value) in body::pairs(matches, "field")? {
        let value = expanded(&value)?;
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        let target = body.get_or_insert(Value::Object(Map::new()));
        path::put(target, &place, value).map_err(Failure::usage)?;
    }
    Ok(body)
}

/// The operations of the catalog that have this path; two where one of them sends a JSON Patch.
pub(super) fn entries_of(
    method: &Method,
    path: &str,
) -> impl Iterator<Item = &'static mkio::dynamic::Entry> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |template: &str| {
        let wanted: Vec<&str> = template.trim_end_matches('/').split('/').collect();
        let same = |(wanted, given): (&&str, &&str)| wanted.starts_with('{') || wanted == given;
        wanted.len() == segments.len() && wanted.iter().zip(&segments).all(same)
    };
    let entries = mkio::CATALOGS.iter().flat_map(|catalog| catalog.entries);
    let found: Vec<_> = entries
        .filter(|entry| entry.operation.method == *method && fits(entry.operation.path))
        .collect();
    found.into_iter()
}

/// Writes the items of all pages; `place` is the path of the list, and its API.
async fn paginate(
    session: &Session,
    client: &Client,
    first: RawRequest,
    place: (&str, &str),
) -> Result<()> {
    let mut list = session.output.list(&[]);
    let mut at = place.0.to_owned();
    // One for the whole list, so that no Ctrl-C is missed between two pages.
    let interrupted = session.interrupted();
    let outcome = tokio::select! {
        biased;
        () = interrupted => Err(Failure::interrupted()),
        outcome = pages(session, client, first, place, (&mut list, &mut at)) => outcome,
    };
    let Err(failure) = outcome else {
        return list.end();
    };
    let is_shown = list.so_far()? > 0;
    if !is_shown {
        return Err(failure);
    }
    let mut words = vec!["api", "GET", &at, "--paginate"];
    if !place.1.is_empty() {
        words.extend(["--api", place.1]);
    }
    Err(failure.hint(format!("go on with: {}", session.command(&words))))
}

/// Shows a response without items; `--paginate` makes it a failure.
fn no_list(session: &Session, path: &str, response: Value) -> Result<()> {
    let value = session.shown(response, |value| {
        entries_of(&Method::GET, path).for_each(|entry| entry.mask(value));
    });
    show(session, &value)?;
    let message = "the response is not a list: --paginate does nothing with it";
    Err(Failure::new(Exit::Unusable, message))
}

/// A response with items: a list, or an object with lists.
fn has_items(response: &Value) -> bool {
    match response {
        Value::Array(_) => true,
        Value::Object(members) => {
            let is_list = members.get("value").is_some_and(Value::is_array);
            is_list || members.values().filter(|member| member.is_array()).count() == 1
        }
        _ => false,
    }
}

async fn pages(
    session: &Session,
    client: &Client,
    first: RawRequest,
    (path, api): (&str, &str),
    (list, at): (&mut List<'_>, &mut String),
) -> Result<()> {
    let mut next = Some(first);
    let mut seen = Vec::new();
    while let Some(request) = next.take() {
        let response: Value = request.send().await?.into_inner();
        if !has_items(&response) {
            return no_list(session, path, response);
        }
        let mut page: AnyPage = serde_json::from_value(response).map_err(|_| {
            Failure::new(
                Exit::Unusable,
                "a page of the list cannot be read: an object or a list is expected",
            )
        })?;
        for item in page.items_mut().into_iter().flat_map(std::mem::take) {
            let item = session.shown(item, |item| {
                entries_of(&Method::GET, path).for_each(|entry| entry.mask_item(item));
            });
            list.item(item)?;
        }
        let link = page.next_link().filter(|link| !link.is_empty());
        let Some(link) = link else {
            break;
        };
        let path = same_service(client, link, api)?;
        if seen.contains(&path) {
            let message = "the list links back to itself";
            return Err(Failure::new(Exit::Unusable, message));
        }
        seen.push(path.clone());
        at.clone_from(&path);
        let request = client.request(Method::GET, path);
        next = Some(match api {
            "" => request,
            api => request.api(api),
        });
    }
    Ok(())
}

/// The path of a link, which must lead to the same service.
fn same_service(client: &Client, link: &str, api: &str) -> Result<String> {
    let base = client.transport().base_url(api);
    if link.starts_with('/') {
        // The path of the service's own address is put before it, unless the link has it already.
        let own = mkio::reqwest::Url::parse(base).ok();
        let own = own
            .as_ref()
            .map_or("", |own| own.path().trim_end_matches('/'));
        let below = link.strip_prefix(own).filter(|rest| rest.starts_with('/'));
        return Ok(below.unwrap_or(link).to_owned());
    }
    let path = link.strip_prefix(base).filter(|rest| rest.starts_with('/'));
    path.map(str::to_owned).ok_or_else(|| {
        let message = "a link of the list leads to another service; it was not followed";
        Failure::new(Exit::Unusable, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path of the service's own address is before a link once, whether the link has it or not.
    #[test]
    fn links_stay_below_the_address_of_the_service() {
        let builder = Client::builder()
            .anonymous()
            .base_url("https://h.example/gw");
        let client: Client = builder.build().unwrap();
        let links = [
            "/api/v1/x?page=2",
            "/gw/api/v1/x?page=2",
            "https://h.example/gw/api/v1/x?page=2",
        ];
        for link in links {
            let path = same_service(&client, link, "").unwrap();
            let request = client.request(Method::GET, path).into_request().unwrap();
            let url = request.url().as_str();
            assert_eq!(url, "https://h.example/gw/api/v1/x?page=2", "{link}");
        }
        for link in [
            "https://h.example/other/x",
            "https://h.example/gwx",
            "https://e.example/gw/x",
        ] {
            assert!(same_service(&client, link, "").is_err(), "{link}");
        }
    }
}
