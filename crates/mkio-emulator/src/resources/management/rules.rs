//! Webhook rules and their delivery history.

use serde_json::{Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        read::Read,
        store::{Address, Resource},
    },
    platform::{
        call::{Call, Response},
        list, render,
        rules::{Entry, NameRule, Platform, Rules, Shape},
        webhooks,
    },
};

impl Kind {
    /// Webhook rules.
    pub const RULE: Self = Self::new("rule", "webhook rule");
}

/// Webhook rules.
pub static ENTRY: Entry = Entry {
    kinds: &[&RULES],
    routes: &[
        ("GET ~/webhook/rules", list_rules),
        ("GET ~/webhook/rules/{}/events", events),
    ],
    ..Entry::NONE
};

/// Webhook rules.
pub static RULES: Rules = Rules {
    collection: "~/webhook/rules",
    name: NameRule {
        pattern: r"^[^\^\'<>%&:\\?/*+]+$",
        min: 1,
        max: 260,
    },
    check: |world, _, body, _| {
        let url = body.text("/spec/url").unwrap_or_default();
        let mut findings = webhooks::check_headers(body);
        if let Err(reason) = webhooks::check_target(url, world.settings.remote_webhooks) {
            findings.push(("/spec/url".to_owned(), reason));
        }
        if findings.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid("request body", findings))
        }
    },
    removed: |world, address, _| world.outbox.forget(&address.place.project, &address.name),
    complete,
    ..Rules::new(Kind::RULE, "WebhookRule", Shape::Bare)
};

fn complete(_: &Platform, _: &Address, rule: &Resource, out: &mut Value) {
    merge::put(
        out,
        "/metadata",
        json!({ "id": rule.id, "name": &*rule.name }),
    );
    for section in ["headers", "queryParams"] {
        let Some(secrets) = out
            .pointer_mut(&format!("/spec/authentication/{section}"))
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        for (_, secret) in secrets.iter_mut() {
            *secret = json!("********");
        }
    }
}

/// GET `…/webhook/rules`: the paging parameters are declared, the envelope is not.
pub fn list_rules(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let values = world
        .all(call.project(), Kind::RULE)
        .map(|(place, rule)| render::resource(world, &place.at(&rule.name), rule))
        .collect();
    list::bare_page(world, call, None, values)
}

/// GET `…/webhook/rules/{rule_name}/events`.
pub fn events(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let address = call.address(Kind::RULE);
    world.find(&address)?;
    let values = world.outbox.history(call.project(), &address.name);
    list::values_page(world, call, "WebhookEvent", values)
}
