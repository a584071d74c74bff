//! Polls of one resource.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    list::{self, ListPoll},
    report::report,
};
use crate::{
    Error, ErrorKind, Operation, Response, Result, Transport, glue,
    wait::{
        pointer,
        seen::{self, Polled, Seen},
        target::Target,
    },
};

/// Where the response of a `/state` operation has the state.
const STATE: &str = "/status/state";

/// Reads the state of one resource; with `read_resource`, or where there is no state operation, the
/// resource itself. A resource without either is looked for in its list.
pub(super) async fn poll_one(
    transport: &Transport,
    target: &Target,
    read_resource: bool,
) -> Result<Polled> {
    let resource = target.resource;
    let state = resource
        .state
        .filter(|_| !read_resource || resource.item.is_none() || resource.state_pointer.is_empty());
    let polled = if let Some(operation) = state {
        let response = get::<Value>(transport, target, operation).await;
        response.map(|response| {
            let seen = Seen::There {
                state: pointer::text(&response, STATE).map(str::to_owned),
                resource: None,
            };
            Polled::new(&response, seen)
        })
    } else if resource.item.is_some() {
        let response = item(transport, target).await;
        response
            .map(|response| Polled::new(&response, seen::resource(target, Value::clone(&response))))
    } else {
        in_list(transport, target).await
    };
    match polled {
        Err(error) if error.is_not_found() => Ok(Polled {
            seen: Seen::Absent,
            retry_after: error.retry_after(),
            date: seen::date(error.headers()),
        }),
        polled => polled,
    }
}

async fn in_list(transport: &Transport, target: &Target) -> Result<Polled> {
    let targets = std::slice::from_ref(target);
    let filter = ListPoll::all(targets).first().and_then(ListPoll::filter);
    let mut listed = list::poll_list(transport, targets, filter.as_deref()).await;
    // A deletion while pages are read moves later items to pages that were read before.
    if listed.cut.is_none() && listed.pages > 1 && !listed.shows_all() {
        listed = list::poll_list(transport, targets, filter.as_deref()).await;
    }
    if let Some(error) = listed.cut {
        return Err(error);
    }
    let item = listed.items.into_iter().next().flatten();
    Ok(Polled {
        seen: item.map_or(Seen::Absent, |item| seen::resource(target, item)),
        retry_after: listed.retry_after,
        date: listed.date,
    })
}

/// Reads the resource.
pub(in crate::wait) async fn item(
    transport: &Transport,
    target: &Target,
) -> Result<Response<Value>> {
    let Some(operation) = target.resource.item else {
        let message = format!("{target} cannot be read by name");
        return Err(Error::new(ErrorKind::InvalidRequest, message));
    };
    get(transport, target, operation).await
}

async fn get<T: DeserializeOwned>(
    transport: &Transport,
    target: &Target,
    operation: &'static Operation,
) -> Result<Response<T>> {
    let request = target.request(transport, operation)?;
    let (since, url) = (Instant::now(), request.url().clone());
    let response = transport.call(request, operation).await;
    let response = response.and_then(|response| glue::json(response, operation, || Some(url)));
    let outcome = response.as_ref().map(Response::http_status);
    let project = target.value("project_name");
    report(transport, operation, project, since, outcome, 1);
    response
}
