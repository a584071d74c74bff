//! Examples in the docs of generated calls: each compiles, none runs.

use proc_macro2::TokenStream;
use quote::quote;

/// The client of an example.
#[derive(Clone, Copy)]
pub struct Example<'a> {
    /// Name of its API.
    pub api: &'a str,
    /// It is the client of a project.
    pub scoped: bool,
}

impl Example<'_> {
    /// The crate of the API.
    pub fn crate_name(self) -> String {
        format!("mkio_{}", self.api)
    }

    /// A type of the API, or of the crates that it re-exports, by its full path.
    pub fn full(self, ty: &str) -> String {
        ty.replace(' ', "")
            .replace("types::", &format!("{}::types::", self.crate_name()))
            .replace("::reqwest", "mkio_core::reqwest")
            .replace("::serde_json", "mkio_core::serde_json")
    }

    /// The lines, in a function that has the client and these arguments.
    pub fn docs(self, arguments: &[String], lines: &[String]) -> TokenStream {
        let client = if self.scoped {
            "ProjectClient"
        } else {
            "Client"
        };
        let mut given = format!("{}: {}::{client}", self.api, self.crate_name());
        for argument in arguments {
            given += &format!(", {argument}");
        }
        let head = format!(" # async fn example({given}) -> mkio_core::Result<()> {{");
        let lines = lines.iter().map(|line| format!(" {line}"));
        quote! {
            #[doc = ""]
            #[doc = " # Example"]
            #[doc = ""]
            #[doc = " ```no_run"]
            #[doc = #head]
            #(#[doc = #lines])*
            #[doc = " # Ok(())"]
            #[doc = " # }"]
            #[doc = " ```"]
        }
    }
}

/// The word of a parameter: `asset` of `asset_name`.
pub fn word(parameter: &str) -> String {
    parameter.trim_end_matches("_name").replace('_', "-")
}

/// A name as a resource may have it, in quotes.
pub fn name(parameter: &str) -> String {
    format!("\"{}-1\"", word(parameter))
}
