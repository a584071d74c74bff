//! `mkio explain`: fields of bodies and responses, with their descriptions in the documents.

use std::io::{self, Write};

use clap::{Arg, ArgMatches, Command};
use mkio::dynamic::{Entry, Mark, ObjectField, ResponseBody, Shape, Ty, Type, at, nearest};
use serde_json::{Value, json};

use super::call;
use crate::{
    failure::{Failure, Result},
    kinds,
    output::path,
    session::Session,
};

pub fn command() -> Command {
    Command::new("explain")
        .about("Shows what a kind or an operation takes: fields, types, limits")
        .after_help("Examples:\n  mkio explain job\n  mkio explain job.properties.input\n  mkio explain create_live_event")
        .arg(
            Arg::new("what")
                .value_name("KIND|OPERATION[.FIELD…]")
                .required(true)
                .help("A kind such as job, or an operation such as create_job, with a path of fields"),
        )
}

pub fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let what = matches
        .get_one::<String>("what")
        .cloned()
        .unwrap_or_default();
    let (name, rest) = what.split_at(what.find(['.', '/']).unwrap_or(what.len()));
    let steps: Vec<&str> = path::steps(rest).collect();
    let (entry, root) = subject(name)?;
    let place = steps.join(".");
    let ty = at(entry.types, root, &steps).ok_or_else(|| unknown(entry, root, &steps))?;
    if !session.output.is_for_people() {
        return session.output.one(&as_json(entry, ty, &place), &[]);
    }
    text(entry, ty, &what).map_err(Failure::from)
}

/// The type to explain: the body of the kind's PUT or PATCH, or the response where it has none.
fn subject(name: &str) -> Result<(&'static Entry, Ty)> {
    let entry = match kinds::find(name) {
        Ok(kind) => kind.put.or(kind.patch).unwrap_or(kind.get),
        Err(failure) => call::find(name).map_err(|_| failure)?,
    };
    let body = entry.body.as_ref().and_then(|body| body.ty);
    let response = match entry.response {
        ResponseBody::Json(ty, _) => Some(ty),
        _ => None,
    };
    let ty = body.or(response);
    let ty =
        ty.ok_or_else(|| Failure::usage(format!("{} takes and returns no JSON", entry.id())))?;
    Ok((entry, ty))
}

fn unknown(entry: &Entry, root: Ty, steps: &[&str]) -> Failure {
    let known = (0..steps.len())
        .rev()
        .find_map(|n| at(entry.types, root, &steps[..n]).map(|ty| (n, ty)));
    let (n, ty) = known.unwrap_or((0, root));
    let mut names: Vec<&str> = fields_of(entry, ty)
        .iter()
        .map(|field| field.name)
        .collect();
    if let Some(Shape::Union(_, kinds)) = named(entry, ty).map(|of| &of.shape) {
        let kinds = kinds
            .iter()
            .filter_map(|(_, name)| Type::find(entry.types, name));
        names.extend(kinds.flat_map(Type::fields).map(|field| field.name));
        names.sort_unstable();
        names.dedup();
    }
    let failure = Failure::usage(format!("there is no field `{}`", steps[..=n].join(".")));
    match nearest(steps[n], names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("there are {}", names.join(", "))),
    }
}

fn named(entry: &Entry, ty: Ty) -> Option<&'static Type> {
    Type::find(entry.types, ty.type_name()?)
}

fn fields_of(entry: &Entry, ty: Ty) -> &'static [ObjectField] {
    named(entry, ty).map_or(&[], Type::fields)
}

fn words(field: &ObjectField) -> Vec<&'static str> {
    let words = field.marks.iter().map(|mark| match mark {
        Mark::Required => "required",
        Mark::ReadOnly => "read-only",
        Mark::Immutable => "immutable",
        Mark::Secret => "secret",
        Mark::Masked => "never shown",
        Mark::Nullable => "may be null",
        _ => "",
    });
    words.collect()
}

fn text(entry: &Entry, ty: Ty, what: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{what}: {ty} ({}, {})",
        entry.operation.api,
        entry.id()
    )?;
    let Some(of) = named(entry, ty) else {
        return Ok(());
    };
    for line in of.docs.lines() {
        writeln!(out, "  {line}")?;
    }
    match &of.shape {
        Shape::Object(fields, rest) => {
            for field in *fields {
                describe(&mut out, field)?;
            }
            if let Some(rest) = rest {
                writeln!(out, "\n*: {rest}")?;
            }
        }
        Shape::Enum(values) => writeln!(out, "\none of: {}", values.join(", "))?,
        Shape::Union(tag, variants) => {
            writeln!(out, "\none of these, by its `{tag}`:")?;
            for (value, name) in *variants {
                writeln!(out, "\n{tag}: {value}   ({name})")?;
                let of = Type::find(entry.types, name);
                let own = of.into_iter().flat_map(Type::fields);
                for field in own.filter(|field| field.name != *tag) {
                    describe(&mut out, field)?;
                }
            }
        }
        Shape::Secret => writeln!(out, "\na secret")?,
    }
    Ok(())
}

fn describe(out: &mut impl Write, field: &ObjectField) -> io::Result<()> {
    let marks = words(field);
    let marks = if marks.is_empty() {
        String::new()
    } else {
        format!(" [{}]", marks.join(", "))
    };
    writeln!(out, "\n{}: {}{marks}", field.name, field.ty)?;
    for line in field.docs.lines().filter(|line| !line.trim().is_empty()) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn as_json(entry: &Entry, ty: Ty, place: &str) -> Value {
    let of = named(entry, ty);
    let fields = of.map_or(&[][..], Type::fields);
    let fields: Vec<Value> = fields
        .iter()
        .map(|field| {
            json!({"name": field.name, "type": field.ty.to_string(), "marks": words(field), "docs": field.docs})
        })
        .collect();
    let values = match of.map(|of| &of.shape) {
        Some(Shape::Enum(values)) => json!(values),
        Some(Shape::Union(tag, variants)) => json!({"tag": tag, "variants": variants}),
        _ => Value::Null,
    };
    json!({
        "operation": entry.id(), "place": place, "type": ty.to_string(),
        "docs": of.map(|of| of.docs), "fields": fields, "values": values,
    })
}
