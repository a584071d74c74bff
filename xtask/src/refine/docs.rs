//! Texts of the documents as rustdoc: nothing in them is taken for HTML, a link or code by
//! accident, and bare URLs become links.

use proc_macro2::TokenStream;
use quote::quote;

/// Doc attributes for a text, one for each line.
pub fn attributes(text: &str) -> TokenStream {
    let text = escape(text);
    let lines = text.lines().map(|line| {
        let line = line.trim_end();
        let line = if line.is_empty() {
            String::new()
        } else {
            format!(" {line}")
        };
        quote!(#[doc = #line])
    });
    quote!(#(#lines)*)
}

/// A text with a fallback for when it is empty.
pub fn or(text: &str, fallback: &str) -> TokenStream {
    attributes(if text.trim().is_empty() {
        fallback
    } else {
        text
    })
}

/// Escapes a text for rustdoc; code between backticks stays as it is.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        if index % 2 == 1 {
            out.push_str(part);
        } else {
            prose(part, &mut out);
        }
    }
    // An odd number of backticks would turn the rest of the page into code.
    if text.matches('`').count() % 2 == 1 {
        out.push('`');
    }
    let lines: Vec<&str> = out.lines().map(str::trim_start).collect();
    lines.join("\n")
}

fn prose(text: &str, out: &mut String) {
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let space = &piece[word.len()..];
        if let Some(start) = word.find("https://").or_else(|| word.find("http://")) {
            let (before, url) = word.split_at(start);
            let end = url
                .find(|c: char| "<>[]{}()\"'".contains(c))
                .unwrap_or(url.len());
            let (url, rest) = url.split_at(end);
            let trimmed = url.trim_end_matches(['.', ',', ';', ':']);
            plain(before, out);
            if rest.starts_with(['<', '{', '[']) {
                // A template, not an address.
                out.push('`');
                out.push_str(word.get(start..).unwrap_or_default());
                out.push('`');
            } else {
                out.push_str(&format!("<{trimmed}>"));
                plain(&url[trimmed.len()..], out);
                plain(rest, out);
            }
        } else {
            plain(word, out);
        }
        out.push_str(space);
    }
}

fn plain(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '<' | '>' | '[' | ']' | '*' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_safe_for_rustdoc() {
        for (text, doc) in [
            ("a <device> [x]", "a \\<device\\> \\[x\\]"),
            (
                "see https://app.mk.io/user/profile.",
                "see <https://app.mk.io/user/profile>.",
            ),
            ("`Vec<T>` and <b>", "`Vec<T>` and \\<b\\>"),
            ("http://<device>/api", "`http://<device>/api`"),
            ("open ` tick", "open ` tick`"),
        ] {
            assert_eq!(escape(text), doc);
        }
    }
}
