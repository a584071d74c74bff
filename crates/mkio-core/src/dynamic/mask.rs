//! Secrets, and fields that cannot change.

use std::collections::HashSet;

use serde_json::Value;

use super::{Entry, Mark, ObjectField, ResponseBody, Shape, Ty, Type, Types};

/// The text that is shown instead of a secret.
const HIDDEN: &str = "***";

/// Shorter secrets are not looked for in other texts: they would garble these.
const SHORTEST: usize = 6;

/// Replaces all secrets in a value of this type by `***`, also where other texts repeat them: the
/// ingest address of a live event holds its access token.
///
/// `null` stays: it shows that there is none.
fn mask(types: Types, ty: Ty, value: &mut Value) {
    let mut hidden = Vec::new();
    mask_fields(types, ty, value, &mut hidden);
    hidden.retain(|text: &String| text.len() >= SHORTEST);
    // The longest first: one may hold another.
    hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
    if !hidden.is_empty() {
        mask_repeated(value, &hidden);
    }
}

fn mask_repeated(value: &mut Value, hidden: &[String]) {
    match value {
        Value::String(text) => {
            for secret in hidden {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), HIDDEN);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| mask_repeated(item, hidden)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| mask_repeated(member, hidden)),
        _ => {}
    }
}

/// Hides the fields that are secrets, and notes their values.
fn mask_fields(types: Types, ty: Ty, value: &mut Value, hidden: &mut Vec<String>) {
    match (ty, value) {
        (Ty::Named(name), value) => {
            if let Some(of) = Type::find(types, name) {
                mask_type(types, of, value, hidden);
            }
        }
        (Ty::List(of), Value::Array(items)) => {
            items
                .iter_mut()
                .for_each(|item| mask_fields(types, *of, item, hidden));
        }
        (Ty::Map(of), Value::Object(members)) => {
            members
                .values_mut()
                .for_each(|member| mask_fields(types, *of, member, hidden));
        }
        _ => {}
    }
}

fn mask_type(types: Types, of: &'static Type, value: &mut Value, hidden: &mut Vec<String>) {
    match &of.shape {
        Shape::Secret => hide(value, hidden),
        Shape::Object(fields, rest) => {
            let Value::Object(members) = value else {
                return;
            };
            for (name, member) in members {
                match fields.iter().find(|field| field.name == name) {
                    Some(field) if field.is(Mark::Secret) => hide(member, hidden),
                    Some(field) => mask_fields(types, field.ty, member, hidden),
                    None => {
                        if let Some(rest) = rest {
                            mask_fields(types, *rest, member, hidden);
                        }
                    }
                }
            }
        }
        Shape::Union(tag, variants) => {
            let kind = value.get(tag).and_then(Value::as_str).map(str::to_owned);
            let known = |(tag, _): &&(&str, &str)| kind.as_deref() == Some(*tag);
            match variants.iter().find(known) {
                Some((_, name)) => mask_fields(types, Ty::Named(name), value, hidden),
                // A kind that this version does not know: a field that is secret in any kind is
                // one.
                None => variants
                    .iter()
                    .for_each(|(_, name)| mask_fields(types, Ty::Named(name), value, hidden)),
            }
        }
        Shape::Enum(_) => {}
    }
}

fn hide(value: &mut Value, hidden: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    note_texts(value, hidden);
    *value = Value::String(HIDDEN.to_owned());
}

fn note_texts(value: &Value, hidden: &mut Vec<String>) {
    match value {
        Value::String(text) => hidden.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| note_texts(item, hidden)),
        Value::Object(members) => members
            .values()
            .for_each(|member| note_texts(member, hidden)),
        _ => {}
    }
}

/// JSON pointers of all fields with a mark below a type, with `*` for any item or name. A type within itself
/// is followed once.
fn pointers(types: Types, ty: Ty, mark: Mark) -> Vec<String> {
    let mut walk = Walk {
        types,
        mark,
        leading: leading(types, mark),
        above: Vec::new(),
        found: Vec::new(),
    };
    walk.ty(ty, "");
    walk.found.sort();
    walk.found.dedup();
    walk.found
}

/// Names of the types from which a field with the mark is reached. No others are followed: types that
/// all refer to each other have more ways through them than can be walked.
fn leading(types: Types, mark: Mark) -> HashSet<&'static str> {
    let mut left: Vec<&Type> = types.iter().collect();
    let mut leading = HashSet::new();
    loop {
        let before = left.len();
        left.retain(|of| {
            let leads = leads(of, mark, &leading);
            if leads {
                leading.insert(of.name);
            }
            !leads
        });
        if left.len() == before {
            return leading;
        }
    }
}

fn leads(of: &Type, mark: Mark, leading: &HashSet<&str>) -> bool {
    let held = |ty: Ty| ty.type_name().is_some_and(|name| leading.contains(name));
    match &of.shape {
        Shape::Object(fields, rest) => {
            rest.is_some_and(held) || fields.iter().any(|field| field.is(mark) || held(field.ty))
        }
        Shape::Union(_, variants) => variants.iter().any(|(_, name)| leading.contains(name)),
        Shape::Secret => mark == Mark::Secret,
        Shape::Enum(_) => false,
    }
}

struct Walk {
    types: Types,
    mark: Mark,
    leading: HashSet<&'static str>,
    above: Vec<&'static str>,
    found: Vec<String>,
}

impl Walk {
    fn ty(&mut self, ty: Ty, place: &str) {
        match ty {
            Ty::Named(name) if self.leading.contains(name) && !self.above.contains(&name) => {
                if let Some(of) = Type::find(self.types, name) {
                    self.above.push(name);
                    self.type_of(of, place);
                    self.above.pop();
                }
            }
            Ty::List(of) | Ty::Map(of) => self.ty(*of, &format!("{place}/*")),
            _ => {}
        }
    }

    fn type_of(&mut self, of: &'static Type, place: &str) {
        match &of.shape {
            Shape::Object(fields, rest) => {
                fields.iter().for_each(|field| self.field(field, place));
                if let Some(rest) = rest {
                    self.ty(*rest, &format!("{place}/*"));
                }
            }
            Shape::Union(_, variants) => {
                for (_, name) in *variants {
                    self.ty(Ty::Named(name), place);
                }
            }
            Shape::Secret if self.mark == Mark::Secret => self.found.push(place.to_owned()),
            Shape::Secret | Shape::Enum(_) => {}
        }
    }

    fn field(&mut self, field: &'static ObjectField, place: &str) {
        let name = field.name.replace('~', "~0").replace('/', "~1");
        let place = format!("{place}/{name}");
        if field.is(self.mark) {
            self.found.push(place);
        } else {
            self.ty(field.ty, &place);
        }
    }
}

/// Secrets, and fields that cannot change.
impl Entry {
    /// Replaces all secrets in the operation's response by `***`.
    pub fn mask(&self, response: &mut Value) {
        if let ResponseBody::Json(ty, _) = self.response {
            mask(self.types, ty, response);
        }
    }

    /// The same for one item of the list that the operation returns.
    pub fn mask_item(&self, item: &mut Value) {
        if let Some(ty) = self.item {
            mask(self.types, ty, item);
        }
    }

    /// The same for the body that the operation sends.
    pub fn mask_body(&self, body: &mut Value) {
        if let Some(ty) = self.body.as_ref().and_then(|body| body.ty) {
            mask(self.types, ty, body);
        }
    }

    /// JSON pointers of all secrets of the response, with `*` for any item or name.
    pub fn secrets(&self) -> Vec<String> {
        match self.response {
            ResponseBody::Json(ty, _) => pointers(self.types, ty, Mark::Secret),
            _ => Vec::new(),
        }
    }

    /// JSON pointers of all secrets of the body.
    pub fn body_secrets(&self) -> Vec<String> {
        self.body_pointers(Mark::Secret)
    }

    /// JSON pointers of all fields of the body that cannot change once the resource exists.
    pub fn immutable(&self) -> Vec<String> {
        self.body_pointers(Mark::Immutable)
    }

    /// JSON pointers of all fields of the body with this mark.
    pub(super) fn body_pointers(&self, mark: Mark) -> Vec<String> {
        let body = self.body.as_ref().and_then(|body| body.ty);
        body.map_or_else(Vec::new, |ty| pointers(self.types, ty, mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirty types that all refer to each other, and one with a field that cannot change.
    fn tangled() -> Types {
        fn leaked<T>(items: Vec<T>) -> &'static [T] {
            Box::leak(items.into_boxed_slice())
        }
        let name = |n: usize| -> &'static str { format!("T{n:02}").leak() };
        let field = |name, ty| ObjectField::new(name, ty, "", &[]);
        let of = |name, fields: Vec<ObjectField>| {
            let shape = Shape::Object(leaked(fields), None);
            Type {
                name,
                docs: "",
                shape,
            }
        };
        let mut types: Vec<Type> = (0..30)
            .map(|n| {
                let all = (0..30).map(|n| field(name(n), Ty::Named(name(n))));
                of(name(n), all.collect())
            })
            .collect();
        let fixed = ObjectField::new("fixed", Ty::Text, "", &[Mark::Immutable]);
        types.insert(0, of("Fixed", vec![fixed]));
        let parts = leaked(vec![Ty::Named("Fixed")]);
        types.insert(
            0,
            of(
                "Body",
                vec![
                    field("tangle", Ty::Named("T00")),
                    field("parts", Ty::List(&parts[0])),
                ],
            ),
        );
        leaked(types)
    }

    #[test]
    fn only_types_that_lead_to_a_mark_are_followed() {
        let found = |mark| pointers(tangled(), Ty::Named("Body"), mark);
        assert_eq!(found(Mark::Immutable), ["/parts/*/fixed"]);
        assert!(found(Mark::Secret).is_empty());
    }
}
