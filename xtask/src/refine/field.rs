//! Fields of structures, as they will be written.

use syn::Type;

use crate::model::Need;

/// A field as it will be written.
pub struct FieldCode {
    pub ident: syn::Ident,
    pub json: String,
    pub ty: Type,
    pub settable: bool,
    /// What is demanded is always sent, as a value or as null.
    pub need: Need,
    /// How it is read, where that is not by its type alone.
    pub reader: Option<Reader>,
    pub description: String,
}

/// A function of the runtime that reads a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Numbers and flags may be text; elements that are of no use are left out.
    Lenient,
    /// What does not decode is not there.
    OrNone,
}
