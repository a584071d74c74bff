//! Calls with JSON arguments.

use serde_json::{Map, Value};

use super::{AnyPage, Catalog, DynamicResponse, Effect, Entry, ResponseBody, arguments::builder};
use crate::{
    ByteStream, Error, ErrorKind, Pages, Response, Result, Transport, glue,
    wait::{self, State, Wait},
};

impl Entry {
    /// The request with these arguments, without authentication; nothing is sent.
    ///
    /// Parameters go by the names that the document gives them (`$top`), the body by `body`.
    /// Numbers and flags may be given as text, lists as one value or an array. A body of bytes is
    /// given as text; put others into the request.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when an argument is missing, does not fit
    /// or is unknown, or the body has a member that its type does not know; the message names the
    /// nearest name that is known.
    pub fn request(
        &'static self,
        transport: &Transport,
        arguments: &Map<String, Value>,
    ) -> Result<reqwest::Request> {
        let (builder, bytes) = builder(self, transport, arguments)?;
        match bytes {
            Some(bytes) => builder.build_with(bytes.into()),
            None => builder.build(),
        }
    }

    /// Calls the operation.
    ///
    /// # Errors
    ///
    /// Those of [`request`](Self::request), and of the call.
    pub async fn call(
        &'static self,
        transport: &Transport,
        arguments: &Map<String, Value>,
    ) -> Result<Response<DynamicResponse>> {
        let request = self.request(transport, arguments)?;
        self.send(transport, request).await
    }

    /// Sends a request of this operation that was made by [`request`](Self::request).
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub async fn send(
        &'static self,
        transport: &Transport,
        request: reqwest::Request,
    ) -> Result<Response<DynamicResponse>> {
        let url = request.url().clone();
        let response = glue::read_body(transport.call(request, self.operation).await?);
        let value = match self.response {
            ResponseBody::Json(_, through) => {
                through(response, self.operation).map_err(|error| error.with_url(&url))?
            }
            ResponseBody::Empty | ResponseBody::Bytes(_) => response.map(|_| Value::Null),
        };
        Ok(value.map(|value| DynamicResponse::new(value, self)))
    }

    /// Sends a request of this operation; the bytes of its response are handed on as they arrive.
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub async fn stream(
        &'static self,
        transport: &Transport,
        request: reqwest::Request,
    ) -> Result<Response<ByteStream>> {
        transport.send_stream(request, self.operation).await
    }

    /// The list that the operation returns, page by page; nothing is sent before the first poll.
    ///
    /// Items are JSON as the service sends it. [`Pages::items`] gives them one by one,
    /// [`Pages::resume`] goes on at a token.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the operation returns no list, and
    /// those of [`request`](Self::request).
    pub fn pages(
        &'static self,
        transport: &Transport,
        arguments: &Map<String, Value>,
    ) -> Result<Pages<AnyPage>> {
        if self.item.is_none() {
            let message = format!("{} returns no list; use `call`", self.id());
            let error = Error::new(ErrorKind::InvalidRequest, message);
            return Err(error.with_operation(self.operation));
        }
        let (builder, _) = builder(self, transport, arguments)?;
        let request = builder.build()?;
        let pages = Pages::new(transport.clone(), self.operation, Ok(request));
        Ok(match self.parameter("$top") {
            Some(_) => pages.supports_top(),
            None => pages,
        })
    }

    /// Calls the operation, and waits for its resource; nothing is sent before the wait is polled.
    ///
    /// The wait is for the goal that the operation has in [`waiting`](Self::waiting), unless it is
    /// set to another one. It makes the call again after a 409 while the resource is busy, and
    /// finds out what became of a call whose response got lost.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when nothing can be waited for, and those
    /// of [`request`](Self::request).
    pub fn call_and_wait(
        &'static self,
        transport: &Transport,
        arguments: &Map<String, Value>,
    ) -> Result<Wait<Value, State>> {
        let Some(waiting) = &self.waiting else {
            let message = format!(
                "{} starts nothing that can be waited for; use `call`",
                self.id()
            );
            let error = Error::new(ErrorKind::InvalidRequest, message);
            return Err(error.with_operation(self.operation));
        };
        self.request(transport, arguments)?;
        let values = self.values(waiting.resource, arguments);
        let wait = Wait::new(transport, waiting.resource, values);
        let action = self.action(waiting.effect, waiting.goal, transport, arguments);
        let wait = if waiting.goal.is_empty() {
            wait
        } else {
            wait.goal(waiting.goal)
        };
        Ok(wait.acting([action]))
    }

    fn action(
        &'static self,
        effect: Effect,
        goal: &'static str,
        transport: &Transport,
        arguments: &Map<String, Value>,
    ) -> wait::ActionCall {
        let (transport, arguments) = (transport.clone(), arguments.clone());
        let call = move || {
            let (transport, arguments) = (transport.clone(), arguments.clone());
            async move { self.call(&transport, &arguments).await }
        };
        match effect {
            Effect::Creates => wait::ActionCall::creates(call),
            Effect::Deletes => wait::ActionCall::deletes(call),
            Effect::Reaches => wait::ActionCall::reaches(goal, call),
        }
    }

    /// Values of the resource's parameters, by the names that the path gives them or in its order.
    fn values(
        &self,
        resource: &'static wait::Resource,
        arguments: &Map<String, Value>,
    ) -> Vec<String> {
        let text = |name: &str| arguments.get(name)?.as_str().map(str::to_owned);
        let in_order = self
            .path_parameters()
            .map(|p| text(p.name).unwrap_or_default());
        let in_order: Vec<String> = in_order.collect();
        let by_name = resource.params.iter().enumerate();
        by_name
            .map(|(n, name)| {
                let own = self.parameters.iter().find(|p| p.ident == *name);
                own.and_then(|p| text(p.name))
                    .or_else(|| in_order.get(n).cloned())
                    .unwrap_or_default()
            })
            .collect()
    }
}

impl super::Action {
    /// Makes the calls, and waits for the last one's goal; nothing is sent before the wait is
    /// polled. `arguments` are the path parameters of the operations.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when an argument is missing or unknown.
    pub fn call_and_wait(
        &'static self,
        catalog: &'static Catalog,
        transport: &Transport,
        arguments: &Map<String, Value>,
    ) -> Result<Wait<Value, State>> {
        let mut actions = Vec::new();
        let mut values = Vec::new();
        for step in self.steps {
            let (entry, arguments) = step.call(catalog, arguments)?;
            entry.request(transport, &arguments)?;
            values = entry.values(self.resource, &arguments);
            actions.push(entry.action(Effect::Reaches, step.goal, transport, &arguments));
        }
        let goal = self.steps.last().map_or("", |step| step.goal);
        let wait = Wait::new(transport, self.resource, values).goal(goal);
        Ok(wait.acting(actions))
    }
}

impl super::Step {
    /// The operation, and the arguments with the step's own body.
    ///
    /// # Errors
    ///
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the catalog lacks the operation.
    pub fn call(
        &self,
        catalog: &'static Catalog,
        arguments: &Map<String, Value>,
    ) -> Result<(&'static Entry, Map<String, Value>)> {
        let entry = catalog.entry(self.operation)?;
        let mut arguments = arguments.clone();
        if !self.body.is_empty() {
            let body = serde_json::from_str(self.body).unwrap_or_default();
            arguments.insert("body".to_owned(), body);
        }
        Ok((entry, arguments))
    }
}
