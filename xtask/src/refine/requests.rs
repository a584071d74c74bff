//! Request builders. Required values are positional, so that a forgotten argument does not compile;
//! optional ones are setters. Builders own their values and can be stored and spawned.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Ident, Item, Type};

use super::{
    Signatures, docs,
    example::{self, Example},
    simplify::{argument_of, is_named},
};
use crate::{
    apis::Api,
    document::{Document, Problem, operation_pointer},
    glue::fields,
    media::{Kind, kind},
    model::{Location, Model, Operation, Parameter, ResponseShape, SCOPE},
    names::type_name,
    report::Changes,
};

/// The items of the module `builder`.
pub fn run(
    signatures: &Signatures,
    document: &Document,
    model: &Model,
    changes: &mut Changes,
) -> Result<Vec<Item>, Problem> {
    let mut items = Vec::new();
    for operation in &model.operations {
        let code = request(operation, signatures);
        let file: syn::File = syn::parse2(code).map_err(|error| {
            document.problem(
                operation_pointer(&operation.path, &operation.method),
                format!("a request whose code does not parse: {error}"),
                "names that can be Rust identifiers",
            )
        })?;
        changes.note(&operation.id);
        items.extend(file.items);
    }
    Ok(items)
}

/// An argument of a call: its type, and its conversion to text.
pub struct Argument {
    pub ident: Ident,
    /// Type in a signature.
    pub accepts: TokenStream,
    /// The arguments of the builder's `new`.
    handed: TokenStream,
    /// Type in the builder's `new`.
    taken: TokenStream,
}

impl Argument {
    fn of(parameter: &Parameter, ty: &Type) -> Self {
        let ident = format_ident!("{}", parameter.ident);
        if parameter.many {
            return Self {
                accepts: quote!(impl IntoIterator<Item = impl AsRef<str>>),
                handed: quote!(#ident),
                taken: quote!(impl IntoIterator<Item = impl AsRef<str>>),
                ident,
            };
        }
        let (accepts, handed, taken) = scalar(&ident, ty);
        Self {
            accepts,
            handed,
            taken,
            ident,
        }
    }

    fn body(ty: &Type) -> Self {
        let ident = format_ident!("body");
        let (accepts, handed) = body_argument(ty);
        Self {
            accepts,
            handed,
            taken: quote!(#ty),
            ident,
        }
    }
}

/// The types of a value in the method and in the builder, and the conversion between them.
fn scalar(ident: &Ident, ty: &Type) -> (TokenStream, TokenStream, TokenStream) {
    if is_named(ty, "String") {
        return (
            quote!(impl AsRef<str>),
            quote!(#ident.as_ref()),
            quote!(&str),
        );
    }
    if is_primitive(ty) {
        return (quote!(#ty), quote!(#ident), quote!(#ty));
    }
    (quote!(impl Into<#ty>), quote!(#ident.into()), quote!(#ty))
}

fn is_primitive(ty: &Type) -> bool {
    let text = ty.to_token_stream().to_string();
    matches!(
        text.as_str(),
        "bool" | "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64" | "f32" | "f64"
    )
}

fn body_argument(ty: &Type) -> (TokenStream, TokenStream) {
    match argument_of(ty, "Vec") {
        Some(item) => (
            quote!(impl IntoIterator<Item = impl Into<#item>>),
            quote!(body.into_iter().map(Into::into).collect()),
        ),
        None => (quote!(impl Into<#ty>), quote!(body.into())),
    }
}

/// The positional arguments of an operation: names in the order of the URL, other required
/// parameters, the body.
pub fn positional(operation: &Operation, signatures: &Signatures) -> Vec<Argument> {
    let argument = |parameter: &&Parameter| {
        let ty = signatures.argument(&operation.id, &parameter.ident);
        Argument::of(parameter, &ty)
    };
    let mut arguments: Vec<_> = operation.required().iter().map(argument).collect();
    if operation.body_required {
        arguments.push(Argument::body(&signatures.argument(&operation.id, "body")));
    }
    arguments
}

/// The client that a method belongs to.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    pub api: &'a Api,
    /// It is the client of a project, which fills in the project's name.
    pub scoped: bool,
}

/// The method of a client that starts a request.
pub fn method(operation: &Operation, signatures: &Signatures, owner: Owner<'_>) -> TokenStream {
    let (ident, name) = (
        format_ident!("{}", operation.id),
        format_ident!("{}", type_name(&operation.id)),
    );
    let arguments = positional(operation, signatures);
    let in_scope = |argument: &Argument| owner.scoped && argument.ident == SCOPE;
    let given: Vec<_> = arguments.iter().filter(|a| !in_scope(a)).collect();
    let example = example(operation, owner, &given);
    let given = given.into_iter().map(|argument| {
        let Argument { ident, accepts, .. } = argument;
        quote!(#ident: #accepts)
    });
    let handed = arguments.iter().map(|argument| {
        if in_scope(argument) {
            quote!(&self.project)
        } else {
            argument.handed.clone()
        }
    });
    let doc = docs::attributes(&text(operation));
    quote! {
        #doc
        #example
        pub fn #ident(&self, #(#given),*) -> builder::#name {
            builder::#name::new(self.transport(), #(#handed),*)
        }
    }
}

/// The document's description of an operation.
fn text(operation: &Operation) -> String {
    let mut text = operation.docs.trim_end().to_owned();
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    if let Some(missing) = missing(operation) {
        text.push_str(&missing);
        text.push_str("\n\n");
    }
    text.push_str(&format!("`{} {}`", operation.method, operation.path));
    text
}

/// Verbs of operations that act on an existing resource.
const ACTIONS: [&str; 7] = [
    "allocate", "cancel", "reset", "restart", "scale", "start", "stop",
];

/// The effect of a missing resource on an operation that deletes it or acts on it, as far as the
/// document's statuses say.
fn missing(operation: &Operation) -> Option<String> {
    let (verb, noun) = operation.id.split_once('_')?;
    let noun = noun.replace('_', " ");
    let declares = |status: &str| operation.statuses.iter().any(|known| known == status);
    let fails = || {
        declares("404").then(|| {
            format!("Fails with 404, for which `Error::is_not_found` is true, if the {noun} does not exist.")
        })
    };
    match operation.method.as_str() {
        "DELETE" if declares("204") && (declares("200") || !declares("404")) => Some(format!(
            "Succeeds, with status 204, if the {noun} does not exist."
        )),
        "DELETE" => fails(),
        "POST" if ACTIONS.contains(&verb) => fails(),
        _ => None,
    }
}

/// A call that compiles. An operation of a project has its example on the project's client.
fn example(operation: &Operation, owner: Owner<'_>, given: &[&Argument]) -> Option<TokenStream> {
    let of_project = operation.parameters.iter().any(|p| p.ident == SCOPE);
    if of_project && !owner.scoped {
        return None;
    }
    let api = owner.api.name.as_str();
    let scoped = owner.scoped;
    let example = Example { api, scoped };
    let (mut hidden, mut values) = (Vec::new(), Vec::new());
    for argument in given {
        if argument.ident == "body" {
            let ty = example.full(&argument.taken.to_string());
            hidden.push(format!("body: {ty}"));
            values.push("body".to_owned());
        } else {
            values.push(sample(argument));
        }
    }
    let call = format!("{api}.{}({})", operation.id, values.join(", "));
    let lines = match (&operation.response, operation.id.starts_with("list_")) {
        (ResponseShape::Json(_), true) => vec![
            format!("let mut items = {call}.items();"),
            "while let Some(item) = items.try_next().await? {".to_owned(),
            "    println!(\"{item:?}\");".to_owned(),
            "}".to_owned(),
        ],
        (ResponseShape::Json(_), false) => vec![
            format!("let response = {call}.send().await?;"),
            "println!(\"{:?}\", *response);".to_owned(),
        ],
        (ResponseShape::Bytes(_), _) => vec![
            format!("let response = {call}.send().await?;"),
            "let bytes = response.into_inner().bytes().await?;".to_owned(),
        ],
        (ResponseShape::Empty, _) => vec![format!("{call}.send().await?;")],
    };
    Some(example.docs(&hidden, &lines))
}

fn compact(ty: &TokenStream) -> String {
    ty.to_string().replace(' ', "")
}

/// An example value of an argument.
fn sample(argument: &Argument) -> String {
    let name = argument.ident.to_string();
    match compact(&argument.taken).as_str() {
        "&str" => example::name(&name),
        "bool" => "true".to_owned(),
        "f32" | "f64" => "1.0".to_owned(),
        text if text.starts_with("impl") => format!("[{}]", example::name(&name)),
        text if text.ends_with("Timestamp") => "\"2026-01-01T00:00:00Z\"".to_owned(),
        text if text.starts_with("types::") => format!("\"{}\"", example::word(&name)),
        _ => "1".to_owned(),
    }
}

fn request(operation: &Operation, signatures: &Signatures) -> TokenStream {
    let name = format_ident!("{}", type_name(&operation.id));
    let constant = format_ident!("{}", operation.constant());
    let arguments = positional(operation, signatures);
    let taken = arguments.iter().map(|argument| {
        let Argument { ident, taken, .. } = argument;
        quote!(#ident: #taken)
    });
    let bytes = is_bytes(operation, signatures);
    let path = path_values(operation, signatures);
    let query = operation
        .required()
        .into_iter()
        .filter(|p| p.location != Location::Path);
    let query = query.map(|parameter| add(parameter, &quote!(request)));
    let accept = match &operation.response {
        ResponseShape::Bytes(media_type) => Some(quote!(request.accept(#media_type);)),
        _ => None,
    };
    let write = write(operation);
    let json = (operation.body_required && !bytes).then(|| quote!(request.#write(&body);));
    let setup = quote!(#accept #(#query)* #json);
    let mutable = (!setup.is_empty()).then(|| quote!(mut));
    let (body_field, body_value) = if bytes {
        (Some(quote!(body: ::reqwest::Body,)), Some(quote!(, body)))
    } else {
        (None, None)
    };
    let derive = if bytes {
        quote!(Debug)
    } else {
        quote!(Debug, Clone)
    };
    let doc = format!(
        " Request of [`Client::{id}`](super::Client::{id}): `{} {}`.",
        operation.method,
        operation.path,
        id = operation.id
    );
    let setters = setters(operation, signatures);
    let endings = endings(operation, signatures, bytes);
    quote! {
        #[doc = #doc]
        #[derive(#derive)]
        #[must_use = "a request does nothing until it is sent"]
        pub struct #name {
            pub(crate) request: glue::RequestBuilder,
            #body_field
        }
        impl #name {
            pub(crate) fn new(transport: &Transport, #(#taken),*) -> Self {
                let #mutable request =
                    glue::RequestBuilder::new(transport, &operations::#constant, &[#(#path),*]);
                #setup
                Self { request #body_value }
            }
            #(#setters)*
            #endings
        }
    }
}

/// The values of the path's parameters, as text.
fn path_values(operation: &Operation, signatures: &Signatures) -> Vec<TokenStream> {
    let value = |parameter: &Parameter| {
        let ident = format_ident!("{}", parameter.ident);
        let ty = signatures.argument(&operation.id, &parameter.ident);
        if is_named(&ty, "String") {
            quote!(#ident)
        } else {
            quote!(&#ident.to_string())
        }
    };
    operation.path_parameters().into_iter().map(value).collect()
}

/// The function that writes the body: as JSON, or as a form.
fn write(operation: &Operation) -> Ident {
    let form = operation.body.as_deref().map(kind) == Some(Ok(Kind::Form));
    format_ident!("{}", if form { "form" } else { "json" })
}

/// The body is sent as it is.
fn is_bytes(operation: &Operation, signatures: &Signatures) -> bool {
    let ty = signatures.argument(&operation.id, "body");
    operation.body.is_some() && ty.to_token_stream().to_string().contains("reqwest")
}

/// Adds a required parameter of the query to the request.
fn add(parameter: &Parameter, request: &TokenStream) -> TokenStream {
    let (ident, name) = (format_ident!("{}", parameter.ident), &parameter.name);
    if parameter.location == Location::Header {
        quote!(#request.header(#name, #ident.to_string());)
    } else if parameter.many {
        quote!(for value in #ident { #request.add_query(#name, value.as_ref()); })
    } else {
        quote!(#request.query(#name, &#ident);)
    }
}

/// One setter for each optional parameter, and for a body that may be left out.
fn setters(operation: &Operation, signatures: &Signatures) -> Vec<TokenStream> {
    let mut setters = Vec::new();
    for parameter in operation.parameters.iter().filter(|p| !p.required) {
        setters.push(setter(operation, parameter, signatures));
        if parameter.many && parameter.ident == "label" {
            setters.push(label_setters());
        }
    }
    if operation.body.is_some() && !operation.body_required {
        let ty = signatures.argument(&operation.id, "body");
        let (accepts, convert) = body_argument(&ty);
        let write = write(operation);
        setters.push(quote! {
            /// Sets the body; without one, none is sent.
            pub fn body(mut self, body: #accepts) -> Self {
                let body: #ty = #convert;
                self.request.#write(&body);
                self
            }
        });
    }
    setters
}

fn setter(operation: &Operation, parameter: &Parameter, signatures: &Signatures) -> TokenStream {
    let (ident, name) = (format_ident!("{}", parameter.ident), &parameter.name);
    let text = if parameter.description.is_empty() {
        format!("Sets `{name}`.")
    } else {
        parameter.description.clone()
    };
    if parameter.many {
        let doc = docs::attributes(&format!("{text} Each call adds one."));
        return quote! {
            #doc
            pub fn #ident(mut self, value: impl AsRef<str>) -> Self {
                self.request.add_query(#name, value.as_ref());
                self
            }
        };
    }
    let doc = docs::attributes(&text);
    if let Some(typed) = typed_setter(operation, parameter, &doc) {
        return typed;
    }
    let value = format_ident!("value");
    let (accepts, handed, taken) = scalar(
        &value,
        &signatures.argument(&operation.id, &parameter.ident),
    );
    // A primitive needs no conversion.
    let value = (handed.to_string() != "value").then(|| quote!(let value: #taken = #handed;));
    let set = if parameter.location == Location::Header {
        quote!(self.request.header(#name, value.to_string());)
    } else {
        quote!(self.request.query(#name, &value);)
    };
    quote! {
        #doc
        pub fn #ident(mut self, value: #accepts) -> Self {
            #value
            #set
            self
        }
    }
}

/// Filter and order of a list whose fields the document names: only its own fields fit, a string
/// is sent as it is.
fn typed_setter(
    operation: &Operation,
    parameter: &Parameter,
    doc: &TokenStream,
) -> Option<TokenStream> {
    let module = format_ident!("{}", fields::module(operation)?);
    let name = &parameter.name;
    let (ty, what, set) = match parameter.ident.as_str() {
        "filter" => (
            quote!(Filter),
            "conditions on",
            quote!(filter(#name, &value.into())),
        ),
        "orderby" => (
            quote!(OrderBy),
            "an order by",
            quote!(query(#name, value.into().as_str())),
        ),
        _ => return None,
    };
    let ident = format_ident!("{}", parameter.ident);
    let also = format!(
        " Takes {what} the fields of [`fields::{module}`](super::fields::{module}), or text."
    );
    Some(quote! {
        #doc
        #[doc = ""]
        #[doc = #also]
        pub fn #ident(mut self, value: impl Into<#ty<super::fields::#module::List>>) -> Self {
            self.request.#set;
            self
        }
    })
}

/// Conditions on labels in words.
fn label_setters() -> TokenStream {
    quote! {
        /// Only items whose label `key` is `value`; several values for one key are alternatives.
        pub fn label_eq(self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
            self.label(format!("{}={}", key.as_ref(), value.as_ref()))
        }

        /// Only items whose label `key` contains `part`.
        pub fn label_contains(self, key: impl AsRef<str>, part: impl AsRef<str>) -> Self {
            self.label(format!("{}~{}", key.as_ref(), part.as_ref()))
        }
    }
}

/// The effect of dropping the future of a call.
fn dropped(operation: &Operation) -> &'static str {
    let reads = ["get_", "list_"]
        .iter()
        .any(|verb| operation.id.starts_with(verb));
    if operation.method == "GET" || reads {
        " Dropping the future cancels the call."
    } else {
        " Dropping the future sends nothing more. A request already sent may still take effect."
    }
}

/// The methods of every request: headers, options, sending.
fn endings(operation: &Operation, signatures: &Signatures, bytes: bool) -> TokenStream {
    let (response, send) = match &operation.response {
        ResponseShape::Empty => (quote!(()), quote!(send_empty)),
        ResponseShape::Json(_) => (
            signatures.response_type(&operation.id).to_token_stream(),
            quote!(send),
        ),
        ResponseShape::Bytes(_) => (quote!(ByteStream), quote!(send_stream)),
    };
    let (build, send) = if bytes {
        let send = format_ident!("{send}_with", send = send.to_string());
        (
            quote!(self.request.build_with(self.body)),
            quote!(self.request.#send(self.body)),
        )
    } else {
        (quote!(self.request.build()), quote!(self.request.#send()))
    };
    let doc = format!(
        " Sends the request: `{} {}`.",
        operation.method, operation.path
    );
    let dropped = dropped(operation);
    quote! {
        /// Sets a header of this request. Its value is treated as a secret: no log shows it.
        pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
            self.request.header(name, value);
            self
        }

        /// Overrides the client's retries, timeouts and priority for this request.
        pub fn options(mut self, options: CallOptions) -> Self {
            self.request.options(options);
            self
        }

        /// Builds the HTTP request without sending it, and without the token.
        ///
        /// # Errors
        ///
        /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when an argument is unusable.
        pub fn into_request(self) -> Result<::reqwest::Request> {
            #build
        }

        #[doc = #doc]
        ///
        #[doc = #dropped]
        ///
        /// # Errors
        ///
        /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when an argument is unusable;
        /// otherwise the kind tells why there is no usable response: see [`mkio_core::ErrorKind`].
        pub async fn send(self) -> Result<Response<#response>> {
            #send.await
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    fn of(method: &str, id: &str, statuses: &[&str]) -> Operation {
        let document = with_paths(json!({"/a/{name}": {method: {
            "operationId": id, "responses": {}, "x-mkio-statuses": statuses,
        }}}));
        let operation = Model::new(&document).operations.into_iter().next();
        operation.expect("an operation")
    }

    /// An argument of each type has a value that compiles.
    #[test]
    fn examples_have_values_of_the_arguments_types() {
        let value = |name: &str, taken: TokenStream| {
            sample(&Argument {
                ident: format_ident!("{name}"),
                accepts: quote!(),
                handed: quote!(),
                taken,
            })
        };
        for (name, taken, shown) in [
            ("asset_name", quote!(&str), "\"asset-1\""),
            ("deep", quote!(bool), "true"),
            ("rate", quote!(f64), "1.0"),
            ("count", quote!(i64), "1"),
            (
                "tag_name",
                quote!(impl IntoIterator<Item = impl AsRef<str>>),
                "[\"tag-1\"]",
            ),
            (
                "start",
                quote!(::mkio_core::Timestamp),
                "\"2026-01-01T00:00:00Z\"",
            ),
            ("kind", quote!(types::Kind), "\"kind\""),
        ] {
            assert_eq!(value(name, taken), shown, "{name}");
        }
    }

    #[test]
    fn named_types_are_taken_by_conversion() {
        for (ty, accepts) in [
            ("String", "impl AsRef < str >"),
            ("i64", "i64"),
            ("Kind", "impl Into < Kind >"),
        ] {
            let ty = syn::parse_str(ty).expect("a type");
            let taken = scalar(&format_ident!("one"), &ty).0;
            assert_eq!(taken.to_string(), accepts);
        }
    }

    #[test]
    fn docs_say_what_a_missing_resource_means() {
        let said = |method, id, statuses| missing(&of(method, id, statuses)).unwrap_or_default();
        let deleted = said("delete", "delete_live_event", &["200", "204"]);
        assert!(deleted.starts_with("Succeeds"), "{deleted}");
        assert!(
            deleted.contains("the live event does not exist"),
            "{deleted}"
        );
        for (method, id) in [("delete", "delete_backup"), ("post", "stop_live_event")] {
            let fails = said(method, id, &["200", "404"]);
            assert!(fails.starts_with("Fails with 404"), "{fails}");
        }
        assert_eq!(said("post", "create_invite", &["201", "404"]), "");
        assert_eq!(said("get", "get_asset", &["200", "404"]), "");
    }

    #[test]
    fn docs_say_what_a_dropped_call_leaves_behind() {
        assert!(dropped(&of("get", "get_asset", &[])).contains("cancels the call"));
        assert!(dropped(&of("post", "list_keys", &[])).contains("cancels the call"));
        assert!(dropped(&of("post", "start_live_event", &[])).contains("may still take effect"));
    }
}
