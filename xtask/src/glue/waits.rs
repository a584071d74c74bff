//! Waits: a static description and a `wait_for_…` call for each resource with a state, and calls
//! that act and wait.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Ident, Item, Type, parse_quote};

use crate::{
    glue::project::SCOPE,
    model::{Model, Operation},
    refine::Signatures,
    states::{Goal, Kind, Resource, States},
};

/// The items of the module; none when the API has no resource with a state.
pub fn run(api: &str, model: &Model, states: &States, signatures: &Signatures) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut scoped, mut unscoped) = (Vec::new(), Vec::new());
    let mut named = Vec::new();
    for (name, resource) in states {
        items.push(description(api, name, resource));
        let calls = if resource.params.first().is_some_and(|p| p == SCOPE) {
            &mut scoped
        } else {
            &mut unscoped
        };
        calls.push(waiting(name, resource));
        for (call, action) in &resource.actions {
            if let Some(operation) = model.operation(&action.operation) {
                let goal = Then::Goal(&action.goal);
                calls.push(acting(
                    call,
                    operation,
                    name,
                    resource,
                    goal,
                    action.body.as_ref(),
                    signatures,
                ));
            }
        }
        if let Some(operation) = resource
            .delete
            .as_deref()
            .and_then(|id| model.operation(id))
        {
            let call = format!("{}_and_wait", operation.id);
            calls.push(acting(
                &call,
                operation,
                name,
                resource,
                Then::Gone,
                None,
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

fn constant(name: &str) -> Ident {
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
    let list = match &resource.list {
        None => quote!(None),
        Some(list) => {
            let (operation, name, stem) = (constant(&list.operation), &list.name, list.stem);
            let field = match &list.name_field {
                Some(field) => quote!(Some(#field)),
                None => quote!(None),
            };
            let scope = list
                .scope
                .iter()
                .map(|(parameter, field)| quote!((#parameter, #field)));
            quote!(Some(Listing {
                operation: &operations::#operation,
                name_pointer: #name,
                name_field: #field,
                scope_fields: &[#(#scope),*],
                stem: #stem,
            }))
        }
    };
    let params = &resource.params;
    let named = resource.named.clone().unwrap_or_default();
    let (pointer, progress) = (
        resource.pointer.clone().unwrap_or_default(),
        resource.progress.clone().unwrap_or_default(),
    );
    let (errors, presence, events) = (&resource.errors, resource.presence, resource.events);
    let failed = resource
        .failed_when
        .iter()
        .map(|(pointer, values)| quote!((#pointer, &[#(#values),*])));
    let states = resource.states.iter().map(|(state, kind)| {
        let kind = match kind {
            Kind::Transient => quote!(Transient),
            Kind::Steady => quote!(Steady),
            Kind::Success => quote!(Success),
            Kind::Failure => quote!(Failure),
            Kind::Deleting => quote!(Deleting),
        };
        quote!((#state, StateKind::#kind))
    });
    let goals = resource.goals.iter().map(|(name, of)| goal(name, of));
    let timeout = resource.timeout;
    let (min, max) = resource.poll;
    let missing = resource
        .missing_for
        .map(|seconds| quote!(missing_for: Duration::from_secs(#seconds),));
    let doc = format!(
        " State of a {}: where it is read and what it means.",
        name.replace('_', " ")
    );
    parse_quote! {
        #[doc = #doc]
        pub static #ident: Resource = Resource {
            name: #full,
            params: &[#(#params),*],
            named: #named,
            item: #item,
            state: #state,
            list: #list,
            state_pointer: #pointer,
            progress_pointer: #progress,
            error_pointers: &[#(#errors),*],
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

fn goal(name: &str, goal: &Goal) -> TokenStream {
    let Goal {
        states,
        failures,
        via,
        undone,
        settle,
        requires,
    } = goal;
    let requires = requires
        .iter()
        .map(|(pointer, value)| quote!((#pointer, #value)));
    quote!(Goal {
        name: #name,
        states: &[#(#states),*],
        failures: &[#(#failures),*],
        via: &[#(#via),*],
        undone: &[#(#undone),*],
        settle: Duration::from_secs(#settle),
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

fn waiting(name: &str, resource: &Resource) -> TokenStream {
    let (call, resume) = (
        format_ident!("wait_for_{name}"),
        format_ident!("resume_wait_for_{name}"),
    );
    let (model, state) = types_of(resource);
    let (given, values, constant) = (given(resource), values(resource), constant(name));
    let words = name.replace('_', " ");
    let goals: Vec<String> = resource
        .goals
        .iter()
        .map(|(goal, of)| {
            let states: Vec<String> = of.states.iter().map(|state| format!("`{state}`")).collect();
            format!("`{goal}` ({})", states.join(", "))
        })
        .collect();
    let docs = [
        format!(
            " Waits for a {words}, by default until it is {}.",
            goals.first().map_or("", String::as_str)
        ),
        String::new(),
        format!(
            " Goals: {}, or gone. Longest wait unless told otherwise: {} s; looks every {} to {} s.",
            goals.join(", "),
            resource.timeout,
            resource.poll.0,
            resource.poll.1
        ),
    ];
    let resumes = format!(" Takes a described wait for a {words} up again.");
    quote! {
        #(#[doc = #docs])*
        pub fn #call(&self, #(#given: impl Into<String>),*) -> Wait<#model, #state> {
            Wait::new(self.transport(), &#constant, vec![#(#values),*])
        }

        #[doc = #resumes]
        ///
        /// # Errors
        ///
        /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when the description is of
        /// another kind of resource.
        pub fn #resume(&self, description: &WaitDescription) -> Result<Wait<#model, #state>> {
            Wait::resume(self.transport(), &#constant, description)
        }
    }
}

#[derive(Clone, Copy)]
enum Then<'a> {
    Goal(&'a str),
    Gone,
}

/// A call that acts first and then waits. Nothing is sent before the first poll.
fn acting(
    call: &str,
    operation: &Operation,
    name: &str,
    resource: &Resource,
    then: Then<'_>,
    body: Option<&Value>,
    signatures: &Signatures,
) -> TokenStream {
    let (ident, method, wait) = (
        format_ident!("{call}"),
        format_ident!("{}", operation.id),
        format_ident!("wait_for_{name}"),
    );
    let (model, state) = types_of(resource);
    let given = given(resource);
    let constant = format_ident!("{}", operation.constant());
    let setters = resource
        .params
        .iter()
        .filter(|p| *p != SCOPE)
        .map(|parameter| {
            let ident = format_ident!("{parameter}");
            quote!(.#ident(#ident))
        });
    let (argument, prepare, send_body) = match (&operation.body, body) {
        (None, _) => (None, None, None),
        (Some(_), Some(fixed)) => {
            let ty = signatures.argument(&operation.id, "body");
            let text = fixed.to_string();
            let prepare = quote! {
                let body: glue::Argument<#ty> =
                    serde_json::from_str(#text).map_err(|error| error.to_string().into());
            };
            (
                None,
                Some(prepare),
                Some(quote!(.body(glue::argument(&operations::#constant, body)?))),
            )
        }
        (Some(_), None) => {
            let ty = signatures.argument(&operation.id, "body");
            (
                Some(quote!(body: impl Into<#ty>)),
                Some(quote!(let body: #ty = body.into();)),
                Some(quote!(.body(body))),
            )
        }
    };
    let (answer, goal, ends) = match then {
        Then::Goal(goal) => (
            quote!(#model),
            quote!(.goal(#goal)),
            format!("the goal `{goal}`"),
        ),
        Then::Gone => (quote!(()), quote!(.until_gone()), "it is gone".to_owned()),
    };
    let docs = [
        format!(
            " [`{}`](Self::{}) and a wait for {ends}.",
            operation.id, operation.id
        ),
        String::new(),
        " Nothing is sent before the wait is polled.".to_owned(),
    ];
    let arguments = given
        .iter()
        .map(|ident| quote!(#ident: impl Into<String>))
        .chain(argument);
    let names = given
        .iter()
        .map(|ident| quote!(let #ident: String = #ident.into();));
    quote! {
        #(#[doc = #docs])*
        pub fn #ident(&self, #(#arguments),*) -> Wait<#answer, #state> {
            #(#names)*
            #prepare
            let wait = self.#wait(#(String::clone(&#given)),*)#goal;
            let client = self.clone();
            wait.after(async move {
                client.#method()#(#setters)* #send_body.send().await
            })
        }
    }
}
