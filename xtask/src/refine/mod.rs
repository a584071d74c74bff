//! Rules for Rust code, one file each: from the model to the items of the generated modules.

mod accessors;
mod client;
mod constructors;
mod conversions;
pub mod docs;
mod enums;
pub mod example;
mod field;
mod mock;
mod occurrences;
pub mod requests;
mod setters;
mod signatures;
mod simplify;
mod state;
mod structs;
mod unions;

pub use client::operations;
use occurrences::Occurrences;
pub use signatures::Signatures;
pub use simplify::arguments_of;
pub use structs::is_url;
use syn::Item;

use crate::{
    document::{Document, Problem},
    model::Model,
    report::Report,
    states::States,
};

/// Items of the generated modules, by module.
pub struct Code {
    /// Types by name.
    pub types: Vec<(String, Vec<Item>)>,
    /// Types that the runtime has for several APIs.
    pub shared: Vec<(String, Vec<Item>)>,
    pub client: Vec<Item>,
    pub builder: Vec<Item>,
    pub mock: Vec<Item>,
    pub signatures: Signatures,
}

impl Code {
    /// Leaves the types of these names to the runtime.
    pub fn sharing(mut self, names: &[&str]) -> Self {
        let all = std::mem::take(&mut self.types).into_iter();
        (self.shared, self.types) = all.partition(|(name, _)| names.contains(&name.as_str()));
        self
    }
}

/// Runs all rules.
pub fn run(
    document: &Document,
    model: &Model,
    states: &States,
    report: &mut Report,
) -> Result<Code, Problem> {
    let types = types(document, model, states, report)?;
    let signatures = Signatures::of(model);
    let builder = report.step("requests", |changes| {
        requests::run(&signatures, document, model, changes)
    })?;
    let client = report.step("client", |changes| {
        client::run(&document.api, model, &signatures, changes)
    });
    let mock = report.step("mock", |changes| mock::run(&document.api, model, changes));
    Ok(Code {
        types,
        shared: Vec::new(),
        client,
        builder,
        mock,
        signatures,
    })
}

/// The code of all types, by their names.
pub fn types(
    document: &Document,
    model: &Model,
    states: &States,
    report: &mut Report,
) -> Result<Vec<(String, Vec<Item>)>, Problem> {
    let occurrences = Occurrences::of(model);
    let mut types = report.step("structs", |changes| {
        structs::run(document, model, &occurrences, states, changes)
    })?;
    types.extend(report.step("enums", |changes| enums::run(model, &occurrences, changes)));
    types.extend(report.step("unions code", |changes| {
        unions::run(model, &occurrences, changes)
    }));
    types.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(types)
}
