//! Problem: arguments that accept the same kind of value can be swapped, and nobody notices. A
//! constructor takes required fields by position only where no two of them accept the same kind;
//! the others are named, one method each, and the structure is not finished before all were called.
//! Flags are always named: `true` alone does not say which option is on. The one exception is a
//! range of times: its start and its end are positional, in this order.

use std::collections::BTreeSet;

use heck::ToPascalCase;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use super::{
    accessors::{COPIED, value_type},
    conversions,
    field::FieldCode,
    setters::{self, Convert},
    simplify::{argument_of, is_map, is_named},
};
use crate::model::{Model, Need, Shape};

/// The kind of a flag.
const FLAG: &str = "flag";

/// The constructor of a structure.
pub struct Constructor<'a> {
    ident: &'a Ident,
    fields: &'a [FieldCode],
    model: &'a Model,
    /// Arguments of `new`.
    positional: Vec<&'a FieldCode>,
    /// The fields that methods take, in this order, before the structure is finished.
    named: Vec<&'a FieldCode>,
}

impl<'a> Constructor<'a> {
    /// Sorts the required fields, whose order is that of the document or its overlay.
    pub fn new(
        ident: &'a Ident,
        fields: &'a [FieldCode],
        order: &[String],
        model: &'a Model,
    ) -> Self {
        let mut required: Vec<&FieldCode> = fields
            .iter()
            .filter(|field| field.settable && matches!(field.need, Need::Required | Need::Demanded))
            .collect();
        let place = |field: &FieldCode| order.iter().position(|json| *json == field.json);
        required.sort_by_key(|field| place(field).unwrap_or(usize::MAX));
        let range = order_range(&mut required);
        let kinds: Vec<_> = required
            .iter()
            .map(|field| kinds(value_type(&field.ty), model))
            .collect();
        let alone = |n: usize| {
            let mut others = kinds.iter().enumerate().filter(|(other, _)| *other != n);
            !kinds[n].contains(FLAG) && others.all(|(_, kind)| kind.is_disjoint(&kinds[n]))
        };
        let mut positional = Vec::new();
        let mut named = Vec::new();
        for (n, field) in required.into_iter().enumerate() {
            if range.contains(&n) || alone(n) {
                positional.push(field);
            } else {
                named.push(field);
            }
        }
        Self {
            ident,
            fields,
            model,
            positional,
            named,
        }
    }

    /// The fields that have no value to stand in for them until they are named.
    pub fn unnameable(&self) -> impl Iterator<Item = &str> {
        let fields = self.named.iter();
        fields
            .filter(|field| self.stand_in(&field.ty).is_none())
            .map(|field| field.json.as_str())
    }

    /// `new`, a method of the structure.
    pub fn function(&self) -> TokenStream {
        let doc = self.doc();
        if self.takes_nothing() && self.empty().next().is_none() {
            return quote! {
                #[doc = #doc]
                pub fn new() -> Self {
                    Default::default()
                }
            };
        }
        let taken = self.positional.iter().map(|field| {
            let (name, accepts) = (&field.ident, self.accepts(&field.ty).0);
            quote!(#name: #accepts)
        });
        let values = self.fields.iter().map(|field| {
            let name = &field.ident;
            let is = |other: &&FieldCode| other.ident == field.ident;
            let value = if self.positional.iter().any(is) {
                wrap(&field.ty, self.accepts(&field.ty).1(quote!(#name)))
            } else if self.named.iter().any(is) {
                self.stand_in(&field.ty)
                    .unwrap_or_else(|| quote!(Default::default()))
            } else if field.need == Need::Empty {
                wrap(&field.ty, quote!(Default::default()))
            } else {
                quote!(Default::default())
            };
            quote!(#name: #value)
        });
        let made = quote!(Self { #(#values),* });
        let (returned, made) = match self.step(0) {
            Some(step) => (quote!(#step), quote!(#step(#made))),
            None => (quote!(Self), made),
        };
        let many =
            (self.positional.len() > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
        let other = self
            .step(0)
            .map(|_| quote!(#[allow(clippy::new_ret_no_self)]));
        quote! {
            #[doc = #doc]
            #many
            #other
            pub fn new(#(#taken),*) -> #returned {
                #made
            }
        }
    }

    fn takes_nothing(&self) -> bool {
        self.positional.is_empty() && self.named.is_empty()
    }

    /// Required lists and maps that start empty, and flags that start false.
    fn empty(&self) -> impl Iterator<Item = &FieldCode> {
        self.fields.iter().filter(|field| field.need == Need::Empty)
    }

    fn doc(&self) -> String {
        let ident = self.ident;
        let is_flag = |field: &&FieldCode| is_named(value_type(&field.ty), "bool");
        let (flags, empty): (Vec<_>, Vec<_>) = self.empty().partition(is_flag);
        let start = [(empty, "empty"), (flags, "false")];
        let start: Vec<_> = start
            .iter()
            .filter(|(fields, _)| !fields.is_empty())
            .map(|(fields, value)| {
                let verb = if fields.len() == 1 { "is" } else { "are" };
                let fields = fields.iter().map(|field| format!("`{}`", field.ident));
                let fields = fields.collect::<Vec<_>>().join(" and ");
                (fields, verb, *value)
            })
            .collect();
        let said =
            |(fields, verb, value): &(String, &str, &str)| format!("{fields} {verb} {value}");
        let start: Vec<_> = start.iter().map(said).collect();
        let mut others = start.clone();
        others.push("all others are unset".to_owned());
        let others = others.join(", ");
        if self.takes_nothing() && start.is_empty() {
            return format!(" Creates an empty `{ident}`.");
        }
        if self.takes_nothing() {
            return format!(" Creates `{ident}`: {others}.");
        }
        if self.named.is_empty() {
            return format!(" Creates `{ident}` from its required fields; {others}.");
        }
        let names: Vec<_> = self
            .named
            .iter()
            .map(|field| format!("`{}`", field.ident))
            .collect();
        format!(
            " Starts `{ident}`. Required fields are set by name, in this order: {}. {start}Other \
             fields start unset.",
            names.join(", "),
            start = start
                .iter()
                .map(|said| format!("{said}. "))
                .collect::<String>(),
        )
    }

    /// The unfinished structures between `new` and the finished one.
    pub fn steps(&self) -> TokenStream {
        let ident = self.ident;
        let steps = self.named.iter().enumerate().filter_map(|(n, field)| {
            let step = self.step(n)?;
            let (name, accepts) = (&field.ident, setters::accepts(value_type(&field.ty)));
            let value = wrap(&field.ty, accepts.1(quote!(value)));
            let accepts = accepts.0;
            // An unfinished structure is `#[must_use]` itself.
            let must_use = self.step(n + 1).is_none().then(|| quote!(#[must_use]));
            let (next, made) = match self.step(n + 1) {
                Some(next) => (quote!(#next), quote!(#next(self.0))),
                None => (quote!(#ident), quote!(self.0)),
            };
            let doc = format!(" A [`{ident}`] that still needs `{name}`.");
            let lacks = format!("call `{name}` to finish the `{ident}`");
            let sets = format!(" Sets [`{name}`]({ident}#structfield.{name}).");
            Some(quote! {
                #[doc = #doc]
                #[derive(Clone, Debug)]
                #[must_use = #lacks]
                pub struct #step(#ident);

                impl #step {
                    #[doc = #sets]
                    #must_use
                    pub fn #name(mut self, value: #accepts) -> #next {
                        self.0.#name = #value;
                        #made
                    }
                }
            })
        });
        quote!(#(#steps)*)
    }

    /// Name of the structure that lacks the named fields from this one on.
    fn step(&self, n: usize) -> Option<Ident> {
        let field = self.named.get(n)?.ident.to_string().to_pascal_case();
        Some(format_ident!("{}Needs{field}", self.ident))
    }

    /// The type that a positional argument accepts: text accepts only text, so that it cannot be swapped.
    fn accepts(&self, ty: &Type) -> (TokenStream, Convert) {
        let ty = value_type(ty);
        let exact = is_named(ty, "Value") || self.is(ty, |shape| matches!(shape, Shape::Enum(_)));
        if exact {
            (quote!(#ty), |value| value)
        } else {
            setters::accepts(ty)
        }
    }

    /// A value for a field until it is named.
    fn stand_in(&self, ty: &Type) -> Option<TokenStream> {
        let defaults = ["String", "Value"].iter().chain(&COPIED);
        let has_default = defaults.clone().any(|name| is_named(ty, name))
            || ["Option", "Nullable", "Vec", "Secret"]
                .iter()
                .any(|outer| argument_of(ty, outer).is_some())
            || is_map(ty)
            || document_type(ty, self.model).is_some_and(|(_, of)| of.may_be_empty());
        if has_default {
            return Some(quote!(Default::default()));
        }
        let from_text =
            is_named(ty, "Timestamp") || self.is(ty, |shape| matches!(shape, Shape::Enum(_)));
        from_text.then(|| quote!(#ty::from("")))
    }

    fn is(&self, ty: &Type, test: impl Fn(&Shape) -> bool) -> bool {
        document_type(ty, self.model).is_some_and(|(_, of)| test(&of.shape))
    }
}

/// Orders a start before its end, and gives their positions if they are times.
fn order_range(required: &mut [&FieldCode]) -> Vec<usize> {
    let rest = |field: &FieldCode, lead: &str| {
        let rest = field.json.strip_prefix(lead)?;
        let ends_word = rest.chars().next().is_none_or(|next| !next.is_lowercase());
        ends_word.then(|| rest.to_owned())
    };
    let range = (0..required.len()).find_map(|start| {
        let what = rest(required[start], "start")?;
        let end =
            (0..required.len()).find(|end| rest(required[*end], "end").as_ref() == Some(&what))?;
        Some((start, end))
    });
    let Some((start, end)) = range else {
        return Vec::new();
    };
    if end < start {
        required.swap(start, end);
    }
    let is_time = |n: &usize| is_named(value_type(&required[*n].ty), "Timestamp");
    let both = vec![start, end];
    // Other texts than times may be unrelated.
    if both.iter().all(is_time) {
        both
    } else {
        Vec::new()
    }
}

/// The kinds of values that a positional argument of a type accepts.
fn kinds(ty: &Type, model: &Model) -> BTreeSet<String> {
    let one = |kind: &str| BTreeSet::from([kind.to_owned()]);
    if let Some(inner) = argument_of(ty, "Box") {
        return kinds(inner, model);
    }
    if let Some(item) = argument_of(ty, "Vec") {
        let mut items = kinds(item, model);
        if document_type(item, model).is_some_and(|(_, of)| matches!(of.shape, Shape::Enum(_))) {
            items.insert("text".to_owned());
        }
        return items
            .into_iter()
            .map(|kind| format!("list of {kind}"))
            .collect();
    }
    let secret_text = argument_of(ty, "Secret").is_some_and(|inner| is_named(inner, "String"));
    if secret_text
        || ["String", "Timestamp", "UrlText"]
            .iter()
            .any(|text| is_named(ty, text))
    {
        return one("text");
    }
    if is_named(ty, "bool") {
        return one(FLAG);
    }
    if COPIED.iter().any(|copied| is_named(ty, copied)) {
        return one("number");
    }
    if is_map(ty) {
        return one("map");
    }
    match document_type(ty, model) {
        Some((name, _)) => conversions::accepted(model, &name).into_iter().collect(),
        None => one(&quote!(#ty).to_string()),
    }
}

/// A type of the document, by its name.
fn document_type<'a>(ty: &Type, model: &'a Model) -> Option<(String, &'a crate::model::Type)> {
    let Type::Path(path) = ty else { return None };
    let name = path.path.get_ident()?.to_string();
    let of = model.types.get(&name)?;
    Some((name, of))
}

fn wrap(ty: &Type, value: TokenStream) -> TokenStream {
    if argument_of(ty, "Option").is_some() {
        quote!(Some(#value))
    } else if argument_of(ty, "Nullable").is_some() {
        quote!(Nullable::Value(#value))
    } else {
        value
    }
}
