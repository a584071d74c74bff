//! Edits by name: from a resource that was read to the request that writes the changed one.

use serde_json::{Map, Value};

use super::{DynamicResponse, Entry, Mark, Shape, Ty, Write, arguments::builder};
use crate::{
    Error, ErrorKind, Response, Result, Transport,
    edit::{self, Versions, Writing},
};

impl Entry {
    /// The request that writes a resource after `change`; `None` when the closure changes nothing.
    ///
    /// `self` is the PUT or PATCH of the resource, `read` the response of its GET, and `arguments`
    /// are the parameters of both. The change is given the resource as the body's type has it. A
    /// PUT carries over all other members that the service sent, also ones that this version does
    /// not know. A PATCH holds the changed members.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the operation does not write JSON,
    /// the resource lacks a field that the body requires, the changed body has a member that its
    /// type does not know, a secret that reads do not show would be lost, or a PATCH cannot express
    /// the change; the message names the field. Also the error of the closure itself.
    pub fn edited(
        &'static self,
        transport: &Transport,
        arguments: &Map<String, Value>,
        read: &Response<DynamicResponse>,
        change: impl FnOnce(&mut Value) -> Result<()>,
    ) -> Result<Option<reqwest::Request>> {
        let refuse = |message: String| {
            Error::new(ErrorKind::InvalidRequest, message).with_operation(self.operation)
        };
        let Some(write) = self.write else {
            return Err(refuse(format!(
                "{} writes no resource; give the PUT or PATCH of one",
                self.id()
            )));
        };
        let received = read.json();
        let old = self.body_of(&received)?;
        let mut new = old.clone();
        change(&mut new)?;
        let mut all = arguments.clone();
        all.insert("body".to_owned(), new.clone());
        // Members that the change has added are checked before other members are carried over.
        let (mut request, _) = builder(self, transport, &all)?;
        let masked = self.masked(read.entry());
        let masked: Vec<&str> = masked.iter().map(String::as_str).collect();
        let read_only = self.body_pointers(Mark::ReadOnly);
        let read_only: Vec<&str> = read_only.iter().map(String::as_str).collect();
        let tags = self.tags();
        let writing = Writing {
            within: "",
            merges: write == Write::Patch,
            tags: &tags,
            masked: &masked,
            read_only: &read_only,
        };
        let versions = Versions {
            old: &old,
            received: &received,
            typed: read.value(),
        };
        let Some(body) = versions.body(new, &writing).map_err(refuse)? else {
            return Ok(None);
        };
        request.json(&body);
        request.build().map(Some)
    }

    /// Sends a request that [`edited`](Self::edited) has made.
    ///
    /// # Errors
    ///
    /// Those of the call. Kind [`Api`](ErrorKind::Api) with status 201 when the resource was deleted
    /// after it was read: the write has made it again.
    pub async fn send_edited(
        &'static self,
        transport: &Transport,
        request: reqwest::Request,
    ) -> Result<Response<DynamicResponse>> {
        let written = self.send(transport, request).await?;
        edit::not_made_again(&written).map_err(|error| error.with_operation(self.operation))?;
        Ok(written)
    }

    /// The body that would make this resource: the members of the resource that the body's type
    /// has.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the operation sends nothing, or the
    /// resource lacks a field that the body requires; the message names it.
    pub fn body_of(&self, resource: &Value) -> Result<Value> {
        let refuse =
            |why: String| Error::new(ErrorKind::InvalidRequest, why).with_operation(self.operation);
        let body = self.body.as_ref();
        let body = body.ok_or_else(|| refuse(format!("{} takes no body", self.id())))?;
        (body.read)(resource)
            .map_err(|why| refuse(format!("the resource cannot become a body: {why}")))
    }

    /// Secrets of the body that reads do not show.
    fn masked(&self, read: &Entry) -> Vec<String> {
        let shown = read.secrets();
        let mut masked = self.body_pointers(Mark::Masked);
        let secrets = self.body_secrets().into_iter();
        masked.extend(secrets.filter(|place| !shown.contains(place)));
        masked
    }

    /// Members by which unions of the API are told apart.
    fn tags(&self) -> Vec<&'static str> {
        let tags = self.types.iter().filter_map(|of| match of.shape {
            Shape::Union(tag, _) => Some(tag),
            _ => None,
        });
        let mut tags: Vec<_> = tags.collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// The smallest body that the operation takes: required fields, with a word for what each holds.
    pub fn skeleton(&self) -> Option<Value> {
        let ty = self.body.as_ref()?.ty?;
        Some(self.skeleton_of(ty, &mut Vec::new()))
    }

    fn skeleton_of(&self, ty: Ty, above: &mut Vec<&'static str>) -> Value {
        let name = match ty {
            Ty::Named(name) if !above.contains(&name) => name,
            Ty::List(of) => return Value::Array(vec![self.skeleton_of(*of, above)]),
            Ty::Map(_) | Ty::Json => return Value::Object(Map::new()),
            Ty::Flag => return Value::Bool(false),
            Ty::Integer | Ty::Unsigned | Ty::Number => return Value::from(0),
            other => return Value::String(format!("<{other}>")),
        };
        above.push(name);
        let made = match super::Type::find(self.types, name).map(|of| &of.shape) {
            Some(Shape::Object(fields, _)) => {
                let wanted = fields.iter().filter(|field| field.is(Mark::Required));
                let members =
                    wanted.map(|field| (field.name.to_owned(), self.skeleton_of(field.ty, above)));
                Value::Object(members.collect())
            }
            Some(Shape::Enum(values)) => Value::String(values.join("|")),
            Some(Shape::Union(tag, variants)) => self.skeleton_of_union(tag, variants, above),
            Some(Shape::Secret) | None => Value::Null,
        };
        above.pop();
        made
    }

    fn skeleton_of_union(
        &self,
        tag: &str,
        variants: &[(&'static str, &'static str)],
        above: &mut Vec<&'static str>,
    ) -> Value {
        let Some((value, member)) = variants.first() else {
            return Value::Null;
        };
        let mut made = Map::from_iter([(tag.to_owned(), Value::from(*value))]);
        if let Value::Object(members) = self.skeleton_of(Ty::Named(member), above) {
            made.extend(members);
        }
        Value::Object(made)
    }
}
