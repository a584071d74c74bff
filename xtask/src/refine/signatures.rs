//! Types of arguments and responses, as the modules around `types` write them.

use std::collections::HashMap;

use quote::format_ident;
use syn::{Type, parse_quote};

use crate::{
    media::{Kind, kind},
    model::{Model, Operation, ResponseShape},
    types,
};

/// Types of each operation.
#[derive(Default)]
pub struct Signatures(HashMap<String, Signature>);

struct Signature {
    arguments: HashMap<String, Type>,
    response: Type,
}

impl Signatures {
    /// The types of all operations.
    pub fn of(model: &Model) -> Self {
        let operations = model.operations.iter();
        Self(
            operations
                .map(|operation| (operation.id.clone(), signature(operation)))
                .collect(),
        )
    }

    /// Type of an argument of an operation.
    pub fn argument(&self, operation: &str, ident: &str) -> Type {
        let signature = self.0.get(operation);
        let ty = signature.and_then(|signature| signature.arguments.get(ident));
        ty.cloned().unwrap_or_else(|| parse_quote!(String))
    }

    /// Type of an operation's response.
    pub fn response_type(&self, operation: &str) -> Type {
        let signature = self.0.get(operation);
        signature.map_or_else(|| parse_quote!(()), |signature| signature.response.clone())
    }
}

fn signature(operation: &Operation) -> Signature {
    let parameters = operation.parameters.iter();
    let mut arguments: HashMap<String, Type> = parameters
        .map(|parameter| (parameter.ident.clone(), parameter.ty.clone()))
        .collect();
    if let (Some(media_type), Some(schema)) = (&operation.body, &operation.body_schema) {
        let ty = match kind(media_type) {
            Ok(Kind::Json | Kind::Form) => types::outside(schema),
            _ => parse_quote!(::reqwest::Body),
        };
        arguments.insert("body".to_owned(), ty);
    }
    let response = match &operation.response {
        ResponseShape::Empty => parse_quote!(()),
        ResponseShape::Json(schema) => types::outside(schema),
        ResponseShape::Bytes(_) => {
            let stream = format_ident!("ByteStream");
            parse_quote!(#stream)
        }
    };
    Signature {
        arguments,
        response,
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    #[test]
    fn types_follow_from_the_model() {
        let thing = crate::document::reference("Thing");
        let of = |media_type: &str, schema: &serde_json::Value| json!({"content": {media_type: {"schema": schema}}});
        let model = Model::new(&with_paths(json!({"/a": {
            "put": {
                "operationId": "put_a",
                "parameters": [
                    {"name": "$top", "in": "query", "schema": {"type": "integer", "format": "uint32"}},
                    {"name": "kind", "in": "query", "schema": thing},
                ],
                "requestBody": of("application/json", &json!({"type": "array", "items": thing})),
                "responses": {"2XX": of("application/json", &thing)},
            },
            "post": {
                "operationId": "post_a",
                "requestBody": of("application/octet-stream", &json!({})),
                "responses": {"2XX": {}},
            },
        }})));
        let signatures = Signatures::of(&model);
        let text = |ty: Type| ty.to_token_stream().to_string().replace(' ', "");
        let argument = |ident| text(signatures.argument("put_a", ident));
        assert_eq!(argument("top"), "u32");
        assert_eq!(argument("kind"), "types::Thing");
        assert_eq!(argument("body"), "Vec<types::Thing>");
        assert_eq!(text(signatures.response_type("put_a")), "types::Thing");
        assert_eq!(
            text(signatures.argument("post_a", "body")),
            "::reqwest::Body"
        );
        assert_eq!(text(signatures.response_type("post_a")), "()");
    }
}
