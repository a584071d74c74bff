//! Bodies: from files, standard input and single fields.

use std::{
    fs,
    io::{self, Read},
};

use clap::ArgMatches;
use mkio::dynamic::{Entry, Mark, ObjectField, Shape, Ty, Type, Types, at};
use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    output::path,
};

/// A file as messages name it.
pub fn place(path: &str) -> &str {
    match path {
        "-" => "standard input",
        path => path,
    }
}

/// The text of a file, or of standard input for `-`.
pub fn text(path: &str) -> Result<String> {
    let read = if path == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    read.map_err(|error| Failure::usage(format!("{}: {error}", place(path))))
}

/// JSON or YAML.
pub fn parse(text: &str, place: &str) -> Result<Value> {
    // YAML's errors quote no values; JSON is YAML, but for tabs.
    serde_json::from_str(text).or_else(|_| {
        serde_norway::from_str(text).map_err(|error| {
            let at = error.location().map_or_else(String::new, |at| {
                format!(", line {}, column {}", at.line(), at.column())
            });
            Failure::usage(format!("{place}{at}: neither JSON nor YAML"))
        })
    })
}

/// The body that the arguments give; nothing when they give none.
pub fn given(entry: &'static Entry, matches: &ArgMatches) -> Result<Option<Value>> {
    let Some(body) = &entry.body else {
        return Ok(None);
    };
    let file = matches.get_one::<String>("file");
    let Some(ty) = body.ty else {
        // Bytes are put into the request themselves.
        return Ok(file.map(|_| Value::String(String::new())));
    };
    let mut value = match file {
        Some(path) => Some(parse(&text(path)?, place(path))?),
        None => None,
    };
    if let (Some(Value::Null), Some(path)) = (&value, file) {
        let message = format!("{}: it has no body", place(path));
        return Err(Failure::usage(message));
    }
    for (place, new) in pairs(matches, "set")? {
        let new = typed(entry, ty, &place, &new)?;
        let target = value.get_or_insert(Value::Null);
        put(entry, ty, target, (&place, new))?;
    }
    Ok(value)
}

/// Refuses a call without a required body.
pub fn refuse_missing(entry: &Entry, body: Option<&Value>) -> Result<()> {
    let is_required = entry.body.as_ref().is_some_and(|body| body.required);
    if body.is_some() || !is_required {
        return Ok(());
    }
    Err(Failure::usage("the body is missing")
        .hint("give it with -f FILE (JSON or YAML, - for standard input) or --set PATH=VALUE")
        .hint("--skeleton prints one with the required fields, --editor opens it in an editor"))
}

/// The pairs of an argument such as `--set`, split at the first `=`.
pub fn pairs(matches: &ArgMatches, name: &str) -> Result<Vec<(String, String)>> {
    let given = matches.get_many::<String>(name).into_iter().flatten();
    given
        .map(|pair| {
            let split = pair.split_once('=');
            split
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .ok_or_else(|| Failure::usage(format!("`{pair}` has no `=`: it takes NAME=VALUE")))
        })
        .collect()
}

/// The value of `--set` as its field has it: text stays text, whatever it looks like.
pub fn typed(entry: &Entry, ty: Ty, place: &str, text: &str) -> Result<Value> {
    let text = expanded(text)?;
    let steps: Vec<&str> = path::steps(place).collect();
    let is_text = match at(entry.types, ty, &steps) {
        Some(Ty::Text | Ty::Time) => true,
        Some(Ty::Named(name)) => {
            let of = Type::find(entry.types, name);
            of.is_some_and(|of| matches!(of.shape, Shape::Enum(_)))
        }
        _ => false,
    };
    if is_text && text != "null" {
        return Ok(Value::String(text));
    }
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Puts a value of `--set` at its place; by the type a step is a member or an index.
pub fn put(entry: &Entry, ty: Ty, target: &mut Value, (place, new): (&str, Value)) -> Result<()> {
    let is_list = |above: &[&str]| match at(entry.types, ty, above) {
        Some(Ty::List(_)) => Some(true),
        Some(Ty::Json) | None => None,
        Some(_) => Some(false),
    };
    let done = path::put_as(target, place, new, is_list);
    done.map_err(|why| Failure::usage(format!("--set {why}")))
}

/// The field at this place takes null, or the type does not know the field.
pub fn may_be_null(entry: &Entry, ty: Ty, place: &str) -> bool {
    let steps: Vec<&str> = path::steps(place).collect();
    let Some((last, above)) = steps.split_last() else {
        return false;
    };
    match at(entry.types, ty, above) {
        Some(Ty::Named(name)) => {
            let fields = fields(entry.types, name, last);
            fields.iter().all(|field| field.is(Mark::Nullable))
        }
        Some(Ty::Map(of)) => *of == Ty::Json,
        _ => true,
    }
}

/// The fields of this name that a type has; of a union, those of each kind.
fn fields(types: Types, ty: &str, name: &str) -> Vec<&'static ObjectField> {
    let Some(of) = Type::find(types, ty) else {
        return Vec::new();
    };
    match &of.shape {
        Shape::Union(_, variants) => {
            let variants = variants.iter();
            variants
                .flat_map(|(_, variant)| fields(types, variant, name))
                .collect()
        }
        _ => of.field(name).into_iter().collect(),
    }
}

/// The text with the values of `${env:NAME}` and `${file:PATH}`.
pub fn expanded(text: &str) -> Result<String> {
    let mut made = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else {
            break;
        };
        let inner = &rest[start + 2..start + end];
        made.push_str(&rest[..start]);
        match inner.split_once(':') {
            Some(("env", name)) => made.push_str(&std::env::var(name).map_err(|_| {
                Failure::usage(format!("${{env:{name}}}: this variable is not set"))
            })?),
            Some(("file", path)) => {
                let text = fs::read_to_string(path)
                    .map_err(|error| Failure::usage(format!("${{file:{path}}}: {error}")))?;
                made.push_str(text.trim_end_matches(['\r', '\n']));
            }
            _ => made.push_str(&rest[start..=start + end]),
        }
        rest = &rest[start + end + 1..];
    }
    made.push_str(rest);
    Ok(made)
}

/// Expands all texts of a value.
pub fn expand_all(value: &mut Value) -> Result<()> {
    match value {
        Value::String(text) => *text = expanded(text)?,
        Value::Array(items) => items.iter_mut().try_for_each(expand_all)?,
        Value::Object(members) => members.values_mut().try_for_each(expand_all)?,
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_are_json_or_yaml() {
        let json = parse("{\"a\": [1]}", "x").unwrap();
        assert_eq!(parse("a:\n- 1\n", "x").unwrap(), json);
        let error = parse("a: [geheim", "body.yaml").unwrap_err().to_string();
        assert!(
            error.contains("body.yaml") && !error.contains("geheim"),
            "{error}"
        );
    }

    #[test]
    fn places_elsewhere_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "geheim\n").unwrap();
        let text = format!("a ${{file:{}}} ${{other}} b", file.display());
        assert_eq!(expanded(&text).unwrap(), "a geheim ${other} b");
        assert!(expanded("${env:MKIO_NO_SUCH_VARIABLE}").is_err());
        let mut value = json!({"a": [format!("${{file:{}}}", file.display())]});
        expand_all(&mut value).unwrap();
        assert_eq!(value, json!({"a": ["geheim"]}));
    }
}
