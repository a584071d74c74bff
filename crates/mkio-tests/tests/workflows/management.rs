//! The organization: projects, teams, tokens, usage.

use std::time::Duration;

use anyhow::Context;
use mkio::management::types::*;
use mkio::media::types::{JobPut, TransformPut};
use serde_json::json;

use crate::common::{Place, body, quick};

#[tokio::test]
async fn an_organization_is_provisioned() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let management = place.client.management();
    let organization = management.get_organization().send().await?.into_inner();
    let organization = organization
        .metadata
        .and_then(|metadata| metadata.id)
        .context("its id")?;

    let methods: Vec<_> = management
        .list_payment_methods()
        .items()
        .try_collect()
        .await?;
    let pending = methods.into_iter().find(|method| {
        let status = method.status.as_ref();
        status.and_then(|status| status.terms_and_conditions_accepted) == Some(false)
    });
    let payment = pending
        .and_then(|method| method.metadata?.id)
        .context("pending terms")?;
    let project = ProjectPut::new()
        .display_name("Acme")
        .location_name("westeurope")
        .payment_method_id(&*payment);
    let create = || management.create_project("acme", project.clone()).send();
    let refused = create().await.err().context("the terms come first")?;
    assert!(refused.to_string().contains("terms"), "{refused}");
    management
        .accept_payment_method_terms(&*payment)
        .send()
        .await?;
    create().await?;
    management.project("acme").get_project().send().await?;

    let users = management.list_users().send().await?.into_inner();
    let colleague = users
        .value
        .and_then(|users| users.into_iter().nth(1)?.metadata?.id);
    let colleague = colleague.context("a colleague")?;
    let team: TeamPut = body(json!({ "spec": {
        "members": { &*colleague: { "isTeamAdmin": false } },
        "scopes": { "Project acme": { "roles": ["Reader"] } },
    } }))?;
    management.create_or_update_team("ops", team).send().await?;
    let patch: Vec<JsonPatchEntry> = body(json!([
        { "op": "replace", "path": format!("/spec/members/{colleague}/isTeamAdmin"), "value": true },
        { "op": "add", "path": "/spec/scopes/Project acme/roles/-", "value": "Owner" },
    ]))?;
    let team = management
        .update_team_json_patch("ops", patch)
        .send()
        .await?;
    let spec = team.into_inner().spec.context("a spec")?;
    let members = spec.members.context("members")?;
    assert_eq!(
        members
            .get(&colleague)
            .and_then(|member| member.is_team_admin),
        Some(true)
    );
    let scopes = spec.scopes.context("scopes")?;
    let roles = scopes
        .get("Project acme")
        .and_then(|scope| scope.roles.clone());
    assert_eq!(roles, Some(vec!["Reader".to_owned(), "Owner".to_owned()]));

    // A new token works until it is deleted.
    let token: UserTokenPost = body(json!({
        "organizationId": organization, "description": "nightly", "type": "full-access",
        "expireDate": mkio::Timestamp::from(place.emulator.control().now() + Duration::from_secs(86_400)),
    }))?;
    let made = management
        .create_user_token(token)
        .send()
        .await?
        .into_inner();
    let metadata = made.metadata.context("metadata")?;
    let (id, jwt) = (
        metadata.id.context("an id")?,
        metadata.jwt.context("a token")?,
    );
    let other = place.client_with(jwt.expose().as_str())?.management();
    other.get_organization().send().await?;
    management.delete_user_token(&*id).send().await?;
    let refused = other
        .get_organization()
        .send()
        .await
        .err()
        .context("a dead token")?;
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(401));
    Ok(())
}

#[tokio::test]
async fn usage_is_reported_as_json_and_csv() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let media = place.project.media();
    place.asset("film").await?;
    let transform: TransformPut = body(json!({ "properties": { "outputs": [{ "preset": {
        "@odata.type": "#MediaKind.ThumbnailGeneratorPreset", "thumbnails": [{ "format": "Png" }],
    } }] } }))?;
    media
        .create_or_update_transform("shots", transform)
        .send()
        .await?;
    let job: JobPut = body(json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "film" },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "film" }],
    } }))?;
    quick(media.run_job("shots", "job", job)).await?;

    let management = place.client.management();
    let now = place.emulator.control().now();
    let day = |days: u64| {
        let time = now + Duration::from_secs(days * 86_400);
        time.format("%Y-%m-%d").to_string()
    };
    let query = UsageReportQuery::new(day(0), day(2)).with_project_names(["demo"]);
    let report = management.create_usage_report(query.clone()).send().await?;
    let rows = serde_json::to_value(&report.value)?;
    assert_eq!(rows[0]["meterName"], "encoding-minutes");
    let csv = management
        .create_usage_report_csv(query.with_format(UsageReportFormat::Csv))
        .send()
        .await?;
    let csv = csv.into_inner().bytes().await?;
    let csv = std::str::from_utf8(&csv)?;
    assert!(
        csv.lines()
            .nth(1)
            .is_some_and(|line| line.contains("encoding-minutes")),
        "{csv}"
    );
    Ok(())
}

#[tokio::test]
async fn people_are_invited_and_hooks_are_set() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let management = place.client.management();
    let invite: InvitePost = body(json!({ "spec": {
        "email": "new@example.com", "comment": "welcome", "teams": ["Everyone"],
    } }))?;
    let create = || management.create_invite(invite.clone()).send();
    let made = create()
        .await?
        .into_inner()
        .metadata
        .and_then(|metadata| metadata.id);
    let id = made.context("its id")?;
    assert!(create().await.is_err_and(|error| error.is_conflict()));
    management.get_invite(&*id).send().await?;
    // It lapses after two weeks.
    place
        .emulator
        .control()
        .step(Duration::from_secs(14 * 86_400));
    let lapsed = management.get_invite(&*id).send().await;
    assert!(lapsed.is_err_and(|error| error.is_not_found()));

    // The other side: an invitation to another organization is taken up, and the organization left.
    let organizations = management.list_user_organizations().send().await?;
    let inviting = organizations.value.iter().flatten().find_map(|found| {
        found.spec.as_ref()?.invite.as_ref()?;
        found.metadata.as_ref()?.id.clone()
    });
    let inviting = inviting.context("an invitation")?.to_string();
    let accept: UserOrganizationPatch = body(json!({ "spec": {
        "invite": { "comment": "", "invitedBy": null, "state": "accepted" },
    } }))?;
    management
        .update_user_organization(&*inviting, accept)
        .send()
        .await?;
    management
        .leave_user_organization(&*inviting)
        .send()
        .await?;

    let project = management.project("demo");
    let rule: WebhookRulePut = body(json!({ "spec": {
        "url": "http://127.0.0.1:9/hook", "enabled": false, "events": ["MediaKind.JobFinished"],
        "authentication": { "headers": { "x-key": "top-secret" } },
    } }))?;
    project
        .create_or_update_webhook_rule("jobs", rule)
        .send()
        .await?;
    let shown = project.get_webhook_rule("jobs").send().await?;
    let shown = serde_json::to_string(&shown.into_inner())?;
    assert!(!shown.contains("top-secret"), "{shown}");
    let history = project.list_webhook_rule_events("jobs").send().await?;
    assert_eq!(history.value.as_ref().map(Vec::len), Some(0));
    project.delete_webhook_rule("jobs").send().await?;
    Ok(())
}

#[tokio::test]
async fn a_project_moves_to_another_payment_method_and_shows_its_metrics() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let management = place.client.management();
    let project = management.project("demo");
    let methods: Vec<_> = management
        .list_payment_methods()
        .items()
        .try_collect()
        .await?;
    let ids: Vec<String> = methods
        .into_iter()
        .filter_map(|method| Some(method.metadata?.id?.to_string()))
        .collect();
    let [_, other] = ids.as_slice() else {
        anyhow::bail!("two payment methods, not {ids:?}");
    };
    management.accept_payment_method_terms(other).send().await?;
    let card = management
        .get_payment_method_rate_card(other)
        .send()
        .await?;
    let card = serde_json::to_value(card.into_inner())?;
    assert_eq!(card["spec"]["currency"], "USD");
    let assignment: PaymentMethodAssignment = body(json!({ "paymentMethodId": other }))?;
    project
        .set_project_payment_method(assignment)
        .send()
        .await?;
    let paying = project.get_project_payment_method().send().await?;
    let paying = paying.into_inner().metadata.and_then(|found| found.id);
    assert_eq!(paying.map(|id| id.to_string()).as_ref(), Some(other));

    let enabled: MetricsEndpointPatch = body(json!({ "spec": { "enabled": true } }))?;
    let metrics = project
        .update_project_metrics_endpoint(enabled)
        .send()
        .await?;
    let status = metrics.into_inner().status.context("a status")?;
    let (url, user) = status.url.zip(status.username).context("an endpoint")?;
    let password = status.password.context("a password")?;
    let scrape =
        reqwest::Client::new().get(format!("{}/federate", url.as_str().trim_end_matches('/')));
    let refused = scrape.try_clone().context("a request")?.send().await?;
    assert_eq!(refused.status(), 401);
    let answer = scrape
        .basic_auth(user, Some(password.expose()))
        .send()
        .await?;
    assert_eq!(answer.status(), 200);
    let samples = answer.text().await?;
    assert!(samples.contains("# TYPE mkio_usage"), "{samples}");
    let usage = project.get_project_usage().send().await?.into_inner();
    assert!(usage.value.is_some());
    Ok(())
}
