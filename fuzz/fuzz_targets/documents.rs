//! OpenAPI documents and overlays: a crate, or an error in words.
#![cfg_attr(fuzzing, no_main)]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The overlay follows the document, after a separator line.
    let (document, overlay) = match text.split_once("\n---\n") {
        Some((document, overlay)) => (document, Some(overlay)),
        None => (text, None),
    };
    if let Err(error) = xtask::try_generate(document, overlay) {
        assert!(!format!("{error:#}").is_empty());
    }
});

#[cfg(not(fuzzing))]
fn main() {}
