//! Calls by name: the functions around the catalog.

use syn::{Item, parse_quote};

/// The items of the module.
pub fn run() -> Vec<Item> {
    vec![
        parse_quote! {
            /// The request of an operation, by its name, with its arguments as JSON: parameters by the
            /// names that the document gives them (`$top`), the body under `body`. Nothing is sent.
            ///
            /// # Errors
            ///
            /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when there is no such
            /// operation, an argument is missing, does not fit or is unknown, or the body has a member
            /// that its type does not know; the message names the nearest name that is known.
            pub fn request(
                client: &Client,
                operation: &str,
                arguments: &Map<String, Value>,
            ) -> Result<::reqwest::Request> {
                CATALOG.entry(operation)?.request(client.transport(), arguments)
            }
        },
        parse_quote! {
            /// Calls an operation by its name, with its arguments as in [`request`].
            ///
            /// For tools that learn only at run time what to call. [`DynamicResponse::value`] is the response as its
            /// type knows it, [`Response::json`] as it was received; `json_masked` of the response hides
            /// secrets. A response that is not JSON is `null`, with its bytes in [`Response::raw`].
            ///
            /// # Errors
            ///
            /// Those of [`request`]; otherwise as the operation's own `send`.
            pub async fn call(
                client: &Client,
                operation: &str,
                arguments: &Map<String, Value>,
            ) -> Result<Response<DynamicResponse>> {
                CATALOG.entry(operation)?.call(client.transport(), arguments).await
            }
        },
        parse_quote! {
            /// The pages of a list by its name, with its arguments as in [`request`]. Nothing is sent
            /// before the first poll; [`Pages::items`] gives the items one by one, and a resume token
            /// goes on where another process has stopped.
            ///
            /// # Errors
            ///
            /// Those of [`request`]; kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest)
            /// when the operation returns no list.
            pub fn pages(
                client: &Client,
                operation: &str,
                arguments: &Map<String, Value>,
            ) -> Result<Pages<AnyPage>> {
                CATALOG.entry(operation)?.pages(client.transport(), arguments)
            }
        },
    ]
}
