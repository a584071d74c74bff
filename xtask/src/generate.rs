//! `cargo xtask generate`: from documents to crates.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    apis::{Api, Workspace},
    conformance::{Generated, Target},
    copies,
    document::Document,
    entries, glue, listing,
    model::Model,
    output::Files,
    package, passes,
    pipeline::{self, Sources},
    report::Report,
    shared::Shared,
    spec, states,
};

#[cfg(test)]
mod constructors;
#[cfg(test)]
mod tests;

/// Options of `cargo xtask generate`.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// APIs to generate; all when none is named.
    apis: Vec<String>,
    /// Changes nothing: prints how the files differ, and fails if they do.
    #[arg(long)]
    check: bool,
    /// Fails when there is a warning, after everything else.
    #[arg(long)]
    deny_warnings: bool,
    /// Lists each change of each step.
    #[arg(long)]
    verbose: bool,
    /// Prints the document after a step instead (`after:limits`); of one API.
    #[arg(long, value_name = "after:STEP")]
    dump: Option<String>,
    /// Makes the crate of this published document instead, in --out; of one API, which need not be
    /// listed.
    #[arg(long, requires = "out", value_name = "FILE")]
    document: Option<PathBuf>,
    /// Folder for a crate that stands alone: nothing of the workspace is changed.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Overlay for the crate in --out, instead of the one in spec/overlays.
    #[arg(long, requires = "out", value_name = "FILE")]
    overlay: Option<PathBuf>,
}

pub fn run(workspace: &Workspace, args: &Args) -> Result<ExitCode> {
    if let Some(step) = &args.dump {
        print(io::stdout(), &dump(workspace, args, step)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(out) = &args.out {
        return single_crate(workspace, args, out);
    }
    let (outcome, warnings) = update(workspace, args)?;
    match outcome {
        Outcome::Same => println!("generated code is up to date"),
        Outcome::Written(count) => println!("{count} file(s) changed"),
        Outcome::Differs(diff) => {
            print!("{diff}");
            eprintln!(
                "error: generated code differs from the documents; run `cargo xtask generate`"
            );
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(judged(args, warnings))
}

/// Success, unless there are warnings and they are denied.
fn judged(args: &Args, warnings: usize) -> ExitCode {
    if args.deny_warnings && warnings > 0 {
        eprintln!("error: {warnings} warning(s)");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints a text for a reader that, like `head`, may have seen enough before its end.
fn print(mut to: impl Write, text: &str) -> Result<()> {
    match writeln!(to, "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    Differs(String),
    Written(usize),
}

/// Generates all of these APIs, and only then compares or changes the files of the workspace. Also
/// gives the number of warnings.
fn update(workspace: &Workspace, args: &Args) -> Result<(Outcome, usize)> {
    let started = Instant::now();
    let wanted = wanted(workspace, &args.apis)?;
    let mut files = if args.apis.is_empty() {
        Files::of_all()
    } else {
        Files::default()
    };
    // What APIs share depends on all of them, whichever are generated.
    let mut errors = Vec::new();
    let mut prepared = Vec::new();
    for api in workspace.apis() {
        match Prepared::new(workspace, api) {
            Ok(api) => prepared.push(api),
            Err(error) => errors.push(error),
        }
    }
    let mut documents: Vec<Document> = prepared.iter().map(|api| api.document.clone()).collect();
    let shared = Shared::find(&mut documents);
    let mut warnings = 0;
    for (place, mut api) in prepared.into_iter().enumerate() {
        let document = documents[place].clone();
        if wanted.contains(&&document.api) {
            let made = api.generate(document, &shared.of(place), &mut files);
            print!("{}", api.report.text(args.verbose));
            warnings += api.report.print_warnings();
            errors.extend(made.err());
        }
    }
    listing::files(workspace, &mut files)?;
    states::constants(&states::read(workspace)?, &mut files)?;
    entries::list(workspace.root(), &mut files)?;
    all_of(errors)?;
    glue::secrets::fields(&documents, &mut files);
    glue::types::shared(shared.code(documents)?, &mut files);
    print!("{}", shared.text(args.verbose));
    println!("generated in {:.1} s", started.elapsed().as_secs_f64());
    if !args.check {
        return Ok((Outcome::Written(files.write(workspace.root())?), warnings));
    }
    let diff = files.diff(workspace.root())?;
    let outcome = if diff.is_empty() {
        Outcome::Same
    } else {
        Outcome::Differs(diff)
    };
    Ok((outcome, warnings))
}

/// The APIs of these names; all when none is named.
fn wanted<'w>(workspace: &'w Workspace, names: &[String]) -> Result<Vec<&'w Arc<Api>>> {
    if names.is_empty() {
        states::check_owners(workspace, &states::read(workspace)?)?;
        return Ok(workspace.apis().iter().collect());
    }
    names.iter().map(|name| workspace.api(name)).collect()
}

/// One error for all of these.
fn all_of(mut errors: Vec<anyhow::Error>) -> Result<()> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => {
            let texts: Vec<String> = errors.iter().map(|error| format!("{error:#}")).collect();
            bail!("{}", texts.join("\n"))
        }
    }
}

/// An API whose document is prepared; the shared types are found next.
struct Prepared {
    document: Document,
    /// The document before the passes.
    overlaid: Document,
    sources: Sources,
    report: Report,
}

impl Prepared {
    fn new(workspace: &Workspace, api: &Arc<Api>) -> Result<Self> {
        let mut report = Report::default();
        let sources = Sources::read(workspace, api)?;
        let document = pipeline::load(api, &sources, &mut report)?;
        let overlaid = document.clone();
        let document = pipeline::prepare(document, &mut report, &mut |_, _| {})?;
        Ok(Self {
            document,
            overlaid,
            sources,
            report,
        })
    }

    /// The rest of the pipeline; the runtime has the types named in `shared`.
    fn generate(&mut self, document: Document, shared: &[&str], files: &mut Files) -> Result<()> {
        println!("{}", document.api.name);
        copies::add(&document, &self.overlaid, &self.sources, files);
        pipeline::generate(document, &self.sources, shared, files, &mut self.report)
    }
}

/// Makes one crate in a folder of its own.
fn single_crate(workspace: &Workspace, args: &Args, out: &Path) -> Result<ExitCode> {
    let [name] = &args.apis[..] else {
        bail!("--out makes the crate of one API: name it");
    };
    let listed = workspace.api(name).ok().cloned();
    let mut sources = match &listed {
        Some(api) => Sources::read(workspace, api)?,
        None => Sources::default(),
    };
    let api = match listed {
        Some(api) => api,
        None => Arc::new(Api::unlisted(name, name)?),
    };
    if let Some(path) = &args.document {
        sources.document = spec::read_for(&api, path)?;
    }
    ensure!(
        !sources.document.is_empty(),
        "{name} is not listed: name its document with --document"
    );
    if let Some(path) = &args.overlay {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        sources.overlay = Some(text);
    }
    let (mut files, mut report) = (Files::default(), Report::default());
    let made = pipeline::single_crate(&api, &sources, &mut files, &mut report);
    print!("{}\n{}", api.name, report.text(args.verbose));
    let warnings = report.print_warnings();
    made?;
    let manifest = workspace.root().join("Cargo.toml");
    let manifest = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let folder = format!("crates/{}", api.package());
    let surface = format!("spec/surface/{}.txt", api.name);
    let mut own = files.below(&folder);
    let asked = own.get("Cargo.toml").unwrap_or_default().to_owned();
    own.add("Cargo.toml", package::standalone(&asked, &manifest)?);
    own.add(
        "surface.txt",
        files.get(&surface).unwrap_or_default().to_owned(),
    );
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let count = own.write(out)?;
    println!("{}: {count} file(s) changed", out.display());
    Ok(judged(args, warnings))
}

/// The document after a step.
fn dump(workspace: &Workspace, args: &Args, step: &str) -> Result<String> {
    let [name] = &args.apis[..] else {
        bail!("--dump prints the document of one API: name it");
    };
    let steps: Vec<&str> = std::iter::once("overlay").chain(passes::names()).collect();
    let Some(step) = step
        .strip_prefix("after:")
        .filter(|step| steps.contains(step))
    else {
        bail!(
            "--dump {step}: it takes after:STEP, where STEP is one of {}",
            steps.join(", ")
        );
    };
    let api = workspace.api(name)?;
    let sources = Sources::read(workspace, api)?;
    let mut found = None;
    let outcome = pipeline::normalise(
        api,
        &sources,
        &mut Report::default(),
        &mut |name, document| {
            if name == step {
                found = Some(document.root.clone());
            }
        },
    );
    let Some(root) = found else {
        outcome?;
        bail!("no step {step:?}");
    };
    Ok(serde_json::to_string_pretty(&root)?)
}

/// The facts about an API for `cargo xtask conformance`.
pub fn describe(workspace: &Workspace, api: &Arc<Api>) -> Result<Generated> {
    let mut report = Report::default();
    let sources = Sources::read(workspace, api)?;
    let corrected = pipeline::load(api, &sources, &mut report)?.root;
    let document = pipeline::normalise(api, &sources, &mut report, &mut |_, _| {})?;
    let operations = Model::new(&document).operations;
    let rust_id = move |target: Target<'_>| {
        operations
            .iter()
            .find(|operation| {
                operation.method.eq_ignore_ascii_case(target.method)
                    && operation.path == target.path
                    && operation.body.as_deref() == target.media_type
            })
            .map(|operation| operation.id.clone())
    };
    Ok(Generated {
        document: corrected,
        rust_id: Box::new(rust_id),
    })
}
