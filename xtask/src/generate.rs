//! `cargo xtask generate`: the pipeline from document to crate.

use std::{fs, process::ExitCode, sync::Arc, time::Instant};

use anyhow::{Context, Result};

use crate::{
    apis::{Api, Workspace},
    conformance::{Generated, Target},
    document::{Document, Problem},
    glue,
    model::Model,
    output::Files,
    overlay::Overlay,
    passes, progenitor_step, refine,
    report::Report,
    states,
};

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
    /// Lists each change of each step.
    #[arg(long)]
    verbose: bool,
}

pub fn run(workspace: &Workspace, args: &Args) -> Result<ExitCode> {
    match update(workspace, args)? {
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
    Ok(ExitCode::SUCCESS)
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    Differs(String),
    Written(usize),
}

/// Generates all of these APIs, and only then looks at or changes what the workspace holds.
fn update(workspace: &Workspace, args: &Args) -> Result<Outcome> {
    let started = Instant::now();
    let root = workspace.root();
    let mut files = Files::default();
    let mut apis = Vec::new();
    if args.apis.is_empty() {
        files = Files::of_all();
        apis.extend(workspace.apis());
        states::check_owners(workspace, &states::read(workspace)?)?;
    }
    for name in &args.apis {
        apis.push(workspace.api(name)?);
    }
    for api in apis {
        let mut report = Report::default();
        let sources = Sources::read(workspace, api)?;
        generate(api, &sources, &mut files, &mut report)?;
        copies(api, &sources, &mut files);
        print!("{}\n{}", api.name, report.text(args.verbose));
    }
    println!("generated in {:.1} s", started.elapsed().as_secs_f64());
    if !args.check {
        return Ok(Outcome::Written(files.write(root)?));
    }
    let diff = files.diff(root)?;
    Ok(if diff.is_empty() {
        Outcome::Same
    } else {
        Outcome::Differs(diff)
    })
}

/// The emulator's package carries its own copies: a published crate cannot reach out of its folder.
fn copies(api: &Api, sources: &Sources, files: &mut Files) {
    let folder = "crates/mkio-emulator/data/spec";
    let document = sources.document.replace("\r\n", "\n");
    files.add(format!("{folder}/{}.json", api.name), document);
    files.add(format!("{folder}/states.yaml"), sources.states.clone());
}

/// What the crate of one API is generated from, as text.
#[derive(Debug, Clone, Default)]
struct Sources {
    document: String,
    overlay: Option<String>,
    states: String,
}

impl Sources {
    fn read(workspace: &Workspace, api: &Api) -> Result<Self> {
        let path = workspace.document(api);
        let document = fs::read_to_string(&path)
            .with_context(|| format!("{}: cannot read {}", api.name, path.display()))?;
        let path = workspace.overlay(api);
        let overlay = path
            .exists()
            .then(|| fs::read_to_string(&path))
            .transpose()
            .with_context(|| path.display().to_string())?;
        let states = states::read(workspace)?;
        Ok(Self {
            document,
            overlay,
            states,
        })
    }
}

/// The whole pipeline for one API; its files are complete or not there.
fn generate(
    api: &Arc<Api>,
    sources: &Sources,
    files: &mut Files,
    report: &mut Report,
) -> Result<()> {
    let document = load(api, sources, report)?;
    let document = passes::run(document, report)?;
    let mut model = Model::new(&document);
    let states = states::parse(api, &sources.states)?;
    report.step("states", |changes| {
        states.keys().for_each(|resource| changes.note(resource));
        states::connect(&document, &mut model, &states)
    })?;
    let generated = report.step("progenitor", |_| progenitor_step::run(&document, &model))?;
    let code = refine::run(generated, &document, &model, report)?;
    let mut own = Files::default();
    own.owns(api.document());
    report.step("crate", |_| {
        glue::krate::files(api, &document, &model, &states, code, &mut own)
    })?;
    files.append(own);
    Ok(())
}

/// What `cargo xtask conformance` needs to know about an API.
pub fn describe(workspace: &Workspace, api: &Arc<Api>) -> Result<Generated> {
    let mut report = Report::default();
    let document = load(api, &Sources::read(workspace, api)?, &mut report)?;
    let corrected = document.root.clone();
    let operations = Model::new(&passes::run(document, &mut report)?).operations;
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

/// Reads the document and applies its overlay.
fn load(api: &Arc<Api>, sources: &Sources, report: &mut Report) -> Result<Document> {
    let document = report.step("load", |_| {
        let root = serde_json::from_str(&sources.document).map_err(|error| Problem {
            api: api.name.clone(),
            pointer: String::new(),
            found: format!("no JSON: {error}"),
            accepted: "an OpenAPI document in JSON; `cargo xtask spec import` makes one from YAML"
                .to_owned(),
        })?;
        Ok::<_, Problem>(Document::new(api.clone(), root))
    })?;
    let Some(text) = &sources.overlay else {
        return Ok(document);
    };
    let overlay =
        Overlay::parse(text).with_context(|| format!("spec/overlays/{}.yaml", api.name))?;
    Ok(report.step("overlay", |changes| overlay.apply(document, changes))?)
}
