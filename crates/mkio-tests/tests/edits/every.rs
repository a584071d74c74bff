//! For each resource: an edit that changes nothing leaves it as it is, and an edit of one field
//! changes that field alone.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, ensure};
use mkio::{Client, channels, fleets, infrastructure, live, management, media, templates};
use mkio_emulator::Control;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::world::{self, Chance};

type Change<B> = Box<dyn FnOnce(B) -> B + Send>;

/// Members that the service sets at a write.
const STAMPS: [&str; 6] = [
    "updated",
    "updatedBy",
    "lastModified",
    "lastModifiedAt",
    "lastModifiedBy",
    "status",
];

/// No text, number or flag of these takes another value; each has a test of its own.
const BARELY: [&str; 3] = [
    "edit_live_event",
    "edit_webhook_rule",
    "edit_user_organization",
];

/// Members that also change with these resources: a version of its own; an address of the
/// CDN and a capacity.
const CONSEQUENCES: [(&str, &[&str]); 2] = [
    ("edit_config", &["created", "hash", "id"]),
    ("edit_streaming_endpoint", &["cdnBasePath", "capacity"]),
];

/// The resource, and what edits of its fields came to.
struct Subject {
    control: Control,
    name: &'static str,
    changed: usize,
    failed: Option<String>,
}

/// The places of all texts, numbers and flags.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Null => {}
        _ => found.push(at.to_owned()),
    }
}

/// The places where two values differ.
fn differences(a: &Value, b: &Value, at: &str, found: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for name in names {
                let (a, b) = (a.get(name), b.get(name));
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                differences(
                    a.unwrap_or(&Value::Null),
                    b.unwrap_or(&Value::Null),
                    &at,
                    found,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{at}/{index}"), found);
            }
        }
        (a, b) if a == b => {}
        _ => found.push(at.to_owned()),
    }
}

fn other(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number + 1),
            None => Value::from(number.as_f64().unwrap_or_default() + 0.5),
        },
        Value::String(text) => Value::from(format!("{text}x")),
        value => value.clone(),
    }
}

/// The body with another value at a place; null takes a member away.
fn with<B: Serialize + DeserializeOwned>(body: B, place: &str, value: Value) -> B {
    let mut json = serde_json::to_value(&body).expect("a body is JSON");
    let (parent, name) = place.rsplit_once('/').expect("a place within the body");
    match json.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            let name = name.replace("~1", "/").replace("~0", "~");
            if value.is_null() {
                members.remove(&name);
            } else {
                members.insert(name, value);
            }
        }
        _ => {
            if let Some(old) = json.pointer_mut(place) {
                *old = value;
            }
        }
    }
    serde_json::from_value(json).unwrap_or(body)
}

impl Subject {
    /// Two states of a resource are the same but for a value, wherever the service shows it, and for
    /// what the service sets.
    fn only_changed<'a>(
        &self,
        before: &'a Value,
        after: &'a Value,
        value: Option<(&Value, &Value)>,
    ) -> Result<(), String> {
        let also = CONSEQUENCES.iter().find(|(name, _)| *name == self.name);
        let also = also.map_or(&[][..], |(_, also)| also);
        let mut found = Vec::new();
        differences(before, after, "", &mut found);
        found.retain(|at| {
            let stamped = at
                .split('/')
                .any(|step| STAMPS.contains(&step) || also.contains(&step));
            let held = |of: &'a Value| of.pointer(at).unwrap_or(&Value::Null);
            let (old, new) = (held(before), held(after));
            let as_asked = value == Some((old, new));
            // A member that is taken away can have a default.
            let by_default = value == Some((old, &Value::Null));
            !stamped && !as_asked && !by_default
        });
        if found.is_empty() {
            return Ok(());
        }
        Err(format!("{found:?} changed too: {before} became {after}"))
    }

    async fn check<B: Serialize + DeserializeOwned + 'static>(
        &mut self,
        within: &str,
        get: impl AsyncFn() -> mkio::Result<Value>,
        edit: impl AsyncFn(Change<B>) -> mkio::Result<()>,
    ) -> anyhow::Result<()> {
        let before = get().await?;
        let body = Arc::new(Mutex::new(Value::Null));
        let seen = body.clone();
        let identity = move |body: B| {
            *seen.lock().expect("no panic") = serde_json::to_value(&body).expect("JSON");
            body
        };
        edit(Box::new(identity)).await?;
        ensure!(
            get().await? == before,
            "an edit that changes nothing changed the resource"
        );
        let body = body.lock().expect("no panic").clone();
        let mut places = Vec::new();
        leaves(&body, "", &mut places);
        for place in places {
            let old = body.pointer(&place).context("a leaf")?.clone();
            // The service itself gives this tag to the newest version.
            if old == "latest" {
                continue;
            }
            let at = format!("{within}{place}");
            for new in [other(&old), Value::Null] {
                let change = (old.clone(), new);
                self.change(&at, &place, change, &get, &edit)
                    .await
                    .with_context(|| at.clone())?;
            }
        }
        Ok(())
    }

    /// Changes the value at a place or takes it away, and changes it back.
    async fn change<B: Serialize + DeserializeOwned + 'static>(
        &mut self,
        at: &str,
        place: &str,
        (old, new): (Value, Value),
        get: impl AsyncFn() -> mkio::Result<Value>,
        edit: impl AsyncFn(Change<B>) -> mkio::Result<()>,
    ) -> anyhow::Result<()> {
        let before = get().await?;
        let set = |value: Value| -> Change<B> {
            let place = place.to_owned();
            Box::new(move |body: B| with(body, &place, value))
        };
        if let Err(error) = edit(set(new.clone())).await {
            let status = error.status().map(|status| status.as_u16());
            let refused = error.kind() == mkio::ErrorKind::InvalidRequest;
            ensure!(
                refused || matches!(status, Some(400 | 409 | 422)),
                "{error}"
            );
            let after = get().await?;
            self.only_changed(&before, &after, None)
                .map_err(anyhow::Error::msg)?;
            return Ok(());
        }
        // Some resources are busy for a while after a change.
        self.control.step(Duration::from_secs(120));
        let after = get().await?;
        self.only_changed(&before, &after, Some((&old, &new)))
            .map_err(anyhow::Error::msg)?;
        if after.pointer(at).unwrap_or(&Value::Null) == &new {
            self.changed += 1;
            edit(set(old)).await?;
            self.control.step(Duration::from_secs(120));
            self.only_changed(&before, &get().await?, None)
                .map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }
}

macro_rules! subject {
    ($control:expr, $api:expr, $get:ident, $edit:ident, $body:ty, $within:literal $(, $name:expr)*) => {{
        let (api, mut subject) = (&$api, Subject { control: $control.clone(), name: stringify!($edit), changed: 0, failed: None });
        let get = async || Ok(api.$get($($name),*).send().await?.json());
        let edit = async |change: Change<$body>| {
            api.$edit($($name,)* change).send().await.map(drop)
        };
        let checked = subject.check::<$body>($within, get, edit).await;
        subject.failed = checked.err().map(|error| format!("{}: {error:#}", subject.name));
        subject
    }};
}

async fn media_api(control: &Control, client: &Client) -> anyhow::Result<Vec<Subject>> {
    use media::types::*;
    let media = client.project("demo").media();
    Ok(vec![
        subject!(
            control,
            media,
            get_account_filter,
            edit_account_filter,
            MediaFilterProperties,
            "/properties",
            "low"
        ),
        subject!(control, media, get_asset, edit_asset, AssetPut, "", "film"),
        subject!(
            control,
            media,
            get_asset_filter,
            edit_asset_filter,
            MediaFilterProperties,
            "/properties",
            "film",
            "sound"
        ),
        subject!(
            control,
            media,
            get_content,
            edit_content,
            DefaultPatchMetadata,
            "/metadata",
            "news"
        ),
        subject!(
            control,
            media,
            get_content_key_policy,
            edit_content_key_policy,
            ContentKeyPolicyPropertiesPatch,
            "/properties",
            "keys"
        ),
        subject!(
            control,
            media,
            get_destination,
            edit_destination,
            DefaultPatchMetadata,
            "/metadata",
            "target"
        ),
        subject!(
            control,
            media,
            get_live_event,
            edit_live_event,
            LiveEventPropertiesPatch,
            "/properties",
            "match"
        ),
        subject!(
            control,
            media,
            get_source,
            edit_source,
            SourcePatch,
            "",
            "source"
        ),
        subject!(
            control,
            media,
            get_storage,
            edit_storage,
            StoragePutSpec,
            "/spec",
            "disk"
        ),
        subject!(
            control,
            media,
            get_streaming_endpoint,
            edit_streaming_endpoint,
            StreamingEndpointPatch,
            "",
            "front"
        ),
        subject!(
            control,
            media,
            get_streaming_locator,
            edit_streaming_locator,
            StreamingLocatorPutProperties,
            "/properties",
            "play"
        ),
        subject!(
            control,
            media,
            get_streaming_policy,
            edit_streaming_policy,
            StreamingPolicyProperties,
            "/properties",
            "open"
        ),
        subject!(
            control,
            media,
            get_transform,
            edit_transform,
            TransformPutProperties,
            "/properties",
            "encode"
        ),
        subject!(
            control,
            media,
            get_job,
            edit_job,
            JobPropertiesPatch,
            "/properties",
            "encode",
            "job"
        ),
    ])
}

async fn live_api(control: &Control, client: &Client) -> anyhow::Result<Vec<Subject>> {
    use live::types::*;
    let live = client.project("demo").live();
    Ok(vec![
        subject!(
            control,
            live,
            get_live_channel,
            edit_live_channel,
            FlowPut,
            "",
            "flow1"
        ),
        subject!(
            control,
            live,
            get_live_event,
            edit_live_event,
            FlowPut,
            "",
            "flow2"
        ),
        subject!(
            control,
            live,
            get_static_multiview_channel,
            edit_static_multiview_channel,
            FlowPut,
            "",
            "flow3"
        ),
        subject!(
            control,
            live,
            get_static_multiview_event,
            edit_static_multiview_event,
            FlowPut,
            "",
            "flow4"
        ),
        subject!(
            control,
            live,
            get_live_channel_scheduled_operation,
            edit_live_channel_scheduled_operation,
            ScheduledOperationSpec,
            "/spec",
            "flow1",
            "op"
        ),
        subject!(
            control,
            live,
            get_live_event_scheduled_operation,
            edit_live_event_scheduled_operation,
            ScheduledOperationSpec,
            "/spec",
            "flow2",
            "op"
        ),
        subject!(
            control,
            live,
            get_static_multiview_channel_scheduled_operation,
            edit_static_multiview_channel_scheduled_operation,
            ScheduledOperationSpec,
            "/spec",
            "flow3",
            "op"
        ),
        subject!(
            control,
            live,
            get_static_multiview_event_scheduled_operation,
            edit_static_multiview_event_scheduled_operation,
            ScheduledOperationSpec,
            "/spec",
            "flow4",
            "op"
        ),
    ])
}

async fn management_api(control: &Control, client: &Client) -> anyhow::Result<Vec<Subject>> {
    use management::types::*;
    let all = client.management();
    let project = client.project("demo").management();
    let organizations = all.list_user_organizations().items().try_next().await?;
    let organization = organizations
        .and_then(|organization| organization.metadata().id().map(ToString::to_string))
        .context("an organization")?;
    Ok(vec![
        subject!(
            control,
            project,
            get_project,
            edit_project,
            ProjectPatch,
            ""
        ),
        subject!(
            control,
            project,
            get_project_metrics_endpoint,
            edit_project_metrics_endpoint,
            MetricsEndpointPatch,
            ""
        ),
        subject!(
            control,
            project,
            get_webhook_rule,
            edit_webhook_rule,
            WebhookRuleSpec,
            "/spec",
            "hook"
        ),
        subject!(
            control,
            all,
            get_legacy_profile,
            edit_legacy_profile,
            LegacyProfileSpec,
            "/spec"
        ),
        subject!(
            control,
            all,
            get_organization,
            edit_organization,
            OrganizationSpec,
            "/spec"
        ),
        subject!(
            control,
            all,
            get_team,
            edit_team,
            TeamPutSpec,
            "/spec",
            "ops"
        ),
        subject!(
            control,
            all,
            get_user_organization,
            edit_user_organization,
            UserOrganizationSpecPatch,
            "/spec",
            &organization
        ),
        subject!(
            control,
            all,
            get_user_profile,
            edit_user_profile,
            UserProfileSpecPatch,
            "/spec"
        ),
    ])
}

async fn other_apis(control: &Control, client: &Client) -> anyhow::Result<Vec<Subject>> {
    let channels = client.channels();
    let project = client.project("demo");
    let (fleets, infrastructure, templates) = (
        project.fleets(),
        project.infrastructure(),
        project.templates(),
    );
    Ok(vec![
        subject!(
            control,
            channels,
            get_channel,
            edit_channel,
            channels::types::ChannelPut,
            "",
            "one"
        ),
        subject!(
            control,
            fleets,
            get_device,
            edit_device,
            fleets::types::DevicePatch,
            "",
            "beam"
        ),
        subject!(
            control,
            infrastructure,
            get_network,
            edit_network,
            infrastructure::types::NetworkPatch,
            "",
            "lan"
        ),
        subject!(
            control,
            infrastructure,
            get_site,
            edit_site,
            infrastructure::types::SitePatch,
            "",
            "studio"
        ),
        subject!(
            control,
            templates,
            get_config,
            edit_config,
            templates::types::ConfigPut,
            "",
            "encodingLive",
            "cfg"
        ),
    ])
}

/// All edits that there are, from the surfaces of the APIs.
fn all_edits() -> anyhow::Result<Vec<String>> {
    let surfaces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/surface");
    let mut names = Vec::new();
    for surface in fs::read_dir(surfaces)? {
        for line in fs::read_to_string(surface?.path())?.lines() {
            let edit = line.split_once("::edit_");
            names.extend(
                edit.and_then(|(_, rest)| Some(format!("edit_{}", rest.split_once('(')?.0))),
            );
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[tokio::test]
async fn an_edit_of_one_field_changes_that_field_alone() -> anyhow::Result<()> {
    for seed in 1..=2 {
        let (emulator, client) = world::make(&mut Chance::new(seed)).await?;
        let (control, client) = (emulator.control(), &client);
        control.pause();
        let mut subjects = media_api(&control, client).await?;
        subjects.extend(live_api(&control, client).await?);
        subjects.extend(management_api(&control, client).await?);
        subjects.extend(other_apis(&control, client).await?);
        let mut names: Vec<_> = subjects.iter().map(|subject| subject.name).collect();
        names.sort_unstable();
        ensure!(names == all_edits()?, "other edits than these: {names:?}");
        let failed: Vec<_> = subjects
            .iter()
            .filter_map(|subject| subject.failed.as_deref())
            .collect();
        ensure!(failed.is_empty(), "{}", failed.join("\n"));
        let untouched: Vec<_> = subjects
            .iter()
            .filter(|subject| subject.changed == 0)
            .map(|subject| subject.name)
            .collect();
        ensure!(
            untouched == BARELY,
            "no field could be changed: {untouched:?}"
        );
    }
    Ok(())
}
