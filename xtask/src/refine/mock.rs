//! Typed mocks of the operations: conditions on the request, and the response. Path values are
//! taken literally, and operations that share method and path (twins) differ in the
//! headers that they send.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Item, Type, parse_quote};

use super::docs;
use crate::{
    apis::Api,
    media::{Kind, kind},
    model::{Location, Model, Operation, Parameter, ResponseShape},
    names::type_name,
    report::Changes,
    types,
};

/// The items of an API's module.
pub fn run(api: &Api, model: &Model, changes: &mut Changes) -> Vec<Item> {
    let krate = format_ident!("{}", api.crate_name());
    let mut operations = Vec::new();
    for operation in &model.operations {
        changes.note(&operation.id);
        operations.push(when(operation, model));
        operations.push(then(operation));
    }
    let names = model.operations.iter().map(Names::of);
    let declared = model.operations.iter().map(|operation| {
        let Names { id, when, then, .. } = Names::of(operation);
        let doc = format!(" Mocks {}.", called(operation));
        quote! {
            #[doc = #doc]
            fn #id<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
            where
                F: FnOnce(operations::#when, operations::#then);
        }
    });
    let defined = names.map(|Names { id, when, then, .. }| {
        quote! {
            fn #id<F>(&self, config_fn: F) -> ::httpmock::Mock<'_>
            where
                F: FnOnce(operations::#when, operations::#then),
            {
                self.mock(|when, then| {
                    config_fn(operations::#when::new(when), operations::#then::new(then))
                })
            }
        }
    });
    vec![
        parse_quote! {
            /// The conditions (`…When`) and the response (`…Then`) of a mock, for each operation.
            pub mod operations {
                #[allow(unused_imports, reason = "not every API has typed bodies")]
                use #krate::types;

                #(#operations)*
            }
        },
        parse_quote! {
            /// Mocks operations by name on an [`httpmock::MockServer`].
            pub trait MockServerExt { #(#declared)* }
        },
        parse_quote! {
            impl MockServerExt for ::httpmock::MockServer { #(#defined)* }
        },
    ]
}

/// The name of an operation's code.
struct Names {
    id: syn::Ident,
    when: syn::Ident,
    then: syn::Ident,
}

impl Names {
    fn of(operation: &Operation) -> Self {
        let name = type_name(&operation.id);
        Self {
            id: format_ident!("{}", operation.id),
            when: format_ident!("{name}When"),
            then: format_ident!("{name}Then"),
        }
    }
}

fn called(operation: &Operation) -> String {
    docs::code(&format!("{} {}", operation.method, operation.path))
}

/// Conditions on the request.
fn when(operation: &Operation, model: &Model) -> TokenStream {
    let ident = Names::of(operation).when;
    let doc = format!(" Conditions on the request: {}.", called(operation));
    let method = format_ident!("{}", operation.method);
    let pattern = pattern(&operation.path, None);
    let twin = twin(operation, model).map(|(header, value)| quote!(.header(#header, #value)));
    let parameters = operation.parameters.iter().map(|parameter| {
        if parameter.location == Location::Path {
            in_path(parameter, &operation.path)
        } else {
            parameter_method(parameter)
        }
    });
    let body = body(operation);
    quote! {
        #[doc = #doc]
        pub struct #ident(::httpmock::When);

        impl #ident {
            /// Wraps httpmock's own type.
            pub fn new(inner: ::httpmock::When) -> Self {
                Self(
                    inner
                        .method(::httpmock::Method::#method)
                        .path_matches(regex::Regex::new(#pattern).unwrap())
                        #twin,
                )
            }

            /// Returns httpmock's own type, for everything that has no typed method.
            pub fn into_inner(self) -> ::httpmock::When {
                self.0
            }

            #(#parameters)*
            #body
        }
    }
}

/// The regular expression of a path in which a parameter is any segment; the one that is asked for is
/// `{}` for `format!`.
fn pattern(path: &str, asked: Option<&str>) -> String {
    let mut out = String::from("^");
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        out += &literal(before, asked.is_some());
        out += if asked == Some(name) { "{}" } else { "[^/]*" };
        rest = after;
    }
    out + &literal(rest, asked.is_some()) + "$"
}

/// Text that matches itself, within `format!` or not.
fn literal(text: &str, formatted: bool) -> String {
    let escaped = regex::escape(text).replace("\\-", "-");
    if formatted {
        escaped.replace('{', "{{").replace('}', "}}")
    } else {
        escaped
    }
}

/// The argument type of a value: text and types of the crate by reference, others by value.
fn given(ty: &Type) -> TokenStream {
    let text: Type = parse_quote!(String);
    let plain = ["u32", "u64", "i64", "f64", "bool"].map(|name| syn::parse_str::<Type>(name).ok());
    if *ty == text {
        quote!(&str)
    } else if plain.iter().any(|plain| plain.as_ref() == Some(ty)) {
        quote!(#ty)
    } else {
        quote!(&#ty)
    }
}

fn in_path(parameter: &Parameter, path: &str) -> TokenStream {
    let ident = format_ident!("{}", parameter.ident);
    let pattern = pattern(path, Some(&parameter.name));
    let (doc, value) = (must_be(parameter), given(&parameter.ty));
    quote! {
        #[doc = #doc]
        pub fn #ident(self, value: #value) -> Self {
            let re = regex::Regex::new(
                &format!(#pattern, crate::path_value(&value.to_string())),
            )
            .unwrap();
            Self(self.0.path_matches(re))
        }
    }
}

fn must_be(parameter: &Parameter) -> String {
    format!(" {} must be this.", docs::code(&parameter.name))
}

/// A query parameter or header: there with this value, or, where it need not be, missing.
fn parameter_method(parameter: &Parameter) -> TokenStream {
    let ident = format_ident!("{}", parameter.ident);
    let (doc, name) = (must_be(parameter), &parameter.name);
    let (there, missing) = if parameter.location == Location::Header {
        (quote!(header), quote!(header_missing))
    } else {
        (quote!(query_param), quote!(query_param_missing))
    };
    // A key may be repeated: each call of the method expects one of its values.
    let value = if parameter.many {
        quote!(&str)
    } else {
        given(&parameter.ty)
    };
    if parameter.required || parameter.many {
        return quote! {
            #[doc = #doc]
            pub fn #ident(self, value: #value) -> Self {
                Self(self.0.#there(#name, value.to_string()))
            }
        };
    }
    let (lifetime, value) = match value.to_string().strip_prefix('&') {
        Some(_) => {
            let ty = value.into_iter().skip(1).collect::<TokenStream>();
            (Some(quote!('a,)), quote!(&'a #ty))
        }
        None => (None, value),
    };
    quote! {
        #[doc = #doc]
        pub fn #ident<#lifetime T>(self, value: T) -> Self
        where
            T: Into<Option<#value>>,
        {
            if let Some(value) = value.into() {
                Self(self.0.#there(#name, value.to_string()))
            } else {
                Self(self.0.#missing(#name))
            }
        }
    }
}

/// The body: JSON as its type, all else by its bytes.
fn body(operation: &Operation) -> Option<TokenStream> {
    let media_type = operation.body.as_ref()?;
    Some(if kind(media_type) == Ok(Kind::Json) {
        let ty = json(operation.body_schema.as_ref().unwrap_or(&Value::Null));
        quote! {
            /// The body must be this.
            pub fn body(self, value: &#ty) -> Self {
                Self(self.0.json_body_obj(value))
            }
        }
    } else {
        quote! {
            /// The body must be this.
            pub fn body(self, value: impl AsRef<[u8]>) -> Self {
                let value = value.as_ref().to_vec();
                Self(self.0.is_true(move |request| request.body_ref() == value))
            }
        }
    })
}

/// The type of a JSON body as this crate can name it.
fn json(schema: &Value) -> Type {
    if let Some(name) = types::named_type(schema) {
        let ident = format_ident!("{name}");
        return parse_quote!(types::#ident);
    }
    match schema["type"].as_str() {
        Some("array") => {
            let item = json(&schema["items"]);
            parse_quote!([#item])
        }
        _ => parse_quote!(::serde_json::Value),
    }
}

/// Twins differ in what they send, or in what they accept: header and value.
fn twin(operation: &Operation, model: &Model) -> Option<(&'static str, String)> {
    let other = model.operations.iter().find(|other| {
        (&other.method, &other.path) == (&operation.method, &operation.path)
            && other.id != operation.id
    })?;
    let accept = match &operation.response {
        ResponseShape::Bytes(media_type) => media_type.clone(),
        _ => "application/json".to_owned(),
    };
    Some(match &operation.body {
        Some(body) if operation.body != other.body => ("content-type", body.clone()),
        _ => ("accept", accept),
    })
}

/// The response.
fn then(operation: &Operation) -> TokenStream {
    let ident = Names::of(operation).then;
    let doc = format!(" The response: {}.", called(operation));
    let success = success(operation);
    let errors = [
        (
            "client_error",
            4u16,
            " An error, status 400 to 499.",
            &operation.client_error,
        ),
        (
            "server_error",
            5u16,
            " An error, status 500 to 599.",
            &operation.server_error,
        ),
    ];
    let errors = errors.into_iter().filter_map(|(name, class, doc, schema)| {
        let (name, ty) = (format_ident!("{name}"), json(schema.as_ref()?));
        Some(quote! {
            #[doc = #doc]
            pub fn #name(self, status: u16, value: &#ty) -> Self {
                assert_eq!(status / 100u16, #class);
                Self(
                    self.0
                        .status(status)
                        .header("content-type", "application/json")
                        .json_body_obj(value),
                )
            }
        })
    });
    quote! {
        #[doc = #doc]
        pub struct #ident(::httpmock::Then);

        impl #ident {
            /// Wraps httpmock's own type.
            pub fn new(inner: ::httpmock::Then) -> Self {
                Self(inner)
            }

            /// Returns httpmock's own type, for everything that has no typed method.
            pub fn into_inner(self) -> ::httpmock::Then {
                self.0
            }

            #(#errors)*
            #success
        }
    }
}

fn success(operation: &Operation) -> TokenStream {
    let doc = quote!(#[doc = " A success, status 200 to 299."]);
    match &operation.response {
        ResponseShape::Empty => quote! {
            #doc
            pub fn success(self, status: u16) -> Self {
                assert_eq!(status / 100u16, 2u16);
                Self(self.0.status(status))
            }
        },
        ResponseShape::Json(schema) => {
            let ty = json(schema);
            quote! {
                #doc
                pub fn success(self, status: u16, value: &#ty) -> Self {
                    assert_eq!(status / 100u16, 2u16);
                    Self(
                        self.0
                            .status(status)
                            .header("content-type", "application/json")
                            .json_body_obj(value),
                    )
                }
            }
        }
        ResponseShape::Bytes(media_type) => quote! {
            #doc
            pub fn success(self, status: u16, value: impl AsRef<[u8]>) -> Self {
                assert_eq!(status / 100u16, 2u16);
                Self(self.0.status(status).header("content-type", #media_type).body(value))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        code::without_spaces,
        passes::testing::{api, with_paths},
    };

    #[test]
    fn requests_are_matched_by_all_that_they_have() {
        let text = json!({"type": "string"});
        let mut document = with_paths(json!({"/kinds/{kind}/{number}": {"get": {
            "operationId": "get_kind", "responses": {}, "parameters": [
                {"name": "kind", "in": "path", "required": true, "schema": crate::document::reference("Kind")},
                {"name": "number", "in": "path", "required": true, "schema": {"type": "integer"}},
            ],
        }}, "/a.b/{id}/c": {"get": {
            "operationId": "get_b", "responses": {},
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": text},
                {"name": "$label", "in": "query", "schema": {"type": "array", "items": text}},
                {"name": "$top", "in": "query", "schema": {"type": "integer", "format": "uint32"}},
                {"name": "If-Match", "in": "header", "required": true, "schema": text},
                {"name": "X-Trace", "in": "header", "schema": text},
            ],
        }, "put": {"operationId": "put_b", "responses": {}, "requestBody": {"content": {"application/json": {"schema": {
            "type": "array", "items": crate::document::reference("Thing")}}}}}}}));
        document
            .schemas_mut()
            .insert("Kind".to_owned(), json!({"type": "string", "enum": ["x"]}));
        let model = Model::new(&document);
        let items = run(&api(), &model, &mut Changes::default());
        let code = prettyplease::unparse(&crate::code::file(items));
        let bare = without_spaces(&code);
        for line in [
            "\"^/a\\\\.b/[^/]*/c$\"",
            "format!(\"^/a\\\\.b/{}/c$\", crate::path_value(&value.to_string()))",
            "use mkio_media::types;",
            "/// Mocks `GET /a.b/{id}/c`.",
            "Self(self.0.query_param(\"$label\", value.to_string()))",
            "T: Into<Option<u32>>,",
            "pub fn kind(self, value: &types::Kind)",
            "pub fn number(self, value: i64)",
            "pub fn if_match(self, value: &str)",
            "Self(self.0.header_missing(\"X-Trace\"))",
            "T: Into<Option<&'a str>>,",
            "pub fn body(self, value: &[types::Thing])",
        ] {
            assert!(bare.contains(&without_spaces(line)), "{line} in:\n{code}");
        }
    }
}
