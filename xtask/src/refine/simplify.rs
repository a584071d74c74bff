//! Looking into types: their arguments, their names.

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
        let ty: Type = parse_quote!(Option<Vec<String>>);
        let inner: Type = parse_quote!(Vec<String>);
        assert_eq!(argument_of(&ty, "Option"), Some(&inner));
        assert_eq!(argument_of(&ty, "Vec"), None);
        let map: Type = parse_quote!(BTreeMap<String, u32>);
        assert_eq!(arguments_of(&map, "BTreeMap").map(|all| all.len()), Some(2));
        assert!(is_named(&parse_quote!(bool), "bool") && !is_named(&map, "bool"));
    }
}
