//! Resources of which hardly a field can be changed, and secrets that reads do not show.

use std::collections::BTreeMap;

use mkio::management::types::{WebhookAuthentication, WebhookRuleSpec};
use mkio::media::types::PipelineArgumentsPatch;
use mkio::{ErrorKind, Secret};

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
