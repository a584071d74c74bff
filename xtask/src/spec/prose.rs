//! Facts that published descriptions state in prose, moved into extensions.
//!
//! Published operation descriptions end in sentences such as "Sorting is valid on the following
//! fields: `name`, `created`." A generator needs them as data, so an import takes them out of the
//! text and into `x-mkio-sort`, `x-mkio-filter` and `x-mkio-capability`.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// Extension with the fields that a list can be sorted by, a sorted array.
pub const SORT: &str = "x-mkio-sort";
/// Extension with the fields that a list can be filtered by, a sorted array.
pub const FILTER: &str = "x-mkio-filter";
/// Extension with the capabilities that a caller needs, an array.
pub const CAPABILITY: &str = "x-mkio-capability";

/// A field: letters, digits and a path.
const FIELD: &str = r"[@$A-Za-z_][@$\w-]*(?:[./][@$\w-]+)*";
/// A capability has parts: "none" is not a capability.
const DOTTED: &str = r"[A-Za-z_][\w-]*(?:\.[\w-]+)+";
/// Marks before and after a name: code, emphasis, quotes.
const OPEN: &str = r"(?:<(?:code|em|strong|b)>\s*|\*{1,2}|`{1,2}|&quot;|['\x22])*";
const CLOSE: &str = r"(?:\s*</(?:code|em|strong|b)>|\*{1,2}|`{1,2}|&quot;|['\x22])*";
/// Code marks alone: next to a name in them, ordinary words are not taken for names.
const OPEN_CODE: &str = r"(?:(?:<em>\s*)?<code>\s*|`{1,2})";
const CLOSE_CODE: &str = r"(?:\s*</code>(?:\s*</em>)?|`{1,2})";
/// Text before a list: end of a label in bold, a colon, a list's start.
const LEAD: &str = r"(?:\s|</?(?:b|strong|em|p|span)>|\*)*:?(?:\s|</?(?:b|strong|em|p|br|ul|ol|li|span)\s*/?>|\*\*|[*-]\s)*";
/// Text between two names.
const BETWEEN: &str = r"(?:\s*</li>\s*<li>\s*|\s*<br\s*/?>\s*|\s*,\s*(?:and\s+|or\s+)?|\s*;\s*|\s+and\s+|\s+or\s+|\s*&amp;\s*|\s*\r?\n\s*[*-]\s+)";
/// Text after a list.
const TAIL: &str = r"(?:\s*</li>|\s*</[uo]l>|\s*</p>|\s*</span>)*\s*\.?(?:\s*</p>)?";
/// Text before a sentence in its paragraph.
const HEAD: &str = r"(?:<p>\s*|<span>\s*|<b>\s*|<strong>\s*|\*{1,2})*";

/// A remark behind a name: "(ascending only)".
const REMARK: &str = r"(?:[ \t]*\((?P<remark>[^()\n]*)\))?";
/// Words at the places of names that are none.
const NO_NAMES: [&str; 8] = [
    "all",
    "any",
    "every",
    "none",
    "the",
    "field",
    "fields",
    "following",
];

fn list_of(label: &str, name: &str) -> Regex {
    // A pattern can have the name of a group only once.
    let remark = REMARK.replace("?P<remark>", "?:");
    let marked = format!("{OPEN_CODE}{name}{CLOSE_CODE}{remark}");
    let bare = format!("{OPEN}{name}{CLOSE}{remark}");
    let list =
        format!("(?P<names>{marked}(?:(?:{BETWEEN}|[ \\t]+){marked})*|{bare}(?:{BETWEEN}{bare})*)");
    Regex::new(&format!("(?i){HEAD}{label}{LEAD}{list}{TAIL}")).expect("fixed pattern")
}

/// "Sorting is valid on the following fields".
fn label(what: &str) -> String {
    format!(
        r"(?:{what})\s+(?:is|are)\s+(?:valid|supported|allowed|possible|available)\s+(?:on|by|for)\s+(?:the\s+)?(?:following\s+)?fields?\b"
    )
}

static SORTING: LazyLock<Regex> =
    LazyLock::new(|| list_of(&label("Sort(?:ing|s)|Order(?:ing)?"), FIELD));
static FILTERS: LazyLock<Regex> = LazyLock::new(|| list_of(&label("Filter(?:s|ing)"), FIELD));
static CAPABILITIES: LazyLock<Regex> =
    LazyLock::new(|| list_of(r"RBAC\s+Capabilit(?:y|ies)\s+Required", DOTTED));
static NAMES: LazyLock<Regex> = LazyLock::new(|| Regex::new(FIELD).expect("fixed pattern"));
static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"</?(?:code|em|strong|b|li|br|p|span)\s*/?>|&quot;|&amp;|[*`'\x22]|(?i)\b(?:and|or)\b",
    )
    .expect("fixed pattern")
});

/// Moves what an operation's description states into extensions. True when it stated anything.
pub fn extract(operation: &mut Map<String, Value>) -> bool {
    let Some(text) = operation.get("description").and_then(Value::as_str) else {
        return false;
    };
    let mut text = text.to_owned();
    let mut found = Vec::new();
    for (key, pattern, sorted) in [
        (CAPABILITY, &CAPABILITIES, false),
        (SORT, &SORTING, true),
        (FILTER, &FILTERS, true),
    ] {
        let mut names = Vec::new();
        let mut keep = false;
        for captures in pattern.captures_iter(&text) {
            let list = &captures["names"];
            keep |= list.contains('(');
            names.extend(names_in(&REMARKS.replace_all(list, " ")));
        }
        if sorted && let Some(table) = in_table(&text, key) {
            // The other columns have more than the names.
            keep = true;
            names = table;
        }
        if names.is_empty()
            || names
                .iter()
                .any(|name| NO_NAMES.contains(&name.to_lowercase().as_str()))
        {
            continue;
        }
        if !keep {
            text = pattern.replace_all(&text, " ").into_owned();
        }
        if sorted {
            names.sort();
            names.dedup();
        }
        found.push((key, names));
    }
    if found.is_empty() {
        return false;
    }
    let text = tidy(&text);
    insert_after_text(operation, text, found);
    true
}

static REMARKS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\([^()]*\)").expect("fixed pattern"));
static LABELS: LazyLock<[(&str, Regex); 2]> = LazyLock::new(|| {
    let of = |what: &str| Regex::new(&format!("(?i){}", label(what))).expect("fixed pattern");
    [
        (SORT, of("Sort(?:ing|s)|Order(?:ing)?")),
        (FILTER, of("Filter(?:s|ing)")),
    ]
});

/// The first column of a table that follows the label and nothing else.
fn in_table(text: &str, key: &str) -> Option<Vec<String>> {
    let (_, label) = LABELS.iter().find(|(known, _)| *known == key)?;
    let found = label.find(text)?;
    let after = text[found.end()..].trim_start_matches([':', '.', '*', ' ', '\r', '\n', '\t']);
    let rows = after
        .lines()
        .map(str::trim)
        .take_while(|line| line.starts_with('|'));
    let cell = |row: &str| {
        row.trim_matches('|')
            .split('|')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let cells: Vec<String> = rows.map(cell).collect();
    let rule = |cell: &String| !cell.is_empty() && cell.chars().all(|c| "-: ".contains(c));
    // The rule itself names nothing.
    let names: Vec<String> = cells
        .iter()
        .skip_while(|cell| !rule(cell))
        .flat_map(|cell| names_in(&REMARKS.replace_all(cell, " ")))
        .collect();
    (!names.is_empty()).then_some(names)
}

/// The extensions that an operation lacks although its prose seems to have the fields.
pub fn unread(operation: &Map<String, Value>) -> Vec<&'static str> {
    static TALK: LazyLock<[(&str, Regex); 2]> = LazyLock::new(|| {
        let of = |what: &str| {
            let pattern = format!(r"(?i)\b(?:{what})\w*\b[^.\n]{{0,80}}\bfields?\b");
            Regex::new(&pattern).expect("fixed pattern")
        };
        [(SORT, of("sort|order")), (FILTER, of("filter"))]
    });
    let text = operation
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let lacks =
        |(key, talk): &&(&'static str, Regex)| !operation.contains_key(*key) && talk.is_match(text);
    TALK.iter().filter(lacks).map(|(key, _)| *key).collect()
}

fn names_in(list: &str) -> Vec<String> {
    let plain = MARKS.replace_all(list, " ");
    let mut names = Vec::new();
    for name in NAMES.find_iter(&plain) {
        let name = name.as_str().to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Removes the holes that a taken sentence leaves.
fn tidy(text: &str) -> String {
    static PARAGRAPHS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[ \t]*\r?\n(?:[ \t]*\r?\n)+").expect("fixed pattern"));
    static SPACES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(\S)[ \t]{2,}").expect("fixed pattern"));
    static LINE_ENDS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[ \t]+(\r?\n)").expect("fixed pattern"));
    static BREAKS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)^(?:\s|<br\s*/?>)+|(?:\s|<br\s*/?>)+$").expect("fixed"));
    let text = PARAGRAPHS.replace_all(text, "\n\n");
    let text = LINE_ENDS.replace_all(&text, "$1");
    let text = SPACES.replace_all(&text, "$1 ");
    BREAKS.replace_all(&text, "").into_owned()
}

/// Puts the extensions where a reader looks for them: right after the description.
fn insert_after_text(
    operation: &mut Map<String, Value>,
    text: String,
    found: Vec<(&str, Vec<String>)>,
) {
    let mut found: Vec<(String, Value)> = found
        .into_iter()
        .map(|(key, names)| (key.to_owned(), Value::from(names)))
        .collect();
    let old = std::mem::take(operation);
    for (key, value) in old {
        if key == "description" {
            // An operation without any words left keeps none.
            if !text.is_empty() {
                operation.insert(key, Value::String(text.clone()));
            }
            for (key, value) in found.drain(..) {
                // The prose wins over an older extension, wherever it is.
                operation.insert(key, value);
            }
        } else if !operation.contains_key(&key) {
            operation.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn extracted(description: &str) -> Value {
        let mut operation = json!({"summary": "s", "description": description, "parameters": []});
        extract(operation.as_object_mut().expect("object"));
        operation
    }

    #[test]
    fn the_published_sentences_become_extensions() {
        let operation = extracted(
            "Lists all assets.\n\nSorting is valid on the following fields: `name`, `created`, \
             `properties/created`.\nFilters are valid on the following fields: `name`,\n  `labels`\n\n\
             RBAC Capability Required: `ams.asset.get`",
        );
        assert_eq!(operation["description"], "Lists all assets.");
        assert_eq!(
            operation[SORT],
            json!(["created", "name", "properties/created"])
        );
        assert_eq!(operation[FILTER], json!(["labels", "name"]));
        assert_eq!(operation[CAPABILITY], json!(["ams.asset.get"]));
        let keys: Vec<_> = operation.as_object().expect("object").keys().collect();
        assert_eq!(
            keys,
            [
                "summary",
                "description",
                CAPABILITY,
                SORT,
                FILTER,
                "parameters"
            ]
        );
    }

    #[test]
    fn marks_and_line_breaks_do_not_matter() {
        for text in [
            "Sorting is valid on the following fields: id, name and created",
            "Sorting is\nvalid on the\nfollowing fields:\n`id`,\n`name`,\n`created`.",
            "<p>Sorting is valid on the following fields: <code>id</code>, <code>name</code>, <code>created</code>.</p>",
            "**Sorting is valid on the following fields:** `id`, `name`, and `created`",
            "Sorting is valid on the following fields:\n\n* `id`\n* `name`\n* `created`\n",
            "Sorting is valid on the following fields:\n- id\n- name\n- created",
            "<b>Sorting is valid on the following fields</b>: <ul><li>id</li><li>name</li><li>created</li></ul>",
            "SORTING is valid on the following field: 'id', \"name\", *created*.",
            "Sorting is valid on the following fields: `id` `name` `created`",
            "Sorting is valid on the following fields: ``id``; ``name``; ``created``",
        ] {
            let operation = extracted(text);
            assert_eq!(operation[SORT], json!(["created", "id", "name"]), "{text}");
            assert_eq!(operation.get("description"), None, "{text}: {operation}");
        }
    }

    #[test]
    fn words_around_the_lists_stay() {
        let operation = extracted(
            "Lists devices. RBAC Capability Required: fleet.device.get. Sorting is valid on the \
             following fields: `name`, `status/beamHA/roles` and every list is paged.\n\nMore text.",
        );
        assert_eq!(operation[CAPABILITY], json!(["fleet.device.get"]));
        assert_eq!(operation[SORT], json!(["name", "status/beamHA/roles"]));
        assert_eq!(
            operation["description"],
            "Lists devices. and every list is paged.\n\nMore text."
        );
        let operation =
            extracted("RBAC Capabilities Required: `a.b.get`, `a.c.create`\n\nDoes it.");
        assert_eq!(operation[CAPABILITY], json!(["a.b.get", "a.c.create"]));
        assert_eq!(operation["description"], "Does it.");
    }

    #[test]
    fn tables_and_remarks_are_read_and_stay() {
        let text = "Lists.\n\nSorting is valid on the following fields: `name` (ascending only), `created`.";
        let operation = extracted(text);
        assert_eq!(operation[SORT], json!(["created", "name"]));
        assert_eq!(operation["description"], text);
        let text = "Lists.\n\nFilters are valid on the following fields:\n\n| Field | Operators |\n|---|:--|\n| `name` | eq |\n| created (UTC) | ge, le |\n\nMore.";
        let operation = extracted(text);
        assert_eq!(operation[FILTER], json!(["created", "name"]));
        assert_eq!(operation["description"], text);
        let operation = extracted("Sorting is supported on fields: `name`, `created`.");
        assert_eq!(operation[SORT], json!(["created", "name"]));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for text in [
            "Sorting is valid on all fields.",
            "Sorting is valid on the following fields: all fields.",
            "Sortable fields are name and created",
            "Sorting is valid on the following fields:\n\n| name | up |\n| created | down |",
            "Sorting is valid on the following fields:\n<table><tr><td>name</td></tr></table>",
        ] {
            let operation = extracted(text);
            assert_eq!(operation.get(SORT), None, "{text}: {operation}");
            assert_eq!(operation["description"], text);
            assert_eq!(unread(operation.as_object().unwrap()), [SORT], "{text}");
        }
        let operation = extracted("Filters are valid on the following fields: `name`.");
        assert!(unread(operation.as_object().unwrap()).is_empty());
    }

    #[test]
    fn no_capability_is_no_name() {
        for text in [
            "RBAC Capability Required: none",
            "RBAC Capability Required: see the guide.",
        ] {
            assert_eq!(extracted(text)["description"], text);
            assert_eq!(extracted(text).get(CAPABILITY), None);
        }
        let operation = extracted("RBAC Capability Required: a.b.get and admin rights.");
        assert_eq!(operation[CAPABILITY], json!(["a.b.get"]));
        assert_eq!(operation["description"], "and admin rights.");
        let text = "Sorting is valid on the following fields: `name`\n\n`$top` caps the count.";
        assert_eq!(extracted(text)[SORT], json!(["name"]));
        assert_eq!(extracted(text)["description"], "`$top` caps the count.");
    }

    #[test]
    fn other_prose_is_left_alone() {
        let text = "`$filter` uses OData syntax.  Sorting is by `$orderby`.\n\n\n\nRBAC applies.";
        let mut operation = json!({"description": text, "x-mkio-sort": ["name"]});
        assert!(!extract(operation.as_object_mut().expect("object")));
        assert_eq!(
            operation,
            json!({"description": text, "x-mkio-sort": ["name"]})
        );
    }

    #[test]
    fn prose_wins_over_an_older_extension() {
        let mut operation = json!({
            "x-mkio-sort": ["old"],
            "description": "Text.\nSorting is valid on the following fields: `new`.",
        });
        assert!(extract(operation.as_object_mut().expect("object")));
        assert_eq!(operation[SORT], json!(["new"]));
    }
}
