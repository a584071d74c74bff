//! Where a JSON pointer leads to in the types of a document.

use crate::{
    model::{Model, Shape},
    types,
};

/// The target of a pointer in a type.
pub(super) enum Place {
    /// A named type.
    Type(String),
    /// Something else, or what the document leaves open.
    Open,
    /// Nothing: the type that lacks the next part.
    Nowhere(String),
}

pub(super) fn place(model: &Model, name: &str, pointer: &str) -> Place {
    let mut current = crate::document::reference(name);
    let mut owner = name.to_owned();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match types::named_type(&current) {
            Some(name) => {
                owner = name.to_owned();
                match model.types.get(name).map(|of| &of.shape) {
                    Some(Shape::Struct(fields)) => {
                        fields.get(&part).map(|field| field.schema.clone())
                    }
                    Some(Shape::Union { variants, .. }) => {
                        let mut found = variants.iter().filter_map(|variant| {
                            match &model.types.get(&variant.member)?.shape {
                                Shape::Struct(fields) => Some(fields.get(&part)?.schema.clone()),
                                _ => None,
                            }
                        });
                        found.next()
                    }
                    Some(Shape::Enum(_)) => None,
                    Some(Shape::Secret) | None => return Place::Open,
                }
            }
            None if current["type"] == "array" => {
                // `key=value` is the item with that value.
                let index = part == "*" || part.contains('=') || part.parse::<usize>().is_ok();
                index.then(|| current["items"].clone())
            }
            None if current.get("type").is_none() || current["type"] == "object" => {
                return Place::Open;
            }
            None => None,
        };
        match next {
            Some(next) => current = next,
            None => return Place::Nowhere(owner),
        }
    }
    types::named_type(&current).map_or(Place::Open, |name| Place::Type(name.to_owned()))
}
