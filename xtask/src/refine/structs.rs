//! Problem: typify's structures drop empty lists, know two states where JSON has three, show
//! secrets, and break users when a field is added. This rule writes structures from the model: `Option` or `Nullable` for optional
//! fields, `Secret` for secrets, `#[non_exhaustive]` with constructor and setters for requests.

use indexmap::IndexMap;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Item, Type, parse_quote};

use super::{
    accessors,
    constructors::Constructor,
    conversions, docs,
    field::{FieldCode, Reader},
    occurrences::Occurrences,
    setters, simplify, state,
};
use crate::{
    document::{Document, Problem, ref_name},
    glue::pages::{self, Collection},
    model::{Field, Model, Need, Type as Named},
    passes::EXTRA,
    report::Changes,
    states::States,
};

pub fn run(
    document: &Document,
    model: &Model,
    occurrences: &Occurrences,
    states: &States,
    changes: &mut Changes,
) -> Result<Vec<(String, Vec<Item>)>, Problem> {
    let mut code = Vec::new();
    let lists = pages::lists(model);
    for (name, of) in &model.types {
        let Some(fields) = of.fields() else {
            continue;
        };
        let mut fields = fields_of(fields, of);
        let list = lists.iter().find(|(_, response, _)| response == name);
        let list = list.map(|(_, _, collection)| collection);
        if of.read {
            for field in &mut fields {
                field.reader = reader(field, list);
            }
        }
        let structure = Structure {
            name,
            of,
            fields,
            model,
        };
        changes.note(format!("{name}: {} fields", structure.fields.len()));
        let items = structure.emit(occurrences, states);
        let items = items.map_err(|found| {
            document.problem(
                &of.pointer,
                found,
                "required fields that text, numbers, lists or maps fill",
            )
        })?;
        let file: syn::File = syn::parse2(items).map_err(|error| {
            document.problem(
                &of.pointer,
                format!("a structure whose code does not parse: {error}"),
                "names that can be Rust identifiers",
            )
        })?;
        code.push((name.clone(), file.items));
    }
    Ok(code)
}

/// A generated structure.
struct Structure<'a> {
    name: &'a str,
    of: &'a Named,
    fields: Vec<FieldCode>,
    model: &'a Model,
}

impl Structure<'_> {
    fn emit(&self, occurrences: &Occurrences, states: &States) -> Result<TokenStream, String> {
        let ident = format_ident!("{}", self.name);
        let definition = self.definition(&ident, occurrences);
        let written = self.of.written.then(|| self.written(&ident)).transpose()?;
        let read = if self.of.read {
            let accessors = accessors::emit(&ident, &self.fields, self.model);
            let states = state::emit(&ident, self.name, self.model, states);
            Some(quote!(#accessors #states))
        } else {
            None
        };
        Ok(quote!(#definition #written #read))
    }

    fn definition(&self, ident: &syn::Ident, occurrences: &Occurrences) -> TokenStream {
        let doc = occurrences.docs(self.of, self.name);
        let default = self.of.may_be_empty().then(|| quote!(Default,));
        let members = self.members(ident);
        let mut undescribed = false;
        let fields: Vec<TokenStream> = self
            .fields
            .iter()
            .map(|field| {
                let FieldCode {
                    ident, json, ty, ..
                } = field;
                let doc = docs::of_field(&field.description, &ident.to_string(), json);
                undescribed |= doc.is_none();
                let serde = serde_attribute(field, members.is_none());
                quote!(#doc #serde pub #ident: #ty,)
            })
            .collect();
        let undescribed = undescribed.then(|| {
            quote!(#[allow(missing_docs, reason = "the document does not describe every field")])
        });
        let deserialize = members.is_none().then(|| quote!(Deserialize,));
        quote! {
            #doc
            #[derive(Clone, Debug, #default PartialEq, #deserialize Serialize)]
            #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
            #undescribed
            #[non_exhaustive]
            pub struct #ident { #(#fields)* }
            #members
        }
    }

    /// The implementation of reading for a structure without required members: a third of the code
    /// that serde derives.
    fn members(&self, ident: &syn::Ident) -> Option<TokenStream> {
        let has_rest = self.fields.iter().any(|field| field.json.is_empty());
        if self.fields.is_empty() || has_rest || !self.of.may_be_empty() {
            return None;
        }
        let (name, names) = (self.name, self.fields.iter().map(|field| &field.json));
        let arms = self.fields.iter().enumerate().map(|(index, field)| {
            let ident = &field.ident;
            let value = match field.reader {
                Some(Reader::Lenient) => quote!(::mkio_core::glue::next_lenient(map)?),
                Some(Reader::OrNone) => quote!(::mkio_core::glue::next_or_none(map)?),
                None => quote!(map.next_value()?),
            };
            let index = proc_macro2::Literal::usize_unsuffixed(index);
            quote!(#index => self.#ident = #value,)
        });
        Some(quote! {
            impl ::mkio_core::glue::Members for #ident {
                const TYPE: &'static str = #name;
                const NAMES: &'static [&'static str] = &[#(#names),*];

                fn read<'de, A: ::serde::de::MapAccess<'de>>(
                    &mut self,
                    index: usize,
                    map: &mut A,
                ) -> Result<(), A::Error> {
                    match index {
                        #(#arms)*
                        _ => {}
                    }
                    Ok(())
                }
            }
            impl<'de> Deserialize<'de> for #ident {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    ::mkio_core::glue::members(deserializer)
                }
            }
        })
    }

    /// Constructor, setters and conversions.
    fn written(&self, ident: &syn::Ident) -> Result<TokenStream, String> {
        let constructor = Constructor::new(ident, &self.fields, &self.of.required, self.model);
        if let Some(field) = constructor.unnameable().next() {
            return Err(format!(
                "{field:?}, which could be mistaken for another required field and has no value of its own"
            ));
        }
        let (function, steps) = (constructor.function(), constructor.steps());
        let setters = setters::emit(&self.fields, self.of.patch);
        let conversions = self.conversions(ident);
        let is_body = self.model.operations.iter().any(|operation| {
            let body = operation.body_schema.as_ref();
            body.and_then(ref_name) == Some(self.name)
        });
        let body = is_body.then(|| quote!(::mkio_core::json_body! { #ident }));
        Ok(quote! {
            impl #ident {
                #function
                #setters
            }
            #steps
            #conversions
            #body
        })
    }

    /// Conversions from the content of an envelope.
    fn conversions(&self, ident: &syn::Ident) -> TokenStream {
        let made = match conversions::optional_content(self.of) {
            Some(json) => {
                let field = self.fields.iter().find(|field| field.json == json);
                let setter = field.map(|field| setters::name(&field.ident));
                quote!(Self::new().#setter(value))
            }
            None => quote!(Self::new(value)),
        };
        let sources = conversions::into_envelope(self.model, self.name);
        let conversions = sources.into_iter().map(|source| {
            let source = format_ident!("{source}");
            quote! {
                impl From<#source> for #ident {
                    fn from(value: #source) -> Self {
                        #made
                    }
                }
            }
        });
        quote!(#(#conversions)*)
    }
}

fn fields_of(fields: &IndexMap<String, Field>, of: &Named) -> Vec<FieldCode> {
    let named = fields.iter().map(|(json, field)| {
        let inner = if is_url(json) {
            with_urls(&field.ty)
        } else {
            field.ty.clone()
        };
        let inner: Type = if field.secret {
            parse_quote!(Secret<#inner>)
        } else {
            inner
        };
        let ty: Type = match (field.need == Need::Demanded, field.nullable) {
            (false, true) if of.written => parse_quote!(Nullable<#inner>),
            (false, _) | (true, true) => parse_quote!(Option<#inner>),
            (true, false) => inner,
        };
        FieldCode {
            ident: format_ident!("{}", field.ident),
            json: json.clone(),
            ty,
            settable: of.written && !field.read_only,
            need: field.need,
            reader: None,
            description: field.description.clone(),
        }
    });
    let extra = of.rest.as_ref().map(|ty| FieldCode {
        ident: format_ident!("{EXTRA}"),
        json: String::new(),
        ty: ty.clone(),
        settable: of.written,
        need: Need::Optional,
        reader: None,
        description: "Everything else that the object holds.".to_owned(),
    });
    named.chain(extra).collect()
}

/// The type of a field that holds a URL, or a list of URLs.
fn with_urls(ty: &Type) -> Type {
    if simplify::is_named(ty, "String") {
        return parse_quote!(UrlText);
    }
    match simplify::argument_of(ty, "Vec") {
        Some(item) => {
            let item = with_urls(item);
            parse_quote!(Vec<#item>)
        }
        None => ty.clone(),
    }
}

/// The field holds a URL, or a list of them: of a transport, an endpoint, a storage, a web hook. Such URLs hold
/// secrets. The URI of a scheme is a name.
pub fn is_url(json: &str) -> bool {
    let name = json.to_ascii_lowercase();
    let name = name.strip_suffix('s').unwrap_or(&name);
    let name = name.strip_suffix("template").unwrap_or(name);
    (name.ends_with("url") || name.ends_with("uri")) && json != "schemeIdUri"
}

/// The function that reads a field of a response. Items of a list that do not decode are reported one
/// by one; of the other fields of a list only the link is needed.
fn reader(field: &FieldCode, list: Option<&Collection>) -> Option<Reader> {
    let mut ty = &field.ty;
    let wrapped = ["Option", "Nullable", "Secret"];
    let inside = |ty| {
        wrapped
            .iter()
            .find_map(|name| simplify::argument_of(ty, name))
    };
    while let Some(inner) = inside(ty) {
        ty = inner;
    }
    let scalars = ["i64", "f64", "bool"];
    let scalar = scalars.iter().any(|name| simplify::is_named(ty, name));
    let elements = simplify::argument_of(ty, "Vec").is_some()
        || simplify::arguments_of(ty, "BTreeMap").is_some();
    let is = |name: &String| field.ident == name;
    match list {
        Some(list) if is(&list.field) || list.link.as_ref().is_some_and(is) => None,
        Some(_) if !scalar && simplify::argument_of(&field.ty, "Option").is_some() => {
            Some(Reader::OrNone)
        }
        _ => (scalar || elements).then_some(Reader::Lenient),
    }
}

/// `reads`: serde derives the reading, too.
fn serde_attribute(field: &FieldCode, reads: bool) -> Option<TokenStream> {
    if field.json.is_empty() {
        return Some(quote!(#[serde(flatten)]));
    }
    let mut parts = Vec::new();
    let json = &field.json;
    if field.ident != json {
        parts.push(quote!(rename = #json));
    }
    let nullable = simplify::argument_of(&field.ty, "Nullable").is_some();
    let function = match field.reader {
        Some(Reader::Lenient) => Some("::mkio_core::glue::lenient"),
        Some(Reader::OrNone) => Some("::mkio_core::glue::or_none"),
        None => None,
    };
    if let Some(function) = function.filter(|_| reads) {
        // Serde takes an `Option` as absent only while it reads it itself.
        if !nullable {
            parts.push(quote!(default));
        }
        parts.push(quote!(deserialize_with = #function));
    }
    if nullable {
        parts.push(quote!(default, skip_serializing_if = "Nullable::is_absent"));
    } else if simplify::argument_of(&field.ty, "Option").is_some() && field.need != Need::Demanded {
        parts.push(quote!(skip_serializing_if = "Option::is_none"));
    }
    (!parts.is_empty()).then(|| quote!(#[serde(#(#parts),*)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{code::without_spaces, passes::testing::with_schemas};

    fn code(schema: serde_json::Value) -> String {
        code_of(&with_schemas(json!({"S": schema})))
    }

    fn code_of(document: &Document) -> String {
        let model = Model::new(document);
        let code = run(
            document,
            &model,
            &Occurrences::of(&model),
            &States::default(),
            &mut Changes::default(),
        )
        .unwrap();
        let items = code.into_iter().flat_map(|(_, items)| items).collect();
        prettyplease::unparse(&crate::code::file(items))
    }

    fn has(text: &str, lines: &[&str]) {
        let bare = without_spaces(text);
        for line in lines {
            assert!(bare.contains(&without_spaces(line)), "{line} in:\n{text}");
        }
    }

    #[test]
    fn fields_get_their_states() {
        let text = code(json!({"x-mkio-written": true, "properties": {
            "aList": {"type": "array", "items": {"type": "string"}},
            "note": {"type": "string", "x-mkio-nullable": true},
            "password": {"type": "string", "x-mkio-secret": true},
            "any": {},
        }, "additionalProperties": true}));
        has(
            &text,
            &[
                "pub a_list: Option<Vec<String>>,",
                "pub note: Nullable<String>,",
                "pub password: Option<Secret<String>>,",
                "pub any: Option<Value>,",
                "#[serde(flatten)]",
                "pub extra: ::serde_json::Map<String, Value>,",
                "#[non_exhaustive]",
                "rename = \"aList\"",
            ],
        );
        // Nothing reads it.
        assert!(!text.contains("(&self)"), "{text}");
    }

    #[test]
    fn numbers_and_lists_are_read_tolerantly_beside_further_entries() {
        let text = code(
            json!({"x-mkio-written": true, "x-mkio-read": true, "properties": {
            "size": {"type": "integer"}, "name": {"type": "string"},
            "rate": {"type": "number", "x-mkio-nullable": true},
        }, "additionalProperties": {"type": "integer"}}),
        );
        let lenient = "deserialize_with = \"::mkio_core::glue::lenient\"";
        let none = "skip_serializing_if = \"Option::is_none\"";
        has(
            &text,
            &[
                &format!("#[serde(default, {lenient}, {none})] pub size: Option<i64>,"),
                &format!("#[serde({none})] pub name: Option<String>,"),
                &format!(
                    "#[serde({lenient}, default, skip_serializing_if = \"Nullable::is_absent\")] pub rate: Nullable<f64>,"
                ),
                "#[serde(flatten)] pub extra: BTreeMap<String, i64>,",
            ],
        );
    }

    #[test]
    fn of_a_list_nothing_is_needed_but_items_and_link() {
        let mut document = crate::passes::testing::with_paths(json!({"/a": {"get": {
            "operationId": "list_a",
            "responses": {"2XX": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S"}}}}},
        }}}));
        document.root["components"]["schemas"] = json!({"S": {"x-mkio-read": true, "properties": {
            "value": {"type": "array", "items": {"type": "string"}},
            "nextLink": {"type": "string"}, "total": {"type": "integer"}, "note": {"type": "string"},
        }}});
        has(
            &code_of(&document),
            &[
                "0 => self.value = map.next_value()?",
                "1 => self.next_link = map.next_value()?",
                "2 => self.total = ::mkio_core::glue::next_lenient(map)?",
                "3 => self.note = ::mkio_core::glue::next_or_none(map)?",
            ],
        );
    }

    /// Types of the document, as fields of one of them.
    fn with_parts(fields: serde_json::Value) -> String {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let mut all = json!({
            "text": {"type": "string"}, "number": {"type": "integer"}, "map": {"type": "object"},
            "texts": {"type": "array", "items": {"type": "string"}},
            "numbers": {"type": "array", "items": {"type": "integer"}},
            "lines": {"type": "array", "items": {"type": "string"}}, "config": {"type": "object"},
            "a": reference("A"), "again": reference("A"), "b": reference("B"), "c": reference("C"),
        });
        let names = fields.as_array().unwrap();
        all.as_object_mut()
            .unwrap()
            .retain(|name, _| names.contains(&json!(name)));
        let part = json!({"x-mkio-written": true, "x-mkio-read": true, "properties": {"x": {"type": "string"}}});
        code_of(&with_schemas(json!({
            "S": {"x-mkio-written": true, "required": fields, "x-mkio-required": fields, "properties": all},
            "A": part, "B": part, "C": part,
        })))
    }

    #[test]
    fn two_parts_of_one_type_are_named() {
        has(
            &with_parts(json!(["a", "again", "b"])),
            &["pub fn new(b: impl Into<B>) -> SNeedsA", "-> SNeedsAgain"],
        );
        has(
            &with_parts(json!(["texts", "lines", "map", "config"])),
            &["pub fn new() -> SNeedsTexts", "-> SNeedsConfig"],
        );
    }

    #[test]
    fn parts_of_one_type_without_a_value_of_their_own_are_refused() {
        let part = json!({"$ref": "#/components/schemas/T"});
        let document = with_schemas(json!({
            "S": {
                "x-mkio-written": true, "required": ["left", "right"], "x-mkio-required": ["left", "right"],
                "properties": {"left": part, "right": part},
            },
            "T": {
                "x-mkio-written": true, "required": ["x"], "x-mkio-required": ["x"],
                "properties": {"x": {"type": "string"}},
            },
        }));
        let model = Model::new(&document);
        let made = run(
            &document,
            &model,
            &Occurrences::of(&model),
            &States::default(),
            &mut Changes::default(),
        );
        let problem = made.err().unwrap();
        assert_eq!(problem.pointer, "/components/schemas/S");
        assert!(problem.found.contains("\"left\""), "{problem}");
    }

    #[test]
    fn what_is_demanded_and_may_be_null_is_sent_as_null() {
        let text = code(json!({"x-mkio-written": true, "required": ["note"],
            "properties": {"note": {"type": "string", "x-mkio-nullable": true}},
        }));
        has(&text, &["pub note: Option<String>"]);
        assert!(!text.contains("skip_serializing_if"), "{text}");
    }

    #[test]
    fn many_arguments_are_allowed_where_clippy_would_mind() {
        let mut fields = vec!["text", "number", "map", "texts", "numbers", "a", "b", "c"];
        assert!(with_parts(json!(fields)).contains("too_many_arguments"));
        fields.pop();
        assert!(!with_parts(json!(fields)).contains("too_many_arguments"));
    }

    #[test]
    fn what_has_to_hold_something_is_absent_rather_than_empty() {
        let text = code_of(&with_schemas(json!({
            "S": {"x-mkio-read": true, "properties": {"t": {"$ref": "#/components/schemas/T"}}},
            "T": {"x-mkio-read": true, "required": ["x"], "properties": {"x": {"type": "string"}}},
        })));
        has(&text, &["pub fn t(&self) -> Option<&T>"]);
    }

    #[test]
    fn what_is_read_has_a_method_for_each_field() {
        let text = code(json!({"x-mkio-read": true, "properties": {
            "text": {"type": "string"},
            "items": {"type": "array", "items": {"type": "string"}},
            "byName": {"type": "object", "additionalProperties": {"type": "integer"}},
            "any": {"type": "object"},
            "size": {"type": "integer"},
            "time": {"type": "string", "format": "date-time"},
            "default": {"type": "boolean"},
            "same": {"$ref": "#/components/schemas/S"},
        }}));
        has(
            &text,
            &[
                "pub fn text(&self) -> Option<&str>",
                "pub fn items(&self) -> &[String]",
                "pub fn by_name(&self) -> &BTreeMap<String, i64>",
                "pub fn any(&self) -> &::serde_json::Map<String, Value>",
                "pub fn size(&self) -> Option<i64>",
                "pub fn time(&self) -> Option<&Timestamp>",
                "pub fn default(&self) -> Option<bool>",
                "pub fn same(&self) -> &S",
            ],
        );
        assert!(!text.contains("pub fn with_"), "{text}");
    }

    #[test]
    fn what_is_written_has_setters_by_value() {
        let text = code(
            json!({"x-mkio-written": true, "x-mkio-read": true, "properties": {
                "type": {"type": "string"}, "default": {"type": "boolean"},
                "fixed": {"type": "string", "readOnly": true},
            }}),
        );
        has(
            &text,
            &[
                "#[must_use]\n    pub fn with_type(mut self, value: impl Into<String>) -> Self {",
                "pub fn type_(&self) -> Option<&str>",
                "pub fn with_default(mut self, value: bool) -> Self {",
                "/// Creates an empty `S`.",
            ],
        );
        assert!(!text.contains("with_fixed"), "{text}");
    }

    #[test]
    fn arguments_of_one_kind_are_named() {
        let text = code(json!({"x-mkio-written": true,
            "required": ["audience", "size", "issuer", "time"],
            "x-mkio-required": ["size", "audience", "issuer", "time"],
            "properties": {
                "audience": {"type": "string"}, "issuer": {"type": "string"}, "size": {"type": "integer"},
                "time": {"type": "string", "format": "date-time"},
            },
        }));
        has(
            &text,
            &[
                "pub fn new(size: impl Into<i64>) -> SNeedsAudience {",
                "impl SNeedsAudience { /// Sets [`audience`](S#structfield.audience). pub fn audience(mut self, value: impl Into<String>) -> SNeedsIssuer {",
                "-> SNeedsTime {",
                "#[must_use] pub fn time(mut self, value: impl Into<Timestamp>) -> S {",
            ],
        );
    }

    #[test]
    fn flags_are_named_also_alone() {
        let text = code(json!({"x-mkio-written": true, "x-mkio-read": true,
            "x-mkio-required": ["on", "name"], "properties": {
                "on": {"type": "boolean"}, "name": {"type": "string"},
                "quiet": {"type": "boolean", "x-mkio-empty": true},
                "loud": {"type": "boolean", "x-mkio-empty": true},
            },
        }));
        has(
            &text,
            &[
                "pub fn new(name: impl Into<String>) -> SNeedsOn {",
                "pub fn on(mut self, value: bool) -> S {",
                "`quiet` and `loud` are false",
                "quiet: Some(Default::default()),",
            ],
        );
    }

    #[test]
    fn a_range_is_positional_with_its_start_first() {
        let text = code(json!({"x-mkio-written": true,
            "required": ["endTime", "startTime"], "x-mkio-required": ["endTime", "name", "startTime"],
            "properties": {
                "startTime": {"type": "string", "format": "date-time"}, "name": {"type": "string"},
                "endTime": {"type": "string", "format": "date-time"},
            },
        }));
        has(
            &text,
            &[
                "pub fn new( start_time: impl Into<Timestamp>, end_time: impl Into<Timestamp>, ) -> SNeedsName {",
            ],
        );
    }

    #[test]
    fn a_range_of_plain_texts_is_named() {
        let text = code(json!({"x-mkio-written": true, "x-mkio-read": true,
            "x-mkio-required": ["endDate", "startDate"],
            "properties": {"endDate": {"type": "string"}, "startDate": {"type": "string"}},
        }));
        has(
            &text,
            &[
                "pub fn new() -> SNeedsStartDate {",
                "pub fn start_date(mut self, value: impl Into<String>) -> SNeedsEndDate {",
            ],
        );
    }

    #[test]
    fn maps_of_any_content_are_made_of_pairs() {
        let text = code(json!({"x-mkio-written": true,
            "required": ["name", "config"], "x-mkio-required": ["name", "config"],
            "properties": {"name": {"type": "string"}, "config": {"type": "object"}, "more": {"type": "object"}},
        }));
        let pairs = "impl IntoIterator<Item = (impl Into<String>, impl Into<Value>)>";
        has(
            &text,
            &[
                &format!("config: {pairs}"),
                &format!("pub fn with_more( mut self, value: {pairs}, ) -> Self"),
            ],
        );
    }

    #[test]
    fn what_may_start_empty_is_sent_and_not_asked_for() {
        let text = code(
            json!({"x-mkio-written": true, "x-mkio-read": true, "x-mkio-required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "outputs": {"type": "array", "items": {"type": "string"}, "x-mkio-empty": true},
            }}),
        );
        has(
            &text,
            &[
                "Creates `S` from its required fields; `outputs` is empty, all others are unset.",
                "pub fn new(name: impl Into<String>) -> Self {",
                "outputs: Some(Default::default()),",
            ],
        );
    }

    #[test]
    fn setters_of_a_patch_say_what_happens_to_lists_and_maps() {
        let text = code(
            json!({"x-mkio-written": true, "x-mkio-patch": true, "properties": {
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "routes": {"type": "array", "items": {"type": "string"}},
                "note": {"type": "string", "x-mkio-nullable": true},
            }}),
        );
        has(
            &text,
            &[
                "/// PATCH adds entries and replaces those of the same key; it cannot remove one.",
                "/// PATCH replaces the whole list; an empty one removes all items.",
                "/// `null` clears the value. If not called, the value is unchanged.",
            ],
        );
    }

    #[test]
    fn docs_say_more_than_the_name() {
        let text = code(
            json!({"properties": {"scaleUnits": {"type": "integer"}, "name": {"type": "string"}}}),
        );
        has(
            &text,
            &["/// `scaleUnits` in JSON.", "#[allow(missing_docs"],
        );
        assert!(!text.contains("of the document"), "{text}");
    }

    #[test]
    fn what_is_read_is_read_leniently_and_what_is_written_is_not() {
        let schema = |mark: &str| {
            json!({mark: true, "properties": {
                "size": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "name": {"type": "string"},
            }})
        };
        let read = code(schema("x-mkio-read"));
        assert_eq!(read.matches("next_lenient(map)").count(), 2, "{read}");
        let written = code(schema("x-mkio-written"));
        assert!(!written.contains("lenient"), "{written}");
    }

    #[test]
    fn urls_hide_what_they_hold() {
        let text = code(json!({"properties": {
            "url": {"type": "string"},
            "sourceUrl": {"type": "string"},
            "schemeIdUri": {"type": "string"},
            "urls": {"type": "array", "items": {"type": "string"}},
        }}));
        for line in [
            "pub urls: Option<Vec<UrlText>>,",
            "pub url: Option<UrlText>,",
            "pub source_url: Option<UrlText>,",
            "pub scheme_id_uri: Option<String>,",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
    }
}
