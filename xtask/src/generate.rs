//! `cargo xtask generate`: the pipeline from document to crate.

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result};

use crate::{
    apis::{APIS, Api},
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

/// Options of `cargo xtask generate`.
#[derive(Debug, clap::Args)]
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

pub fn run(args: &Args) -> Result<ExitCode> {
    let apis: Vec<&'static Api> = if args.apis.is_empty() {
        APIS.iter().collect()
    } else {
        args.apis
            .iter()
            .map(|name| Api::find(name))
            .collect::<Result<_>>()?
    };
    let started = Instant::now();
    let mut files = Files::default();
    for api in apis {
        let mut report = Report::default();
        generate(api, &mut files, &mut report)?;
        print!("{}\n{}", api.name, report.text(args.verbose));
    }
    println!("generated in {:.1} s", started.elapsed().as_secs_f64());
    if args.check {
        let diff = files.diff()?;
        if diff.is_empty() {
            println!("generated code is up to date");
            return Ok(ExitCode::SUCCESS);
        }
        print!("{diff}");
        eprintln!("error: generated code differs from the documents; run `cargo xtask generate`");
        return Ok(ExitCode::FAILURE);
    }
    let written = files.write()?;
    println!("{written} file(s) changed");
    Ok(ExitCode::SUCCESS)
}

/// The whole pipeline for one API; its files are complete or not there.
fn generate(api: &'static Api, files: &mut Files, report: &mut Report) -> Result<()> {
    let document = load(api, report)?;
    let document = passes::run(document, report)?;
    let mut model = Model::new(&document);
    let states = states::load(api)?;
    report.step("states", |changes| {
        states.keys().for_each(|resource| changes.note(resource));
        states::connect(&document, &mut model, &states)
    })?;
    let generated = report.step("progenitor", |_| progenitor_step::run(&document, &model))?;
    let code = refine::run(generated, &document, &model, report)?;
    report.step("crate", |_| {
        glue::krate::files(api, &document, &model, &states, code, files)
    })
}

/// What `cargo xtask conformance` needs to know about an API.
pub fn describe(api: &'static Api) -> Result<Generated> {
    let mut report = Report::default();
    let document = load(api, &mut report)?;
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
pub fn load(api: &'static Api, report: &mut Report) -> Result<Document> {
    let document = report.step("load", |_| -> Result<Document> {
        let path = api.document();
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{}: cannot read {}", api.name, path.display()))?;
        let root = serde_json::from_str(&text).map_err(|error| Problem {
            api: api.name.to_owned(),
            pointer: String::new(),
            found: format!("no JSON: {error}"),
            accepted: "an OpenAPI document in JSON; `cargo xtask spec import` makes one from YAML"
                .to_owned(),
        })?;
        Ok(Document::new(api, root))
    })?;
    let path = api.overlay();
    if !path.exists() {
        return Ok(document);
    }
    let text = std::fs::read_to_string(&path)?;
    let overlay = Overlay::parse(&text).with_context(|| path.display().to_string())?;
    Ok(report.step("overlay", |changes| overlay.apply(document, changes))?)
}
