//! Problem: progenitor's client makes its own HTTP client with a fixed timeout and a panic, and
//! shows examples that do not compile. This rule keeps the methods that start each request, with
//! their docs, on a client that is made from the runtime's transport.

use quote::{format_ident, quote};
use syn::{ImplItem, Item, parse_quote};

use super::docs;
use crate::{model::Model, report::Changes};

pub fn run(root: Vec<Item>, model: &Model, changes: &mut Changes) -> Vec<Item> {
    let mut methods: Vec<ImplItem> = Vec::new();
    for item in root {
        let Item::Impl(item) = item else { continue };
        for item in item.items {
            let ImplItem::Fn(mut method) = item else {
                continue;
            };
            let name = method.sig.ident.to_string();
            let Some(operation) = model.operation(&name) else {
                continue;
            };
            let text = doc_text(&method.attrs);
            let text = text.split("Sends a `").next().unwrap_or_default();
            let needed: Vec<String> = operation
                .parameters
                .iter()
                .filter(|parameter| parameter.required)
                .map(|parameter| format!("`{}`", parameter.ident))
                .chain(operation.body.as_ref().map(|_| "`body`".to_owned()))
                .collect();
            let mut text = text.trim_end().to_owned();
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&format!("`{} {}`", operation.method, operation.path));
            if !needed.is_empty() {
                text.push_str(&format!("\n\nNeeds {}.", needed.join(", ")));
            }
            let doc = docs::attributes(&text);
            let (ident, output, block) = (&method.sig.ident, &method.sig.output, &method.block);
            method = parse_quote!(#doc pub fn #ident(&self) #output #block);
            changes.note(name);
            methods.push(ImplItem::Fn(method));
        }
    }
    let client: Vec<Item> = vec![
        parse_quote! {
            /// The client: starts a request for each operation of the API.
            ///
            /// Cheap to clone; clones share connections, budgets and the token.
            #[derive(Clone, Debug)]
            pub struct Client {
                pub(crate) client: ::reqwest::Client,
                pub(crate) inner: Transport,
            }
        },
        parse_quote! {
            impl Client {
                /// A client that sends its requests through a transport.
                pub fn new(transport: Transport) -> Self {
                    Self {
                        client: transport.http().clone(),
                        inner: transport,
                    }
                }

                /// The transport that requests go through.
                pub fn transport(&self) -> &Transport {
                    &self.inner
                }

                /// The same client for calls with other options: retries, timeouts, priority.
                pub fn with(&self, options: CallOptions) -> Self {
                    Self {
                        inner: self.inner.with(options),
                        ..self.clone()
                    }
                }
            }
        },
        parse_quote!(impl Client { #(#methods)* }),
        parse_quote! {
            impl ClientInfo<Transport> for Client {
                fn api_version() -> &'static str {
                    super::API_VERSION
                }
                fn baseurl(&self) -> &str {
                    self.inner.base_url(super::API)
                }
                fn client(&self) -> &::reqwest::Client {
                    &self.client
                }
                fn inner(&self) -> &Transport {
                    &self.inner
                }
            }
        },
        parse_quote! {
            impl ClientHooks<Transport> for Client {
                async fn exec(
                    &self,
                    request: ::reqwest::Request,
                    info: &OperationInfo,
                ) -> ::reqwest::Result<::reqwest::Response> {
                    glue::exec(&self.inner, request, operations::get(info.operation_id)).await
                }
            }
        },
    ];
    client
}

/// The text of doc attributes.
pub fn doc_text(attributes: &[syn::Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    lines.join("\n")
}

/// The statics of all operations and the way to find one by its name.
pub fn operations(model: &Model, api: &str) -> Vec<Item> {
    let mut sorted: Vec<_> = model.operations.iter().collect();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    let statics = sorted.iter().map(|operation| -> Item {
        let ident = format_ident!("{}", operation.constant());
        let (id, path) = (&operation.id, &operation.path);
        let method = format_ident!("{}", operation.method);
        let body = match &operation.body {
            Some(media_type) => quote!(Some(#media_type)),
            None => quote!(None),
        };
        let streams = matches!(operation.answer, crate::model::Answer::Bytes(_));
        let doc = format!(" `{} {path}`", operation.method);
        parse_quote! {
            #[doc = #doc]
            pub static #ident: Operation = Operation {
                id: #id,
                api: #api,
                method: ::http::Method::#method,
                path: #path,
                request_body: #body,
                streams: #streams,
            };
        }
    });
    let mut items: Vec<Item> = statics.collect();
    let all = sorted
        .iter()
        .map(|operation| format_ident!("{}", operation.constant()));
    items.push(parse_quote! {
        /// Every operation of the API, sorted by [`Operation::id`].
        pub static ALL: &[&Operation] = &[#(&#all),*];
    });
    items.push(parse_quote! {
        /// The operation with an id; generated code asks for its own only.
        pub(crate) fn get(id: &str) -> &'static Operation {
            match ALL.binary_search_by(|operation| operation.id.cmp(id)) {
                Ok(found) => ALL[found],
                Err(_) => unreachable!("no operation is called {id}"),
            }
        }
    });
    items
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    fn model() -> Model {
        Model::new(&with_paths(json!({"/b/{id}": {"get": {
            "operationId": "get_b", "responses": {},
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
        }}, "/a": {"get": {"operationId": "list_a", "responses": {}}}})))
    }

    #[test]
    fn methods_keep_their_text_and_lose_the_example() {
        let file: syn::File = parse_quote! {
            impl Client {
                #[doc = "Fetch a B [x]\n\nSends a `GET` request to `/b/{id}`\n\n```ignore\nlet response;\n```"]
                pub fn get_b(&self) -> builder::GetB<'_> { builder::GetB::new(self) }
                pub fn new(baseurl: &str) -> Self { unimplemented() }
            }
        };
        let code = prettyplease::unparse(&crate::code::file(run(
            file.items,
            &model(),
            &mut Changes::default(),
        )));
        for line in [
            "/// Fetch a B \\[x\\]",
            "/// `GET /b/{id}`",
            "/// Needs `id`.",
            "pub fn new(transport: Transport)",
        ] {
            assert!(code.contains(line), "{line} in:\n{code}");
        }
        assert!(
            !code.contains("ignore") && !code.contains("unimplemented"),
            "{code}"
        );
    }

    #[test]
    fn operations_are_sorted_for_the_search() {
        let code = prettyplease::unparse(&crate::code::file(operations(&model(), "media")));
        assert!(code.contains("&[&GET_B, &LIST_A]"), "{code}");
        assert!(code.contains("path: \"/b/{id}\""), "{code}");
    }
}
