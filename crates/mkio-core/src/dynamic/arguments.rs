//! Arguments of a call by name. Unknown ones are refused.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Body, Entry, Mark, Parameter, Place, Shape, Ty, Type, Types, nearest::hint};
use crate::{Error, ErrorKind, Result, Transport, glue::RequestBuilder};

/// Name under which the body is given.
const BODY: &str = "body";

/// A request with these arguments, and the body that is not JSON.
pub(super) fn builder(
    entry: &'static Entry,
    transport: &Transport,
    arguments: &Map<String, Value>,
) -> Result<(RequestBuilder, Option<String>)> {
    let refuse = |error: Error| error.with_operation(entry.operation);
    refuse_unknown(entry, arguments).map_err(refuse)?;
    let mut names = Vec::new();
    for parameter in entry.path_parameters() {
        let values = values(parameter, arguments).map_err(refuse)?;
        names.extend(values.into_iter().next());
    }
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let mut builder = RequestBuilder::new(transport, entry.operation, &names);
    for parameter in entry.parameters {
        match parameter.place {
            Place::Path => {}
            Place::Query => {
                for value in values(parameter, arguments).map_err(refuse)? {
                    builder.add_query(parameter.name, &*value);
                }
            }
            Place::Header => {
                for value in values(parameter, arguments).map_err(refuse)? {
                    builder.header(parameter.name, &*value);
                }
            }
        }
    }
    if let super::ResponseBody::Bytes(media_type) = entry.response {
        builder.accept(media_type);
    }
    let bytes = set_body(entry, &mut builder, arguments).map_err(refuse)?;
    Ok((builder, bytes))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

fn refuse_unknown(entry: &Entry, arguments: &Map<String, Value>) -> Result<()> {
    let takes_body = entry.body.is_some().then_some(BODY);
    let names = entry.parameters.iter().map(|parameter| parameter.name);
    let known: Vec<_> = names.chain(takes_body).collect();
    match arguments
        .keys()
        .find(|name| !known.contains(&name.as_str()))
    {
        Some(name) => Err(refused(format!(
            "unknown argument `{name}`{}",
            hint(name, &known)
        ))),
        None => Ok(()),
    }
}

/// The values of a parameter as they are sent; several for a list.
fn values(
    parameter: &'static Parameter,
    arguments: &Map<String, Value>,
) -> Result<Vec<Cow<'static, str>>> {
    let name = parameter.name;
    let given = match (arguments.get(name), parameter.required) {
        (Some(value), _) => value,
        (None, true) => return Err(refused(format!("argument `{name}` is missing"))),
        (None, false) => return Ok(Vec::new()),
    };
    let fit = |ty: Ty, value: &Value| {
        text(ty, value).ok_or_else(|| {
            let message = format!("argument `{name}` has the wrong type: it takes {ty}");
            refused(message)
        })
    };
    match (parameter.ty, given) {
        (Ty::List(of), Value::Array(items)) => items.iter().map(|item| fit(*of, item)).collect(),
        (Ty::List(of), value) => Ok(vec![fit(*of, value)?]),
        (ty, value) => Ok(vec![fit(ty, value)?]),
    }
}

/// A value as text. Numbers and flags may come as text.
fn text(ty: Ty, value: &Value) -> Option<Cow<'static, str>> {
    let given = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    let fits = match ty {
        Ty::Text | Ty::Time | Ty::Named(_) => value.is_string(),
        Ty::Integer => given.parse::<i64>().is_ok(),
        Ty::Unsigned => given.parse::<u64>().is_ok(),
        Ty::Number => given.parse::<f64>().is_ok_and(f64::is_finite),
        Ty::Flag => given.parse::<bool>().is_ok(),
        _ => true,
    };
    fits.then_some(Cow::Owned(given))
}

/// Sets a JSON body or a form; gives a body of bytes back.
fn set_body(
    entry: &Entry,
    builder: &mut RequestBuilder,
    arguments: &Map<String, Value>,
) -> Result<Option<String>> {
    let Some(body) = &entry.body else {
        return Ok(None);
    };
    let value = match (arguments.get(BODY), body.required) {
        (Some(value), _) => value,
        (None, true) => return Err(refused(format!("argument `{BODY}` is missing"))),
        (None, false) => return Ok(None),
    };
    let value = checked(body, entry.types, value)?;
    if body.ty.is_none() {
        return Ok(value.as_str().map(str::to_owned));
    }
    let form = entry
        .operation
        .request_body
        .is_some_and(|of| of.starts_with("application/x-www-form-urlencoded"));
    if form {
        builder.form(&value);
    } else {
        builder.json(&value);
    }
    Ok(None)
}

/// The body as its type writes it. An unknown member is an error that names the nearest one.
fn checked(body: &Body, types: Types, value: &Value) -> Result<Value> {
    // Before anything else: a misspelt field is more often meant than one is forgotten.
    if let Some((path, hint)) = body.ty.and_then(|ty| unknown_member(types, ty, value, "")) {
        let message = format!("the body does not fit at `{path}`: unknown field{hint}");
        return Err(refused(message).with_json_path(path, "unknown field"));
    }
    (body.check)(value.clone()).map_err(|error| {
        // In words of the document, where it has some.
        let misfit = body.ty.and_then(|ty| misfit(types, ty, value, ""));
        if let Some((path, why)) = misfit {
            let path = if path.is_empty() { "$" } else { &path };
            let message = format!("the body does not fit at `{path}`: {why}");
            return error.with_message(message);
        }
        let path = error.json_path().unwrap_or("$");
        let why = error.expectation().unwrap_or(error.message());
        let message = format!("the body does not fit at `{path}`: {why}");
        error.with_message(message)
    })
}

/// The first value of another kind than its type takes, with both kinds in words.
fn misfit(types: Types, ty: Ty, value: &Value, path: &str) -> Option<(String, String)> {
    let place = |step: &str| match path {
        "" => step.to_owned(),
        path if step.starts_with('[') => format!("{path}{step}"),
        path => format!("{path}.{step}"),
    };
    let below = |ty: Ty, step: &str, value: &Value| misfit(types, ty, value, &place(step));
    match (ty, value) {
        (Ty::List(of), Value::Array(items)) => {
            let mut items = items.iter().enumerate();
            return items.find_map(|(n, item)| below(*of, &format!("[{n}]"), item));
        }
        (Ty::Map(of), Value::Object(members)) => {
            let mut members = members.iter();
            return members.find_map(|(name, member)| below(*of, name, member));
        }
        (Ty::Named(name), Value::Object(members)) => {
            let (of, _) = kind_of(types, name, value)?;
            return members.iter().find_map(|(name, member)| {
                let field = of.field(name)?;
                let absent = member.is_null() && field.is(Mark::Nullable);
                (!absent).then(|| below(field.ty, name, member)).flatten()
            });
        }
        _ => {}
    }
    let takes = takes(types, ty, value)?;
    Some((
        path.to_owned(),
        format!("it takes {takes}, not {}", kind_of_value(value)),
    ))
}

/// The kinds of value that the type takes, if the value is of none of them. The type itself checks
/// the text of an enum.
fn takes(types: Types, ty: Ty, value: &Value) -> Option<String> {
    let fits = match ty {
        Ty::Text | Ty::Time => value.is_string(),
        Ty::Integer => value.is_i64() || value.is_u64(),
        Ty::Unsigned => value.is_u64(),
        Ty::Number => value.is_number(),
        Ty::Flag => value.is_boolean(),
        Ty::List(_) => value.is_array(),
        Ty::Map(_) => value.is_object(),
        Ty::Named(name) => match Type::find(types, name)?.shape {
            Shape::Object(..) | Shape::Union(..) => value.is_object(),
            Shape::Enum(_) | Shape::Secret => value.is_string(),
        },
        Ty::Json => true,
    };
    let object = ty.type_name().and_then(|name| Type::find(types, name));
    let object = object.is_some_and(|of| matches!(of.shape, Shape::Object(..) | Shape::Union(..)));
    let words = match ty {
        Ty::Named(_) if object => "an object".to_owned(),
        Ty::Named(_) => "text".to_owned(),
        Ty::Map(_) => "an object".to_owned(),
        Ty::List(_) => "a list".to_owned(),
        Ty::Integer | Ty::Unsigned => format!("an {ty}"),
        Ty::Number | Ty::Time => format!("a {ty}"),
        ty => ty.to_string(),
    };
    (!fits).then_some(words)
}

fn kind_of_value(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The first member that its type does not know, with the nearest known name.
fn unknown_member(types: Types, ty: Ty, value: &Value, path: &str) -> Option<(String, String)> {
    let place = |step: &str| match path {
        "" => step.to_owned(),
        path if step.starts_with('[') => format!("{path}{step}"),
        path => format!("{path}.{step}"),
    };
    match (ty, value) {
        (Ty::List(of), Value::Array(items)) => items
            .iter()
            .enumerate()
            .find_map(|(n, item)| unknown_member(types, *of, item, &place(&format!("[{n}]")))),
        (Ty::Map(of), Value::Object(members)) => members
            .iter()
            .find_map(|(name, member)| unknown_member(types, *of, member, &place(name))),
        (Ty::Named(name), Value::Object(members)) => {
            let (of, tag) = kind_of(types, name, value)?;
            let Shape::Object(fields, rest) = &of.shape else {
                return None;
            };
            members.iter().find_map(|(name, member)| {
                let field = fields.iter().find(|field| field.name == name);
                match field.map(|field| field.ty).or(*rest) {
                    Some(ty) => unknown_member(types, ty, member, &place(name)),
                    None if tag == Some(name.as_str()) => None,
                    None => {
                        let known: Vec<_> = fields.iter().map(|field| field.name).collect();
                        Some((place(name), hint(name, &known)))
                    }
                }
            })
        }
        _ => None,
    }
}

/// The type, and of a union the one that the value says it is, with the member that says it.
fn kind_of(
    types: Types,
    name: &str,
    value: &Value,
) -> Option<(&'static Type, Option<&'static str>)> {
    let of = Type::find(types, name)?;
    let Shape::Union(tag, variants) = &of.shape else {
        return Some((of, None));
    };
    let kind = value.get(tag)?.as_str()?;
    let (_, member) = variants.iter().find(|(value, _)| *value == kind)?;
    let (of, _) = kind_of(types, member, value)?;
    Some((of, Some(tag)))
}
