#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[rustfmt::skip]
mod generated;

#[allow(unused_imports, reason = "without a feature there is nothing to show")]
pub use generated::*;
pub use httpmock;

/// A regular expression for a path value as clients send it: percent-encoded where that is needed,
/// and perhaps where it is not.
#[allow(dead_code, reason = "without a feature there is nothing to match")]
fn path_value(value: &str) -> String {
    let pattern = |character: char| {
        let plain = character.to_string();
        let encoded: String = plain.bytes().map(|byte| format!("%{byte:02X}")).collect();
        match character {
            // As it is, it would end the value.
            '/' => format!("(?i:{encoded})"),
            _ => format!("(?:{}|(?i:{encoded}))", regex::escape(&plain)),
        }
    };
    value.chars().map(pattern).collect()
}
