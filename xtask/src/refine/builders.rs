//! Problem: progenitor's request builders send an `api-version` header that MK.IO does not know,
//! let `.` and `..` change the path, read errors of their own type per crate, and cannot hand out
//! the request. This rule keeps their arguments, URL and query, and rebuilds the end of each:
//! `into_request` gives the request, `send` passes it through the client's `exec` hook and decodes
//! with the runtime.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{
    Expr, ExprMethodCall, ImplItem, ImplItemFn, Item, LitStr, Stmt, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

use super::{docs, simplify};
use crate::{
    document::{Document, Problem},
    glue::fields,
    model::{Answer, Model, Operation, Parameter},
    names::type_name,
    passes::TWIN,
    report::Changes,
};

pub fn run(
    items: Vec<Item>,
    document: &Document,
    model: &Model,
    changes: &mut Changes,
) -> Result<Vec<Item>, Problem> {
    let mut code = Vec::new();
    for mut item in items {
        Common.visit_item_mut(&mut item);
        let name = match &item {
            Item::Struct(item) => item.ident.to_string(),
            Item::Impl(item) => type_ident(&item.self_ty),
            _ => continue,
        };
        let Some(operation) = model.operations.iter().find(|o| type_name(&o.id) == name) else {
            return Err(document.problem(
                "/paths",
                format!("a request builder {name} that no operation is behind"),
                "operation names that are Rust identifiers",
            ));
        };
        match &mut item {
            Item::Struct(item) => {
                let text = format!(
                    "Request of [`Client::{id}`](super::Client::{id}): `{} {}`.",
                    operation.method,
                    operation.path,
                    id = operation.id
                );
                let doc = format!(" {text}");
                item.attrs = vec![
                    parse_quote!(#[doc = #doc]),
                    parse_quote!(#[derive(Debug, Clone)]),
                    parse_quote!(#[must_use = "a request does nothing until it is sent"]),
                ];
                for field in &mut item.fields {
                    if field.ident.as_ref().is_some_and(|ident| ident == "client") {
                        field.vis = parse_quote!(pub(crate));
                    }
                }
            }
            Item::Impl(item) => {
                let mut methods = Vec::new();
                for method in std::mem::take(&mut item.items) {
                    if let ImplItem::Fn(method) = method {
                        methods.extend(rebuild(method, operation, document)?);
                    }
                }
                changes.note(format!("{name}: {} methods", methods.len()));
                item.items = methods.into_iter().map(ImplItem::Fn).collect();
            }
            _ => {}
        }
        code.push(item);
    }
    // `Body` is no `Clone`, nor is a request that holds one.
    for item in &mut code {
        if let Item::Struct(item) = item
            && item.fields.iter().any(|field| {
                field
                    .ty
                    .to_token_stream()
                    .to_string()
                    .contains("reqwest :: Body")
            })
        {
            item.attrs[1] = parse_quote!(#[derive(Debug)]);
        }
    }
    Ok(code)
}

fn type_ident(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|s| s.ident.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

fn rebuild(
    mut method: ImplItemFn,
    operation: &Operation,
    document: &Document,
) -> Result<Vec<ImplItemFn>, Problem> {
    let name = method.sig.ident.to_string();
    match name.as_str() {
        "new" => {
            method.vis = parse_quote!(pub(crate));
            Ok(vec![method])
        }
        "body_map" => Ok(Vec::new()),
        "send" => end(method, operation, document),
        argument => {
            let parameter = operation.parameters.iter().find(|p| p.ident == argument);
            let text = match (parameter, argument) {
                (Some(parameter), _) if !parameter.description.is_empty() => {
                    parameter.description.clone()
                }
                (Some(parameter), _) => format!(
                    "`{}` of the {}.",
                    parameter.name,
                    if parameter.query { "query" } else { "path" }
                ),
                (None, _) => format!(
                    "The body, as `{}`.",
                    operation.body.as_deref().unwrap_or("JSON")
                ),
            };
            if let Some(parameter) = parameter.filter(|parameter| parameter.many) {
                let mut methods = vec![many(parameter, &text)];
                if argument == "label" {
                    methods.extend(labels());
                }
                return Ok(methods);
            }
            let doc = docs::attributes(&text);
            if let Some(typed) = typed(operation, argument, &doc) {
                return Ok(vec![typed]);
            }
            let (generics, inputs, output, block) = (
                &method.sig.generics,
                &method.sig.inputs,
                &method.sig.output,
                &method.block,
            );
            let (ident, clause) = (&method.sig.ident, &method.sig.generics.where_clause);
            Ok(vec![
                parse_quote!(#doc pub fn #ident #generics (#inputs) #output #clause #block),
            ])
        }
    }
}

/// Filter and order of a list whose fields the document names: only its own fields fit, a string
/// is sent as it is.
fn typed(operation: &Operation, argument: &str, doc: &TokenStream) -> Option<ImplItemFn> {
    let module = format_ident!("{}", fields::module(operation)?);
    let (ty, what) = match argument {
        "filter" => (quote!(Filter), "conditions on"),
        "orderby" => (quote!(OrderBy), "an order by"),
        _ => return None,
    };
    let ident = format_ident!("{argument}");
    let also = format!(
        " Takes {what} the fields of [`fields::{module}`](super::fields::{module}), or text."
    );
    Some(parse_quote! {
        #doc
        #[doc = ""]
        #[doc = #also]
        pub fn #ident(mut self, value: impl Into<#ty<super::fields::#module::List>>) -> Self {
            self.#ident = Ok(Some(value.into().as_str().to_owned()));
            self
        }
    })
}

/// Conditions on labels in words.
fn labels() -> Vec<ImplItemFn> {
    vec![
        parse_quote! {
            /// Only items whose label `key` is `value`; several values for one key are alternatives.
            pub fn label_eq(self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
                self.label(format!("{}={}", key.as_ref(), value.as_ref()))
            }
        },
        parse_quote! {
            /// Only items whose label `key` contains `part`.
            pub fn label_contains(self, key: impl AsRef<str>, part: impl AsRef<str>) -> Self {
                self.label(format!("{}~{}", key.as_ref(), part.as_ref()))
            }
        },
    ]
}

/// A parameter whose key may be repeated: each call adds a value.
fn many(parameter: &Parameter, text: &str) -> ImplItemFn {
    let ident = format_ident!("{}", parameter.ident);
    let doc = docs::attributes(&format!("{text} Each call adds one."));
    parse_quote! {
        #doc
        pub fn #ident(mut self, value: impl Into<String>) -> Self {
            if let Ok(values) = &mut self.#ident {
                values.get_or_insert_with(Vec::new).push(value.into());
            }
            self
        }
    }
}

/// `send` in two halves.
fn end(
    method: ImplItemFn,
    operation: &Operation,
    document: &Document,
) -> Result<Vec<ImplItemFn>, Problem> {
    let constant = format_ident!("{}", operation.constant());
    let mut statements = Vec::new();
    let mut request: Option<Expr> = None;
    for mut statement in method.block.stmts {
        Arguments {
            constant: &constant,
        }
        .visit_stmt_mut(&mut statement);
        let text = statement.to_token_stream().to_string();
        if text.contains("api-version")
            || text.contains("header_map =")
            || text.starts_with("let mut header_map")
        {
            continue;
        }
        if let Stmt::Local(local) = &statement
            && local.pat.to_token_stream().to_string() == "mut request"
        {
            request = local.init.as_ref().map(|init| (*init.expr).clone());
            break;
        }
        statements.push(statement);
    }
    let refused = || {
        document.problem(
            crate::model::pointer(&operation.path, &operation.method),
            "a request builder of an unexpected form",
            "the form that progenitor 0.15 makes; see the rule in refine/builders.rs",
        )
    };
    let chain = request_chain(request.ok_or_else(refused)?, operation).ok_or_else(refused)?;
    let (answer, decode) = match &operation.answer {
        Answer::Empty => (quote!(()), quote!(empty)),
        Answer::Json(_) => {
            let answer = answer_type(&method.sig.output).ok_or_else(refused)?;
            (quote!(#answer), quote!(json))
        }
        Answer::Bytes(_) => (quote!(ByteStream), quote!(stream)),
    };
    let id = &operation.id;
    let doc = format!(
        " Sends a `{}` request to `{}`.",
        operation.method, operation.path
    );
    Ok(vec![
        parse_quote! {
            /// The request that [`send`](Self::send) would send, without authentication.
            ///
            /// # Errors
            ///
            /// When an argument is missing or cannot be used.
            pub fn into_request(self) -> Result<::reqwest::Request> {
                #(#statements)*
                glue::built(&operations::#constant, #chain)
            }
        },
        parse_quote! {
            #[doc = #doc]
            ///
            /// # Errors
            ///
            /// When an argument is missing, the service refuses the request, no answer comes, or the
            /// answer does not decode: see [`mkio_core::ErrorKind`].
            pub async fn send(self) -> Result<Response<#answer>> {
                let client = self.client;
                let request = self.into_request()?;
                let info = OperationInfo { operation_id: #id };
                let result = client.exec(request, &info).await;
                glue::#decode(result, &operations::#constant).await
            }
        },
    ])
}

/// The `T` of `Result<ResponseValue<T>, …>`.
fn answer_type(output: &syn::ReturnType) -> Option<Type> {
    let syn::ReturnType::Type(_, ty) = output else {
        return None;
    };
    let value = *simplify::arguments_of(ty, "Result")?.first()?;
    simplify::argument_of(value, "ResponseValue").cloned()
}

/// `client.client.get(url)….build()?` without `headers(header_map)` and `?`, with the media types
/// that the operation sends and takes.
fn request_chain(expression: Expr, operation: &Operation) -> Option<Expr> {
    let Expr::Try(tried) = expression else {
        return None;
    };
    let mut chain = *tried.expr;
    Headers { operation }.visit_expr_mut(&mut chain);
    Some(chain)
}

struct Headers<'a> {
    operation: &'a Operation,
}

impl VisitMut for Headers<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        let Expr::MethodCall(call) = expression else {
            return;
        };
        if call.method == "headers" {
            *expression = (*call.receiver).clone();
        } else if call.method == "json"
            && let Some(media_type) = self.operation.body.as_deref()
            && media_type != "application/json"
        {
            // Before `json`, which keeps a content type that is there already.
            let receiver = &call.receiver;
            let argument = &call.args;
            *expression = parse_quote! {
                #receiver.header(::reqwest::header::CONTENT_TYPE, #media_type).json(#argument)
            };
        } else if is_first(call)
            && let Answer::Bytes(media_type) = &self.operation.answer
        {
            *expression = parse_quote!(#call.header(::reqwest::header::ACCEPT, #media_type));
        }
    }
}

/// `client.client.get(url)`: the start of the chain.
fn is_first(call: &ExprMethodCall) -> bool {
    matches!(&*call.receiver, Expr::Field(field) if field.member.to_token_stream().to_string() == "client")
}

/// What is the same in every builder: names of types, texts of messages.
struct Common;

impl VisitMut for Common {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match names[..] {
            ["types", "builder", ..] => {
                *path = {
                    let last = path.segments.last().cloned();
                    parse_quote!(types::#last)
                }
            }
            ["crate", "types", ..] => {
                path.leading_colon = None;
                path.segments = path.segments.iter().skip(1).cloned().collect();
            }
            ["std", "string", "String"] => *path = parse_quote!(String),
            _ => {}
        }
    }

    /// Most arguments are missing when a builder begins: saying so must not cost memory each time.
    fn visit_field_mut(&mut self, field: &mut syn::Field) {
        visit_mut::visit_field_mut(self, field);
        if let Some([value, error]) = simplify::arguments_of(&field.ty, "Result").as_deref()
            && error.to_token_stream().to_string() == "String"
        {
            field.ty = parse_quote!(glue::Argument<#value>);
        }
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        visit_mut::visit_field_value_mut(self, field);
        let text = field.expr.to_token_stream().to_string();
        if text.contains("default :: Default :: default") {
            field.expr = parse_quote!(Err("argument `body` is missing".into()));
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::Macro(call) = expression
            && call.mac.path.is_ident("format")
            && call.mac.tokens.to_string().starts_with("\"conversion to ")
        {
            *expression = parse_quote!(#call.into());
            return;
        }
        let Expr::MethodCall(call) = expression else {
            return;
        };
        if call.method == "to_string"
            && let Expr::Lit(literal) = &*call.receiver
        {
            *expression = parse_quote!(#literal.into());
            return;
        }
        let text = call.args.to_token_stream().to_string();
        let goes = (call.method == "map" && text == "From :: from")
            || (call.method == "and_then" && text.contains("try_from"));
        if goes {
            *expression = (*call.receiver).clone();
        }
    }

    fn visit_lit_str_mut(&mut self, literal: &mut LitStr) {
        let text = literal.value();
        let mut short = text
            .replace(":: std :: string :: String", "text")
            .replace(":: serde_json :: Value", "JSON")
            .replace("types :: ", "");
        if let Some(at) = short.find(TWIN) {
            short.truncate(at);
        }
        if let Some(name) = short.strip_suffix(" was not initialized") {
            short = format!("argument `{name}` is missing");
        }
        if short != text {
            *literal = LitStr::new(&short, literal.span());
        }
    }
}

/// Arguments become errors of the runtime that name the operation; path values are checked.
struct Arguments<'a> {
    constant: &'a syn::Ident,
}

impl VisitMut for Arguments<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        let constant = self.constant;
        match expression {
            Expr::MethodCall(call)
                if call.method == "map_err"
                    && call.args.to_token_stream().to_string() == "Error :: InvalidRequest" =>
            {
                let receiver = &call.receiver;
                *expression = parse_quote!(glue::argument(&operations::#constant, #receiver));
            }
            Expr::Macro(call) => {
                // The arguments of `format!` are tokens to syn.
                let Ok(mut parts) = call.mac.parse_body_with(
                    syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated,
                ) else {
                    return;
                };
                for part in &mut parts {
                    self.path_value(part);
                    Common.visit_expr_mut(part);
                }
                call.mac.tokens = parts.to_token_stream();
                if let Some(url) = under_base(&parts, constant) {
                    *expression = url;
                }
            }
            _ => {}
        }
    }
}

/// `format!("{}/path", client.baseurl, …)`, with the address parsed once and for all.
fn under_base(
    parts: &syn::punctuated::Punctuated<Expr, syn::Token![,]>,
    constant: &syn::Ident,
) -> Option<Expr> {
    let mut parts = parts.iter();
    let Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(template),
        ..
    }) = parts.next()?
    else {
        return None;
    };
    if parts.next()?.to_token_stream().to_string() != "client . baseurl" {
        return None;
    }
    let path = template.value().strip_prefix("{}")?.to_owned();
    let arguments: Vec<_> = parts.collect();
    Some(match arguments.is_empty() {
        true => parse_quote!(glue::url(&client.inner, &operations::#constant, #path)?),
        false => parse_quote!(
            glue::url(&client.inner, &operations::#constant, &format!(#path, #(#arguments),*))?
        ),
    })
}

impl Arguments<'_> {
    /// `encode_path(&name.to_string())` becomes a checked path segment.
    fn path_value(&self, part: &mut Expr) {
        let Expr::Call(call) = &*part else { return };
        if call.func.to_token_stream().to_string() != "encode_path" {
            return;
        }
        let text = call.args.to_token_stream().to_string();
        let name: String = text
            .chars()
            .skip_while(|c| !c.is_alphabetic() && *c != '_')
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let ident = format_ident!("{name}");
        let constant = self.constant;
        *part = parse_quote!(glue::path_segment(&operations::#constant, #name, &#ident)?);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing;

    /// A builder as progenitor makes it, shortened.
    fn progenitor() -> Vec<Item> {
        let file: syn::File = parse_quote! {
            pub struct UpdateA<'a> {
                client: &'a super::Client,
                id: Result<::std::string::String, String>,
                body: Result<types::builder::A, String>,
            }
            impl<'a> UpdateA<'a> {
                pub fn new(client: &'a super::Client) -> Self {
                    Self {
                        client: client,
                        id: Err("id was not initialized".to_string()),
                        body: Ok(::std::default::Default::default()),
                    }
                }
                pub fn body<V>(mut self, value: V) -> Self
                where
                    V: std::convert::TryInto<types::A>,
                {
                    self.body = value.try_into().map(From::from).map_err(|s| format!("{}", s));
                    self
                }
                pub fn body_map<F>(mut self, f: F) -> Self {
                    self
                }
                pub async fn send(self) -> Result<ResponseValue<types::A>, Error<types::Error>> {
                    let Self { client, id, body } = self;
                    let id = id.map_err(Error::InvalidRequest)?;
                    let body = body
                        .and_then(|v| types::A::try_from(v).map_err(|e| e.to_string()))
                        .map_err(Error::InvalidRequest)?;
                    let url = format!("{}/a/{}/x-mkio-twin-json-patch", client.baseurl, encode_path(&id.to_string()));
                    let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
                    header_map.append(::reqwest::header::HeaderName::from_static("api-version"), value);
                    let mut request = client.client.patch(url).json(&body).headers(header_map).build()?;
                    let info = OperationInfo { operation_id: "update_a" };
                    match response.status().as_u16() {
                        _ => Err(Error::UnexpectedResponse(response)),
                    }
                }
            }
        };
        file.items
    }

    #[test]
    fn requests_go_through_the_runtime() {
        let document = testing::with_paths(json!({"/a/{id}": {"patch": {
            "operationId": "update_a",
            "x-mkio-content-type": "application/json-patch+json",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {"schema": {}}}},
            "responses": {"2XX": {"content": {"application/json": {"schema": {}}}}},
        }}}));
        let model = Model::new(&document);
        let items = run(progenitor(), &document, &model, &mut Changes::default()).unwrap();
        let code = prettyplease::unparse(&crate::code::file(items));
        // Where lines break is the printer's business.
        let bare = |text: &str| {
            text.split_whitespace()
                .collect::<String>()
                .replace(",)", ")")
        };
        let flat = bare(&code);
        for part in [
            "glue::argument(&operations::UPDATE_A, id)?",
            "glue::path_segment(&operations::UPDATE_A, \"id\", &id)?",
            "glue::url(&client.inner, &operations::UPDATE_A, &format!(\"/a/{}\"",
            "\"application/json-patch+json\"",
            "glue::built(",
            "client.exec(request, &info).await",
            "glue::json(result, &operations::UPDATE_A).await",
            "id: glue::Argument<String>",
            "id: Err(\"argument `id` is missing\".into())",
            "body: Err(\"argument `body` is missing\".into())",
            "pub(crate) fn new",
        ] {
            assert!(flat.contains(&bare(part)), "{part} in:\n{code}");
        }
        for part in [
            "api-version",
            "header_map",
            "body_map",
            "types::builder",
            "UnexpectedResponse",
            "x-mkio-twin",
        ] {
            assert!(!flat.contains(&bare(part)), "{part} in:\n{code}");
        }
    }

    #[test]
    fn another_form_of_builder_is_refused() {
        let document =
            testing::with_paths(json!({"/a": {"get": {"operationId": "get_a", "responses": {}}}}));
        let file: syn::File = parse_quote! {
            impl<'a> GetA<'a> { pub async fn send(self) -> Result<(), Error> { let other = 1; } }
        };
        let problem = run(
            file.items,
            &document,
            &Model::new(&document),
            &mut Changes::default(),
        )
        .unwrap_err();
        assert!(problem.pointer.contains("~1a/get"), "{problem}");
    }
}
