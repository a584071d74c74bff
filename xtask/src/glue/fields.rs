//! Typed fields to filter and order lists by, from `x-mkio-sort` and `x-mkio-filter`.

use quote::{format_ident, quote};
use syn::{Item, parse_quote};

use crate::{
    model::{Model, Operation},
    names::snake_name,
};

/// Last parts of fields that hold points in time.
const TIMES: [&str; 6] = [
    "created",
    "updated",
    "lastModified",
    "startTime",
    "endTime",
    "lastContact",
];
/// Last parts of fields that hold numbers.
const NUMBERS: [&str; 2] = ["scaleUnits", "alarmSeverity"];
/// Last parts of fields that hold flags.
const FLAGS: [&str; 1] = ["isActive"];

/// Name of the module with the fields of a list; none when the document names no field.
pub fn module(operation: &Operation) -> Option<String> {
    let named = !operation.sort.is_empty() || !operation.filter.is_empty();
    let list = operation.id.strip_prefix("list_").unwrap_or(&operation.id);
    named.then(|| list.to_owned())
}

/// The items of the module; none when no list of the API names fields.
pub fn run(model: &Model) -> Vec<Item> {
    let lists = model
        .operations
        .iter()
        .filter_map(|operation| Some((operation, module(operation)?)));
    lists
        .map(|(operation, name)| {
            let module = format_ident!("{name}");
            let doc = format!(" Fields of [`Client::{}`](super::Client::{}).", operation.id, operation.id);
            let mut paths: Vec<&String> = operation.sort.iter().chain(&operation.filter).collect();
            paths.sort();
            paths.dedup();
            let fields = paths.into_iter().map(|path| field(operation, path));
            parse_quote! {
                #[doc = #doc]
                pub mod #module {
                    use mkio_core::page::query::{Both, Field, FilterOnly, Flag, Number, SortOnly, Text, Time};

                    /// The list that these fields belong to.
                    #[derive(Debug, Clone, Copy)]
                    pub enum List {}

                    #(#fields)*
                }
            }
        })
        .collect()
}

fn field(operation: &Operation, path: &str) -> proc_macro2::TokenStream {
    let ident = format_ident!("{}", snake_name(path).trim_end_matches('_').to_uppercase());
    let last = path.rsplit('/').next().unwrap_or(path);
    let kind = if TIMES.contains(&last) {
        quote!(Time)
    } else if NUMBERS.contains(&last) {
        quote!(Number)
    } else if FLAGS.contains(&last) {
        quote!(Flag)
    } else {
        quote!(Text)
    };
    let has = |fields: &[String]| fields.iter().any(|field| field == path);
    let usage = match (has(&operation.sort), has(&operation.filter)) {
        (true, false) => quote!(SortOnly),
        (false, true) => quote!(FilterOnly),
        _ => quote!(Both),
    };
    let doc = format!(" `{path}`.");
    quote! {
        #[doc = #doc]
        pub const #ident: Field<List, #kind, #usage> = Field::new(#path);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::with_paths;

    #[test]
    fn fields_have_their_kind_and_use() {
        let model = Model::new(&with_paths(json!({"/a": {"get": {
            "operationId": "list_assets", "responses": {},
            "x-mkio-sort": ["properties/created", "type"], "x-mkio-filter": ["properties/created", "name"],
        }}})));
        let code = prettyplease::unparse(&crate::code::file(run(&model)));
        // Long lines are broken.
        let code: Vec<_> = code.split_whitespace().collect();
        let code = code.join(" ").replace("( ", "(").replace(", )", ")");
        for line in [
            "pub mod assets",
            "pub const PROPERTIES_CREATED: Field<List, Time, Both> = Field::new(\"properties/created\");",
            "pub const TYPE: Field<List, Text, SortOnly> = Field::new(\"type\");",
            "pub const NAME: Field<List, Text, FilterOnly> = Field::new(\"name\");",
        ] {
            assert!(code.contains(line), "{line} in {code}");
        }
    }
}
