//! Which resource a wait is about.

use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::{Method, Request};

use super::{ListSource, Resource};
use crate::{Error, ErrorKind, Operation, Result, Transport, glue};

/// Longest name, in bytes, that goes into a list request.
const LISTABLE: usize = 128;

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
            return refuse(format!("takes a value for each of {:?}", resource.params));
        }
        let list = resource.list.as_ref().map(|list| list.operation);
        let operation = resource.item.or(list);
        let mut segments = Vec::new();
        for (param, value) in resource.params.iter().zip(&values) {
            let Some(operation) = operation else {
                return refuse("has neither a read nor a list operation".to_owned());
            };
            segments.push(glue::path_segment(operation, param, value)?.into_owned());
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
        self.value(self.resource.name_param)
            .or_else(last)
            .unwrap_or("")
    }

    /// Its parameters other than its name, for messages.
    pub(super) fn place(&self) -> String {
        let params = self.resource.params;
        let name = match self.resource.name_param {
            "" => params.last().copied().unwrap_or_default(),
            name => name,
        };
        let others = self.parameters().filter(|(param, _)| *param != name);
        let others = others.map(|(param, value)| format!("{param} {value}"));
        others.collect::<Vec<_>>().join(", ")
    }

    /// A list request can name it: nothing in its name needs escaping in a filter, and many such
    /// names fit into one request. Without a filter the list shows every name.
    pub(super) fn is_listable(&self, list: &ListSource) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let short = |text: &str| text.len() <= LISTABLE && text.bytes().all(plain);
        let mut scopes = list.scope_fields.iter();
        list.name_field.is_none()
            || (short(self.name()) && scopes.all(|(param, _)| self.value(param).is_none_or(short)))
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
        expand_template(operation.path, self.resource.params, &self.segments)
    }

    /// A pointer with the values of its parameters.
    pub(super) fn pointer(&self, pointer: &str) -> String {
        if !pointer.contains('{') {
            return pointer.to_owned();
        }
        let escape = |value: &String| value.replace('~', "~0").replace('/', "~1");
        let values: Vec<_> = self.values.iter().map(escape).collect();
        expand_template(pointer, self.resource.params, &values)
    }

    /// A text with the values of its parameters.
    pub(super) fn text(&self, template: &str) -> String {
        expand_template(template, self.resource.params, &self.values)
    }

    /// Whether an id, as a list shows it, is of this resource as far as the parameters go that the
    /// list's items do not have themselves; `None` when the id lacks one.
    pub(super) fn has_id(&self, id: &str, list: &ListSource) -> Option<bool> {
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
        Ok(Request::new(Method::GET, url))
    }

    /// The collection of the resource: waits of one share their polls.
    pub(super) fn collection(&self) -> String {
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

/// Kind and name, for messages.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.resource.name, self.name())?;
        match self.place() {
            place if place.is_empty() => Ok(()),
            place => write!(f, " ({place})"),
        }
    }
}

/// The template with `{parameter}` replaced by the parameter's value.
fn expand_template(template: &str, params: &[&str], values: &[String]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::tests::service::{BACKUP, JOB, job};

    #[test]
    fn a_list_request_names_what_is_short_and_needs_no_escaping() {
        let list = JOB.list.as_ref().unwrap();
        let (longest, longer) = ("l".repeat(LISTABLE), "l".repeat(LISTABLE + 1));
        for (transform, name, listable) in [
            ("h264", "Job-1._~", true),
            ("h264", longest.as_str(), true),
            ("h264", longer.as_str(), false),
            ("h264", "job 1", false),
            ("h264", "it's", false),
            ("h264", "jöb", false),
            ("h 264", "job-1", false),
        ] {
            let target = job(transform, name);
            assert_eq!(target.is_listable(list), listable, "{transform} {name}");
        }
        // A list without a filter shows every name.
        let values = ["acme", "my backup"].map(str::to_owned).to_vec();
        let backup = Target::new(&BACKUP, values).unwrap();
        assert!(backup.is_listable(BACKUP.list.as_ref().unwrap()));
    }
}
