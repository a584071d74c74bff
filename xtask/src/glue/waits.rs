//! Waits: a static description and a `wait_for_…` call for each resource with a state, and calls
//! that act and wait.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Ident, Item, Type, parse_quote};

use crate::{
    model::{Model, Operation, SCOPE},
    refine::{
        Signatures,
        example::{self, Example},
    },
    states::{Action, Goal, Kind, ListSource, Resource, States, with_article},
};

/// The items of the module; none when the API has no resource with a state.
pub fn run(api: &str, model: &Model, states: &States, signatures: &Signatures) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut scoped, mut unscoped) = (Vec::new(), Vec::new());
    let mut named = Vec::new();
    let all = states.keys().map(|name| constant(name));
    if !states.is_empty() {
        items.push(parse_quote! {
            /// All resources with a state.
            pub static ALL: &[&Resource] = &[#(&#all),*];
        });
    }
    for (name, resource) in states {
        items.push(description(api, name, resource));
        let calls = if resource.params.first().is_some_and(|p| p == SCOPE) {
            &mut scoped
        } else {
            &mut unscoped
        };
        calls.push(waiting(api, name, resource));
        for (call, action) in &resource.actions {
            let steps = action.steps();
            let steps: Vec<_> = steps
                .iter()
                .filter_map(|step| Step::of(model, step))
                .collect();
            let then = Then::Goal(&action.goal);
            calls.push(acting(call, &steps, name, resource, then, signatures));
        }
        if let Some(operation) = resource
            .delete
            .as_deref()
            .and_then(|id| model.operation(id))
        {
            let call = format!("{}_and_wait", operation.id);
            let steps = [Step::new(operation, StepEffect::Deletes, None)];
            calls.push(acting(
                &call,
                &steps,
                name,
                resource,
                Then::Gone,
                signatures,
            ));
        }
        if let Some(state) = &resource.state_type
            && !named.contains(&state)
        {
            named.push(state);
            items.push(state_name(state));
        }
    }
    for (owner, calls) in [("ProjectClient", scoped), ("Client", unscoped)] {
        if !calls.is_empty() {
            let owner = format_ident!("{owner}");
            items.push(parse_quote! {
                /// Waits, and calls that act and wait.
                impl #owner { #(#calls)* }
            });
        }
    }
    items
}

pub fn constant(name: &str) -> Ident {
    format_ident!("{}", name.to_uppercase())
}

fn description(api: &str, name: &str, resource: &Resource) -> Item {
    let ident = constant(name);
    let full = format!("{api}.{name}");
    let operation = |id: &Option<String>| match id {
        Some(id) => {
            let constant = constant(id);
            quote!(Some(&operations::#constant))
        }
        None => quote!(None),
    };
    let (item, state) = (operation(&resource.item), operation(&resource.state));
    let list = resource.list.as_ref().map_or(quote!(None), list_source);
    let params = &resource.params;
    let name_param = resource.name_param.clone().unwrap_or_default();
    let (pointer, progress) = (
        resource.pointer.clone().unwrap_or_default(),
        resource.progress.clone().unwrap_or_default(),
    );
    let (errors, presence, events) = (&resource.errors, resource.presence, resource.events);
    let created_at = resource.created_at.clone().unwrap_or_default();
    let busy = &resource.busy;
    let failed = resource
        .failed_when
        .iter()
        .map(|(pointer, values)| quote!((#pointer, &[#(#values),*])));
    let states = resource.states.iter().map(meaning);
    let goals = resource.goals.iter().map(|(name, of)| goal(name, of));
    let timeout = resource.timeout;
    let (min, max) = resource.poll;
    let missing = resource
        .missing_for
        .map(|seconds| quote!(missing_for: Duration::from_secs(#seconds),));
    let doc = format!(
        " State of {}: where it is read and what it means.",
        with_article(name)
    );
    parse_quote! {
        #[doc = #doc]
        pub static #ident: Resource = Resource {
            name: #full,
            params: &[#(#params),*],
            name_param: #name_param,
            item: #item,
            state: #state,
            list: #list,
            state_pointer: #pointer,
            progress_pointer: #progress,
            error_pointers: &[#(#errors),*],
            created_pointer: #created_at,
            busy: &[#(#busy),*],
            failed_when: &[#(#failed),*],
            presence: #presence,
            states: &[#(#states),*],
            goals: &[#(#goals),*],
            timeout: Duration::from_secs(#timeout),
            poll: (Duration::from_secs(#min), Duration::from_secs(#max)),
            #missing
            events: #events,
            ..Resource::DEFAULT
        };
    }
}

fn list_source(list: &ListSource) -> TokenStream {
    let (operation, name, stem) = (constant(&list.operation), &list.name, list.stem);
    let id = list.id.clone().unwrap_or_default();
    let field = match &list.name_field {
        Some(field) => quote!(Some(#field)),
        None => quote!(None),
    };
    let scope = list
        .scope
        .iter()
        .map(|(parameter, field)| quote!((#parameter, #field)));
    quote!(Some(ListSource {
        operation: &operations::#operation,
        name_pointer: #name,
        name_field: #field,
        scope_fields: &[#(#scope),*],
        stem: #stem,
        id_pointer: #id,
    }))
}

/// A state and what it means.
fn meaning((state, kind): (&String, &Kind)) -> TokenStream {
    let kind = match kind {
        Kind::Transient => quote!(Transient),
        Kind::Steady => quote!(Steady),
        Kind::Success => quote!(Success),
        Kind::Failure => quote!(Failure),
        Kind::Deleting => quote!(Deleting),
    };
    quote!((#state, StateKind::#kind))
}

fn goal(name: &str, goal: &Goal) -> TokenStream {
    let Goal {
        states,
        failures,
        on_the_way,
        fell_back,
        min_age,
        failure_grace,
        requires,
    } = goal;
    let requires = requires
        .iter()
        .map(|(pointer, value)| quote!((#pointer, #value)));
    quote!(Goal {
        name: #name,
        states: &[#(#states),*],
        failures: &[#(#failures),*],
        on_the_way: &[#(#on_the_way),*],
        fell_back: &[#(#fell_back),*],
        min_age: Duration::from_secs(#min_age),
        failure_grace: Duration::from_secs(#failure_grace),
        requires: &[#(#requires),*],
    })
}

fn state_name(name: &str) -> Item {
    let ident = format_ident!("{name}");
    parse_quote!(::mkio_core::state_names!(types::#ident);)
}

/// Parameters that the caller gives.
fn given(resource: &Resource) -> Vec<Ident> {
    let own = resource.params.iter().filter(|p| *p != SCOPE);
    own.map(|parameter| format_ident!("{parameter}")).collect()
}

fn types_of(resource: &Resource) -> (Type, Type) {
    let model = format_ident!("{}", resource.model);
    let state: Type = match &resource.state_type {
        Some(state) => {
            let state = format_ident!("{state}");
            parse_quote!(types::#state)
        }
        None => parse_quote!(State),
    };
    (parse_quote!(types::#model), state)
}

fn values(resource: &Resource) -> Vec<TokenStream> {
    let value = |parameter: &String| {
        if parameter == SCOPE {
            quote!(self.project_name().to_owned())
        } else {
            let ident = format_ident!("{parameter}");
            quote!(#ident.into())
        }
    };
    resource.params.iter().map(value).collect()
}

fn waiting(api: &str, name: &str, resource: &Resource) -> TokenStream {
    let (call, resume, resume_gone) = (
        format_ident!("wait_for_{name}"),
        format_ident!("resume_wait_for_{name}"),
        format_ident!("resume_wait_until_{name}_gone"),
    );
    let (model, state) = types_of(resource);
    let (given, values, constant) = (given(resource), values(resource), constant(name));
    let words = with_article(name);
    let docs = waiting_docs(&words, resource);
    let project = resource.params.first().is_some_and(|p| p == SCOPE);
    let example = shown(api, name, &given, project);
    let (described, elsewhere) = if project {
        let described = quote!(description.check_project(self.project_name())?);
        (
            described,
            " another kind of resource, in another project, or",
        )
    } else {
        (quote!(description), " another kind of resource, or")
    };
    let resumes = format!(" Resumes a described wait for {words}.");
    let resumes_gone = format!(" Resumes a described wait until {words} is gone.");
    let (until_gone, for_state) = (
        format!(
            " of a wait until it is gone, which [`{resume_gone}`](Self::{resume_gone}) resumes."
        ),
        format!(" of a wait for a state, which [`{resume}`](Self::{resume}) resumes."),
    );
    quote! {
        #(#[doc = #docs])*
        #example
        pub fn #call(&self, #(#given: impl Into<String>),*) -> Wait<#model, #state> {
            Wait::new(self.transport(), &#constant, vec![#(#values),*])
        }

        #[doc = #resumes]
        ///
        /// # Errors
        ///
        /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when the description is of
        #[doc = #elsewhere]
        #[doc = #until_gone]
        pub fn #resume(&self, description: &WaitDescription) -> Result<Wait<#model, #state>> {
            Wait::resume(self.transport(), &#constant, #described)
        }

        #[doc = #resumes_gone]
        ///
        /// # Errors
        ///
        /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when the description is of
        #[doc = #elsewhere]
        #[doc = #for_state]
        pub fn #resume_gone(&self, description: &WaitDescription) -> Result<Wait<(), #state>> {
            Wait::<#model, #state>::resume_until_gone(self.transport(), &#constant, #described)
        }
    }
}

/// A wait that is awaited.
fn shown(api: &str, name: &str, given: &[Ident], scoped: bool) -> TokenStream {
    let names: Vec<_> = given
        .iter()
        .map(|of| example::name(&of.to_string()))
        .collect();
    let call = format!("{api}.wait_for_{name}({})", names.join(", "));
    let lines = [format!("let {name} = {call}.await?;")];
    Example { api, scoped }.docs(&[], &lines)
}

/// The goals of a wait, its timeout and its polls.
fn waiting_docs(words: &str, resource: &Resource) -> [String; 3] {
    let goal = |(goal, of): (&String, &Goal)| {
        let states: Vec<String> = of.states.iter().map(|state| format!("`{state}`")).collect();
        format!("`{goal}` ({})", states.join(", "))
    };
    let goals: Vec<String> = resource.goals.iter().map(goal).collect();
    [
        format!(
            " Waits for {words}, by default until it is {}.",
            goals.first().map_or("", String::as_str)
        ),
        String::new(),
        format!(
            " Goals: {}; `until_gone()` waits for deletion. Default timeout {}; polls every {} to {} s.",
            goals.join(", "),
            words_for(resource.timeout),
            resource.poll.0,
            resource.poll.1
        ),
    ]
}

/// A time in words.
fn words_for(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

#[derive(Clone, Copy)]
enum Then<'a> {
    Goal(&'a str),
    Gone,
}

/// The effect of a step on the resource.
enum StepEffect {
    Creates,
    Reaches(String),
    Deletes,
}

/// A call of an operation.
struct Step<'a> {
    operation: &'a Operation,
    effect: StepEffect,
    /// The body, where it is fixed.
    body: Option<&'a Value>,
}

impl<'a> Step<'a> {
    fn new(operation: &'a Operation, effect: StepEffect, body: Option<&'a Value>) -> Self {
        Self {
            operation,
            effect,
            body,
        }
    }

    fn of(model: &'a Model, step: &'a Action) -> Option<Self> {
        let effect = if step.creates {
            StepEffect::Creates
        } else {
            StepEffect::Reaches(step.goal.clone())
        };
        let operation = model.operation(&step.operation)?;
        Some(Self::new(operation, effect, step.body.as_ref()))
    }

    /// Type of the body that the caller gives.
    fn argument(&self, signatures: &Signatures) -> Option<Type> {
        let given = self.operation.body.is_some() && self.body.is_none();
        given.then(|| signatures.argument(&self.operation.id, "body"))
    }

    /// The action: a request that can be sent again.
    fn action(&self, signatures: &Signatures) -> TokenStream {
        let method = format_ident!("{}", self.operation.id);
        let constant = format_ident!("{}", self.operation.constant());
        let names = self.operation.path_parameters().into_iter();
        let names = names.filter(|parameter| parameter.ident != SCOPE);
        let names: Vec<_> = names
            .map(|parameter| format_ident!("{}", parameter.ident))
            .collect();
        let call = |body: TokenStream| {
            if self.operation.body_required {
                quote!(self.#method(#(&#names,)* #body))
            } else {
                quote!(self.#method(#(&#names),*).body(#body))
            }
        };
        let (request, send) = match (self.argument(signatures), self.body) {
            (Some(_), _) => (call(quote!(Clone::clone(&body))), None),
            (None, Some(fixed)) => {
                let ty = signatures.argument(&self.operation.id, "body");
                let (text, request) = (fixed.to_string(), call(quote!(body)));
                let request = quote! {
                    glue::fixed_body(&operations::#constant, #text).map(|body: #ty| #request)
                };
                let send = quote! {{
                    let request = request.clone();
                    async move { request?.send().await }
                }};
                (request, Some(send))
            }
            (None, None) => (quote!(self.#method(#(&#names),*)), None),
        };
        let send = send.unwrap_or_else(|| quote!(request.clone().send()));
        let action = match &self.effect {
            StepEffect::Creates => quote!(ActionCall::creates(move || #send)),
            StepEffect::Reaches(goal) => quote!(ActionCall::reaches(#goal, move || #send)),
            StepEffect::Deletes => quote!(ActionCall::deletes(move || #send)),
        };
        quote!({
            let request = #request;
            #action
        })
    }
}

/// A call that acts first and then waits. Nothing is sent before the first poll.
fn acting(
    call: &str,
    steps: &[Step<'_>],
    name: &str,
    resource: &Resource,
    then: Then<'_>,
    signatures: &Signatures,
) -> TokenStream {
    let (ident, wait) = (format_ident!("{call}"), format_ident!("wait_for_{name}"));
    let (model, state) = types_of(resource);
    let given = given(resource);
    let body = steps.iter().find_map(|step| step.argument(signatures));
    let argument = body.iter().map(|ty| quote!(body: impl Into<#ty>));
    let prepare = body.iter().map(|ty| quote!(let body: #ty = body.into();));
    let (awaited, goal, ends) = match then {
        Then::Goal(goal) => (
            quote!(#model),
            quote!(.goal(#goal)),
            format!("for the goal `{goal}`"),
        ),
        Then::Gone => (
            quote!(()),
            quote!(.until_gone()),
            "until it is gone".to_owned(),
        ),
    };
    let link = |id: &str| format!("[`{id}`](Self::{id})");
    let mut told = String::new();
    for step in steps {
        if !told.is_empty() {
            told += ", then ";
        }
        told += &link(&step.operation.id);
        if let StepEffect::Reaches(goal) = &step.effect {
            told += &format!(" and a wait for the goal `{goal}`");
        }
    }
    let docs = match steps {
        [step] => format!(" {} and a wait {ends}.", link(&step.operation.id)),
        _ => format!(" {told}."),
    };
    let more = more(steps, name, resource);
    let arguments = given
        .iter()
        .map(|ident| quote!(#ident: impl Into<String>))
        .chain(argument);
    let names = given
        .iter()
        .map(|ident| quote!(let #ident: String = #ident.into();));
    let actions = steps.iter().map(|step| step.action(signatures));
    quote! {
        #[doc = #docs]
        ///
        /// Nothing is sent before the wait is polled. A wait that is dropped sends nothing more; a call
        /// that it has sent is not undone, and no further step follows.
        ///
        #(#[doc = #more])*
        pub fn #ident(&self, #(#arguments),*) -> Wait<#awaited, #state> {
            #(#names)*
            #(#prepare)*
            let wait = self.#wait(#(String::clone(&#given)),*)#goal;
            wait.acting([#(#actions),*])
        }
    }
}

/// The behaviour of an acting call with missing resources, refusals and lost responses, in words.
fn more(steps: &[Step<'_>], name: &str, resource: &Resource) -> Vec<String> {
    let mut more: Vec<_> = steps
        .iter()
        .find_map(|step| missing(step, name))
        .into_iter()
        .collect();
    let busy = resource.busy.iter().map(|state| format!("`{state}`"));
    let busy: Vec<_> = busy.collect();
    let has = |found: fn(&StepEffect) -> bool| steps.iter().any(|step| found(&step.effect));
    if !busy.is_empty() && has(|effect| !matches!(effect, StepEffect::Creates)) {
        more.push(format!(
            " If the service refuses the call (409) while the resource is {}, the call is retried \
             when that state has passed.",
            busy.join(", ")
        ));
    }
    if has(|effect| matches!(effect, StepEffect::Creates)) {
        more.push(
            " If the response is lost and the retry gets 409, an existing resource counts as \
             created by this call unless it is older."
                .to_owned(),
        );
    }
    if has(|effect| matches!(effect, StepEffect::Deletes)) {
        more.push(" If the response is lost, a 404 on the retry counts as success.".to_owned());
    }
    more
}

/// The effect of a missing resource on a call; for a deletion, as far as the document's statuses
/// say.
fn missing(step: &Step<'_>, name: &str) -> Option<String> {
    let declares = |status: &str| step.operation.statuses.iter().any(|known| known == status);
    let words = name.replace('_', " ");
    let fails = format!(
        " Fails with 404 if the {words} does not exist, unless \
         [`missing_ok`](Wait::missing_ok) is set."
    );
    match step.effect {
        StepEffect::Deletes if declares("204") && (declares("200") || !declares("404")) => {
            Some(format!(" Succeeds if the {words} does not exist (204)."))
        }
        StepEffect::Deletes => declares("404").then_some(fails),
        // PUT creates a missing resource.
        StepEffect::Reaches(_) if step.operation.method == "PUT" && declares("201") => None,
        // Also if the document does not declare the status.
        StepEffect::Reaches(_) => Some(fails),
        StepEffect::Creates => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    #[test]
    fn times_have_the_largest_unit_that_fits() {
        for (seconds, words) in [(7200, "2 h"), (120, "2 min"), (90, "90 s")] {
            assert_eq!(words_for(seconds), words);
        }
    }

    #[test]
    fn a_put_that_creates_does_not_fail_where_nothing_is() {
        for (method, statuses, fails) in [
            ("put", ["200", "201"], false),
            ("put", ["200", "404"], true),
            ("post", ["200", "201"], true),
        ] {
            let model = Model::new(&with_paths(json!({"/a": {method: {
                "operationId": "act", "responses": {}, "x-mkio-statuses": statuses,
            }}})));
            let effect = StepEffect::Reaches("ready".to_owned());
            let step = Step::new(&model.operations[0], effect, None);
            assert_eq!(missing(&step, "live_event").is_some(), fails, "{method}");
        }
    }
}
