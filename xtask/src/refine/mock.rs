//! Problem: progenitor's mock helpers take path values for regular expressions, cannot tell twins
//! (operations that share method and path) from each other, take all bodies for JSON, and have no
//! docs. This rule mends that.

use quote::{ToTokens, quote};
use syn::{
    Expr, File, ImplItem, ImplItemFn, Item, ItemImpl, LitStr, Stmt, TraitItem, parse_quote,
    visit_mut::{self, VisitMut},
};

use crate::{
    apis::Api,
    model::{Answer, Model, Operation},
    names::type_name,
    passes::TWIN,
    report::Changes,
};

pub fn run(mut file: File, api: &Api, model: &Model, changes: &mut Changes) -> Vec<Item> {
    Mend { api }.visit_file_mut(&mut file);
    let described = |name: &str| {
        model
            .operations
            .iter()
            .find(|operation| type_name(&operation.id) == name || operation.id == name)
            .map(|operation| format!("`{} {}`", operation.method, operation.path))
            .unwrap_or_default()
    };
    for item in &mut file.items {
        match item {
            Item::Mod(module) => {
                module.attrs = vec![parse_quote! {
                    #[doc = " What a mock expects (`…When`) and answers (`…Then`), for each operation."]
                }];
                let items = module.content.iter_mut().flat_map(|(_, items)| items);
                for item in items {
                    typed(item, model);
                    document(item, &described, changes);
                }
            }
            Item::Trait(definition) => {
                definition.attrs = vec![parse_quote! {
                    #[doc = " Mocks operations by name on an [`httpmock::MockServer`]."]
                }];
                for item in &mut definition.items {
                    if let TraitItem::Fn(method) = item {
                        let doc = format!(" Mocks {}.", described(&method.sig.ident.to_string()));
                        method.attrs.push(parse_quote!(#[doc = #doc]));
                    }
                }
            }
            _ => {}
        }
    }
    file.items
}

/// Methods that progenitor gets wrong.
fn typed(item: &mut Item, model: &Model) {
    let Item::Impl(item) = item else { return };
    let name = item.self_ty.to_token_stream().to_string();
    let find = |end: &str| {
        let name = name.strip_suffix(end)?;
        model
            .operations
            .iter()
            .find(|operation| type_name(&operation.id) == name)
    };
    if let Some(operation) = find("When") {
        repeated(item, operation);
        body(item, operation);
        twin(item, operation, model);
    } else if let Some(operation) = find("Then") {
        success(item, operation);
    }
}

fn method<'a>(item: &'a mut ItemImpl, name: &str) -> Option<&'a mut ImplItemFn> {
    item.items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == name => Some(method),
        _ => None,
    })
}

/// A parameter whose key may be repeated: each call expects one of its values.
fn repeated(item: &mut ItemImpl, operation: &Operation) {
    for parameter in operation.parameters.iter().filter(|p| p.many) {
        let Some(method) = method(item, &parameter.ident) else {
            continue;
        };
        let (ident, key) = (&method.sig.ident, &parameter.name);
        *method = parse_quote! {
            pub fn #ident(self, value: &str) -> Self {
                Self(self.0.query_param(#key, value))
            }
        };
    }
}

/// A body that is not JSON: its bytes.
fn body(item: &mut ItemImpl, operation: &Operation) {
    let json = operation
        .body
        .as_ref()
        .is_none_or(|media_type| media_type.contains("json"));
    if let (false, Some(method)) = (json, method(item, "body")) {
        *method = parse_quote! {
            pub fn body(self, value: impl AsRef<[u8]>) -> Self {
                let value = value.as_ref().to_vec();
                Self(self.0.is_true(move |request| request.body_ref() == value))
            }
        };
    }
}

/// An answer that is not JSON: its bytes, with their media type.
fn success(item: &mut ItemImpl, operation: &Operation) {
    if let Answer::Bytes(media_type) = &operation.answer
        && let Some(method) = method(item, "success")
    {
        *method = parse_quote! {
            pub fn success(self, status: u16, value: impl AsRef<[u8]>) -> Self {
                assert_eq!(status / 100u16, 2u16);
                Self(self.0.status(status).header("content-type", #media_type).body(value))
            }
        };
    }
}

/// Twins differ in what they send, or in what they accept.
fn twin(item: &mut ItemImpl, operation: &Operation, model: &Model) {
    let Some(other) = model.operations.iter().find(|other| {
        (&other.method, &other.path) == (&operation.method, &operation.path)
            && other.id != operation.id
    }) else {
        return;
    };
    let accept = |operation: &Operation| match &operation.answer {
        Answer::Bytes(media_type) => media_type.clone(),
        _ => "application/json".to_owned(),
    };
    let (header, value) = match &operation.body {
        Some(body) if operation.body != other.body => ("content-type", body.clone()),
        _ => ("accept", accept(operation)),
    };
    if let Some(method) = method(item, "new")
        && let Some(Stmt::Expr(Expr::Call(wrap), None)) = method.block.stmts.last_mut()
        && let Some(expectations) = wrap.args.first_mut()
    {
        *expectations = parse_quote!(#expectations.header(#header, #value));
    }
}

fn document(item: &mut Item, described: &impl Fn(&str) -> String, changes: &mut Changes) {
    match item {
        Item::Struct(item) => {
            let name = item.ident.to_string();
            let (operation, what) = match name.strip_suffix("When") {
                Some(operation) => (operation, "What a request must look like"),
                None => (name.strip_suffix("Then").unwrap_or(&name), "The answer"),
            };
            let doc = format!(" {what}: {}.", described(operation));
            item.attrs.push(parse_quote!(#[doc = #doc]));
            changes.note(name);
        }
        Item::Impl(item) => {
            for item in &mut item.items {
                let ImplItem::Fn(method) = item else { continue };
                let doc = match method.sig.ident.to_string().as_str() {
                    "new" => " Wraps httpmock's own type.".to_owned(),
                    "into_inner" => {
                        " Gives httpmock's own type back, to say what is not typed.".to_owned()
                    }
                    "success" => " A success, status 200 to 299.".to_owned(),
                    "client_error" => " An error, status 400 to 499.".to_owned(),
                    "server_error" => " An error, status 500 to 599.".to_owned(),
                    "body" => " The body must be this.".to_owned(),
                    argument => format!(" `{argument}` must be this."),
                };
                method.attrs.push(parse_quote!(#[doc = #doc]));
            }
        }
        _ => {}
    }
}

struct Mend<'a> {
    api: &'a Api,
}

impl VisitMut for Mend<'_> {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let [a, b, ..] = &names[..]
            && a == "crate"
            && b == "types"
        {
            path.leading_colon = None;
            path.segments = path.segments.iter().skip(1).cloned().collect();
        }
    }

    fn visit_item_use_mut(&mut self, item: &mut syn::ItemUse) {
        let name = syn::Ident::new(&self.api.crate_name(), proc_macro2::Span::call_site());
        if item
            .to_token_stream()
            .to_string()
            .contains(&self.api.crate_name())
        {
            *item = parse_quote!(
                #[allow(unused_imports, reason = "not every API has typed bodies")]
                use #name::types;
            );
        }
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::Macro(call) = expression
            && call.mac.path.is_ident("format")
            && let Ok(mut parts) = call.mac.parse_body_with(
                syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated,
            )
        {
            for part in &mut parts {
                if let Expr::Lit(_) = part {
                    self.visit_expr_mut(part);
                } else {
                    *part = parse_quote!(crate::path_value(&#part));
                }
            }
            call.mac.tokens = quote!(#parts);
        }
    }

    fn visit_lit_str_mut(&mut self, literal: &mut LitStr) {
        let mut text = literal.value();
        if let Some(at) = text.find(TWIN) {
            let end = if text.ends_with('$') { "$" } else { "" };
            text = format!("{}{end}", &text[..at]);
        }
        if text.starts_with("^/") {
            // A parameter is one segment.
            text = text.replace(".*", "[^/]*");
        }
        if text != literal.value() {
            *literal = LitStr::new(&text, literal.span());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::{api, with_paths};

    #[test]
    fn helpers_match_values_literally_and_know_twins() {
        let file: syn::File = parse_quote! {
            pub mod operations {
                use mkio_media::*;
                pub struct GetBWhen(::httpmock::When);
                impl GetBWhen {
                    pub fn id(self, value: &str) -> Self {
                        let re = regex::Regex::new(&format!("^/a/.*/b/{}/x-mkio-twin-csv$", value.to_string())).unwrap();
                        Self(self.0.path_matches(re))
                    }
                    pub fn label<T>(self, value: T) -> Self where T: Into<Option<Vec<String>>> { todo() }
                }
            }
            pub trait MockServerExt { fn get_b<F>(&self, config_fn: F); }
        };
        let model = Model::new(&with_paths(json!({"/b": {"get": {
            "operationId": "get_b", "responses": {},
            "parameters": [{"name": "$label", "in": "query", "schema": {"type": "array"}}],
        }}})));
        let items = run(file, &api(), &model, &mut Changes::default());
        let code = prettyplease::unparse(&crate::code::file(items));
        for line in [
            "\"^/a/[^/]*/b/{}$\"",
            "crate::path_value(&value.to_string())",
            "use mkio_media::types;",
            "/// Mocks `GET /b`.",
            "Self(self.0.query_param(\"$label\", value))",
        ] {
            // Where lines break is the printer's business.
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            assert!(bare(&code).contains(&bare(line)), "{line} in:\n{code}");
        }
    }
}
