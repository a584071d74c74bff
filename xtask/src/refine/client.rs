//! The client of an API: a method for each operation that starts its request.

use quote::{format_ident, quote};
use syn::{Item, parse_quote};

use super::{Signatures, requests};
use crate::{apis::Api, model::Model, report::Changes};

pub fn run(api: &Api, model: &Model, signatures: &Signatures, changes: &mut Changes) -> Vec<Item> {
    let owner = requests::Owner { api, scoped: false };
    let methods = model.operations.iter().map(|operation| {
        changes.note(&operation.id);
        requests::method(operation, signatures, owner)
    });
    let methods: Vec<_> = methods.collect();
    vec![
        parse_quote! {
            /// The client: starts a request for each operation of the API.
            ///
            /// Cheap to clone; clones share connections, budgets and the token.
            #[derive(Clone, Debug)]
            pub struct Client {
                transport: Transport,
            }
        },
        parse_quote! {
            impl Client {
                /// A client that sends its requests through a transport.
                pub fn new(transport: Transport) -> Self {
                    Self { transport }
                }

                /// The transport that requests go through.
                pub fn transport(&self) -> &Transport {
                    &self.transport
                }

                /// Returns a client whose calls have other retries, timeouts or priority.
                #[must_use]
                pub fn with(&self, options: CallOptions) -> Self {
                    Self::new(self.transport.with(options))
                }
            }
        },
        parse_quote!(impl Client { #(#methods)* }),
    ]
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
        let streams = matches!(operation.response, crate::model::ResponseShape::Bytes(_));
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
    items
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::{self, with_paths};

    fn model() -> Model {
        Model::new(&with_paths(json!({"/b/{id}": {"get": {
            "operationId": "get_b", "responses": {}, "summary": "Fetch a B [x]",
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
        }}, "/a": {"get": {"operationId": "list_a", "responses": {}}}})))
    }

    #[test]
    fn methods_say_what_their_document_says() {
        let code = run(
            &testing::api(),
            &model(),
            &Signatures::default(),
            &mut Changes::default(),
        );
        let code = prettyplease::unparse(&crate::code::file(code));
        for line in [
            "/// Fetch a B \\[x\\]",
            "/// `GET /b/{id}`",
            "pub fn get_b(&self, id: impl AsRef<str>) -> builder::GetB",
            "pub fn new(transport: Transport)",
        ] {
            assert!(code.contains(line), "{line} in:\n{code}");
        }
    }

    #[test]
    fn operations_are_sorted_for_the_search() {
        let code = prettyplease::unparse(&crate::code::file(operations(&model(), "media")));
        assert!(code.contains("&[&GET_B, &LIST_A]"), "{code}");
        assert!(code.contains("path: \"/b/{id}\""), "{code}");
    }
}
