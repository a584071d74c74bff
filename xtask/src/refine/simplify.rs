//! Short paths in types: `::std::option::Option<::std::string::String>` reads `Option<String>`,
//! times become the runtime's `Timestamp`.

use syn::{
    Path, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

/// Shortens the paths of a type.
pub fn type_paths(ty: &mut Type) {
    Shorten.visit_type_mut(ty);
}

struct Shorten;

impl VisitMut for Shorten {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match names[..] {
            ["chrono", "DateTime"] => *path = parse_quote!(Timestamp),
            ["std", .., "String" | "Option" | "Vec" | "Box" | "BTreeMap"]
            | ["serde_json", "Value"]
            | ["crate", "types", _] => {
                if let Some(last) = path.segments.last().cloned() {
                    path.leading_colon = None;
                    path.segments = std::iter::once(last).collect();
                }
            }
            _ => {}
        }
    }
}

/// The single type argument of `Outer<T>`.
pub fn argument_of<'a>(ty: &'a Type, outer: &str) -> Option<&'a Type> {
    arguments_of(ty, outer).and_then(|arguments| match arguments[..] {
        [one] => Some(one),
        _ => None,
    })
}

/// The type arguments of `Outer<…>`.
pub fn arguments_of<'a>(ty: &'a Type, outer: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != outer {
        return None;
    }
    match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => Some(
            arguments
                .args
                .iter()
                .filter_map(|argument| match argument {
                    syn::GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                })
                .collect(),
        ),
        _ => None,
    }
}

/// True for a type that is just this name.
pub fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[test]
    fn paths_get_short() {
        let long = "::std::option::Option<\
                    ::std::collections::BTreeMap<::std::string::String, crate::types::A>>";
        let mut ty: Type = syn::parse_str(long).unwrap();
        type_paths(&mut ty);
        let short: Type = parse_quote!(Option<BTreeMap<String, A>>);
        let text = |ty: &Type| ty.to_token_stream().to_string().replace(", >", ">");
        assert_eq!(text(&ty), text(&short));
        let mut time: Type = parse_quote!(::chrono::DateTime<::chrono::offset::Utc>);
        type_paths(&mut time);
        assert!(is_named(&time, "Timestamp"));
    }
}
