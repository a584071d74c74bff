//! Rules for Rust code, one file each: from the model to the items of the generated modules.

mod client;
pub mod docs;
mod enums;
mod mock;
pub mod requests;
mod setters;
mod signatures;
mod simplify;
mod structs;
mod unions;

pub use client::operations;
pub use signatures::Signatures;
pub use simplify::arguments_of;
pub use structs::is_url;
use syn::Item;

use crate::{
    document::{Document, Problem},
    model::{Model, Shape},
    report::Report,
};

/// Items of the generated modules, by module.
pub struct Code {
    pub types: Vec<Item>,
    pub client: Vec<Item>,
    pub builder: Vec<Item>,
    pub mock: Vec<Item>,
    pub signatures: Signatures,
}

/// Runs all rules.
pub fn run(document: &Document, model: &Model, report: &mut Report) -> Result<Code, Problem> {
    let structs = report.step("structs", |changes| structs::run(document, model, changes))?;
    let enums = report.step("enums", |changes| enums::run(model, changes));
    let unions = report.step("unions code", |changes| unions::run(model, changes));
    let signatures = Signatures::of(model);
    let builder = report.step("requests", |changes| {
        requests::run(&signatures, document, model, changes)
    })?;
    let client = report.step("client", |changes| {
        client::run(&document.api, model, &signatures, changes)
    });
    let mock = report.step("mock", |changes| mock::run(&document.api, model, changes));
    let mut types: Vec<(String, Vec<Item>)> =
        structs.into_iter().chain(enums).chain(unions).collect();
    types.sort_by(|(a, _), (b, _)| a.cmp(b));
    if let Some((name, _)) = model.types.iter().find(|(name, of)| {
        !matches!(of.shape, Shape::Secret) && !types.iter().any(|(known, _)| known == *name)
    }) {
        return Err(document.problem(
            format!("/components/schemas/{name}"),
            "a type that no code was made for",
            "a structure, a string enum or a tagged union",
        ));
    }
    Ok(Code {
        types: types.into_iter().flat_map(|(_, items)| items).collect(),
        client,
        builder,
        mock,
        signatures,
    })
}
