//! Operations: from arguments to a request, and from its response to the output.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    pin::pin,
};

use clap::ArgMatches;
use mkio::{
    Client, Transport,
    dynamic::{Action, Catalog, Effect, Entry, Place, ResponseBody, Ty},
    reqwest::Request,
};
use serde_json::{Value, json};

use crate::{
    body,
    editor::{Draft, Editor},
    failure::{Exit, Failure, Result},
    fields, kinds, listing,
    options::Switch,
    output::Format,
    place,
    saved::Saved,
    session::{Arguments, Session},
    tree::{self, Leaf, PROJECT},
    waiting::{self, Watched},
};

/// Runs a command of the catalog.
pub async fn leaf(session: &Session, leaf: Leaf, matches: &ArgMatches) -> Result<()> {
    match leaf {
        Leaf::Operation(entry) => operation(session, entry, matches).await,
        Leaf::Action(catalog, action) => act(session, catalog, action, matches).await,
    }
}

async fn operation(session: &Session, entry: &'static Entry, matches: &ArgMatches) -> Result<()> {
    let skeleton = matches.try_get_one::<bool>("skeleton");
    if skeleton.is_ok_and(|on| on == Some(&true)) {
        let skeleton = entry.skeleton().unwrap_or_default();
        return session.output.document(&skeleton);
    }
    let mut draft = Draft::default();
    let outcome = call(session, entry, matches, &mut draft).await;
    draft.kept(outcome)
}

async fn call(
    session: &Session,
    entry: &'static Entry,
    matches: &ArgMatches,
    draft: &mut Draft,
) -> Result<()> {
    let body = written(entry, matches, draft)?;
    let client = client(session)?;
    let calls = arguments(session, &client, entry, matches, body)?;
    refuse_form(session, entry)?;
    if session.is(Switch::DryRun) {
        return dry_run(session, entry, &client, &calls, matches);
    }
    ask(session, entry, &calls)?;
    let watches = matches.try_get_one::<bool>("watch");
    if let (Some(resource), Ok(Some(true))) = (tree::read_by(entry), watches) {
        waiting::refuse_form(matches)?;
        let names = calls.iter().map(|call| tree_names(entry, call)).collect();
        let project = session.project(&client).unwrap_or_default();
        return waiting::look_on(session, &client, resource, (&project, names)).await;
    }
    if entry.item.is_some() && pages_are_wanted(entry) {
        return list(session, entry, &client, &calls[0], matches).await;
    }
    let waits = matches.try_get_one::<bool>("wait");
    if waits.is_ok_and(|on| on == Some(&true)) {
        return call_and_wait(session, entry, &client, &calls, matches).await;
    }
    for call in &calls {
        let request = with_file(entry, entry.request(client.transport(), call)?, matches)?;
        send(session, entry, client.transport(), request, matches).await?;
        tell_done(session, entry, call);
    }
    Ok(())
}

/// The body of the arguments, after the editor if it is wanted.
fn written(
    entry: &'static Entry,
    matches: &ArgMatches,
    draft: &mut Draft,
) -> Result<Option<Value>> {
    let given = body::given(entry, matches)?;
    let by_hand = matches.try_get_one::<bool>("editor");
    if !by_hand.is_ok_and(|on| on == Some(&true)) {
        body::refuse_missing(entry, given.as_ref())?;
        return Ok(given);
    }
    let editor = Editor::named()?;
    let begun = given.or_else(|| entry.skeleton()).unwrap_or_default();
    let edited = editor.edited(&begun, draft)?;
    if edited.is_null() {
        *draft = Draft::default();
        return Err(Failure::usage("the edited file is empty; nothing was sent"));
    }
    Ok(Some(edited))
}

/// Refuses columns that the response lacks, and names where it has none: before anything is sent.
pub fn refuse_form(session: &Session, entry: &Entry) -> Result<()> {
    let response = match (
        entry.item.filter(|_| pages_are_wanted(entry)),
        &entry.response,
    ) {
        _ if session.is(Switch::DryRun) => None,
        (Some(item), _) => Some(item),
        (None, ResponseBody::Json(ty, _)) => Some(*ty),
        _ => None,
    };
    match response {
        Some(ty) => fields::refuse(session, entry, ty),
        None => Ok(()),
    }
}

/// A list whose call changes nothing, or that has no other response.
fn pages_are_wanted(entry: &Entry) -> bool {
    entry.operation.is_read() || entry.id().starts_with("list_")
}

/// The client; showing a request needs no token.
pub fn client(session: &Session) -> Result<Client> {
    if session.is(Switch::DryRun) {
        session.offline_client()
    } else {
        session.client()
    }
}

/// The arguments of each call: one, unless several names are given.
fn arguments(
    session: &Session,
    client: &Client,
    entry: &'static Entry,
    matches: &ArgMatches,
    body: Option<Value>,
) -> Result<Vec<Arguments>> {
    let mut common = Arguments::new();
    let mut names = Vec::new();
    for parameter in entry.parameters {
        let id = tree::id(parameter);
        let values = matches.try_get_many::<String>(&id).ok().flatten();
        let values: Vec<String> = values.into_iter().flatten().cloned().collect();
        let key = parameter.name.to_owned();
        if values.is_empty() && parameter.ident == PROJECT {
            common.insert(key, json!(session.project(client)?));
        } else if parameter.place == Place::Path {
            names.push((key, values));
        } else if let (Ty::List(_), false) = (parameter.ty, values.is_empty()) {
            common.insert(key, json!(values));
        } else if let Some(value) = values.into_iter().next() {
            common.insert(key, json!(value));
        }
    }
    if let Some(body) = body {
        common.insert("body".to_owned(), body);
    }
    let many = names.pop();
    for (key, values) in names {
        common.insert(key, json!(values.first()));
    }
    let Some((key, values)) = many else {
        return Ok(vec![common]);
    };
    let calls = values.into_iter().map(|value| {
        let mut call = common.clone();
        call.insert(key.clone(), json!(value));
        call
    });
    Ok(calls.collect())
}

/// Asks before deletions, and before any change with a protected profile.
pub fn ask(session: &Session, entry: &Entry, calls: &[Arguments]) -> Result<()> {
    let deletes = entry.operation.method == mkio::http::Method::DELETE;
    if deletes && calls.len() > 1 {
        session.confirm(&format!("delete {} resources", calls.len()))?;
    }
    if deletes && entry.path_parameters().next().is_none() {
        session.confirm(&format!("{}, all of them", entry.command.join(" ")))?;
    }
    if !reads(entry) {
        session.guard(&entry.command.join(" "))?;
    }
    Ok(())
}

/// POST reads, too: `locator paths` and `key-policy secrets` change nothing.
fn reads(entry: &Entry) -> bool {
    let id = entry.id();
    entry.operation.is_read() || id.starts_with("list_") || id.starts_with("get_")
}

/// Reports that a call without a response body is done.
pub fn tell_done(session: &Session, entry: &Entry, call: &Arguments) {
    if matches!(entry.response, ResponseBody::Empty) {
        session.tell(format!("{}: done", described(entry, call)));
    }
}

/// `delete asset intro`.
fn described(entry: &Entry, call: &Arguments) -> String {
    let names = tree_names(entry, call);
    let (verb, noun) = entry.command.split_last().unwrap_or((&"", &[]));
    let words = [noun, &[*verb]].concat();
    [words.join(" "), names].join(" ").trim().to_owned()
}

/// Names of parents and resource, as the program takes them: `h264/job-1`.
pub fn tree_names(entry: &Entry, call: &Arguments) -> String {
    let names = entry.path_parameters().filter(|p| p.ident != PROJECT);
    let names = names.filter_map(|parameter| call.get(parameter.name)?.as_str());
    names.collect::<Vec<_>>().join("/")
}

/// The request with the bytes of `--file`.
fn with_file(entry: &Entry, mut request: Request, matches: &ArgMatches) -> Result<Request> {
    let bytes = entry.body.as_ref().is_some_and(|body| body.ty.is_none());
    let file = bytes.then(|| matches.get_one::<String>("file")).flatten();
    if let Some(path) = file {
        let read = if path == "-" {
            let mut all = Vec::new();
            io::Read::read_to_end(&mut io::stdin(), &mut all).map(|_| all)
        } else {
            fs::read(path)
        };
        let read =
            read.map_err(|error| Failure::usage(format!("{}: {error}", body::place(path))))?;
        *request.body_mut() = Some(read.into());
    }
    Ok(request)
}

/// Sends a request and writes its response.
pub async fn send(
    session: &Session,
    entry: &'static Entry,
    transport: &Transport,
    request: Request,
    matches: &ArgMatches,
) -> Result<()> {
    if let ResponseBody::Bytes(_) = entry.response {
        // Before anything is sent: there may be no place for the response.
        let mut out = Saved::new(target(matches)?)?;
        let mut body = entry.stream(transport, request).await?.into_inner();
        let interrupted = session.interrupted();
        let arriving = async {
            while let Some(bytes) = body.try_next().await? {
                out.write_all(&bytes)?;
            }
            Ok(())
        };
        // Ctrl-C leaves no partial file behind.
        let outcome = tokio::select! {
            biased;
            () = interrupted => Err(Failure::interrupted()),
            outcome = arriving => outcome,
        };
        outcome?;
        return out.end();
    }
    let response = entry.send(transport, request).await?;
    if matches!(entry.response, ResponseBody::Empty) {
        return Ok(());
    }
    let told = response.json();
    let value = session.shown(told.clone(), |value| entry.mask(value));
    // A new token cannot be read again.
    let makes = entry.operation.method == mkio::http::Method::POST && !reads(entry);
    if makes && value != told {
        session.tell(
            "*** hides a secret that the service may show only once: --show-secrets shows it",
        );
    }
    session.output.one(&value, entry.columns)
}

/// The target of bytes: a file, or standard output unless that is a terminal.
fn target(matches: &ArgMatches) -> Result<Option<&String>> {
    let file = matches.try_get_one::<String>("save").ok().flatten();
    if file.is_none() && io::stdout().is_terminal() {
        return Err(Failure::usage(
            "the response is binary: name a file with --save",
        ));
    }
    Ok(file)
}

async fn list(
    session: &Session,
    entry: &'static Entry,
    client: &Client,
    call: &Arguments,
    matches: &ArgMatches,
) -> Result<()> {
    let mut pages = entry.pages(client.transport(), call)?;
    if let Some(word) = matches.get_one::<String>("resume") {
        pages = pages.resume(&place::read(word)?);
    }
    let mut items = pages.items();
    let limit = matches.get_one::<u64>("limit").copied();
    let limit = limit.filter(|_| !matches.get_flag("all"));
    if let Some(limit) = limit {
        items = items.limit(limit);
    }
    let mut shown = 0;
    let mut out = session.output.list(entry.columns);
    let wants_names = session.output.format() == Some(Format::Name);
    let kind = wants_names.then(|| listing::spanning(entry)).flatten();
    let mut interrupted = pin!(session.interrupted());
    let outcome = loop {
        let item = tokio::select! {
            item = items.try_next() => item,
            () = &mut interrupted => break Err(Failure::interrupted()),
        };
        match item {
            Ok(Some(item)) => {
                let name = kind.as_ref().and_then(|kind| listing::name(kind, &item));
                let item = session.shown(item, |item| entry.mask_item(item));
                out.item(name.map_or(item, Value::String))?;
                shown += 1;
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(Failure::from(error)),
        }
    };
    let go_on = || {
        format!(
            "go on with --resume {}",
            place::write(&items.resume_token())
        )
    };
    match outcome {
        Ok(()) => {
            out.end()?;
            let total = items.total();
            let is_cut = limit == Some(shown) && total.is_none_or(|total| total > shown);
            tell_shown(session, (shown, total), is_cut.then(go_on));
            Ok(())
        }
        Err(failure) => {
            out.so_far()?;
            // A filter takes the whole list: items that have arrived were not shown, and would be skipped.
            let is_whole = session.options.wanted.jq.is_some();
            // A refusal would come again.
            let passes = [Exit::Later, Exit::Timeout, Exit::Interrupted];
            if is_whole || (shown == 0 && !passes.contains(&failure.exit)) {
                return Err(failure);
            }
            Err(failure.hint(go_on()))
        }
    }
}

/// Reports how much of a list is shown; `go_on` is the command for the rest.
fn tell_shown(session: &Session, (shown, total): (u64, Option<u64>), go_on: Option<String>) {
    if shown == 0 && session.output.is_for_people() {
        session.tell("there are none");
    }
    if let Some(go_on) = go_on {
        let total = total.map_or_else(String::new, |total| format!(" of {total}"));
        session.tell(format!("{shown}{total} shown; --all shows all, or {go_on}"));
    }
}

async fn call_and_wait(
    session: &Session,
    entry: &'static Entry,
    client: &Client,
    calls: &[Arguments],
    matches: &ArgMatches,
) -> Result<()> {
    let Some(waiting) = &entry.waiting else {
        return Err(Failure::usage("there is nothing to wait for"));
    };
    let goal = matches.get_one::<String>("for");
    if waiting.goal.is_empty() && waiting.effect != Effect::Deletes && goal.is_none() {
        let goals: Vec<&str> = waiting
            .resource
            .goals
            .iter()
            .map(|goal| goal.name)
            .collect();
        return Err(Failure::usage("this call may lead to different goals")
            .hint(format!("name it with --for: {}", goals.join(", "))));
    }
    let mut watched = Vec::new();
    for call in calls {
        let mut wait = entry.call_and_wait(client.transport(), call)?;
        if waiting.effect == Effect::Deletes {
            let one = Watched::gone(tree_names(entry, call), wait.until_gone());
            watched.push(one.known(waiting.resource, Some("gone")));
            continue;
        }
        if let Some(goal) = goal {
            wait = waiting::with_goal(wait, waiting.resource, goal)?;
        }
        watched.push(Watched::new(tree_names(entry, call), wait));
    }
    let mask = |value: &mut Value| kinds::mask(waiting.resource, value);
    let columns = kinds::columns(waiting.resource);
    waiting::all_shown(session, watched, waiting::Ends::Together, columns, mask).await
}

async fn act(
    session: &Session,
    catalog: &'static Catalog,
    action: &'static Action,
    matches: &ArgMatches,
) -> Result<()> {
    let client = client(session)?;
    let mut calls = Vec::new();
    for step in action.steps {
        let entry = catalog.entry(step.operation)?;
        let all = arguments(session, &client, entry, matches, None)?;
        calls.push((entry, step.call(catalog, &all[0])?.1));
    }
    let Some((entry, call)) = calls.last() else {
        return Ok(());
    };
    if session.is(Switch::DryRun) {
        for (entry, call) in &calls {
            let request = entry.request(client.transport(), call)?;
            show_request(session, entry, &request)?;
        }
        return Ok(());
    }
    fields::refuse_waited(session, action.resource)?;
    session.guard(&action.command.join(" "))?;
    let names: Arguments = entry
        .path_parameters()
        .filter_map(|p| Some((p.name.to_owned(), call.get(p.name)?.clone())))
        .collect();
    let wait = action.call_and_wait(catalog, client.transport(), &names)?;
    let watched = vec![Watched::new(tree_names(entry, call), wait)];
    let mask = |value: &mut Value| kinds::mask(action.resource, value);
    let columns = kinds::columns(action.resource);
    waiting::all_shown(session, watched, waiting::Ends::Together, columns, mask).await
}

fn dry_run(
    session: &Session,
    entry: &'static Entry,
    client: &Client,
    calls: &[Arguments],
    matches: &ArgMatches,
) -> Result<()> {
    for call in calls {
        let request = entry.request(client.transport(), call)?;
        let request = with_file(entry, request, matches)?;
        show_request(session, entry, &request)?;
    }
    Ok(())
}

/// Shows a request instead of sending it; secrets of its body are hidden.
pub fn show_request(session: &Session, entry: &'static Entry, request: &Request) -> Result<()> {
    let sent = request.body().and_then(|body| body.as_bytes());
    let json = sent.and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let body = match (sent, json) {
        (Some(_), Some(body)) => session.shown(body, |body| entry.mask_body(body)),
        (Some(bytes), None) => json!(format!("{} bytes", bytes.len())),
        (None, _) => Value::Null,
    };
    let (method, url) = (request.method().as_str(), request.url().as_str());
    if session.output.is_for_people() {
        let mut out = io::stdout().lock();
        writeln!(out, "{method} {url}")?;
        if !body.is_null() {
            let text = serde_json::to_string_pretty(&body).unwrap_or_default();
            writeln!(out, "{text}")?;
        }
        return Ok(());
    }
    let shown = json!({"operation": entry.id(), "method": method, "url": url, "body": body});
    session.output.one(&shown, &[])
}
