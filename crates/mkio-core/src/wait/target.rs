//! Which resource a wait is about.

use percent_encoding::percent_decode_str;
use reqwest::{Method, Request};

use super::{Listing, Resource};
use crate::{Error, ErrorKind, Operation, Result, Transport, glue};

/// A resource and the values of its path parameters.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) resource: &'static Resource,
    values: Vec<String>,
    /// The values as segments of a URL.
    segments: Vec<String>,
}

impl Target {
    pub(super) fn new(resource: &'static Resource, values: Vec<String>) -> Result<Self> {
        let refuse = |message: String| {
            let message = format!("{}: {message}", resource.name);
            Err(Error::new(ErrorKind::InvalidRequest, message))
        };
        if values.len() != resource.params.len() {
            return refuse(format!("wants a value for each of {:?}", resource.params));
        }
        let list = resource.list.as_ref().map(|list| list.operation);
        let operation = resource.item.or(list);
        let mut segments = Vec::new();
        for (param, value) in resource.params.iter().zip(&values) {
            let Some(operation) = operation else {
                return refuse("has neither a read nor a list operation".to_owned());
            };
            segments.push(glue::path_segment(operation, param, value)?);
        }
        Ok(Self {
            resource,
            values,
            segments,
        })
    }

    /// The values of its parameters.
    pub(super) fn values(&self) -> &[String] {
        &self.values
    }

    /// The resource's own name.
    pub(super) fn name(&self) -> &str {
        let last = || self.values.last().map(String::as_str);
        self.value(self.resource.named).or_else(last).unwrap_or("")
    }

    /// Parameters with their values.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let values = self.values.iter().map(String::as_str);
        self.resource.params.iter().copied().zip(values)
    }

    pub(super) fn value(&self, param: &str) -> Option<&str> {
        self.parameters()
            .find(|(name, _)| *name == param)
            .map(|(_, value)| value)
    }

    /// Path of an operation for this resource.
    pub(super) fn path(&self, operation: &Operation) -> String {
        fill(operation.path, self.resource.params, &self.segments)
    }

    /// A pointer with the values of its parameters.
    pub(super) fn pointer(&self, pointer: &str) -> String {
        if !pointer.contains('{') {
            return pointer.to_owned();
        }
        let escape = |value: &String| value.replace('~', "~0").replace('/', "~1");
        let values: Vec<_> = self.values.iter().map(escape).collect();
        fill(pointer, self.resource.params, &values)
    }

    /// A text with the values of its parameters.
    pub(super) fn text(&self, template: &str) -> String {
        fill(template, self.resource.params, &self.values)
    }

    /// Whether an id, as a list shows it, is of this resource as far as the parameters go that the
    /// list's items do not have themselves; `None` when it does not tell.
    pub(super) fn has_id(&self, id: &str, list: &Listing) -> Option<bool> {
        let segments: Vec<_> = id.split('/').collect();
        let mut all = None;
        for (param, _) in list.scope_fields {
            let path = self.resource.item?.path;
            let (before, _) = path.split_once(&format!("/{{{param}}}"))?;
            let collection = before.rsplit('/').next()?;
            let place = segments
                .iter()
                .rposition(|segment| segment.eq_ignore_ascii_case(collection))?;
            let found = percent_decode_str(segments.get(place + 1)?).decode_utf8_lossy();
            all = Some(all.unwrap_or(true) && self.value(param) == Some(&*found));
        }
        all
    }

    /// A GET of an operation for this resource.
    pub(super) fn request(
        &self,
        transport: &Transport,
        operation: &'static Operation,
    ) -> Result<Request> {
        let url = transport.url(operation, &self.path(operation))?;
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().insert(
            http::header::ACCEPT,
            http::HeaderValue::from_static("application/json"),
        );
        Ok(request)
    }

    /// What waits that can share their looks have in common.
    pub(super) fn group(&self) -> String {
        let place = match (&self.resource.list, self.resource.item) {
            (Some(list), _) => self.path(list.operation),
            (None, Some(item)) => {
                let path = self.path(item);
                let path = path.trim_end_matches('/');
                path.rsplit_once('/')
                    .map_or("", |(parent, _)| parent)
                    .to_owned()
            }
            (None, None) => String::new(),
        };
        format!("{} {place}", self.resource.name)
    }
}

/// The template with `{parameter}` replaced by the parameter's value.
fn fill(template: &str, params: &[&str], values: &[String]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(param, after)| {
            let place = params.iter().position(|known| *known == param)?;
            Some((values.get(place)?, after))
        });
        match known {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled + rest
}
