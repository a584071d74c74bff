//! A page with items that do not decode: the others are handed out, these as errors in their place.

use serde_json::Value;

use super::Page;
use crate::{
    CallInfo, Error, ErrorKind, Response, Result,
    error::expectation,
    json::{self, Misplaced},
};

/// An item that does not decode, and its place among the items of its page.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) place: usize,
    pub(crate) error: Error,
}

/// Decodes a page without the items that do not decode. `error` is that of the whole page.
///
/// # Errors
///
/// `error`, when something else than the items is wrong.
pub(super) fn recover<P: Page>(error: Error) -> Result<(Response<P>, Vec<Bad>)> {
    match without_bad_items::<P>(&error) {
        Some((page, bad)) => {
            let call = CallInfo {
                attempts: error.attempts(),
                elapsed: error.elapsed(),
                budget_wait: error.budget_wait(),
            };
            let (headers, raw) = (error.headers().clone(), error.body().clone());
            let status = error.status().unwrap_or_default();
            let response = Response::of_call(page, status, headers, raw, call);
            Ok((response, bad))
        }
        None => Err(error),
    }
}

fn without_bad_items<P: Page>(error: &Error) -> Option<(P, Vec<Bad>)> {
    if error.kind() != ErrorKind::Decode {
        return None;
    }
    let list = list_of(error.json_path()?)?.to_owned();
    let mut body: Value = json::from_slice(error.body()).ok()?;
    let items = std::mem::take(items(&mut body, &list)?);
    let mut page_of = |of: Vec<Value>| -> Option<P> {
        *self::items(&mut body, &list)? = of;
        serde_json::from_str(&body.to_string()).ok()
    };
    // Most lists leave nulls out.
    let null_is_bad = page_of(vec![Value::Null]).is_none();
    let mut bad = Vec::new();
    let mut left = Vec::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        match json::read_value::<P::Item>(&item) {
            Err(fault) if null_is_bad || !item.is_null() => bad.push(Bad {
                place,
                error: of_item(error, &list, place, &fault, item),
            }),
            _ => left.push(item),
        }
    }
    let count = left.len();
    // Anything else than the items of the page is not ours to leave out.
    let page = page_of(left)?;
    (!bad.is_empty() && page.items().len() == count).then_some((page, bad))
}

/// The list of a page: a member of the body, or the body.
fn items<'a>(body: &'a mut Value, list: &str) -> Option<&'a mut Vec<Value>> {
    let list = if list.is_empty() {
        body
    } else {
        body.get_mut(list)?
    };
    list.as_array_mut()
}

/// `value[3].name` is of the list `value`.
fn list_of(path: &str) -> Option<&str> {
    path.split_once('[').map(|(list, _)| list)
}

/// The error of one item: as that of the page, with the item as body and value.
fn of_item(page: &Error, list: &str, place: usize, fault: &Misplaced, item: Value) -> Error {
    let expectation = expectation(&fault.error);
    let path = json::join(&format!("{list}[{place}]"), &fault.path);
    let name = ["name", "id"]
        .iter()
        .find_map(|name| item.get(*name)?.as_str());
    let name = name.map(|name| format!(" (`{name}`)")).unwrap_or_default();
    let message = format!(
        "an item of the list{name} does not decode at `{path}`: {expectation}; the list goes on \
         after it"
    );
    let mut error = Error::new(ErrorKind::Decode, message)
        .with_response(page.headers().clone(), item.to_string().into())
        .with_place(path, expectation)
        .with_value(item);
    if let Some(status) = page.status() {
        error = error.with_status(status);
    }
    match page.operation() {
        Some(operation) => error.with_operation(operation),
        None => error,
    }
}
