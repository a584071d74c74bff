//! A page with items that do not decode: the others are handed out, these as errors in their place.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Page;
use crate::{CallInfo, Error, ErrorKind, Response, Result, json};

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
    let (list, _, _) = parts(error.json_path()?)?;
    let list = list.to_owned();
    let mut body: Value = json::from_slice(error.body()).ok()?;
    let mut places: Vec<usize> = (0..items(&mut body, &list)?.len()).collect();
    let mut bad = Vec::new();
    let mut next = error.clone();
    loop {
        let (of, place, rest) = parts(next.json_path()?)?;
        let items = items(&mut body, &list)?;
        if of != list || place >= items.len() {
            return None;
        }
        let (item, place) = (items.remove(place), places.remove(place));
        let path = format!("{list}[{place}]{rest}");
        bad.push(Bad {
            place,
            error: of_item(error, &next, path, item),
        });
        match decode::<P>(&body) {
            Ok(page) => {
                // Anything else than the items of the page is not ours to leave out.
                let left = self::items(&mut body, &list)?.len();
                bad.sort_by_key(|bad| bad.place);
                return (page.items().len() == left).then_some((page, bad));
            }
            Err(error) => next = error,
        }
    }
}

fn decode<T: DeserializeOwned>(body: &Value) -> Result<T> {
    json::decode(body.to_string().as_bytes(), || None)
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

/// `value[3].name` is of the list `value`, at place 3, and goes on with `.name`.
fn parts(path: &str) -> Option<(&str, usize, &str)> {
    let (list, rest) = path.split_once('[')?;
    let (place, rest) = rest.split_once(']')?;
    Some((list, place.parse().ok()?, rest))
}

/// The error of one item: as that of the page, with the item as body and value.
fn of_item(page: &Error, fault: &Error, path: String, item: Value) -> Error {
    let expectation = fault.expectation().unwrap_or_default().to_owned();
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
