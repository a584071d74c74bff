//! Strings that match a pattern.
//!
//! Crates that draw strings from a pattern (rand_regex, regex_generate) take any Unicode
//! character for `\d` or `[^/]` and know no lookahead. Here a pattern without its lookarounds is
//! walked with plain characters first; the caller checks the result against the whole pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Characters to take where a class allows them, the plainest first.
const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.:=/+ ";
/// The longest text that one repeated part makes.
const MOST: u32 = 4_096;

/// Candidates for a pattern, with more and more rounds of its repeated parts.
pub fn candidates(pattern: &str, lengths: &[u32]) -> Vec<String> {
    let pattern = without_lookarounds(pattern);
    let Ok(hir) = regex_syntax::Parser::new().parse(&pattern) else {
        return Vec::new();
    };
    let mut found: Vec<String> = Vec::new();
    for extra in (1..=12).chain([0]).chain(lengths.iter().copied()) {
        let mut text = String::new();
        let mut taken = 0;
        write(&hir, extra.min(MOST), &mut taken, &mut text);
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

fn write(hir: &Hir, extra: u32, taken: &mut usize, text: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(pick(class, taken)),
        HirKind::Repetition(repeated) => {
            let most = repeated.max.unwrap_or(u32::MAX);
            let count = repeated.min.saturating_add(extra).min(most);
            // An optional part takes few rounds inside.
            let inner = if repeated.min == 0 {
                extra.min(2)
            } else {
                extra
            };
            for _ in 0..count.min(MOST) {
                if text.len() >= MOST as usize {
                    return;
                }
                write(&repeated.sub, inner, taken, text);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, extra, taken, text),
        HirKind::Concat(parts) => parts
            .iter()
            .for_each(|part| write(part, extra, taken, text)),
        HirKind::Alternation(parts) => {
            let index = extra as usize % parts.len().max(1);
            if let Some(part) = parts.get(index) {
                write(part, extra, taken, text);
            }
        }
    }
}

/// The next plain character of a class; any of it when none is plain.
fn pick(class: &Class, taken: &mut usize) -> Option<char> {
    let has = |c: char| match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .any(|range| range.start() <= c && c <= range.end()),
        Class::Bytes(class) => u8::try_from(c).is_ok_and(|c| {
            class
                .ranges()
                .iter()
                .any(|range| range.start() <= c && c <= range.end())
        }),
    };
    // Letters and digits before signs: a name such as `a-b` stays the exception.
    let allowed: Vec<char> = PLAIN.chars().filter(|c| has(*c)).collect();
    let words: Vec<char> = allowed
        .iter()
        .copied()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let from = if words.is_empty() { &allowed } else { &words };
    *taken += 1;
    match from.len() {
        0 => match class {
            Class::Unicode(class) => class.ranges().first().map(|range| range.start()),
            Class::Bytes(class) => class
                .ranges()
                .first()
                .map(|range| char::from(range.start())),
        },
        count => from.get((*taken - 1) % count).copied(),
    }
}

/// The pattern without `(?=…)`, `(?!…)`, `(?<=…)` and `(?<!…)`.
fn without_lookarounds(pattern: &str) -> String {
    let mut kept = String::new();
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let looks = ["(?=", "(?!", "(?<=", "(?<!"];
        if !in_class && looks.iter().any(|look| rest.starts_with(look)) {
            rest = after_group(rest);
            continue;
        }
        let length = match c {
            '\\' => c.len_utf8() + rest.chars().nth(1).map_or(0, char::len_utf8),
            _ => c.len_utf8(),
        };
        match c {
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        let (head, tail) = rest.split_at(length);
        kept.push_str(head);
        rest = tail;
    }
    kept
}

/// The text after the group that it starts with.
fn after_group(text: &str) -> &str {
    let (mut depth, mut in_class, mut escaped) = (0_usize, false, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => {
                escaped = false;
                continue;
            }
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text.get(index + 1..).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookarounds_go_and_all_else_stays() {
        for (pattern, rest) in [
            (
                r"^(?!.*--)(?=[a-z0-9-]{3,63}$)(?!-)[a-z0-9]+$",
                "^[a-z0-9]+$",
            ),
            (r"^(?!/)(?!.*(//|\?|%|&)).*[^/]$", "^.*[^/]$"),
            (r"a(?<![)(])b\(?=c", r"ab\(?=c"),
            (r"[(?=]x", r"[(?=]x"),
            ("(?:é)(?P<n>x)", "(?:é)(?P<n>x)"),
            ("[a](?=b)c", "[a]c"),
            (r"(?=\))c", "c"),
            ("(?=unclosed", ""),
        ] {
            assert_eq!(without_lookarounds(pattern), rest, "{pattern}");
        }
    }

    #[test]
    fn candidates_are_plain_text() {
        assert_eq!(candidates("^asi://", &[]), ["asi://"]);
        assert!(candidates(r"^\d{2}[^a-z]$", &[]).contains(&"012".to_owned()));
        assert!(
            candidates("^[a-z]+$", &[30])
                .iter()
                .any(|text| text.len() == 31)
        );
        assert!(candidates("(", &[]).is_empty());
        assert_eq!(candidates("^(xx|yy|zz)$", &[]), ["yy", "zz", "xx"]);
        assert_eq!(candidates("^(?-u:[b-c]{3})$", &[]), ["bcb"]);
    }

    #[test]
    fn candidates_become_longer_in_one_place_and_not_without_end() {
        let longest = |pattern: &str| {
            let all = candidates(pattern, &[]).into_iter();
            let parts = all.map(|text| text.split('/').map(str::len).max());
            parts.max().flatten()
        };
        assert_eq!(longest("^(?:[0-9]+/)*$"), Some(3));
        assert_eq!(longest("^(?:[0-9]+/)+$"), Some(13));
        assert_eq!(longest("^(?:[0-9]{100}){100}$"), Some(MOST as usize));
    }
}
