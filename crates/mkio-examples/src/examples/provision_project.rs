//! Sets up a new team: a project with its payment method, a team with rights on it, a token that
//! can do no more than it has to, and a webhook rule.

use anyhow::{Context, Result};
use mkio::{
    Timestamp,
    management::types::*,
    serde_json::{Map, json},
    webhook::{EventType, Rule},
};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    let management = place.client.management();
    let organization = management.get_organization().send().await?;
    let organization = organization.metadata().id().context("the organization's id")?.to_owned();

    let payment = payment_method(place).await?;
    let mut locations = management.list_locations().items();
    let location = locations.try_next().await?.context("a location")?;
    let location = location.metadata().name().context("its name")?.to_owned();

    // A project that is there already is as good. No operation deletes one.
    let name = "provisioned";
    let body = ProjectPut::new()
        .display_name("Made by an example")
        .location_name(&location)
        .payment_method_id(&payment);
    match management.create_project(name, body).send().await {
        Err(error) if error.is_conflict() => place.say(format!("{name} is there")),
        outcome => {
            outcome?;
            place.say(format!("made {name} in {location}"));
        }
    }
    let project = management.project(name);
    let id = project.get_project().send().await?;
    let id = id.metadata().id().context("the project's id")?.to_owned();

    // A PUT of a team replaces its members. Add one later by JSON Patch.
    let team = place.name("team");
    place.undo(&team, management.delete_team(&team).send());
    let scope = TeamScope::new(["Reader"]);
    let spec = TeamPutSpec::new().with_scopes([(format!("Project {name}"), scope)]);
    management.create_or_update_team(&team, TeamPut::new(spec)).send().await?;
    place.say(format!("{team} may read {name}"));

    // The token is in this response and nowhere else.
    let may = json!({ "core.project": { &*id: { "ams.asset": ["get"], "ams.job": ["get"] } } });
    let may: Map<_, _> = may.as_object().cloned().unwrap_or_default();
    let tomorrow = now(place) + std::time::Duration::from_secs(86_400);
    let body = UserTokenPost::new(TokenType::Restricted, &organization)
        .with_description("nightly report")
        .with_expire_date(Timestamp::from(tomorrow))
        .with_permissions(may);
    let token = management.create_user_token(body).send().await?;
    let token_id = token.metadata().id().context("the token's id")?.to_owned();
    place.undo("token", management.delete_user_token(&token_id).send());
    let length = token.metadata().jwt().map_or(0, |jwt| jwt.expose().len());
    place.say(format!("made a token of {length} characters that may read assets and jobs"));

    let rule = place.name("rule");
    place.undo(&rule, project.delete_webhook_rule(&rule).send());
    // Yours is one that the service reaches; the emulator delivers to this machine alone.
    let target = match place.emulator {
        Some(_) => "http://127.0.0.1:9/mkio",
        None => "https://hooks.example/mkio",
    };
    Rule::new(&rule, target).events([EventType::JobFinished]).ensure(&project).await?;
    place.say(format!("{rule} reports jobs to {target}"));
    Ok(())
}

/// A payment method whose terms are accepted; a project can have no other.
async fn payment_method(place: &Place) -> Result<String> {
    let management = place.client.management();
    let mut methods = management.list_payment_methods().items();
    while let Some(method) = methods.try_next().await? {
        let accepted = method.status().terms_and_conditions_accepted() == Some(true);
        if let (true, Some(id)) = (accepted, method.metadata().id()) {
            return Ok(id.to_owned());
        }
    }
    anyhow::bail!("accept the terms of a payment method first: accept_payment_method_terms")
}

/// The service's time: an emulator's runs faster than ours.
fn now(place: &Place) -> mkio::chrono::DateTime<mkio::chrono::Utc> {
    let emulated = place.emulator.as_ref();
    emulated.map_or_else(mkio::chrono::Utc::now, |emulator| emulator.control().now())
}
