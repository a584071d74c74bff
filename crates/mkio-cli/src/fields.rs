//! The fields of a response: checks columns and names before anything is sent.

use mkio::{
    dynamic::{Entry, ResponseBody, Shape, Ty, Type, Types, nearest},
    wait::Resource,
};

use crate::{
    failure::{Failure, Result},
    kinds,
    output::{Format, path},
    session::Session,
};

/// Refuses columns that the response never has, and the format of names where it has none.
pub fn refuse(session: &Session, entry: &Entry, ty: Ty) -> Result<()> {
    if session.output.format().is_none() {
        return Ok(());
    }
    for column in session.output.wanted_columns() {
        let steps: Vec<&str> = column.split('/').filter(|step| !step.is_empty()).collect();
        refuse_column(entry.types, ty, column, &steps)?;
    }
    let wants_names = session.output.format() == Some(Format::Name);
    if wants_names && !path::NAMES.iter().any(|place| has(entry.types, ty, place)) {
        return Err(nameless(&entry.command.join(" ")));
    }
    Ok(())
}

/// The same for the resource that a wait ends with.
pub fn refuse_waited(session: &Session, resource: &Resource) -> Result<()> {
    let Some((entry, lists)) = kinds::reader(resource) else {
        return Ok(());
    };
    let ty = match entry.response {
        _ if lists => entry.item,
        ResponseBody::Json(ty, _) => Some(ty),
        _ => None,
    };
    ty.map_or(Ok(()), |ty| refuse(session, entry, ty))
}

/// The response of a command has no names.
pub fn nameless(command: &str) -> Failure {
    Failure::usage(format!("-o name: the response of `{command}` has no name"))
        .hint("choose another format with -o, or --jq")
}

fn has(types: Types, ty: Ty, place: &str) -> bool {
    match ty {
        Ty::Text | Ty::Time => true,
        Ty::Named(name) if is_enum(types, name) => true,
        ty => place
            .split('/')
            .try_fold(vec![ty], |at, step| below_all(types, &at, step))
            .is_some(),
    }
}

fn is_enum(types: Types, name: &str) -> bool {
    Type::find(types, name).is_some_and(|of| matches!(of.shape, Shape::Enum(_)))
}

fn refuse_column(types: Types, ty: Ty, column: &str, steps: &[&str]) -> Result<()> {
    let mut at = vec![ty];
    for (n, step) in steps.iter().enumerate() {
        let Some(next) = below_all(types, &at, step) else {
            let known: Vec<&str> = at.iter().flat_map(|ty| names(types, *ty)).collect();
            let before = &steps[..n];
            let whole = |name: &str| [before, &[name]].concat().join("/");
            return Err(unknown(column, step, &known, whole));
        };
        at = next;
    }
    Ok(())
}

/// The error for an unknown column, with the nearest known one, or all of them.
pub fn unknown(
    column: &str,
    step: &str,
    known: &[&str],
    whole: impl Fn(&str) -> String,
) -> Failure {
    let failure = Failure::usage(format!("--columns: there is no `{column}`"));
    match nearest(step, known.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{}`?", whole(near))),
        None if known.is_empty() => failure,
        None => {
            let known: Vec<String> = known.iter().map(|name| whole(name)).collect();
            failure.hint(format!("there are {}", known.join(", ")))
        }
    }
}

/// The types of a step below any of these; none if no type has it.
fn below_all(types: Types, at: &[Ty], step: &str) -> Option<Vec<Ty>> {
    let found: Vec<Ty> = at.iter().flat_map(|ty| below(types, *ty, step)).collect();
    (!found.is_empty()).then_some(found)
}

fn below(types: Types, ty: Ty, step: &str) -> Vec<Ty> {
    match ty {
        Ty::Json => vec![Ty::Json],
        Ty::Map(of) => vec![*of],
        Ty::List(of) if step == "*" || step.parse::<usize>().is_ok() => vec![*of],
        Ty::Named(name) => match Type::find(types, name).map(|of| &of.shape) {
            Some(Shape::Object(fields, _)) if step == "*" => {
                fields.iter().map(|field| field.ty).collect()
            }
            Some(Shape::Object(fields, more)) => {
                let field = fields.iter().find(|field| field.name == step);
                field.map(|field| field.ty).or(*more).into_iter().collect()
            }
            Some(Shape::Union(tag, _)) if *tag == step => vec![Ty::Text],
            Some(Shape::Union(_, variants)) => variants
                .iter()
                .flat_map(|(_, name)| below(types, Ty::Named(name), step))
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn names(types: Types, ty: Ty) -> Vec<&'static str> {
    let Some(of) = ty.type_name().and_then(|name| Type::find(types, name)) else {
        return Vec::new();
    };
    match &of.shape {
        Shape::Union(tag, variants) => {
            let below = variants
                .iter()
                .flat_map(|(_, name)| names(types, Ty::Named(name)));
            std::iter::once(*tag).chain(below).collect()
        }
        _ => of.fields().iter().map(|field| field.name).collect(),
    }
}
