//! Calls by name: every operation with its arguments as JSON, through the typed request.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Item, Type, parse_quote};

use crate::{
    model::{Answer, Model, Operation, Parameter},
    refine::Signatures,
};

/// The items of the module.
pub fn run(model: &Model, signatures: &Signatures) -> Vec<Item> {
    let arms = model
        .operations
        .iter()
        .map(|operation| arm(operation, signatures));
    vec![
        parse_quote! {
            /// Calls an operation by its name, with its arguments as JSON: parameters by the names
            /// that the document gives them (`$top`), the body under `body`.
            ///
            /// For tools that learn only at run time what to call. The arguments pass through the
            /// typed request and the answer through its type. An answer that is no JSON is `null`, with
            /// its bytes in [`Response::raw`].
            ///
            /// # Errors
            ///
            /// Kind [`InvalidRequest`](mkio_core::ErrorKind::InvalidRequest) when there is no such operation
            /// or an argument does not fit; otherwise as the operation's own `send`.
            pub async fn call(
                client: &Client,
                operation: &str,
                arguments: &Map<String, Value>,
            ) -> Result<Response<Value>> {
                let (request, operation, retype) = prepare(client, operation, arguments)?;
                glue::dynamic::send(client.transport(), request, operation, retype).await
            }
        },
        parse_quote! {
            fn prepare(
                client: &Client,
                operation: &str,
                arguments: &Map<String, Value>,
            ) -> Result<(::reqwest::Request, &'static Operation, glue::dynamic::Retype)> {
                match operation {
                    #(#arms)*
                    unknown => Err(glue::dynamic::unknown(super::API, unknown)),
                }
            }
        },
    ]
}

fn arm(operation: &Operation, signatures: &Signatures) -> syn::Arm {
    let (id, ident) = (&operation.id, format_ident!("{}", operation.id));
    let constant = format_ident!("{}", operation.constant());
    let given = operation.required().into_iter().map(|parameter| {
        let (name, ty) = (&parameter.name, argument(operation, parameter, signatures));
        quote! {
            glue::dynamic::required(
                operation, #name, glue::dynamic::argument::<#ty>(operation, arguments, #name)?
            )?
        }
    });
    let body_type = match signatures.argument(id, "body") {
        // Bytes come as text.
        ty if quote!(#ty).to_string().contains("reqwest") => parse_quote!(String),
        ty => ty,
    };
    let body = operation.body_required.then(|| {
        quote! {
            glue::dynamic::required(
                operation, "body", glue::dynamic::body::<#body_type>(operation, arguments)?
            )?
        }
    });
    let given = given.chain(body);
    let optional = operation.parameters.iter().filter(|p| !p.required);
    let set = optional.map(|parameter| set(operation, parameter, signatures));
    let body = (operation.body.is_some() && !operation.body_required).then(|| {
        quote! {
            if let Some(value) = glue::dynamic::body::<#body_type>(operation, arguments)? {
                request = request.body(value);
            }
        }
    });
    let retype = match &operation.answer {
        Answer::Empty => quote!(glue::dynamic::Retype::Empty),
        Answer::Bytes(_) => quote!(glue::dynamic::Retype::Bytes),
        Answer::Json(_) => {
            let ty = signatures.answer(id);
            quote!(glue::dynamic::Retype::json::<#ty>())
        }
    };
    parse_quote! {
        #id => {
            let operation = &operations::#constant;
            #[allow(unused_mut)]
            let mut request = client.#ident(#(#given),*);
            #(#set)*
            #body
            Ok((request.into_request()?, operation, #retype))
        }
    }
}

/// Hands an optional parameter on, where it is given.
fn set(operation: &Operation, parameter: &Parameter, signatures: &Signatures) -> TokenStream {
    let (name, setter) = (&parameter.name, format_ident!("{}", parameter.ident));
    let ty = argument(operation, parameter, signatures);
    let value = quote!(glue::dynamic::argument::<#ty>(operation, arguments, #name)?);
    if parameter.many {
        quote! {
            for value in #value.unwrap_or_default() {
                request = request.#setter(value);
            }
        }
    } else {
        quote! {
            if let Some(value) = #value {
                request = request.#setter(value);
            }
        }
    }
}

fn argument(operation: &Operation, parameter: &Parameter, signatures: &Signatures) -> Type {
    if parameter.many {
        parse_quote!(Vec<String>)
    } else {
        signatures.argument(&operation.id, &parameter.ident)
    }
}
