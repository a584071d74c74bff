//! From a normalised document to Rust code, by progenitor.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe, catch_unwind},
    sync::Once,
    thread,
};

use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle};

use crate::{
    document::{Document, Problem},
    model::{Model, Shape},
};

/// The client, as progenitor makes it.
pub struct Generated {
    pub client: syn::File,
}

/// Runs progenitor. Enums, unions and secrets are replaced: the refine step writes their code.
pub fn run(document: &Document, model: &Model) -> Result<Generated, Problem> {
    let refused = |found: String| {
        document.problem(
            "",
            found,
            "a document that progenitor understands; a pass or an overlay action is missing",
        )
    };
    let spec: openapiv3::OpenAPI = serde_json::from_value(document.root.clone())
        .map_err(|error| refused(format!("no OpenAPI 3.0 document after the passes: {error}")))?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap");
    for (name, of) in &model.types {
        if !matches!(of.shape, Shape::Struct(_)) {
            settings.with_replacement(name, format!("crate::types::{name}"), [].into_iter());
        }
    }
    // progenitor panics in branches that it does not support; the reason is worth more than
    // a backtrace.
    let outcome = quietly(|| {
        let mut generator = Generator::new(&settings);
        let client = generator.generate_tokens(&spec);
        client.map_err(|error| error.to_string())
    });
    let client = match outcome {
        Ok(result) => result.map_err(refused)?,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            return Err(refused(format!(
                "something that makes progenitor give up: {}",
                text.unwrap_or("no reason given")
            )));
        }
    };
    let client = syn::parse2(client)
        .map_err(|error| refused(format!("unreadable client code: {error}")))?;
    Ok(Generated { client })
}

/// Runs `f`; a panic in it prints nothing. Panics of other threads print as ever.
fn quietly<T>(f: impl FnOnce() -> T) -> thread::Result<T> {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(false);
    outcome
}
