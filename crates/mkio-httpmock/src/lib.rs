#![doc = include_str!("../README.md")]

#[rustfmt::skip]
mod generated {
    #![allow(clippy::all, reason = "generated code is checked where it is made")]

    #[cfg(feature = "channels")]
    pub mod channels;
    #[cfg(feature = "fleets")]
    pub mod fleets;
    #[cfg(feature = "infrastructure")]
    pub mod infrastructure;
    #[cfg(feature = "live")]
    pub mod live;
    #[cfg(feature = "management")]
    pub mod management;
    #[cfg(feature = "media")]
    pub mod media;
    #[cfg(feature = "templates")]
    pub mod templates;
}

#[allow(unused_imports, reason = "without a feature there is nothing to show")]
pub use generated::*;
pub use httpmock;

/// A regular expression for a path value as clients send it: percent-encoded where that is needed,
/// and perhaps where it is not.
#[cfg(any(
    feature = "channels",
    feature = "fleets",
    feature = "infrastructure",
    feature = "live",
    feature = "management",
    feature = "media",
    feature = "templates"
))]
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
