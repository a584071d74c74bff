//! All resources of a kind, below all parents.

use mkio::{
    Client,
    dynamic::{Entry, ResponseBody},
};
use serde_json::{Value, json};

use crate::{
    failure::{Failure, Result},
    kinds::{self, Kind},
    output::path,
    session::Arguments,
    tree::PROJECT,
};

/// A name, parents before it, and the resource if the list has all of it.
pub type Found = (String, Option<Value>);

/// All resources of a kind: those of each parent, one after the other.
pub async fn all(
    client: &Client,
    kind: &Kind,
    project: &str,
    narrow: impl Fn(&mut Arguments),
) -> Result<Vec<Found>> {
    let line = line(kind)?;
    let is_whole = line.last().is_some_and(|list| is_whole(kind, list));
    let mut found = vec![(Vec::new(), Value::Null)];
    for (n, list) in line.iter().enumerate() {
        let mut below = Vec::new();
        for (parents, _) in found {
            let mut arguments = place(list, project, &parents);
            let is_last = n + 1 == line.len();
            if is_last {
                narrow(&mut arguments);
            }
            let mut items = list.pages(client.transport(), &arguments)?.items();
            while let Some(item) = items.try_next().await? {
                let above = if is_last && spans(kind, list) {
                    above(kind, &item)?
                } else {
                    parents.clone()
                };
                let name = path::name_of(&item);
                below.extend(name.map(|name| ([above, vec![name]].concat(), item)));
            }
        }
        found = below;
    }
    let named = found.into_iter();
    let named = named.map(|(parts, item)| (parts.join("/"), is_whole.then_some(item)));
    Ok(named.collect())
}

/// The items are as complete as the response of a GET.
fn is_whole(kind: &Kind, list: &Entry) -> bool {
    match kind.get.response {
        ResponseBody::Json(ty, _) => list.item == Some(ty),
        _ => false,
    }
}

/// The list holds the resources of all parents.
fn spans(kind: &Kind, list: &Entry) -> bool {
    let own = list.path_parameters().filter(|p| p.ident != PROJECT);
    own.count() < kind.parents()
}

/// The kind whose resources a list shows below all parents, if it is such a list.
pub fn spanning(list: &Entry) -> Option<Kind> {
    let own = |kind: &Kind| {
        let of = kind.list.map(|of| (of.operation.api, of.id()));
        of == Some((list.operation.api, list.id())) && spans(kind, list)
    };
    kinds::all().into_iter().find(own)
}

/// The name of an item with its parents, as commands take it.
pub fn name(kind: &Kind, item: &Value) -> Option<String> {
    let parents = above(kind, item).ok()?;
    let name = path::name_of(item)?;
    Some([parents, vec![name]].concat().join("/"))
}

/// The parents of an item, which are in its id: `…/transforms/h264/jobs/job-1`.
fn above(kind: &Kind, item: &Value) -> Result<Vec<String>> {
    let id = path::text(item, "id");
    let parts: Vec<&str> = id.split('/').collect();
    let place = |level: usize| parts.len().checked_sub(1 + 2 * level);
    let levels = (1..=kind.parents()).rev();
    let names = levels.map(|level| Some((*parts.get(place(level)?)?).to_owned()));
    names.collect::<Option<Vec<String>>>().ok_or_else(|| {
        let message = format!(
            "name the {0} with its parents: this list does not have them",
            kind.name
        );
        Failure::usage(message)
    })
}

/// The lists that lead to a kind: those of its parents, and its own.
fn line(kind: &Kind) -> Result<Vec<&'static Entry>> {
    let mut line = Vec::new();
    let mut next = Some(kind.clone());
    while let Some(kind) = next {
        let list = kind.list.ok_or_else(|| {
            Failure::usage(format!("give the names: a {} has no list", kind.name))
        })?;
        line.insert(0, list);
        if spans(&kind, list) {
            break;
        }
        let parent = kinds::parent(&kind);
        if parent.is_none() && kind.parents() > 0 {
            return Err(Failure::usage(format!(
                "give the names: nothing lists the parents of a {}",
                kind.name
            )));
        }
        next = parent;
    }
    Ok(line)
}

/// The arguments of a list below these parents.
fn place(list: &Entry, project: &str, parents: &[String]) -> Arguments {
    let mut arguments = Arguments::new();
    let mut parents = parents.iter();
    for parameter in list.path_parameters() {
        let value = match parameter.ident {
            PROJECT => Some(project),
            _ => parents.next().map(String::as_str),
        };
        arguments.insert(parameter.name.to_owned(), json!(value));
    }
    arguments
}
