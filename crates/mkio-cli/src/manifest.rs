//! Manifests: the desired content of resources, in YAML or JSON.

use mkio::dynamic::{Entry, Mark, ObjectField, Shape, Ty, Type, Types};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    body,
    failure::{Exit, Failure, Result},
    kinds::{self, Kind},
    output::path,
    tree::{self, Leaf},
};

/// A resource as it should be.
pub struct Manifest {
    pub kind: Kind,
    /// Its name, parents before it: `h264/job-1`.
    pub name: String,
    /// The body of its PUT, or a part of it.
    pub body: Value,
    /// The desired state, if the kind has states.
    pub state: Option<Goal>,
}

impl Manifest {
    /// A resource with this body, in whatever state it is.
    pub fn new(kind: Kind, name: String, body: Value) -> Self {
        Self {
            kind,
            name,
            body,
            state: None,
        }
    }
}

/// A state that a manifest may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Running,
    Stopped,
}

impl Goal {
    /// The state as the service writes it.
    pub fn state(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stopped => "Stopped",
        }
    }

    /// The verb of the command that brings a resource there.
    fn verb(self) -> &'static str {
        match self {
            Self::Running => "start",
            Self::Stopped => "stop",
        }
    }

    /// The command that brings a resource of this kind there.
    pub fn command(self, kind: &Kind) -> Option<Leaf> {
        let noun = &kind.get.command[..kind.get.command.len() - 1];
        tree::find(&[noun, &[self.verb()]].concat())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: String,
    name: String,
    #[serde(default)]
    body: Map<String, Value>,
    state: Option<String>,
}

/// The manifests of a file: YAML documents, one after the other, or a list.
pub fn parse(text: &str, place: &str) -> Result<Vec<Manifest>> {
    let refuse = |what: String| Failure::usage(format!("{place}: {what}"));
    let mut found = Vec::new();
    for document in serde_norway::Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| {
            let at = error.location().map_or(0, |at| at.line());
            refuse(format!("line {at}: neither JSON nor YAML"))
        })?;
        match value {
            Value::Array(all) => found.extend(all),
            Value::Null => {}
            one => found.push(one),
        }
    }
    let made = found.into_iter().map(|value| {
        let written: Written = serde_json::from_value(value).map_err(|error| {
            // A value of the wrong type may be a secret.
            let told = Some(error.to_string()).filter(|told| !told.starts_with("invalid"));
            let told = told.unwrap_or_else(|| "texts, but for `body`, an object".to_owned());
            refuse(format!(
                "a manifest has `kind`, `name`, `body` and `state`: {told}"
            ))
        })?;
        let kind = kinds::find(&written.kind)?;
        if kind.put.is_none() {
            return Err(refuse(format!("a {} cannot be applied", written.kind)));
        }
        let body = Value::Object(written.body);
        let state = written.state.as_deref();
        let state = state.map(|state| goal(&kind, state, &body)).transpose();
        Ok(Manifest {
            state: state.map_err(|why| refuse(format!("{}: {why}", written.name)))?,
            kind,
            name: written.name,
            body,
        })
    });
    made.collect()
}

fn goal(kind: &Kind, state: &str, body: &Value) -> Result<Goal, String> {
    let goal = match state.to_lowercase().as_str() {
        "running" => Goal::Running,
        "stopped" => Goal::Stopped,
        _ => return Err(format!("state is running or stopped, not {state}")),
    };
    // Both would be written at each apply, one after the other.
    let wanted = body.pointer("/spec/state").and_then(Value::as_str);
    if let Some(wanted) = wanted.filter(|wanted| *wanted != goal.state()) {
        return Err(format!(
            "state is {state}, and spec.state of the body is {wanted}: leave one of them out"
        ));
    }
    let reached = goal.command(kind).map(|_| goal);
    reached.ok_or_else(|| format!("a {} has no state that can be set", kind.name))
}

/// Sorts manifests so that each comes after those that it needs.
pub fn sort(all: &mut [Manifest]) {
    let order: Vec<String> = kinds::all().into_iter().map(|kind| kind.name).collect();
    all.sort_by_key(|one| order.iter().position(|name| *name == one.kind.name));
}

/// Refuses secrets in plain text.
pub fn refuse_literals(manifest: &Manifest) -> Result<()> {
    for place in secrets(&manifest.kind) {
        let steps = place.trim_start_matches('/');
        let found = path::find(&manifest.body, steps);
        if !found.into_iter().all(is_elsewhere) {
            let message = format!(
                "{} {}: `{steps}` is a secret in plain text",
                manifest.kind.name, manifest.name
            );
            return Err(Failure::usage(message).hint("write ${env:NAME} or ${file:PATH} instead"));
        }
    }
    Ok(())
}

/// All that it holds is read from a variable or a file.
fn is_elsewhere(value: &Value) -> bool {
    match value {
        Value::Null => true,
        // There is no secret.
        Value::String(text) if text.is_empty() => true,
        Value::String(text) => {
            let named = text.starts_with("${env:") || text.starts_with("${file:");
            // After the first `}` there would be plain text.
            named && text.find('}') == Some(text.len() - 1)
        }
        Value::Array(items) => items.iter().all(is_elsewhere),
        Value::Object(members) => members.values().all(is_elsewhere),
        _ => false,
    }
}

/// Pointers of the secrets in bodies of this kind.
pub fn secrets(kind: &Kind) -> Vec<String> {
    let writes = [kind.put, kind.patch].into_iter().flatten();
    writes.flat_map(Entry::body_secrets).collect()
}

/// The body with its texts expanded, and the same without secrets: those cannot be compared.
pub fn bodies(manifest: &Manifest) -> Result<(Value, Value)> {
    let mut whole = manifest.body.clone();
    body::expand_all(&mut whole)?;
    let mut compared = whole.clone();
    for place in secrets(&manifest.kind) {
        let steps: Vec<&str> = place.split('/').skip(1).collect();
        remove(&mut compared, &steps);
    }
    Ok((whole, compared))
}

/// Takes a member out, with the objects that hold nothing else.
fn remove(value: &mut Value, steps: &[&str]) {
    let Some((step, rest)) = steps.split_first() else {
        return;
    };
    match (value, *step) {
        (Value::Array(items), "*") => items.iter_mut().for_each(|item| remove(item, rest)),
        (Value::Object(members), "*") => {
            members.values_mut().for_each(|member| remove(member, rest))
        }
        (Value::Object(members), name) if rest.is_empty() => drop(members.remove(name)),
        (Value::Object(members), name) => {
            let Some(member) = members.get_mut(name).filter(|member| !is_empty(member)) else {
                return;
            };
            remove(member, rest);
            if is_empty(member) {
                members.remove(name);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// Puts the fields of a manifest over a resource; other fields stay.
pub fn overlay(resource: &mut Value, said: &Value) {
    match (resource, said) {
        (Value::Object(members), Value::Object(said)) if !is_another(members, said) => {
            for (name, value) in said {
                // A missing member needs no removal.
                if !value.is_null() || members.contains_key(name) {
                    overlay(members.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (Value::Array(items), Value::Array(said)) if items.len() == said.len() => items
            .iter_mut()
            .zip(said)
            .for_each(|(item, said)| overlay(item, said)),
        (resource, said) => *resource = said.clone(),
    }
}

/// Both have a type, and the types differ: members of one are unknown to the other.
fn is_another(old: &Map<String, Value>, said: &Map<String, Value>) -> bool {
    let types = old.get("@odata.type").zip(said.get("@odata.type"));
    types.is_some_and(|(old, said)| old != said)
}

/// A field that differs, with its old and new value.
pub type Change = (String, String, String);

/// The differences, as lines: `properties/description: old -> new`.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let (before, after) = (path::leaves(old), path::leaves(new));
    let value_of = |all: &[(String, String)], place: &str| {
        let found = all.iter().find(|(known, _)| known == place);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let gone = before
        .iter()
        .filter(|(place, _)| !after.iter().any(|(known, _)| known == place));
    let mut places: Vec<&String> = after.iter().map(|(place, _)| place).collect();
    places.extend(gone.map(|(place, _)| place));
    places
        .into_iter()
        .map(|place| {
            (
                place.clone(),
                value_of(&before, place),
                value_of(&after, place),
            )
        })
        .filter(|(_, old, new)| old != new)
        .collect()
}

/// The first field that differs and cannot change.
pub fn fixed(entry: &Entry, old: &Value, new: &Value) -> Option<String> {
    let places = entry.immutable().into_iter();
    places
        .map(|place| place.trim_start_matches('/').to_owned())
        .find(|place| {
            let (old, new) = (path::find(old, place), path::find(new, place));
            !old.is_empty() && old != new
        })
}

/// The manifest of a resource that was read; secrets become places to fill in. With it, the fields that reads
/// never show and that may be there.
pub fn export(kind: &Kind, name: &str, told: &Value) -> Result<(Value, Vec<String>)> {
    let mut body = kind.body_of(told)?;
    if let Some((place, _)) = path::leaves(&body)
        .iter()
        .find(|(_, text)| stands_for(text))
    {
        let message = format!(
            "{} {name}: the text of `{place}` has ${{env:…}} or ${{file:…}} in it, which apply would replace",
            kind.name
        );
        return Err(Failure::new(Exit::Unusable, message));
    }
    let mut exported = Exported::default();
    let ty = kind.put.and_then(|put| put.body.as_ref()?.ty);
    if let (Some(put), Some(ty)) = (kind.put, ty) {
        exported.types = put.types;
        exported.finish(ty, &mut body, &[&kind.name, name].join("_"));
    }
    let manifest = json!({"kind": kind.name, "name": name, "body": body});
    Ok((manifest, exported.unshown))
}

/// The text would be expanded as `${…}`.
fn stands_for(text: &str) -> bool {
    ["${env:", "${file:"]
        .iter()
        .any(|start| text.contains(start))
}

/// A body on its way into a manifest.
#[derive(Default)]
struct Exported {
    types: Types,
    /// The variables of the secrets so far: each has its own.
    variables: Vec<String>,
    /// Fields that reads never show.
    unshown: Vec<String>,
}

impl Exported {
    /// Replaces secrets by variables, and removes members that a manifest does not have.
    fn finish(&mut self, ty: Ty, value: &mut Value, text: &str) {
        match (ty, value) {
            (Ty::Named(name), value) => match Type::find(self.types, name).map(|of| &of.shape) {
                Some(Shape::Object(fields, rest)) => self.fields(fields, *rest, value, text),
                Some(Shape::Union(tag, variants)) => {
                    let told = value.get(tag).and_then(Value::as_str);
                    let known = variants.iter().find(|(known, _)| Some(*known) == told);
                    if let Some((_, variant)) = known {
                        self.finish(Ty::Named(variant), value, text);
                    }
                }
                Some(Shape::Secret) => self.fill(value, text),
                _ => {}
            },
            (Ty::List(of), Value::Array(items)) => {
                items
                    .iter_mut()
                    .for_each(|item| self.finish(*of, item, text));
            }
            (Ty::Map(of), Value::Object(members)) => {
                for (name, member) in members {
                    self.finish(*of, member, &format!("{text}_{name}"));
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, fields: &[ObjectField], rest: Option<Ty>, value: &mut Value, text: &str) {
        let Value::Object(members) = value else {
            return;
        };
        for field in fields {
            let is_told = members.get(field.name).is_some_and(|told| !told.is_null());
            let is_secret = field.is(Mark::Secret);
            if field.is(Mark::Masked) && !is_told {
                self.unshown.push(field.name.to_owned());
            }
            if field.is(Mark::ReadOnly) || !(is_told || field.is(Mark::Required)) {
                members.remove(field.name);
            } else if is_secret && !is_told {
                // A required secret exists, although reads do not show it.
                members.insert(field.name.to_owned(), json!("***"));
            }
            let Some(member) = members.get_mut(field.name) else {
                continue;
            };
            if is_secret {
                self.fill(member, &format!("{text}_{}", field.name));
            } else {
                self.finish(field.ty, member, text);
            }
        }
        let Some(rest) = rest else {
            return;
        };
        for (name, member) in members {
            if !fields.iter().any(|field| field.name == name) {
                self.finish(rest, member, &format!("{text}_{name}"));
            }
        }
    }

    /// Replaces a secret by a variable; of an object, each member by its own.
    fn fill(&mut self, value: &mut Value, text: &str) {
        match value {
            Value::Null => {}
            // There is no secret.
            Value::String(text) if text.is_empty() => {}
            Value::Object(members) => {
                for (name, member) in members {
                    self.fill(member, &format!("{text}_{name}"));
                }
            }
            value => *value = Value::String(format!("${{env:{}}}", self.variable(text))),
        }
    }

    fn variable(&mut self, text: &str) -> String {
        let letters = text.chars().map(|c| match c {
            c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
            _ => '_',
        });
        let first: String = letters.collect();
        let mut variable = first.clone();
        let mut count = 1;
        while self.variables.contains(&variable) {
            count += 1;
            variable = format!("{first}_{count}");
        }
        self.variables.push(variable.clone());
        variable
    }
}

/// Refuses null where a write of this kind does not take it.
pub fn refuse_nulls(manifest: &Manifest) -> Result<()> {
    let kind = &manifest.kind;
    let mut places = Vec::new();
    nulls(&manifest.body, "", &mut places);
    for write in [kind.put, kind.write()].into_iter().flatten() {
        let Some(ty) = write.body.as_ref().and_then(|body| body.ty) else {
            continue;
        };
        let refused = places
            .iter()
            .find(|place| !body::may_be_null(write, ty, place));
        if let Some(place) = refused {
            let message = format!(
                "{} {}: `{place}` cannot be null, so it cannot be removed; nothing was sent",
                kind.name, manifest.name
            );
            let hint = "leave it out to keep its value, or give it another one";
            return Err(Failure::usage(message).hint(hint));
        }
    }
    Ok(())
}

fn nulls(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(place.to_owned()),
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| nulls(member, &format!("{place}/{name}"), found)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(n, item)| nulls(item, &format!("{place}/{n}"), found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manifest_does_not_say_stays() {
        let mut resource = json!({"a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 2}]});
        overlay(&mut resource, &json!({"a": {"b": 3}, "l": [{"x": 4}]}));
        assert_eq!(
            resource,
            json!({"a": {"b": 3, "c": 2}, "l": [{"x": 4, "y": 2}]})
        );
        overlay(&mut resource, &json!({"l": []}));
        assert_eq!(resource["l"], json!([]));
    }

    #[test]
    fn another_type_keeps_nothing_of_the_old_one() {
        let old = json!({"p": {"@odata.type": "A", "x": 1}, "q": {"@odata.type": "A", "x": 1}});
        let said = json!({"p": {"@odata.type": "B", "y": 2}, "q": {"@odata.type": "A", "y": 2}});
        let mut resource = old;
        overlay(&mut resource, &said);
        assert_eq!(
            resource,
            json!({"p": {"@odata.type": "B", "y": 2}, "q": {"@odata.type": "A", "x": 1, "y": 2}})
        );
    }

    #[test]
    fn nothing_is_left_of_what_held_a_secret_alone() {
        for (body, steps, left) in [
            (json!({"a": {"b": {"key": "x"}}}), "a/b/key", json!({})),
            (
                json!({"a": {"key": "x", "c": 1}}),
                "a/key",
                json!({"a": {"c": 1}}),
            ),
            (json!({"a": {}, "c": 1}), "a/key", json!({"a": {}, "c": 1})),
            (json!({"a": [{"key": "x"}]}), "a/*/key", json!({"a": [{}]})),
        ] {
            let mut value = body.clone();
            remove(&mut value, &steps.split('/').collect::<Vec<_>>());
            assert_eq!(value, left, "{body}");
        }
    }

    #[test]
    fn secrets_become_variables_where_there_are_some() {
        let mut exported = Exported::default();
        let mut filled = |mut value: Value| {
            exported.fill(&mut value, "x_a");
            value
        };
        assert_eq!(filled(json!("***")), "${env:X_A}");
        assert_eq!(filled(json!("***")), "${env:X_A_2}", "each has its own");
        assert_eq!(filled(json!("")), "");
        assert_eq!(filled(json!(null)), json!(null));
        assert_eq!(
            filled(json!({"b-c": "***"})),
            json!({"b-c": "${env:X_A_B_C}"})
        );
    }

    #[test]
    fn null_removes_what_is_there() {
        let mut resource = json!({"a": 1, "b": {"c": 2}});
        overlay(
            &mut resource,
            &json!({"a": null, "d": null, "b": {"e": null}}),
        );
        assert_eq!(resource, json!({"a": null, "b": {"c": 2}}));
    }

    #[test]
    fn null_is_refused_where_it_means_nothing() {
        let manifest = |kind: &str, body: Value| Manifest {
            kind: kinds::find(kind).unwrap(),
            name: "n".to_owned(),
            body,
            state: None,
        };
        let refused = refuse_nulls(&manifest(
            "asset",
            json!({"properties": {"description": null}}),
        ));
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("properties/description"), "{error}");
        let taken = manifest("asset", json!({"properties": {"encryptionScope": null}}));
        assert!(refuse_nulls(&taken).is_ok());
        let config = json!({"spec": {"config": {"a": null}}});
        assert!(refuse_nulls(&manifest("config", config)).is_ok());
    }

    #[test]
    fn a_state_is_said_once() {
        let channel = |rest: &str| {
            let text = format!("kind: channel\nname: a\n{rest}");
            parse(&text, "x").map(|all| all[0].state)
        };
        let both = channel("state: running\nbody: {spec: {state: Stopped}}\n");
        let error = both.unwrap_err().to_string();
        assert!(
            error.contains("spec.state of the body is Stopped"),
            "{error}"
        );
        let same = channel("state: running\nbody: {spec: {state: Running}}\n");
        assert_eq!(same.unwrap(), Some(Goal::Running));
    }

    #[test]
    fn changes_are_told_by_field() {
        let line = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        let (old, new) = (
            json!({"a": 1, "b": "x", "c": 1}),
            json!({"a": 2, "b": "x", "d": 1}),
        );
        assert_eq!(
            changes(&old, &new),
            [line("a", "1", "2"), line("d", "", "1"), line("c", "1", "")]
        );
    }

    #[test]
    fn manifests_are_ordered_and_literal_secrets_refused() {
        let text = "kind: locator\nname: l\n---\n- kind: asset\n  name: a\n";
        let mut all = parse(text, "x.yaml").unwrap();
        sort(&mut all);
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["a", "l"]);
        let error = parse("kind: aset\nname: a\n", "x").map(drop).unwrap_err();
        assert!(error.to_string().contains("asset"), "{error}");
        assert!(parse("kind: asset\nnmae: a\n", "x").is_err());
        let odd = parse("kind: asset\nname: a\nbody: geheim\n", "x");
        let odd = odd.map(drop).unwrap_err().to_string();
        assert!(
            odd.contains("an object") && !odd.contains("geheim"),
            "{odd}"
        );
        let state = |kind: &str, state: &str| {
            let text = format!("kind: {kind}\nname: a\nstate: {state}\n");
            parse(&text, "x").map(|all| all[0].state)
        };
        assert_eq!(state("endpoint", "RUNNING").unwrap(), Some(Goal::Running));
        let odd = state("endpoint", "sideways").unwrap_err().to_string();
        assert!(odd.contains("running or stopped"), "{odd}");
        let none = state("transform", "running").unwrap_err().to_string();
        assert!(none.contains("no state"), "{none}");
        let rule = |secret: &str| {
            let kind = kinds::find("webhook-rule").unwrap();
            let place = secrets(&kind).remove(0);
            let mut body = json!({});
            path::put(&mut body, place.trim_start_matches('/'), json!(secret)).unwrap();
            let name = "r".to_owned();
            Manifest {
                kind,
                name,
                body,
                state: None,
            }
        };
        assert!(refuse_literals(&rule("geheim")).is_err());
        assert!(refuse_literals(&rule("${env:X}")).is_ok());
        assert!(
            refuse_literals(&rule("")).is_ok(),
            "an empty text holds no secret"
        );
        assert!(refuse_literals(&rule("${file:/run/x}")).is_ok());
        for literal in ["${env:A}x${env:B}", "${env:A}geheim}", "${env:A}x"] {
            assert!(refuse_literals(&rule(literal)).is_err(), "{literal}");
        }
    }
}
