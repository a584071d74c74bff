//! The organization: projects, teams, tokens, usage.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use mkio::management::types::*;
use mkio::media::types::{
    JobInputAsset, JobOutputAsset, JobPutProperties, ThumbnailFormat,
    ThumbnailGeneratorConfiguration, ThumbnailGeneratorPreset, TransformPutProperties,
};

use crate::common::{Place, quick};

#[tokio::test]
async fn an_organization_is_provisioned() -> anyhow::Result<()> {
    let place = Place::start().await?;
    let management = place.client.management();
    let organization = management.get_organization().send().await?;
    let organization = organization.metadata().id().context("its id")?;

    let methods: Vec<_> = management
        .list_payment_methods()
        .items()
        .try_collect()
        .await?;
    let pending = |method: &&PaymentMethod| {
        let status = method.status();
        status.terms_and_conditions_accepted() == Some(false)
    };
    let payment = methods.iter().find(pending).context("pending terms")?;
    let payment = payment.metadata().id().context("its id")?;
    let project = ProjectPut::new()
        .display_name("Acme")
        .location_name("westeurope")
        .payment_method_id(payment);
    let create = || management.create_project("acme", project.clone()).send();
    let refused = create().await.err().context("the terms come first")?;
    assert!(refused.to_string().contains("terms"), "{refused}");
    management
        .accept_payment_method_terms(payment)
        .send()
        .await?;
    create().await?;
    management.project("acme").get_project().send().await?;

    let users = management.list_users().send().await?;
    let colleague = users.value().get(1).context("a colleague")?;
    let colleague = colleague.metadata().id().context("its id")?;
    let spec = TeamPutSpec::new()
        .with_members([(colleague, TeamPutMember::new().is_team_admin(false))])
        .with_scopes([("Project acme", TeamScope::new(["Reader"]))]);
    management.create_or_update_team("ops", spec).send().await?;
    let is_admin = format!("/spec/members/{colleague}/isTeamAdmin");
    let roles = "/spec/scopes/Project acme/roles/-";
    let patch = [
        JsonPatchEntry::new(JsonPatchOp::Replace, is_admin).with_value(true),
        JsonPatchEntry::new(JsonPatchOp::Add, roles).with_value("Owner"),
    ];
    let team = management
        .update_team_json_patch("ops", patch)
        .send()
        .await?;
    let member = team.spec().members().get(colleague);
    let member = member.context("the colleague")?;
    assert_eq!(member.is_team_admin(), Some(true));
    let scope = team.spec().scopes().get("Project acme");
    assert_eq!(scope.context("a scope")?.roles(), ["Reader", "Owner"]);

    // A new token works until it is deleted.
    let tomorrow = place.emulator.control().now() + Duration::from_secs(86_400);
    let token = UserTokenPost::new(TokenType::FullAccess, organization)
        .with_description("nightly")
        .with_expire_date(tomorrow);
    let made = management.create_user_token(token).send().await?;
    let id = made.metadata().id().context("an id")?;
    let jwt = made.metadata().jwt().context("a token")?;
    let other = place.client_with(jwt.expose().as_str())?.management();
    other.get_organization().send().await?;
    management.delete_user_token(id).send().await?;
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
    let shots = ThumbnailGeneratorConfiguration::new(ThumbnailFormat::Png);
    let transform = TransformPutProperties::new([ThumbnailGeneratorPreset::new([shots])]);
    media
        .create_or_update_transform("shots", transform)
        .send()
        .await?;
    let job = JobPutProperties::new(JobInputAsset::new("film"), [JobOutputAsset::new("film")]);
    quick(media.run_job("shots", "job", job)).await?;

    let management = place.client.management();
    let now = place.emulator.control().now();
    let day = |days: u64| {
        let time = now + Duration::from_secs(days * 86_400);
        time.format("%Y-%m-%d").to_string()
    };
    let query = UsageReportQuery::new()
        .start_date(day(0))
        .end_date(day(2))
        .with_project_names(["demo"]);
    let report = management.create_usage_report(query.clone()).send().await?;
    let first = report.value().first().context("a row")?;
    assert_eq!(first.meter_name(), Some("encoding-minutes"));
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
    let invite = InviteSpec::new()
        .email("new@example.com")
        .comment("welcome")
        .with_teams(["Everyone"]);
    let create = || management.create_invite(invite.clone()).send();
    let made = create().await?;
    let id = made.metadata().id().context("its id")?;
    assert!(create().await.is_err_and(|error| error.is_conflict()));
    management.get_invite(id).send().await?;
    // It lapses after two weeks.
    place
        .emulator
        .control()
        .step(Duration::from_secs(14 * 86_400));
    let lapsed = management.get_invite(id).send().await;
    assert!(lapsed.is_err_and(|error| error.is_not_found()));

    // The other side: an invitation to another organization is taken up, and the organization left.
    let organizations = management.list_user_organizations().send().await?;
    let invited = |found: &&UserOrganization| found.spec().invite().state().is_some();
    let inviting = organizations.value().iter().find(invited);
    let inviting = inviting.context("an invitation")?;
    let inviting = inviting.metadata().id().context("its id")?;
    let accept = PendingInvitePatch::new().with_state(PendingInviteState::Accepted);
    management
        .update_user_organization(inviting, accept)
        .send()
        .await?;
    management.leave_user_organization(inviting).send().await?;

    let project = management.project("demo");
    let authentication = [("x-key".to_owned(), "top-secret".to_owned())];
    let authentication = WebhookAuthentication::new().with_headers(BTreeMap::from(authentication));
    let rule = WebhookRuleSpec::new("http://127.0.0.1:9/hook", [WebhookEventType::JobFinished])
        .enabled(false)
        .with_authentication(authentication);
    project
        .create_or_update_webhook_rule("jobs", rule)
        .send()
        .await?;
    let shown = project.get_webhook_rule("jobs").send().await?;
    let shown = serde_json::to_string(&shown.into_inner())?;
    assert!(!shown.contains("top-secret"), "{shown}");
    let history = project.list_webhook_rule_events("jobs").send().await?;
    assert!(history.value().is_empty());
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
    let [_, other] = &methods[..] else {
        anyhow::bail!("two payment methods, not {methods:?}");
    };
    let other = other.metadata().id().context("its id")?;
    management.accept_payment_method_terms(other).send().await?;
    let card = management
        .get_payment_method_rate_card(other)
        .send()
        .await?;
    assert_eq!(card.spec().currency(), Some("USD"));
    project
        .set_project_payment_method(PaymentMethodAssignment::new(other))
        .send()
        .await?;
    let paying = project.get_project_payment_method().send().await?;
    assert_eq!(paying.metadata().id(), Some(other));

    let enabled = MetricsEndpointSpecPatch::new().with_enabled(true);
    let metrics = project
        .update_project_metrics_endpoint(MetricsEndpointPatch::new().with_spec(enabled))
        .send()
        .await?;
    let status = metrics.status();
    let (url, user) = status.url().zip(status.username()).context("an endpoint")?;
    let password = status.password().context("a password")?;
    let scrape =
        reqwest::Client::new().get(format!("{}/federate", url.as_str().trim_end_matches('/')));
    let refused = scrape.try_clone().context("a request")?.send().await?;
    assert_eq!(refused.status(), 401);
    let response = scrape
        .basic_auth(user, Some(password.expose()))
        .send()
        .await?;
    assert_eq!(response.status(), 200);
    let samples = response.text().await?;
    assert!(samples.contains("# TYPE mkio_usage"), "{samples}");
    let usage = project.get_project_usage().send().await?;
    assert!(usage.supplemental().start().is_some());
    Ok(())
}
