//! Looking into types such as `Option<Vec<String>>`.

use syn::Type;

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

/// True for a map, of known or of any content.
pub fn is_map(ty: &Type) -> bool {
    arguments_of(ty, "BTreeMap").is_some() || arguments_of(ty, "Map").is_some()
}

/// True for a type that is just this name.
pub fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn arguments_are_those_of_the_outer_type() {
        let ty: Type = parse_quote!(::std::option::Option<BTreeMap<String, A>>);
        let inner = argument_of(&ty, "Option").unwrap();
        assert!(is_map(inner) && argument_of(inner, "BTreeMap").is_none());
        let [key, value] = arguments_of(inner, "BTreeMap").unwrap()[..] else {
            panic!("two arguments");
        };
        assert!(is_named(key, "String") && is_named(value, "A") && !is_named(inner, "A"));
    }
}
