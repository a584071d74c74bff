//! `cargo xtask generate`: the pipeline from document to crate.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{
    apis::{APIS, Api},
    document::{Document, Problem},
    model::Model,
    overlay::Overlay,
    passes, progenitor_step,
    report::Report,
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
        args.apis.iter().map(|name| Api::find(name)).collect::<Result<_>>()?
    };
    for api in apis {
        let mut report = Report::default();
        let document = load(api, &mut report)?;
        let document = passes::run(document, &mut report)?;
        std::fs::write(format!("/tmp/norm-{}.json", api.name), serde_json::to_string_pretty(&document.root)?)?;
        let model = Model::new(&document);
        let g = progenitor_step::run(&document, &model)?;
        std::fs::write(format!("/tmp/gen-{}.rs", api.name), prettyplease::unparse(&g.client))?;
        std::fs::write(format!("/tmp/mock-{}.rs", api.name), prettyplease::unparse(&g.mock))?;
        print!("{}\n{}", api.name, report.text(args.verbose));
    }
    Ok(ExitCode::SUCCESS)
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
            accepted: "an OpenAPI document in JSON; `cargo xtask spec import` makes one from YAML".to_owned(),
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
