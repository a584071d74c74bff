//! Edits: read a resource, change it, write it back.
//!
//! A PUT replaces a resource, and its body differs from the response of a GET. An edit carries over
//! everything that the service sent, also members that this version does not know. It sends nothing
//! when nothing changed.

mod merge;

use std::{
    fmt::{self, Debug},
    marker::PhantomData,
};

use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    CallOptions, Error, ErrorKind, Operation, Response, Result,
    error::expectation,
    glue::RequestBuilder,
    json::{self, Misplaced},
};

/// How an edited resource is written. For generated code.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    /// Member of the body that is edited; empty for the body as a whole.
    pub within: &'a str,
    /// The write changes the fields in its body and keeps the rest (PATCH), instead of replacing
    /// the resource (PUT).
    pub merges: bool,
    /// Members by whose value the kinds of a union are told apart.
    pub tags: &'a [&'a str],
    /// Secrets of the body that reads do not show, as JSON pointers with `*` for any item.
    pub masked: &'a [&'a str],
    /// Members of the edited part that only the service sets, as such pointers.
    pub read_only: &'a [&'a str],
}

/// An edit of one resource: reads it, changes it, writes it.
///
/// Made by the `edit_…` methods of the clients; [`send`](Self::send) carries it out.
///
/// Two edits of one resource at the same time can overwrite each other: the service offers no
/// condition by which a write could be refused.
#[must_use = "an edit does nothing until it is sent"]
#[derive(Clone)]
pub struct Edit<R, B, F> {
    read: RequestBuilder,
    write: RequestBuilder,
    writing: Writing<'static>,
    change: F,
    types: PhantomData<fn() -> (R, B)>,
}

impl<R, B, F> Edit<R, B, F>
where
    R: DeserializeOwned + Serialize,
    B: DeserializeOwned + Serialize,
    F: FnOnce(B) -> B,
{
    /// For generated code.
    #[doc(hidden)]
    pub fn new(
        read: RequestBuilder,
        write: RequestBuilder,
        writing: Writing<'static>,
        change: F,
    ) -> Self {
        Self {
            read,
            write,
            writing,
            change,
            types: PhantomData,
        }
    }

    /// Sets a header of both requests. Its value is treated as a secret: no log shows it.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.read.header(&name, &value);
        self.write.header(&name, &value);
        self
    }

    /// Overrides the client's retries, timeouts and priority for both requests.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.read.options(options);
        self.write.options(options);
        self
    }

    /// Reads the resource, changes it, and writes it when something changed.
    ///
    /// Members that only the service sets are not sent, although the edited type may have them: a
    /// strict service would refuse the write.
    ///
    /// Returns the response of the write, or that of the read when nothing changed.
    ///
    /// An edit that is dropped before it is ready sends nothing more. Dropped while it reads, it has
    /// changed nothing; dropped while it writes, the resource is as before or as edited.
    ///
    /// # Errors
    ///
    /// Those of both calls: a resource that does not exist is an error for which
    /// [`is_not_found`](Error::is_not_found) is true. Kind
    /// [`InvalidRequest`](ErrorKind::InvalidRequest), with nothing written, when the resource lacks
    /// a field that the body requires, when a secret that reads do not show would be lost, or when
    /// a PATCH cannot express the change; the message names the field. Kind
    /// [`Api`](ErrorKind::Api) with status 201 when the resource was deleted after it was read: the
    /// write has made it again.
    pub async fn send(self) -> Result<Response<R>> {
        let (read, write) = (self.read.operation(), self.write.operation());
        let response: Response<R> = self.read.send().await?;
        let received = response.json();
        let refuse =
            |message: String| Error::new(ErrorKind::InvalidRequest, message).with_operation(write);
        let edited = member_at(&received, self.writing.within);
        let before: B = read_as(&edited, self.writing.within)
            .map_err(|why| refuse(format!("the resource cannot be edited: {why}")))?;
        let old = json(&before, write)?;
        let new = json(&(self.change)(before), write)?;
        let typed = member_at(&json(&*response, read)?, self.writing.within);
        let all = Versions {
            old: &old,
            received: &received,
            typed: &typed,
        };
        let Some(body) = all.body(new, &self.writing).map_err(refuse)? else {
            return Ok(response);
        };
        let mut request = self.write;
        request.json(&body);
        let written: Response<R> = request.send().await?;
        not_made_again(&written).map_err(|error| error.with_operation(write))?;
        Ok(written)
    }
}

/// An error when the resource was gone as it was written.
pub(crate) fn not_made_again<R>(written: &Response<R>) -> Result<()> {
    if written.http_status() != StatusCode::CREATED {
        return Ok(());
    }
    let message = "the resource was deleted while it was edited, and the write has made it again; \
                   delete it if it should be gone";
    let error = Error::new(ErrorKind::Api, message)
        .with_status(written.http_status())
        .with_response(written.headers().clone(), written.raw().clone())
        .with_call(written.call());
    Err(error)
}

/// A resource before an edit: as its body's type has it, as it was received, and as its own type
/// has it.
pub(crate) struct Versions<'a> {
    pub(crate) old: &'a Value,
    pub(crate) received: &'a Value,
    pub(crate) typed: &'a Value,
}

impl Versions<'_> {
    /// The body that turns it into `new`; `None` when that is the same.
    pub(crate) fn body(&self, new: Value, writing: &Writing<'_>) -> Result<Option<Value>, String> {
        let (mut old, mut new) = (self.old.clone(), new);
        for sent in [&mut old, &mut new] {
            merge::leave_out(sent, writing.read_only);
        }
        if old == new {
            return Ok(None);
        }
        let edited = member_at(self.received, writing.within);
        let mut body = new;
        merge::keep_unknown(&mut body, &old, &edited, self.typed);
        if writing.merges {
            // A list or a union is sent as a whole, with unknown members.
            let mut all = old.clone();
            merge::keep_unknown(&mut all, &old, &edited, self.typed);
            body = merge::difference(&all, &body, writing.tags, writing.within)?;
        }
        let body = around(body, writing.within);
        match merge::lost_secret(&body, self.received, writing) {
            Some(secret) => Err(format!(
                "set `{secret}` in the edit: it is a secret that reads do not show, and writing \
                 the resource without it would remove it"
            )),
            None => Ok(Some(body)),
        }
    }
}

/// The edited part of a resource; an object that is not there is an empty one.
fn member_at(value: &Value, within: &str) -> Value {
    let found = match within {
        "" => Some(value),
        name => value.get(name),
    };
    match found {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(found) => found.clone(),
    }
}

/// The body around its edited part.
fn around(body: Value, within: &str) -> Value {
    match within {
        "" => body,
        name => Value::Object(Map::from_iter([(name.to_owned(), body)])),
    }
}

fn json(value: &impl Serialize, operation: &'static Operation) -> Result<Value> {
    json::value_of(value).map_err(|error| {
        Error::new(
            ErrorKind::InvalidRequest,
            "the resource cannot be written as JSON",
        )
        .with_source(error)
        .with_operation(operation)
    })
}

/// The type that is sent, from the resource that was read; an error names the field that is
/// missing.
fn read_as<T: DeserializeOwned>(value: &Value, within: &str) -> Result<T, String> {
    json::read_value(value).map_err(|Misplaced { path, error }| {
        let expected = expectation(&error);
        match json::join(within, &path).as_str() {
            "" => expected,
            place => format!("`{place}`: {expected}"),
        }
    })
}

/// A resource as the type `T`, without members that `T` does not know.
///
/// # Errors
///
/// Names the field that is missing.
#[cfg(feature = "dynamic")]
pub(crate) fn through<T: DeserializeOwned + Serialize>(value: &Value) -> Result<Value, String> {
    let typed: T = read_as(value, "")?;
    json::value_of(&typed).map_err(|error| error.to_string())
}

/// A body made from a resource that was read. For generated code.
///
/// # Errors
///
/// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the resource lacks a field that the body
/// requires; the message names it.
#[doc(hidden)]
pub fn body_of<R: Serialize, T: DeserializeOwned>(
    resource: &R,
    body: &str,
    read_only: &[&str],
) -> Result<T> {
    let refuse = |why: String| {
        let message = format!("the resource cannot become a {body}: {why}");
        Error::new(ErrorKind::InvalidRequest, message)
    };
    let mut value = json::value_of(resource).map_err(|error| refuse(error.to_string()))?;
    merge::leave_out(&mut value, read_only);
    read_as(&value, "").map_err(refuse)
}

impl<R, B, F> Debug for Edit<R, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("read", &self.read)
            .field("write", &self.write)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An item of a list that a PATCH replaces has more members than the type knows.
    #[test]
    fn a_patch_of_a_list_keeps_what_no_type_knows() {
        let writing = Writing {
            within: "spec",
            merges: true,
            tags: &[],
            masked: &[],
            read_only: &[],
        };
        let received = json!({"spec": {
            "routes": [{"name": "a", "future": 1}, {"name": "b", "future": 2}], "future": 3,
        }});
        let typed = json!({"routes": [{"name": "a"}, {"name": "b"}]});
        let versions = Versions {
            old: &typed,
            received: &received,
            typed: &typed,
        };
        let new = json!({"routes": [{"name": "a"}, {"name": "c"}]});
        let body = versions.body(new, &writing).unwrap();
        let kept = json!([{"name": "a", "future": 1}, {"name": "c", "future": 2}]);
        assert_eq!(body, Some(json!({"spec": {"routes": kept}})));
        assert_eq!(versions.body(typed.clone(), &writing).unwrap(), None);
    }
}
