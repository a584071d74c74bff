//! Types of arguments and responses, read from the request builders that progenitor makes.

use std::collections::HashMap;

use syn::{
    ImplItem, Item, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

use super::simplify::{argument_of, arguments_of};
use crate::names::type_name;

/// Types of each request.
#[derive(Default)]
pub struct Signatures(HashMap<String, Signature>);

#[derive(Default)]
struct Signature {
    arguments: HashMap<String, Type>,
    answer: Option<Type>,
}

impl Signatures {
    /// Reads the items of progenitor's module `builder`.
    pub fn of(builders: &[Item]) -> Self {
        let mut all = Self::default();
        for item in builders {
            match item {
                Item::Struct(item) => {
                    let signature = all.0.entry(item.ident.to_string()).or_default();
                    for field in &item.fields {
                        let value = arguments_of(&field.ty, "Result");
                        let value = value.and_then(|arguments| arguments.first().copied());
                        if let (Some(ident), Some(value)) = (&field.ident, value) {
                            let value = argument_of(value, "Option").unwrap_or(value);
                            signature.arguments.insert(ident.to_string(), short(value));
                        }
                    }
                }
                Item::Impl(item) => {
                    let Type::Path(path) = &*item.self_ty else {
                        continue;
                    };
                    let Some(last) = path.path.segments.last() else {
                        continue;
                    };
                    let signature = all.0.entry(last.ident.to_string()).or_default();
                    for method in &item.items {
                        if let ImplItem::Fn(method) = method
                            && method.sig.ident == "send"
                            && let syn::ReturnType::Type(_, output) = &method.sig.output
                        {
                            let response = arguments_of(output, "Result");
                            let response = response.and_then(|all| all.first().copied());
                            signature.answer = response
                                .and_then(|response| argument_of(response, "ResponseValue"))
                                .map(short);
                        }
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// Names of the requests that there are builders for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Type of an argument of an operation.
    pub fn argument(&self, operation: &str, ident: &str) -> Type {
        let signature = self.0.get(&type_name(operation));
        let ty = signature.and_then(|signature| signature.arguments.get(ident));
        ty.cloned().unwrap_or_else(|| parse_quote!(String))
    }

    /// Type of an operation's response.
    pub fn answer(&self, operation: &str) -> Type {
        let signature = self.0.get(&type_name(operation));
        let ty = signature.and_then(|signature| signature.answer.clone());
        ty.unwrap_or_else(|| parse_quote!(()))
    }
}

/// The type as the generated modules write it.
fn short(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Short.visit_type_mut(&mut ty);
    ty
}

struct Short;

impl VisitMut for Short {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let last = path.segments.last().cloned();
        match names[..] {
            ["types", "builder", _] | ["crate", "types", _] => *path = parse_quote!(types::#last),
            ["chrono", "DateTime"] => *path = parse_quote!(::mkio_core::Timestamp),
            ["std", .., "String" | "Option" | "Vec" | "Box"] => *path = parse_quote!(#last),
            ["reqwest", "Body"] => *path = parse_quote!(::reqwest::Body),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn types_are_read_from_builders() {
        let file: syn::File = parse_quote! {
            pub struct ListAssets<'a> {
                client: &'a super::Client,
                top: Result<Option<u32>, String>,
                label: Result<Option<::std::vec::Vec<::std::string::String>>, String>,
                body: Result<types::builder::Query, String>,
                since: Result<::chrono::DateTime<::chrono::offset::Utc>, String>,
            }
            impl<'a> ListAssets<'a> {
                pub async fn send(self) -> Result<ResponseValue<types::AssetList>, Error<types::Error>> {}
            }
        };
        let signatures = Signatures::of(&file.items);
        let text = |ty: Type| ty.to_token_stream().to_string();
        let argument = |ident| text(signatures.argument("list_assets", ident));
        assert_eq!(argument("top"), "u32");
        assert_eq!(argument("label"), "Vec < String >");
        assert_eq!(argument("body"), "types :: Query");
        assert_eq!(argument("since"), ":: mkio_core :: Timestamp");
        assert_eq!(text(signatures.answer("list_assets")), "types :: AssetList");
    }
}
