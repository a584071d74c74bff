//! Checks the operator's world.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{format::parse_time, kind::Kind, world::PLATFORM_USER},
    docs::{Documents, findings},
    platform::{
        furnish, identity,
        rules::Registry,
        start::{Record, Start, rank},
    },
};

/// The problems of a world: pointer and reason.
type Findings = Vec<(String, String)>;

/// Findings that are listed.
const MOST: usize = 20;

/// Reads the operator's world.
///
/// # Errors
/// When the text is not JSON or not a world, or has values that do not work; with their places.
pub fn read(text: &str, registry: &Registry) -> Result<Start, String> {
    let start = Start::parse(text)?;
    let mut found = Findings::new();
    check_records(&start, registry, &mut found);
    check_home(&start, &mut found);
    check_roles(&start, &mut found);
    check_media(&start, registry, &mut found);
    check_devices(&start, &mut found);
    check_channel_device(&start, &mut found);
    check_templates(&start, &mut found);
    distinct(
        "/meters",
        start.meters.iter().map(|meter| &meter.name),
        &mut found,
    );
    let lines = found.iter().take(MOST);
    let lines: Vec<String> = lines.map(|(at, why)| format!("{at}: {why}")).collect();
    if lines.is_empty() {
        Ok(start)
    } else {
        Err(lines.join("\n"))
    }
}

/// Names that occur twice.
fn distinct<'a>(at: &str, names: impl Iterator<Item = &'a String>, found: &mut Findings) {
    let mut known = BTreeSet::new();
    for (index, name) in names.enumerate() {
        if !known.insert(name) {
            let why = format!("'{name}' is there already");
            found.push((format!("{at}/{index}/name"), why));
        }
    }
}

fn check_records(start: &Start, registry: &Registry, found: &mut Findings) {
    let lists = [
        ("/organization", &start.organization, false),
        ("/project", &start.project, true),
        ("/firstProject", &start.first_project, true),
    ];
    for (at, records, in_project) in lists {
        for (index, record) in records.iter().enumerate() {
            let at = format!("{at}/{index}");
            match registry.kind(&record.kind) {
                None => found.push((
                    format!("{at}/kind"),
                    format!("there is no kind of resource named '{}'", record.kind),
                )),
                Some(kind) if kind.parent().is_some() => found.push((
                    format!("{at}/kind"),
                    "lies below another resource; a seed file can make it".to_owned(),
                )),
                Some(kind) if registry.in_project(kind) != in_project => {
                    let place = if in_project {
                        "/organization"
                    } else {
                        "/project"
                    };
                    let why = format!("a {} belongs into {place}", kind.noun());
                    found.push((format!("{at}/kind"), why));
                }
                Some(kind) => check_body(start, registry, (kind, record), &at, found),
            }
        }
    }
    let both = start.project.iter().chain(&start.first_project);
    for (at, records) in [
        (
            "/organization",
            start.organization.iter().collect::<Vec<_>>(),
        ),
        ("/project", both.collect()),
    ] {
        let mut known = BTreeSet::new();
        for record in records.iter().filter(|record| record.name != furnish::NEW) {
            if !known.insert((&record.kind, &record.name)) {
                let why = format!("the {} '{}' is there twice", record.kind, record.name);
                found.push((at.to_owned(), why));
            }
        }
    }
}

/// Refuses bodies that a caller could not send.
fn check_body(
    start: &Start,
    registry: &Registry,
    (kind, record): (Kind, &Record),
    at: &str,
    found: &mut Findings,
) {
    let Some(operation) = registry.making(kind) else {
        return;
    };
    let declared = operation.bodies.first();
    let Some(Ok(validator)) = declared.map(|body| body.validator(operation.api)) else {
        return;
    };
    let id = PLATFORM_USER.to_string();
    let places = [
        ("{home}", &*id),
        ("{id}", &*id),
        ("{location}", &*start.location),
    ];
    let body = furnish::body(record, &places);
    let wrong = findings(validator, &body, MOST).into_iter();
    found.extend(wrong.map(|(inside, why)| (format!("{at}/body{inside}"), why)));
}

/// Checks that the user, organization, location and payment method exist to which everything refers.
fn check_home(start: &Start, found: &mut Findings) {
    let has = |kind: &str, name: &str| {
        let mut records = start.organization.iter();
        records.any(|record| record.kind == kind && record.name.eq_ignore_ascii_case(name))
    };
    let missing = |kind: &str, name: &str| format!("there is no {kind} named '{name}'");
    let user = PLATFORM_USER.to_string();
    if !has("user", &user) {
        let why = missing("user", &user);
        found.push((
            "/organization".to_owned(),
            format!("{why}, whom the token stands for"),
        ));
    }
    if !has("organization", "{home}") {
        found.push((
            "/organization".to_owned(),
            missing("organization", "{home}"),
        ));
    }
    if !has("location", &start.location) {
        found.push(("/location".to_owned(), missing("location", &start.location)));
    }
    let payment = start.payment_method.to_string();
    if !has("paymentMethod", &payment) {
        found.push((
            "/paymentMethod".to_owned(),
            missing("paymentMethod", &payment),
        ));
    }
}

fn check_roles(start: &Start, found: &mut Findings) {
    distinct("/roles", start.roles.iter().map(|role| &role.name), found);
    let mut known = identity::capabilities(true);
    known.extend(identity::capabilities(false));
    for (index, role) in start.roles.iter().enumerate() {
        let named = role.except.iter().flatten().enumerate();
        for (place, name) in named.filter(|(_, name)| !known.contains_key(*name)) {
            let at = format!("/roles/{index}/except/{place}");
            found.push((at, format!("there is no capability '{name}'")));
        }
    }
}

/// Whether the document lists a preset of the encoder. Transforms with any other are refused.
fn is_listed(registry: &Registry, preset: &str) -> bool {
    let operation = registry
        .kind("transform")
        .and_then(|kind| registry.making(kind));
    let Some((operation, body)) = operation.and_then(|of| Some((of, of.bodies.first()?))) else {
        return true;
    };
    let kind = "#Microsoft.Media.BuiltInStandardEncoderPreset";
    let preset = json!({ "@odata.type": kind, "presetName": preset });
    let transform = json!({ "properties": { "outputs": [{ "preset": preset }] } });
    let validator = body.validator(operation.api);
    validator.is_ok_and(|validator| validator.is_valid(&transform))
}

fn check_media(start: &Start, registry: &Registry, found: &mut Findings) {
    let presets = &start.encoder.presets;
    distinct(
        "/encoder/presets",
        presets.iter().map(|preset| &preset.name),
        found,
    );
    if presets.is_empty() {
        found.push(("/encoder/presets".to_owned(), "has to hold one".to_owned()));
    }
    for (index, preset) in presets.iter().enumerate() {
        if !is_listed(registry, &preset.name) {
            let why = format!("the document lists no preset '{}'", preset.name);
            found.push((format!("/encoder/presets/{index}/name"), why));
        }
        for (place, one) in preset.renditions.iter().enumerate() {
            if [one.width, one.height, one.kilobits].contains(&0) {
                let at = format!("/encoder/presets/{index}/renditions/{place}");
                found.push((at, "no number in it can be 0".to_owned()));
            }
        }
    }
    let live = &start.encoder.live;
    for (field, name) in [("standard", &live.standard), ("premium", &live.premium)] {
        if start.encoder.renditions(name).is_none() {
            let why = format!("there is no preset '{name}' in /encoder/presets");
            found.push((format!("/encoder/live/{field}"), why));
        }
    }
    distinct(
        "/pipelines",
        start.pipelines.iter().map(|known| &known.name),
        found,
    );
    for (index, pipeline) in start.pipelines.iter().enumerate() {
        if pipeline
            .target_languages
            .is_some_and(|some| some.least > some.most)
        {
            let at = format!("/pipelines/{index}/targetLanguages/least");
            found.push((at, "is more than most".to_owned()));
        }
    }
}

fn check_devices(start: &Start, found: &mut Findings) {
    let devices = &start.devices;
    distinct(
        "/devices/interfaces",
        devices.interfaces.iter().map(|known| &known.name),
        found,
    );
    let software = &devices.software;
    for (index, pair) in software.windows(2).enumerate() {
        if let [older, newer] = pair
            && rank(&older.version) >= rank(&newer.version)
        {
            let at = format!("/devices/software/{}/version", index + 1);
            let why = format!(
                "is not newer than {}: the oldest comes first",
                older.version
            );
            found.push((at, why));
        }
    }
    for (index, version) in software.iter().enumerate() {
        if parse_time(&format!("{}T00:00:00Z", version.released)).is_none() {
            let at = format!("/devices/software/{index}/released");
            found.push((at, "is not a day such as 2026-04-20".to_owned()));
        }
    }
    if devices.version(&devices.first_version).is_none() {
        let why = format!(
            "there is no version {} in /devices/software",
            devices.first_version
        );
        found.push(("/devices/firstVersion".to_owned(), why));
    }
}

/// Checks the facts of the channel device against its document.
fn check_channel_device(start: &Start, found: &mut Findings) {
    let device = &start.channel_device;
    let told: [(&str, &str, &Value); 2] = [
        ("GET /api/interfaces/", "interfaces", &device.interfaces),
        (
            "GET /api/channel-capability/",
            "capability",
            &device.capability,
        ),
    ];
    for (signature, field, value) in told {
        let mut operations = Documents::get().operations().iter();
        let Some(operation) = operations.find(|operation| operation.signature == signature) else {
            continue;
        };
        let response = operation.response(StatusCode::OK);
        let validator = response.map(|response| response.validator(operation.api));
        if let Some(Ok(Some(validator))) = validator {
            let wrong = findings(validator, value, MOST).into_iter();
            found.extend(wrong.map(|(at, why)| (format!("/channelDevice/{field}{at}"), why)));
        }
    }
}

fn check_templates(start: &Start, found: &mut Findings) {
    let templates = &start.templates;
    distinct(
        "/templates/types",
        templates.types.iter().map(|known| &known.name),
        found,
    );
    let mut known = BTreeSet::new();
    for (index, preset) in templates.presets.iter().enumerate() {
        let at = format!("/templates/presets/{index}");
        if !templates.types.iter().any(|kind| kind.name == preset.kind) {
            let why = format!("there is no type '{}' in /templates/types", preset.kind);
            found.push((format!("{at}/type"), why));
        }
        if !known.insert((&preset.kind, &preset.name)) {
            let why = format!("'{}' is there already", preset.name);
            found.push((format!("{at}/name"), why));
        }
        if !(preset.settings.is_object() || preset.settings == json!(null)) {
            found.push((format!("{at}/settings"), "is no object".to_owned()));
        }
    }
}
