//! The input of `mkio encode`, and its transforms and jobs.

use std::path::Path;

use clap::ArgMatches;
use mkio::{
    Project,
    dynamic::Entry,
    media::types::{
        JobInputAsset, JobInputHttp, JobOutputAsset, JobPut, JobPutProperties, TransformOutput,
        TransformPutProperties,
    },
    wait::State,
};
use serde_json::{Value, json};

use super::files::{self, Source};
use crate::{
    failure::{Failure, Result},
    options::text,
    session::{Arguments, Session},
    tree::PROJECT,
    waiting::{self, Ends, Watched},
};

/// The input of an encoding.
pub(super) enum Input {
    /// An asset, with the files of it that count.
    Asset(String, Vec<String>),
    /// A file on the web.
    Web(String),
}

impl Input {
    /// The asset, a new one with the file of this machine, or the address.
    ///
    /// `made` takes the name of a new asset.
    pub(super) async fn ready(
        session: &Session,
        project: &Project,
        matches: &ArgMatches,
        made: &mut Vec<String>,
    ) -> Result<Self> {
        let given = text(matches, "input").unwrap_or_default();
        let files = matches.get_many::<String>("files").into_iter().flatten();
        let files: Vec<String> = files.cloned().collect();
        let is_web = given.contains("://");
        let is_file = !is_web && Path::new(&given).is_file();
        let name = text(matches, "name");
        if !is_file && name.is_some() {
            let what = if is_web { "on the web" } else { "an asset" };
            return Err(Failure::usage(format!(
                "--name is for a file of this machine; `{given}` is {what}"
            )));
        }
        if !files.is_empty() && (is_file || is_web) {
            let what = if is_web { "on the web" } else { "a file" };
            return Err(Failure::usage(format!(
                "--files is for an asset; `{given}` is {what}"
            )));
        }
        if is_web {
            return Ok(Self::Web(given));
        }
        if !is_file {
            return Ok(Self::Asset(given, files));
        }
        let source = Source::new(Path::new(&given))?;
        let asset = match name {
            Some(name) => name,
            None => file_stem(&source.name).ok_or_else(|| nameless(&given, "--name"))?,
        };
        let file = source.name.clone();
        if files::put(session, project, &asset, &[source], matches).await? {
            made.push(asset.clone());
        }
        Ok(Self::Asset(asset, vec![file]))
    }

    /// The name from which names of outputs are made.
    pub(super) fn stem(&self) -> Result<String> {
        match self {
            Self::Asset(name, _) => Ok(name.clone()),
            Self::Web(url) => file_stem(url).ok_or_else(|| nameless(url, "--to")),
        }
    }

    /// The asset whose storage account outputs share.
    pub(super) fn asset(&self) -> Option<&str> {
        match self {
            Self::Asset(name, _) => Some(name),
            Self::Web(_) => None,
        }
    }

    /// A job that makes an output of it.
    pub(super) fn job(&self, output: &str) -> JobPut {
        let target = [JobOutputAsset::new(output)];
        let properties = match self {
            Self::Web(url) => JobPutProperties::new(JobInputHttp::new([url.as_str()]), target),
            Self::Asset(name, files) => {
                let mut of = JobInputAsset::new(name);
                if !files.is_empty() {
                    of = of.with_files(files.clone());
                }
                JobPutProperties::new(of, target)
            }
        };
        properties.into()
    }
}

/// The name of a new job.
pub(super) fn job_name(output: &str) -> String {
    let now = mkio::chrono::Utc::now();
    format!("{output}-{}", now.format("%Y%m%d%H%M%S"))
}

fn nameless(given: &str, option: &str) -> Failure {
    let message = format!("no asset can be named after `{given}`");
    Failure::usage(message).hint(format!("name it with {option}"))
}

/// `intro` of `https://example.com/a/intro.mp4?x`, if there is a name. Letters of all languages may be in
/// the name of an asset.
fn file_stem(url: &str) -> Option<String> {
    let of_web = url.contains("://");
    let path = url.split(['?', '#']).next().filter(|_| of_web);
    let name = path
        .unwrap_or(url)
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // Paths and shells take these without quotes.
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    let foreign = |c: &char| !c.is_ascii() && !c.is_whitespace() && !c.is_control();
    let kept = |c: &char| plain(c) || foreign(c);
    let letter = |c: char| Some(c).filter(kept).unwrap_or('-');
    let stem: String = stem.chars().map(letter).collect();
    stem.contains(char::is_alphanumeric).then_some(stem)
}

/// Makes a transform, unless one of its name exists.
pub(super) async fn ensure(
    session: &Session,
    project: &Project,
    name: &str,
    output: TransformOutput,
) -> Result<()> {
    let media = project.media();
    match media.get_transform(name).send().await {
        Ok(_) => return Ok(()),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(Failure::from(error)),
    }
    let body = TransformPutProperties::new([output]);
    media.create_or_update_transform(name, body).send().await?;
    session.tell(format!("transform {name}: created"));
    Ok(())
}

/// The call that makes a job, with its arguments.
fn making(
    project: &Project,
    (transform, job): (&str, &str),
    body: JobPut,
) -> Result<(&'static Entry, Arguments)> {
    let entry = super::call::find("create_job")?;
    let body = serde_json::to_value(body).map_err(|error| Failure::usage(error.to_string()))?;
    let arguments = Arguments::from_iter([
        (PROJECT.to_owned(), json!(project.name())),
        ("transform_name".to_owned(), json!(transform)),
        ("job_name".to_owned(), json!(job)),
        ("body".to_owned(), body),
    ]);
    Ok((entry, arguments))
}

/// Makes a job, and prints how to wait for it.
pub(super) async fn start_job(
    session: &Session,
    project: &Project,
    (transform, job): (&str, &str),
    body: JobPut,
) -> Result<()> {
    let (entry, arguments) = making(project, (transform, job), body)?;
    entry.call(project.transport(), &arguments).await?;
    let wait = session.command(&["wait", "job", &format!("{transform}/{job}")]);
    session.tell(format!("the job is running: {wait} waits for it"));
    Ok(())
}

/// Makes a job and waits for it.
pub(super) async fn run_job(
    session: &Session,
    project: &Project,
    transform: &str,
    job: &str,
    body: JobPut,
) -> Result<Value> {
    let (entry, arguments) = making(project, (transform, job), body)?;
    let wait: mkio::Wait<Value, State> = entry.call_and_wait(project.transport(), &arguments)?;
    let watched = vec![Watched::new(format!("{transform}/{job}"), wait)];
    let mut ended = waiting::all(session, watched, Ends::Together).await?;
    Ok(ended.pop().map(|(_, value)| value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_named_after_files() {
        let names = [
            ("https://example.com/a/intro.mp4?x", Some("intro")),
            ("my film.mp4", Some("my-film")),
            ("Überblick #2.mp4", Some("Überblick--2")),
            ("映画.mp4", Some("映画")),
            ("a_b.c.mp4", Some("a_b-c")),
            ("?.mp4", None),
            (".mp4", None),
            ("https://example.com/", Some("example")),
        ];
        for (file, name) in names {
            assert_eq!(file_stem(file).as_deref(), name, "{file}");
        }
    }
}
