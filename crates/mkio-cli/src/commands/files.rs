//! `mkio upload` and `download`: files of assets.

mod local;
mod part;

use std::{
    collections::HashSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, builder::PathBufValueParser};
use mkio::{
    Project, Secret,
    files::{FileList, Files, StorageCredential},
};
use serde_json::json;

use self::part::{Mark, Part};
use super::assets;
use crate::{
    bars::{Bar, Bars},
    failure::{Exit, Failure, Result},
    options::{Switch, variable},
    session::Session,
};

fn force(help: &'static str) -> Arg {
    Arg::new("force")
        .long("force")
        .action(ArgAction::SetTrue)
        .help(help)
}

/// The arguments of uploads: storage, address, replacing.
pub(super) fn upload_arguments() -> [Arg; 3] {
    [
        Arg::new("storage")
            .long("storage")
            .value_name("NAME")
            .help("Storage account of a new asset; the project's, if it has one only"),
        Arg::new("endpoint")
            .long("endpoint")
            .value_name("URL")
            .value_hint(ValueHint::Url)
            .help("Address of the storage account, instead of its own: a private endpoint"),
        force("Replaces files that are in the asset already"),
    ]
}

/// Credentials of a storage account are variables, since other users of the machine can see arguments.
pub(super) const CREDENTIALS: &str = "\
The service gives the credential of a storage account to nobody. Azure takes a SAS token in MKIO_STORAGE_SAS, S3 a
key in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if it is a temporary one, AWS_SESSION_TOKEN.";

pub fn upload() -> Command {
    Command::new("upload")
        .about("Puts files into an asset, straight into its storage account")
        .after_help(format!(
            "{CREDENTIALS}\n\nExamples:\n  mkio upload intro.mp4 film-in\n  mkio upload *.ts parts --storage main"
        ))
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .value_parser(PathBufValueParser::new())
                .value_hint(ValueHint::FilePath)
                .help("The files; they keep their names"),
        )
        .arg(
            Arg::new("asset")
                .value_name("ASSET")
                .required(true)
                .help("The asset; created if missing"),
        )
        .args(upload_arguments())
}

pub fn download() -> Command {
    Command::new("download")
        .about("Fetches a file of an asset, or all files at its top")
        .after_help(
            "What has arrived of a file is in FILE.mkio-part, and the same command goes on there if FILE.mkio-mark says \
             that it is of the same file. A file that is there with its size is left as it is.\n\nExamples:\n  mkio download film-out film\n  mkio download film-out/film_720p.mp4",
        )
        .arg(
            Arg::new("what")
                .value_name("ASSET[/FILE]")
                .required(true)
                .help("The asset, or one of its files"),
        )
        .arg(
            Arg::new("folder")
                .value_name("DIR")
                .default_value(".")
                .value_parser(PathBufValueParser::new())
                .value_hint(ValueHint::DirPath)
                .help("Folder for the files; created if missing"),
        )
        .arg(force("Replaces files that are there, and begins with the first byte"))
}

fn project(session: &Session) -> Result<Project> {
    let client = session.client()?;
    let name = session.project(&client)?;
    Ok(client.project(name))
}

/// A local file on its way to an asset.
pub(super) struct Source {
    path: PathBuf,
    pub(super) name: String,
    bytes: u64,
}

impl Source {
    /// A file that can be read, under its own name.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let shown = path.display();
        let about = fs::metadata(path);
        let about = about.map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
        if !about.is_file() {
            return Err(Failure::usage(format!("{shown}: a file is expected")));
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name =
            name.ok_or_else(|| Failure::usage(format!("{shown}: the name is not valid Unicode")))?;
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            bytes: about.len(),
        })
    }
}

pub async fn run_upload(session: &Session, matches: &ArgMatches) -> Result<()> {
    let paths = matches.get_many::<PathBuf>("file").into_iter().flatten();
    let sources: Vec<Source> = paths.map(|path| Source::new(path)).collect::<Result<_>>()?;
    let mut names = HashSet::new();
    if let Some(twice) = sources.iter().find(|source| !names.insert(&source.name)) {
        let message = format!(
            "`{}` is given twice: names in an asset are unique",
            twice.name
        );
        return Err(Failure::usage(message));
    }
    let asset = matches.get_one::<String>("asset");
    let asset = asset.cloned().unwrap_or_default();
    let project = project(session)?;
    if session.is(Switch::DryRun) {
        refuse_replacing(&project.files(), &asset, &sources, matches).await?;
        session.tell("not sent: --dry-run");
        return told(session, &asset, &sources);
    }
    session.guard(&format!("upload to {asset}"))?;
    put(session, &project, &asset, &sources, matches).await?;
    told(session, &asset, &sources)
}

fn told(session: &Session, asset: &str, sources: &[Source]) -> Result<()> {
    let mut list = session.output.list(&["asset", "file", "bytes"]);
    for source in sources {
        list.item(json!({"asset": asset, "file": source.name, "bytes": source.bytes}))?;
    }
    list.end()
}

/// Puts files into an asset, which is created if missing; gives whether it was created.
pub(super) async fn put(
    session: &Session,
    project: &Project,
    asset: &str,
    sources: &[Source],
    matches: &ArgMatches,
) -> Result<bool> {
    let credential = credential()?;
    let files = project.files();
    refuse_replacing(&files, asset, sources, matches).await?;
    let made = assets::make(session, project, asset, None, matches).await?;
    let sent = send(session, project, asset, (sources, credential), matches).await;
    match sent {
        Ok(()) => Ok(made),
        Err(failure) if made => Err(failure.hint(assets::left(session, asset))),
        Err(failure) => Err(failure),
    }
}

async fn send(
    session: &Session,
    project: &Project,
    asset: &str,
    (sources, credential): (&[Source], StorageCredential),
    matches: &ArgMatches,
) -> Result<()> {
    project.media().wait_for_asset(asset).await?;
    let files = project.files();
    let endpoint = matches.get_one::<String>("endpoint");
    let bars = Bars::new(session);
    for source in sources {
        let bar = bars.file(&source.name, Some(source.bytes));
        let set = bar.handle();
        let mut upload = files
            .upload(asset, &source.name, credential.clone())
            .on_progress(move |progress| set(progress.sent));
        if let Some(url) = endpoint {
            upload = upload.endpoint(url);
        }
        let bytes = upload.file(&source.path).await?;
        bar.done("uploaded", bytes);
    }
    Ok(())
}

async fn refuse_replacing(
    files: &Files,
    asset: &str,
    sources: &[Source],
    matches: &ArgMatches,
) -> Result<()> {
    if matches.get_flag("force") {
        return Ok(());
    }
    let there = match files.list(asset).await {
        Ok(content) => content.files,
        // It will be made.
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(Failure::from(error)),
    };
    let is_there = |source: &&Source| there.iter().any(|file| file.name == source.name);
    match sources.iter().find(is_there) {
        Some(source) => {
            let message = format!("{asset} has a file `{}`; nothing was sent", source.name);
            Err(Failure::usage(message).hint("--force replaces it"))
        }
        None => Ok(()),
    }
}

/// The credential of the storage account.
fn credential() -> Result<StorageCredential> {
    let key = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
    match (variable("MKIO_STORAGE_SAS"), key) {
        (Some(token), _) => Ok(StorageCredential::sas(token)),
        (None, Some((id, secret))) => {
            let key = StorageCredential::access_key(id, Secret::new(secret));
            Ok(match variable("AWS_SESSION_TOKEN") {
                Some(token) => key.with_session_token(Secret::new(token)),
                None => key,
            })
        }
        (None, None) => Err(Failure::new(
            Exit::Access,
            "there is no credential of the storage account; nothing was sent",
        )
        .hint("set MKIO_STORAGE_SAS, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")),
    }
}

/// A file of an asset, and where it goes.
struct Wanted {
    name: String,
    size: Option<u64>,
    to: PathBuf,
}

pub async fn run_download(session: &Session, matches: &ArgMatches) -> Result<()> {
    let what = matches.get_one::<String>("what");
    let what = what.map(String::as_str).unwrap_or_default();
    let (asset, one) = match what.split_once('/') {
        Some((asset, file)) => (asset, Some(file)),
        None => (what, None),
    };
    let folder = matches.get_one::<PathBuf>("folder");
    let folder = folder.cloned().unwrap_or_default();
    let force = matches.get_flag("force");
    let project = project(session)?;
    let content = project.files().list(asset).await?;
    let all = wanted(session, content, one, &folder)?;
    let (there, all): (Vec<_>, Vec<_>) = all.into_iter().partition(|of| of.is_there(force));
    for of in &there {
        session.tell(format!("{}: already complete", of.to.display()));
    }
    // Files in the way are reported before the first download.
    all.iter()
        .try_for_each(|of| of.part(force).refuse_replacing())?;
    if session.is(Switch::DryRun) {
        session.tell("not fetched: --dry-run");
    } else {
        let fetching = fetch_all(session, &project, asset, &all, (&folder, force));
        tokio::select! {
            biased;
            () = session.interrupted() => {
                return Err(Failure::interrupted().hint("the same command goes on where it was"));
            }
            done = fetching => done?,
        }
    }
    let mut list = session.output.list(&["asset", "file", "bytes", "to"]);
    for of in &all {
        let to = of.to.display().to_string();
        list.item(json!({"asset": asset, "file": of.name, "bytes": of.size, "to": to}))?;
    }
    list.end()
}

/// The file that is named, or all of the asset, each with its place below the folder.
fn wanted(
    session: &Session,
    content: FileList,
    one: Option<&str>,
    folder: &Path,
) -> Result<Vec<Wanted>> {
    let listed = content.files.into_iter();
    let all: Vec<(String, Option<u64>)> = listed.map(|file| (file.name, file.size)).collect();
    // Also files that are not wanted now: a later download may put them into the same folder.
    let names: HashSet<String> = all.iter().map(|(name, _)| name.to_lowercase()).collect();
    let files = match one {
        Some(one) => named(all, one)?,
        None => {
            for name in &content.folders {
                session.tell(format!("{name}/: folders are not listed; name their files"));
            }
            all
        }
    };
    let made = files.into_iter().map(|(name, size)| {
        refuse_clash(&name, &names)?;
        let to = local::path(&name).ok_or_else(|| {
            let exit = one.map_or(Exit::Unusable, |_| Exit::Usage);
            Failure::new(
                exit,
                format!(
                    "`{}` cannot be the name of a file here",
                    name.escape_debug()
                ),
            )
        })?;
        let to = folder.join(to);
        Ok(Wanted { name, size, to })
    });
    made.collect()
}

/// The file of this name, with its size if that is listed.
fn named(all: Vec<(String, Option<u64>)>, one: &str) -> Result<Vec<(String, Option<u64>)>> {
    let mut files = all;
    files.retain(|(name, _)| name == one);
    // Folders are not listed, so that their files have no size here.
    if files.is_empty() && one.contains('/') {
        files.push((one.to_owned(), None));
    }
    if files.is_empty() {
        let message = format!("the asset has no file `{one}`");
        return Err(Failure::new(Exit::NotFound, message));
    }
    Ok(files)
}

/// Refuses a file whose name here is the temporary name of another one.
fn refuse_clash(name: &str, names: &HashSet<String>) -> Result<()> {
    let taken = part::ENDS.map(|end| format!("{name}{end}"));
    match taken.iter().find(|of| names.contains(&of.to_lowercase())) {
        Some(taken) => Err(Failure::usage(format!(
            "`{name}` and `{taken}` cannot be in one folder"
        ))
        .hint("this program uses the second name itself: rename the file")),
        None => Ok(()),
    }
}

impl Wanted {
    /// The file exists, with the size that the service lists.
    fn is_there(&self, force: bool) -> bool {
        let about = fs::symlink_metadata(&self.to).ok();
        let whole = about.is_some_and(|about| about.is_file() && Some(about.len()) == self.size);
        whole && !force
    }

    fn part(&self, force: bool) -> Part {
        Part::new(self.to.clone(), force)
    }
}

async fn fetch_all(
    session: &Session,
    project: &Project,
    asset: &str,
    all: &[Wanted],
    (folder, force): (&Path, bool),
) -> Result<()> {
    let bars = Bars::new(session);
    let mut done = HashSet::new();
    for of in all {
        local::make_folder(folder, &of.to)?;
        // On a disk that ignores case, an earlier file of this download has the name: it is not replaced.
        let twin = !done.insert(of.name.to_lowercase());
        let part = of.part(force && !twin);
        // Again: an earlier file may have taken a long time.
        part.refuse_replacing()?;
        let bar = bars.file(&of.name, of.size);
        let bytes = fetch(project, asset, of, (&part, &bar)).await?;
        bar.done("downloaded", bytes);
    }
    Ok(())
}

/// Downloads a file; the bar shows how much of it is here.
async fn fetch(
    project: &Project,
    asset: &str,
    of: &Wanted,
    (part, bar): (&Part, &Bar<'_>),
) -> Result<u64> {
    let mut wanted = Mark {
        project: project.name().to_owned(),
        asset: asset.to_owned(),
        file: of.name.clone(),
        size: of.size,
        etag: None,
    };
    let mut has = part.begun(&wanted)?;
    // All of it was here when the program ended: there is nothing after it to ask for.
    if has == 0 || of.size != Some(has) {
        let request = project.files().download(asset, &*of.name).start_at(has);
        let mut download = request.send().await?;
        wanted.size = wanted.size.or(download.size());
        wanted.etag = download.etag().map(str::to_owned);
        let mut file = part.open(has, &wanted)?;
        while let Some(bytes) = download.try_next().await? {
            file.write_all(&bytes)?;
            has += bytes.len() as u64;
            bar.set(has);
        }
    }
    if of.size.is_some_and(|size| size != has) {
        let message = format!(
            "{}: received {has} bytes, which differs from the size in the list",
            of.name
        );
        return Err(Failure::new(Exit::Unusable, message).hint("--force starts again"));
    }
    part.finish(has)?;
    Ok(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that are not wanted count, too, and case does not: some disks ignore it.
    #[test]
    fn our_own_names_are_nobody_elses() {
        let all = ["a", "b", "B.mkio-part", "a.part"];
        let all: HashSet<String> = all.iter().map(|name| name.to_lowercase()).collect();
        assert!(refuse_clash("b", &all).is_err());
        assert!(refuse_clash("a", &all).is_ok());
    }
}
