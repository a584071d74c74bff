//! Problem: progenitor's mock helpers take path values for regular expressions, do not know of
//! twins, and have no docs. This rule mends that.

use quote::{ToTokens, quote};
use syn::{
    Expr, File, ImplItem, Item, LitStr, TraitItem, parse_quote,
    visit_mut::{self, VisitMut},
};

use crate::{apis::Api, model::Model, names::type_name, passes::TWIN, report::Changes};

pub fn run(mut file: File, api: &'static Api, model: &Model, changes: &mut Changes) -> Vec<Item> {
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
                    repeated(item, model);
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

/// A parameter whose key may be repeated: each call expects one of its values.
fn repeated(item: &mut Item, model: &Model) {
    let Item::Impl(item) = item else { return };
    let name = item.self_ty.to_token_stream().to_string();
    let operation = name.strip_suffix("When").and_then(|name| {
        model
            .operations
            .iter()
            .find(|operation| type_name(&operation.id) == name)
    });
    let Some(operation) = operation else { return };
    for method in &mut item.items {
        let ImplItem::Fn(method) = method else {
            continue;
        };
        let ident = method.sig.ident.clone();
        let parameter = operation
            .parameters
            .iter()
            .find(|p| p.many && ident == p.ident);
        if let Some(parameter) = parameter {
            let key = &parameter.name;
            *method = parse_quote! {
                pub fn #ident(self, value: &str) -> Self {
                    Self(self.0.query_param(#key, value))
                }
            };
        }
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

struct Mend {
    api: &'static Api,
}

impl VisitMut for Mend {
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
                    *part = parse_quote!(regex::escape(&#part));
                }
            }
            call.mac.tokens = quote!(#parts);
        }
    }

    fn visit_lit_str_mut(&mut self, literal: &mut LitStr) {
        let text = literal.value();
        if let Some(at) = text.find(TWIN) {
            let end = if text.ends_with('$') { "$" } else { "" };
            let short = format!("{}{end}", &text[..at]);
            *literal = LitStr::new(&short, literal.span());
        } else if text.starts_with("^/") && text.contains(".*") {
            // A parameter is one segment.
            *literal = LitStr::new(&text.replace(".*", "[^/]*"), literal.span());
        }
    }
}
