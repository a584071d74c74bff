//! The pipeline from document to crate, in memory.

use std::{fs, sync::Arc};

use anyhow::{Context, Result};

use crate::{
    apis::{Api, Workspace},
    check,
    document::{Document, Problem, Problems},
    glue,
    model::Model,
    output::Files,
    overlay::Overlay,
    passes, progenitor_step, refine,
    report::Report,
    states,
};

/// The sources of one API's crate, as text.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub document: String,
    pub overlay: Option<String>,
    pub states: String,
}

impl Sources {
    /// The files of the workspace.
    pub fn read(workspace: &Workspace, api: &Api) -> Result<Self> {
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

/// The whole pipeline for one API by itself, which shares nothing with others.
pub fn single_crate(
    api: &Arc<Api>,
    sources: &Sources,
    files: &mut Files,
    report: &mut Report,
) -> Result<()> {
    let document = load(api, sources, report)?;
    let document = prepare(document, report, &mut |_, _| {})?;
    generate(document, sources, &[], files, report)
}

/// The second half of the pipeline for one API, after `prepare`; its files are complete
/// or not there. The runtime has the types named in `shared`.
pub fn generate(
    document: Document,
    sources: &Sources,
    shared: &[&str],
    files: &mut Files,
    report: &mut Report,
) -> Result<()> {
    let api = &document.api.clone();
    let document = passes::finish(document, report, &mut |_, _| {});
    report.check()?;
    let mut model = Model::new(&document);
    report.step("progenitor", |changes| {
        progenitor_step::run(&document, &mut model, changes)
    })?;
    let states = states::parse(api, &sources.states)?;
    report.step("states", |changes| {
        states.keys().for_each(|resource| changes.note(resource));
        states::connect(&document, &mut model, &states, changes);
    });
    report.step("lists", |changes| {
        glue::pages::check(&document, &model, changes)
    });
    report.step("edits", |changes| {
        glue::edits::check(&document, &model, changes)
    });
    report.check()?;
    let made = refine::run(&document, &model, &states, report).map_err(Problems::from)?;
    let made = made.sharing(shared);
    let mut own = Files::default();
    own.owns(api.document());
    let outcome = report.step("crate", |_| {
        glue::crate_files::all(api, &document, &model, &states, made, &mut own)
    });
    outcome.map_err(with_all)?;
    files.append(own);
    Ok(())
}

/// A problem of a later step, in the form of those of the earlier ones.
fn with_all(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Problem>() {
        Ok(problem) => Problems::from(problem).into(),
        Err(error) => error,
    }
}

/// Document, overlay and all passes. `seen` is given the document after each step.
pub fn normalise(
    api: &Arc<Api>,
    sources: &Sources,
    report: &mut Report,
    seen: &mut dyn FnMut(&str, &Document),
) -> Result<Document> {
    let document = load(api, sources, report)?;
    seen("overlay", &document);
    let document = prepare(document, report, seen)?;
    let document = passes::finish(document, report, seen);
    report.check()?;
    Ok(document)
}

/// The passes that one document needs by itself.
pub fn prepare(
    document: Document,
    report: &mut Report,
    seen: &mut dyn FnMut(&str, &Document),
) -> Result<Document> {
    let document = passes::run(document, report, seen);
    report.check()?;
    Ok(document)
}

/// Reads the document, applies its overlay, and checks the result.
pub fn load(api: &Arc<Api>, sources: &Sources, report: &mut Report) -> Result<Document> {
    let root = report.step("load", |_| serde_json::from_str(&sources.document));
    let root = root.map_err(|error| {
        Problems::from(Problem {
            api: api.name.clone(),
            pointer: String::new(),
            found: format!("not JSON: {error}"),
            accepted: "an OpenAPI document in JSON; `cargo xtask spec import` makes one from YAML"
                .to_owned(),
        })
    })?;
    let mut document = Document::new(api.clone(), root);
    if let Some(text) = &sources.overlay {
        let overlay =
            Overlay::parse(text).with_context(|| format!("spec/overlays/{}.yaml", api.name))?;
        document = report.step("overlay", |changes| overlay.apply(document, changes));
    }
    report.step("check", |changes| {
        for problem in check::check(&document.root, &api.name) {
            changes.refuse(problem);
        }
    });
    report.check()?;
    Ok(document)
}
