//! Fields of generated structures.

use syn::Type;

use crate::model::Need;

/// A generated field.
pub struct FieldCode {
    pub ident: syn::Ident,
    pub json: String,
    pub ty: Type,
    pub settable: bool,
    /// A demanded field is always sent, as a value or as null.
    pub need: Need,
    /// The function that reads it, if its type does not.
    pub reader: Option<Reader>,
    pub description: String,
}

/// A function of the runtime that reads a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Numbers and flags may be text; elements that do not decode are left out.
    Lenient,
    /// A value that does not decode counts as absent.
    OrNone,
}
