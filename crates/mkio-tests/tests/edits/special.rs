//! Resources of which hardly a field can be changed, and secrets that reads do not show.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use mkio::http::Method;
use mkio::management::types::{
    PendingInvitePatch, PendingInviteState, UserOrganization, WebhookAuthentication,
    WebhookRuleSpec,
};
use mkio::media::types::{
    AssetConverterPresetName, BuiltInAssetConverterPreset, ContentKeyPolicyPropertiesPatch,
    ContentKeyPolicyPut, PipelineArgumentsPatch, TransformPutProperties,
};
use mkio::reqwest::Request;
use mkio::{Client, Dispatch, DispatchFuture, ErrorKind, Secret};
use serde_json::json;

use crate::world::{self, Chance};

#[tokio::test]
async fn a_secret_that_reads_do_not_show_is_asked_for() -> anyhow::Result<()> {
    let (_emulator, client) = world::make(&mut Chance::new(7)).await?;
    let management = client.project("demo").management();
    let before = management.get_webhook_rule("hook").send().await?.json();
    let edit = management.edit_webhook_rule("hook", |rule| rule.with_enabled(true));
    let error = edit.send().await.expect_err("the authentication would go");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(
        error.to_string().contains("`spec.authentication`"),
        "{error}"
    );
    let after = management.get_webhook_rule("hook").send().await?;
    assert_eq!(after.json(), before);

    let headers = BTreeMap::from([("x-key".to_owned(), "k".to_owned())]);
    let authentication = WebhookAuthentication::new().with_headers(Secret::new(headers));
    let change = |rule: WebhookRuleSpec| {
        rule.with_enabled(true)
            .with_authentication(authentication.clone())
    };
    management.edit_webhook_rule("hook", change).send().await?;
    let after = management.get_webhook_rule("hook").send().await?;
    assert_eq!(after.spec().enabled(), Some(true));
    assert_eq!(after.json()["spec"]["url"], before["spec"]["url"]);
    assert_eq!(after.json()["spec"]["events"], before["spec"]["events"]);
    Ok(())
}

#[tokio::test]
async fn a_live_event_gets_another_pipeline_and_keeps_the_rest() -> anyhow::Result<()> {
    let (_emulator, client) = world::make(&mut Chance::new(8)).await?;
    let media = client.project("demo").media();
    let before = media.get_live_event("match").send().await?;
    let pipeline = PipelineArgumentsPatch::new().with_name("Predefined_Transcribe");
    let edit = media.edit_live_event("match", |event| event.with_pipeline(pipeline));
    edit.send().await?;
    let after = media.get_live_event("match").send().await?;
    let (mut before, mut after) = (before.json(), after.json());
    assert_eq!(
        after["properties"]["pipeline"]["name"],
        "Predefined_Transcribe"
    );
    for event in [&mut before, &mut after] {
        let properties = event["properties"].as_object_mut().expect("properties");
        properties.remove("pipeline");
        properties.remove("lastModified");
    }
    assert_eq!(after["properties"], before["properties"]);
    assert_eq!(after["tags"], before["tags"]);
    Ok(())
}

/// The one value that this resource can take: an invitation that was pending is accepted.
#[tokio::test]
async fn an_invitation_is_accepted_by_an_edit() -> anyhow::Result<()> {
    let (_emulator, client) = world::make(&mut Chance::new(11)).await?;
    let management = client.management();
    let invited =
        |of: &UserOrganization| of.spec().invite().state() == Some(&PendingInviteState::Pending);
    let mut all: Vec<UserOrganization> = management
        .list_user_organizations()
        .items()
        .try_collect()
        .await?;
    all.retain(invited);
    let [organization] = &all[..] else {
        anyhow::bail!("not one invitation: {all:?}");
    };
    let id = organization.metadata().id().context("an id")?.to_string();
    let before = management.get_user_organization(&id).send().await?.json();
    let accepted = PendingInvitePatch::new().with_state(PendingInviteState::Accepted);
    let edit = management.edit_user_organization(&id, |of| of.with_invite(accepted));
    edit.send().await?;
    let mut after = management.get_user_organization(&id).send().await?.json();
    assert_eq!(after["spec"]["invite"]["state"], "accepted");
    after["spec"]["invite"]["state"] = before["spec"]["invite"]["state"].clone();
    assert_eq!(after, before);
    Ok(())
}

/// A PATCH replaces the list of options as a whole, and reads do not show their secrets.
#[tokio::test]
async fn secrets_of_options_are_asked_for() -> anyhow::Result<()> {
    let (_emulator, client) = world::make(&mut Chance::new(9)).await?;
    let media = client.project("demo").media();
    let token = json!({
        "@odata.type": "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
        "audience": "a", "issuer": "i", "restrictionTokenType": "Jwt",
        "primaryVerificationKey": {
            "@odata.type": "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", "keyValue": "a2V5",
        },
    });
    let clear = json!({"@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration"});
    let policy = json!({"properties": {"options": [
        {"name": "one", "configuration": clear, "restriction": token},
    ]}});
    let policy = ContentKeyPolicyPut::from_json_value(policy)?;
    media
        .create_content_key_policy("tokens", policy)
        .send()
        .await?;

    let described = |policy: ContentKeyPolicyPropertiesPatch| policy.with_description("x");
    media
        .edit_content_key_policy("tokens", described)
        .send()
        .await?;
    let secrets = async || {
        let secrets = media
            .get_content_key_policy_secrets("tokens")
            .send()
            .await?;
        anyhow::Ok(secrets.json()["options"].clone())
    };
    let before = secrets().await?;
    let renamed = |mut policy: ContentKeyPolicyPropertiesPatch| {
        for option in policy.options.iter_mut().flatten() {
            option.name = Some("other".to_owned());
        }
        policy
    };
    let edit = media.edit_content_key_policy("tokens", renamed);
    let error = edit.send().await.expect_err("the key would go");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let place = "`properties.options.restriction.primaryVerificationKey.keyValue`";
    assert!(error.to_string().contains(place), "{error}");
    assert_eq!(secrets().await?, before);
    Ok(())
}

/// Deletes the resource when it is to be written.
struct Deleted(Arc<dyn Dispatch>);

impl Dispatch for Deleted {
    fn dispatch(&self, request: Request) -> DispatchFuture<'_> {
        Box::pin(async move {
            if *request.method() == Method::PUT
                && let Some(mut delete) = request.try_clone()
            {
                *delete.method_mut() = Method::DELETE;
                *delete.body_mut() = None;
                self.0.dispatch(delete).await?;
            }
            self.0.dispatch(request).await
        })
    }
}

#[tokio::test]
async fn a_resource_that_was_deleted_meanwhile_is_told() -> anyhow::Result<()> {
    let (emulator, client) = world::make(&mut Chance::new(10)).await?;
    let http: Arc<dyn Dispatch> = Arc::new(mkio::http_client_builder()?.build()?);
    let late = Client::builder()
        .base_url(emulator.base_url())
        .token(emulator.token())
        .dispatch(Deleted(http))
        .build()?;
    let late = late.project("demo").media();
    let media = client.project("demo").media();
    let preset =
        BuiltInAssetConverterPreset::new(AssetConverterPresetName::CopyTopBitrateInterleaved);
    let transform = TransformPutProperties::new([preset]);
    media
        .create_or_update_transform("spare", transform)
        .send()
        .await?;
    let edit = late.edit_transform("spare", |of| of.with_description("late"));
    let error = edit.send().await.expect_err("the transform is made again");
    let status = error.status().map(|status| status.as_u16());
    assert_eq!(status, Some(201), "{error}");
    let told = error.to_string();
    assert!(told.contains("deleted while it was edited"), "{told}");
    let transform = media.get_transform("spare").send().await?;
    assert_eq!(transform.properties().description(), Some("late"));
    Ok(())
}
