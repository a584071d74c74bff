//! Turning names of the documents into Rust names.

use heck::{ToPascalCase, ToSnakeCase};

/// Rust keywords that cannot be used as identifiers as they are.
const KEYWORDS: [&str; 51] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type",
    "unsafe", "use", "where", "while", "abstract", "become", "box", "do", "final", "gen", "macro",
    "override", "priv", "try", "typeof", "unsized", "virtual",
];

/// Names of generated code, which no type of a document can have.
pub const RESERVED_TYPES: [&str; 52] = [
    "Action",
    "Arc",
    "AsMut",
    "AsRef",
    "BTreeMap",
    "Body",
    "Box",
    "ByteStream",
    "CallOptions",
    "Client",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deserialize",
    "Drop",
    "Duration",
    "Eq",
    "Err",
    "Extend",
    "Filter",
    "From",
    "Hash",
    "Into",
    "IntoIterator",
    "Items",
    "Iterator",
    "Map",
    "None",
    "Nullable",
    "Ok",
    "Option",
    "OrderBy",
    "Pages",
    "PartialEq",
    "ProjectClient",
    "Request",
    "Response",
    "Result",
    "Secret",
    "Self",
    "Send",
    "Serialize",
    "Sized",
    "Some",
    "String",
    "Sync",
    "Timestamp",
    "ToString",
    "Transport",
    "Value",
    "Vec",
];

/// A type name: `IPRange` becomes `IpRange`.
pub fn type_name(name: &str) -> String {
    let name = words(name).to_pascal_case();
    lead_with_letter(name, "V")
}

/// A name of a field, parameter or function: `archiveWindowLength` becomes
/// `archive_window_length`.
pub fn snake_name(name: &str) -> String {
    let name = words(name).to_snake_case();
    let name = lead_with_letter(name, "v_");
    if KEYWORDS.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

/// The name of a variant for a value of a string enum: `5.1` becomes `V5_1`.
pub fn variant_name(value: &str) -> String {
    if value.is_empty() {
        return "Empty".to_owned();
    }
    let mut spaced = String::new();
    for c in value.chars() {
        match c {
            '.' | ',' => spaced.push('_'),
            '+' => spaced.push_str(" plus "),
            c if in_names(c) => spaced.push(c),
            _ => spaced.push(' '),
        }
    }
    let name: String = spaced
        .split_whitespace()
        .map(|word| {
            word.split('_')
                .map(|part| part.to_pascal_case())
                .collect::<Vec<_>>()
                .join("_")
        })
        .collect();
    let name = join_digits_only(&name);
    let name = lead_with_letter(name, "V");
    if KEYWORDS.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

/// The singular of the last word: `streamingPolicies` becomes `streamingPolicy`.
pub fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        format!("{stem}y")
    } else if name.ends_with("ss") {
        name.to_owned()
    } else {
        name.strip_suffix('s').unwrap_or(name).to_owned()
    }
}

fn words(name: &str) -> String {
    name.chars()
        .map(|c| if in_names(c) { c } else { ' ' })
        .collect()
}

/// Whether a character can stand in a Rust name.
fn in_names(c: char) -> bool {
    let plain = c.is_ascii_alphanumeric();
    plain || (c.is_alphanumeric() && syn::parse_str::<syn::Ident>(&format!("a{c}")).is_ok())
}

fn lead_with_letter(name: String, prefix: &str) -> String {
    if name.is_empty() || !name.starts_with(|c: char| c.is_alphabetic()) {
        format!("{prefix}{name}")
    } else {
        name
    }
}

/// Underscores stay only where they keep two digits apart.
fn join_digits_only(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let digit = |i: Option<usize>| {
        i.and_then(|i| chars.get(i))
            .is_some_and(char::is_ascii_digit)
    };
    chars
        .iter()
        .enumerate()
        .filter(|(i, c)| **c != '_' || (digit(i.checked_sub(1)) && digit(Some(i + 1))))
        .map(|(_, c)| *c)
        .collect()
}

/// The name, or the name with the first number that makes it new; it is taken from then on.
pub fn take_free(taken: &mut Vec<String>, name: String) -> String {
    let mut free = name.clone();
    let mut number = 2;
    while taken.contains(&free) {
        free = format!("{name}{number}");
        number += 1;
    }
    taken.push(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rust() {
        assert_eq!(type_name("AIPipelinePreset"), "AiPipelinePreset");
        assert_eq!(type_name("ODataPage_Channel_"), "ODataPageChannel");
        assert_eq!(snake_name("archiveWindowLength"), "archive_window_length");
        assert_eq!(snake_name("@odata.nextLink"), "odata_next_link");
        assert_eq!(snake_name("type"), "type_");
        assert_eq!(snake_name("$label_key"), "label_key");
        assert_eq!(singular("streamingPolicies"), "streamingPolicy");
        assert_eq!(singular("content"), "content");
        for (value, name) in [
            ("5.1", "V5_1"),
            ("a.5", "A5"),
            ("5.a", "V5A"),
            ("Finished", "Finished"),
            ("1280x720p", "V1280x720p"),
            ("HLSfMP4", "HlSfMp4"),
            (
                "application/json-patch+json",
                "ApplicationJsonPatchPlusJson",
            ),
            ("", "Empty"),
            ("PT_1ms", "Pt1ms"),
            ("\u{1F3AC} x\u{b2}", "X"),
            ("\u{202e}\u{2460}", "V"),
        ] {
            assert_eq!(variant_name(value), name, "{value}");
        }
    }

    #[test]
    fn names_that_are_taken_are_numbered() {
        let mut taken = Vec::new();
        for name in ["part", "part2", "part3"] {
            assert_eq!(take_free(&mut taken, "part".to_owned()), name);
        }
    }
}
