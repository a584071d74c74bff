//! `mkio encode`, `publish` and `urls`: from a file to something that plays.

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use mkio::{
    Project,
    media::{
        ProjectClient,
        fields::streaming_locators,
        types::{
            BuiltInStandardEncoderPreset, StreamingLocatorPut, StreamingLocatorPutProperties,
            TransformOutput,
        },
    },
    playback::playback_urls,
};
use serde_json::json;

use super::{
    assets,
    encoding::{Input, ensure, job_name, run_job, start_job},
    extras::{self, Encoded},
    files,
};
use crate::{
    failure::{Exit, Failure, Result},
    options::text,
    session::Session,
    tree,
};

fn value(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn policy() -> Arg {
    value("policy", "NAME", "Streaming policy of the locator")
        .default_value("Predefined_ClearStreamingOnly")
}

pub fn encode() -> Command {
    Command::new("encode")
        .about("Encodes a file, an asset or a file on the web: assets, transform, job, and locator if it is to be published")
        .after_help(format!(
            "A file of this machine is put into an asset first. {}\n\nExamples:\n  mkio encode intro --preset \
             H264SingleBitrate720p --publish\n  mkio encode ./intro.mp4 --preset H264MultipleBitrate720p\n  mkio encode \
             https://example.com/intro.mp4 --transform house",
            files::CREDENTIALS
        ))
        .arg(
            Arg::new("input")
                .value_name("FILE|URL|ASSET")
                .required(true)
                .value_hint(ValueHint::AnyPath)
                .help("File, asset or address to encode; an existing file comes before an asset of that name"),
        )
        .arg(value("preset", "PRESET", "Built-in preset; its transform is created if missing").required_unless_present("transform"))
        .arg(value("transform", "NAME", "Existing transform").conflicts_with("preset"))
        .arg(value("files", "FILE", "File of the asset; may be repeated").action(ArgAction::Append))
        .arg(value("name", "ASSET", "Asset for the file; named after the file by default"))
        .arg(value("to", "ASSET", "Output asset; named after the input and the transform by default"))
        .args(files::upload_arguments())
        .arg(Arg::new("publish").long("publish").action(ArgAction::SetTrue).help("Makes a locator and prints addresses"))
        .arg(policy())
        .args(extras::arguments())
        .arg(tree::wait_anyway())
        .arg(
            Arg::new("no-wait")
                .long("no-wait")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["wait", "publish", "captions", "thumbnails"])
                .help("Ends once the job is made, and prints the command that waits for it"),
        )
}

pub fn publish() -> Command {
    Command::new("publish")
        .about("Makes a streaming locator of an asset and prints what plays")
        .arg(
            Arg::new("asset")
                .value_name("ASSET")
                .required(true)
                .help("The asset"),
        )
        .arg(value(
            "locator",
            "NAME",
            "Name of the locator; that of the asset by default",
        ))
        .arg(policy())
}

pub fn urls() -> Command {
    Command::new("urls")
        .about("Prints the addresses at which a locator, or an asset's locators, play")
        .arg(
            Arg::new("name")
                .value_name("ASSET|LOCATOR")
                .required(true)
                .help("The locator, or the asset"),
        )
}

fn project(session: &Session) -> Result<Project> {
    let client = session.client()?;
    let name = session.project(&client)?;
    Ok(client.project(name))
}

pub async fn run_encode(session: &Session, matches: &ArgMatches) -> Result<()> {
    session.guard("encode")?;
    let project = project(session)?;
    if let Some(name) = text(matches, "transform") {
        // Before anything is made for a missing transform.
        project.media().get_transform(&name).send().await?;
    }
    let mut made = Vec::new();
    let outcome = encode_into(session, &project, matches, &mut made).await;
    outcome.map_err(|failure| match failure.exit {
        // The job goes on.
        Exit::Interrupted | Exit::Timeout => failure,
        _ => made.iter().fold(failure, |failure, asset| {
            failure.hint(assets::left(session, asset))
        }),
    })
}

/// `made` takes the names of new assets.
async fn encode_into(
    session: &Session,
    project: &Project,
    matches: &ArgMatches,
    made: &mut Vec<String>,
) -> Result<()> {
    let input = Input::ready(session, project, matches, made).await?;
    let to = text(matches, "to");
    // Before anything is made for an output that has no name.
    let stem = to.is_none().then(|| input.stem()).transpose()?;
    let transform = transform(session, project, matches).await?;
    let output = to.unwrap_or_else(|| format!("{}-{transform}", stem.unwrap_or_default()));
    if assets::make(session, project, &output, input.asset(), matches).await? {
        made.push(output.clone());
    }
    let job = job_name(&output);
    let told = json!({"asset": output, "transform": transform, "job": job});
    if matches.get_flag("no-wait") {
        start_job(session, project, (&transform, &job), input.job(&output)).await?;
        return session.output.one(&told, &[]);
    }
    run_job(session, project, &transform, &job, input.job(&output)).await?;
    // The encoded asset stays, even if a later step fails.
    made.clear();
    let encoded = Encoded {
        session,
        project,
        matches,
        input: &input,
        output: &output,
    };
    encoded.add(made).await?;
    made.clear();
    if matches.get_flag("publish") {
        let policy = text(matches, "policy").unwrap_or_default();
        let published = locator(session, project, &output, &output, &policy).await;
        published.map_err(|failure| {
            let publish = session.command(&["publish", &output]);
            failure.hint(format!("the encoding is done; {publish} publishes it"))
        })?;
        return show_urls(session, project, &[output]).await;
    }
    session.output.one(&told, &[])
}

/// The transform that is named, or one of the preset.
async fn transform(session: &Session, project: &Project, matches: &ArgMatches) -> Result<String> {
    if let Some(name) = text(matches, "transform") {
        return Ok(name);
    }
    let preset = text(matches, "preset").unwrap_or_default();
    let output = TransformOutput::new(BuiltInStandardEncoderPreset::new(preset.as_str()));
    ensure(session, project, &preset, output).await?;
    Ok(preset)
}

async fn locator(
    session: &Session,
    project: &Project,
    name: &str,
    asset: &str,
    policy: &str,
) -> Result<()> {
    let properties = StreamingLocatorPutProperties::new()
        .asset_name(asset)
        .streaming_policy_name(policy);
    let media = project.media();
    let body = StreamingLocatorPut::new(properties);
    media
        .create_or_update_streaming_locator(name, body)
        .send()
        .await?;
    let is_there = media.wait_for_streaming_locator(name).await;
    is_there.map_err(|error| {
        let delete = session.command(&["locator", "delete", name]);
        let left = format!("the locator {name} is left: {delete} removes it");
        Failure::from(error).hint(left)
    })?;
    session.tell(format!("locator {name}: created"));
    Ok(())
}

pub async fn run_publish(session: &Session, matches: &ArgMatches) -> Result<()> {
    session.guard("publish")?;
    let project = project(session)?;
    let asset = text(matches, "asset").unwrap_or_default();
    let name = text(matches, "locator").unwrap_or_else(|| asset.clone());
    let policy = text(matches, "policy").unwrap_or_default();
    locator(session, &project, &name, &asset, &policy).await?;
    show_urls(session, &project, &[name]).await
}

pub async fn run_urls(session: &Session, matches: &ArgMatches) -> Result<()> {
    let project = project(session)?;
    let name = text(matches, "name").unwrap_or_default();
    let media = project.media();
    let names = match media.get_streaming_locator(&name).send().await {
        Ok(_) => vec![name],
        Err(error) if error.is_not_found() => {
            media.get_asset(&name).send().await?;
            let locators = locators_of(&media, &name).await?;
            if locators.is_empty() {
                let publish = session.command(&["publish", &name]);
                session.tell(format!("{name} has no locator: {publish} makes one"));
            }
            locators
        }
        Err(error) => return Err(Failure::from(error)),
    };
    show_urls(session, &project, &names).await
}

/// Names of an asset's locators. The asset's own list of them has no names.
pub(super) async fn locators_of(media: &ProjectClient, asset: &str) -> Result<Vec<String>> {
    let of_asset = streaming_locators::PROPERTIES_ASSET_NAME.eq(asset);
    let mut all = media.list_streaming_locators().filter(of_asset).items();
    let mut names = Vec::new();
    while let Some(locator) = all.try_next().await? {
        names.extend(locator.name().map(str::to_owned));
    }
    Ok(names)
}

/// The addresses of locators; those at endpoints that run come first.
async fn show_urls(session: &Session, project: &Project, locators: &[String]) -> Result<()> {
    let media = project.media();
    let mut list = session.output.list(&[
        "locator",
        "endpoint",
        "running",
        "protocol",
        "encryption",
        "url",
    ]);
    for locator in locators {
        let playback = playback_urls(&media, locator).await?;
        for warning in &playback.warnings {
            session.tell(format!("{locator}: {warning}"));
        }
        for stream in &playback.streams {
            list.item(json!({
                "locator": locator,
                "endpoint": stream.endpoint.name,
                "running": stream.endpoint.running,
                "protocol": stream.protocol.to_string(),
                "encryption": stream.encryption.to_string(),
                "url": stream.url,
            }))?;
        }
        for download in &playback.downloads {
            list.item(json!({
                "locator": locator,
                "endpoint": download.endpoint.name,
                "running": download.endpoint.running,
                "protocol": "download",
                "url": download.url,
            }))?;
        }
    }
    list.end()
}
