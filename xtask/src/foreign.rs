//! `cargo xtask foreign`: generates and checks crates of documents that are not ours.
//!
//! The documents are those of an npm package, fetched on demand. Each becomes a crate of its own or
//! is refused with the place; all crates are checked together. Needs npm, so it is run on demand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::{
    apis::{Api, Workspace},
    document::Problems,
    output::Files,
    package,
    pipeline::{self, Sources},
    report::Report,
    spec,
};

/// The package whose documents are tried.
const PACKAGE: &str = "@readme/oas-examples@8.2.2";

/// Arguments of `foreign`.
#[derive(Debug, Args)]
pub struct ForeignArgs {
    /// A folder with documents instead of the package; searched for .json and .yaml.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Only generates, and checks no crate.
    #[arg(long)]
    no_check: bool,
}

/// The result of a document.
struct Tried {
    name: String,
    package: String,
    warnings: usize,
    outcome: Outcome,
}

enum Outcome {
    /// There is a crate.
    Generated,
    /// The generator does not support a part of the document, and the error names the place.
    Refused(String),
    /// A panic, or an error without a place: a fault of the generator.
    Fault(String),
}

pub fn run(workspace: &Workspace, args: &ForeignArgs) -> Result<ExitCode> {
    let room = workspace.root().join("target/foreign");
    let crates = room.join("crates");
    if crates.exists() {
        fs::remove_dir_all(&crates).with_context(|| crates.display().to_string())?;
    }
    fs::create_dir_all(&crates).with_context(|| crates.display().to_string())?;
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => fetch(&room)?,
    };
    let mut documents = Vec::new();
    find(&folder, &mut documents)?;
    documents.sort();
    ensure!(!documents.is_empty(), "{}: no documents", folder.display());
    let manifest = fs::read_to_string(workspace.root().join("Cargo.toml"))?;
    let mut all = Vec::new();
    for (number, path) in documents.iter().enumerate() {
        let name = path
            .strip_prefix(&folder)
            .unwrap_or(path)
            .display()
            .to_string();
        all.push(one(number, name, path, &crates, &manifest)?);
    }
    let broken = if args.no_check {
        BTreeSet::new()
    } else {
        check(workspace, &room)?
    };
    let judged = Judged::new(&all, &broken);
    print!("{}", judged.table);
    Ok(if judged.faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Downloads and unpacks the package.
fn fetch(room: &Path) -> Result<PathBuf> {
    let folder = room.join("package");
    if !folder.exists() {
        let npm = Command::new("npm")
            .args(["pack", "--silent", PACKAGE])
            .current_dir(room)
            .stdin(Stdio::null())
            .output()
            .context("cannot run npm")?;
        ensure!(
            npm.status.success(),
            "npm could not fetch {PACKAGE}: {}",
            String::from_utf8_lossy(&npm.stderr)
        );
        let archive = String::from_utf8_lossy(&npm.stdout).trim().to_owned();
        let tar = Command::new("tar")
            .args(["xzf", &archive])
            .current_dir(room)
            .status();
        ensure!(
            tar.context("cannot run tar")?.success(),
            "tar could not unpack {archive}"
        );
    }
    Ok(folder)
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let end = path
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            find(&path, found)?;
        } else if ["json", "yaml", "yml"].contains(&end) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            // Other versions are converted copies of the same documents.
            if ["\"openapi\"", "openapi:"]
                .iter()
                .any(|key| text.contains(key))
                && !path.ends_with("package.json")
            {
                let yaml_of_json =
                    end != "json" && path.components().any(|part| part.as_os_str() == "yaml");
                if !yaml_of_json {
                    found.push(path);
                }
            }
        }
    }
    Ok(())
}

/// Generates the crate of one document; a panic counts as a fault of the generator.
fn one(number: usize, name: String, path: &Path, crates: &Path, manifest: &str) -> Result<Tried> {
    let api = Arc::new(Api::unlisted(&format!("foreign_{number}"), "Foreign")?);
    let mut report = Report::default();
    let mut files = Files::default();
    let made = catch_unwind(AssertUnwindSafe(|| -> Result<()> {
        let sources = Sources {
            document: spec::read_for(&api, path)?,
            ..Sources::default()
        };
        pipeline::single_crate(&api, &sources, &mut files, &mut report)
    }));
    let outcome = match made {
        Ok(Ok(())) => Outcome::Generated,
        Ok(Err(error)) => refusal(&error),
        Err(_) => Outcome::Fault("the generator panics".to_owned()),
    };
    if matches!(outcome, Outcome::Generated) {
        let mut own = files.below(&format!("crates/{}", api.package()));
        let asked = own.get("Cargo.toml").unwrap_or_default().to_owned();
        own.add("Cargo.toml", package::standalone(&asked, manifest)?);
        let folder = crates.join(api.package());
        fs::create_dir_all(&folder)?;
        own.write(&folder)?;
    }
    Ok(Tried {
        name,
        package: api.package(),
        warnings: report.warnings().len(),
        outcome,
    })
}

/// The first problem of a document, and how many there are besides.
fn refusal(error: &anyhow::Error) -> Outcome {
    match error
        .downcast_ref::<Problems>()
        .map(|Problems(all)| &all[..])
    {
        Some([first, rest @ ..]) => {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!("; {} more", rest.len())
            };
            let text = format!("at `{}`: {}{more}", first.pointer, first.found);
            Outcome::Refused(text.replace('|', "\\|"))
        }
        _ => Outcome::Fault(format!("an error without a place: {error:#}")),
    }
}

/// Checks all crates; the packages that do not compile.
fn check(workspace: &Workspace, room: &Path) -> Result<BTreeSet<String>> {
    let root = workspace.root();
    let core = root.join("crates/mkio-core");
    let core = core.to_str().context("a folder whose name is not text")?;
    // mkio-core inherits from its own workspace, so it is built in its folder.
    fs::write(
        room.join("Cargo.toml"),
        format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n[patch.crates-io]\nmkio-core = {{ path = {core:?} }}\n"
        ),
    )?;
    fs::copy(root.join("Cargo.lock"), room.join("Cargo.lock"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // What is built for our workspace serves these crates, too.
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let output = Command::new(cargo)
        .args([
            "check",
            "--workspace",
            "--all-targets",
            "--features",
            "dynamic,schemars",
            "--keep-going",
            "--message-format",
            "json",
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(room)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    let broken = broken(&String::from_utf8_lossy(&output.stdout));
    for rendered in broken.values() {
        eprintln!("{rendered}");
    }
    if !output.status.success() && broken.is_empty() {
        bail!("cargo check failed before it looked at the crates");
    }
    Ok(broken.into_keys().collect())
}

/// The packages that do not compile, from the JSON messages of cargo, each with its first error.
fn broken(output: &str) -> BTreeMap<String, String> {
    let messages = output.lines();
    let messages = messages.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut broken = BTreeMap::new();
    for message in messages.filter(|message| message["message"]["level"] == "error") {
        let path = message["target"]["src_path"].as_str().unwrap_or_default();
        let name = path.split('/').find(|part| part.starts_with("mkio-"));
        let rendered = message["message"]["rendered"].as_str().unwrap_or_default();
        let first = broken.entry(name.unwrap_or("?").to_owned());
        first.or_insert_with(|| rendered.to_owned());
    }
    broken
}

/// The results of all documents.
struct Judged {
    table: String,
    /// How many documents show a fault of the generator.
    faults: usize,
}

impl Judged {
    fn new(all: &[Tried], broken: &BTreeSet<String>) -> Self {
        let (mut generated, mut refused, mut faults) = (0, 0, 0);
        let mut table = "| document | result | warnings |\n|---|---|---|\n".to_owned();
        for tried in all {
            let (count, result) = match &tried.outcome {
                Outcome::Generated if broken.contains(&tried.package) => (
                    &mut faults,
                    format!("FAULT: {} does not compile", tried.package),
                ),
                Outcome::Generated => (&mut generated, "generated".to_owned()),
                Outcome::Refused(why) => (&mut refused, format!("refused {why}")),
                Outcome::Fault(why) => (&mut faults, format!("FAULT: {why}")),
            };
            *count += 1;
            table += &format!("| {} | {result} | {} |\n", tried.name, tried.warnings);
        }
        table += &format!(
            "{} documents: {generated} generated, {refused} refused, {faults} faults of the generator\n",
            all.len()
        );
        Self { table, faults }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Problem;

    const MANIFEST: &str = include_str!("../../Cargo.toml");

    fn tried(name: &str, outcome: Outcome) -> Tried {
        Tried {
            name: format!("{name}.json"),
            package: format!("mkio-{name}"),
            warnings: 2,
            outcome,
        }
    }

    #[test]
    fn documents_are_found_by_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("3.0/json/a.json", r#"{"openapi": "3.0.0"}"#),
            ("3.0/yaml/a.yaml", "openapi: 3.0.0"),
            ("own/b.yaml", "openapi: 3.0.0"),
            ("own/c.yml", "openapi: 3.0.0"),
            ("own/d.txt", "openapi: 3.0.0"),
            (
                "package.json",
                r#"{"keywords": ["x"], "openapi": "", "openapi:": ""}"#,
            ),
            ("other.json", "{}"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut found = Vec::new();
        find(folder.path(), &mut found).unwrap();
        found.sort();
        let found: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(found, ["3.0/json/a.json", "own/b.yaml", "own/c.yml"]);
        assert!(find(&folder.path().join("none"), &mut Vec::new()).is_err());
    }

    #[test]
    fn a_document_becomes_a_crate_or_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let get =
            json!({"get": {"operationId": "getPet", "responses": {"200": {"description": "ok"}}}});
        let whole = json!({
            "openapi": "3.0.0", "info": {"title": "Pets", "version": "1"}, "paths": {"/pet": get},
        });
        let try_one = |number, document: &Value| {
            let path = folder.path().join("document.json");
            fs::write(&path, document.to_string()).unwrap();
            one(number, "pets".to_owned(), &path, folder.path(), MANIFEST).unwrap()
        };
        let made = try_one(1, &whole);
        assert!(matches!(made.outcome, Outcome::Generated));
        assert_eq!((&*made.name, &*made.package), ("pets", "mkio-foreign_1"));
        let made = folder.path().join("mkio-foreign_1");
        assert!(made.join("Cargo.toml").is_file() && made.join("src/lib.rs").is_file());

        let mut old = whole;
        old["openapi"] = "2.0".into();
        let refused = try_one(2, &old);
        let Outcome::Refused(why) = refused.outcome else {
            panic!("it is not refused");
        };
        assert!(why.starts_with("at `/openapi`: "), "{why}");
        assert!(!folder.path().join("mkio-foreign_2").exists());
    }

    #[test]
    fn a_run_over_a_folder_fails_when_the_generator_does() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("spec")).unwrap();
        let api = "- {name: media, title: T, about: a, prefix: 'projects/{}/media'}\n";
        fs::write(root.path().join("spec/apis.yaml"), api).unwrap();
        fs::write(root.path().join("Cargo.toml"), MANIFEST).unwrap();
        let workspace = Workspace::open(Some(root.path())).unwrap();
        let folder = root.path().join("documents");
        fs::create_dir(&folder).unwrap();
        let args = ForeignArgs {
            folder: Some(folder.clone()),
            no_check: true,
        };
        let none = run(&workspace, &args).unwrap_err().to_string();
        assert!(none.contains("no documents"), "{none}");
        let whole = r#"{"openapi": "3.0.0", "info": {"title": "P", "version": "1"}, "paths":
            {"/pet": {"get": {"responses": {"200": {"description": "ok"}}}}}}"#;
        for (name, text, ended) in [
            ("a.json", whole, ExitCode::SUCCESS),
            ("b.json", r#"{"openapi": "2.0"}"#, ExitCode::SUCCESS),
            ("c.json", r#"{"openapi": "#, ExitCode::FAILURE),
        ] {
            fs::write(folder.join(name), text).unwrap();
            assert_eq!(run(&workspace, &args).unwrap(), ended, "{name}");
        }
        let made = root.path().join("target/foreign/crates");
        assert!(made.join("mkio-foreign_0/src/lib.rs").is_file());
        assert!(!made.join("mkio-foreign_1").exists());
    }

    #[test]
    fn a_refusal_names_the_first_place_and_an_error_without_one_is_a_fault() {
        let problem = |pointer: &str| Problem {
            api: "a".to_owned(),
            pointer: pointer.to_owned(),
            found: "x|y".to_owned(),
            accepted: "z".to_owned(),
        };
        let text = |outcome| match outcome {
            Outcome::Refused(why) => why,
            Outcome::Fault(why) => format!("FAULT {why}"),
            Outcome::Generated => "generated".to_owned(),
        };
        let refused = |places: &[&str]| {
            let all = places.iter().map(|at| problem(at)).collect();
            text(refusal(&Problems(all).into()))
        };
        // A bar would end the cell of the table.
        assert_eq!(refused(&["/a"]), "at `/a`: x\\|y");
        assert_eq!(refused(&["/a", "/b", "/c"]), "at `/a`: x\\|y; 2 more");
        let without = text(refusal(&anyhow::anyhow!("no idea")));
        assert_eq!(without, "FAULT an error without a place: no idea");
    }

    #[test]
    fn what_does_not_compile_is_told_by_package() {
        let message = |level: &str, path: &str| {
            json!({"message": {"level": level, "rendered": format!("{level} in {path}")},
                   "target": {"src_path": path}})
            .to_string()
        };
        let output = [
            message("error", "/t/crates/mkio-a/src/lib.rs"),
            "no JSON".to_owned(),
            message("warning", "/t/crates/mkio-b/src/lib.rs"),
            message("error", "/t/crates/mkio-a/src/types.rs"),
            message("error", "/elsewhere/lib.rs"),
        ];
        let broken = broken(&output.join("\n"));
        let expected = [
            ("?", "error in /elsewhere/lib.rs"),
            ("mkio-a", "error in /t/crates/mkio-a/src/lib.rs"),
        ];
        let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(broken, BTreeMap::from(expected));
    }

    #[test]
    fn the_table_counts_what_became_of_the_documents() {
        let all = [
            tried("a", Outcome::Generated),
            tried("b", Outcome::Generated),
            tried("c", Outcome::Refused("at `/x`: y".to_owned())),
            tried("d", Outcome::Fault("the generator panics".to_owned())),
        ];
        let judged = Judged::new(&all, &BTreeSet::from(["mkio-b".to_owned()]));
        assert_eq!(
            judged.table,
            "| document | result | warnings |\n|---|---|---|\n\
             | a.json | generated | 2 |\n\
             | b.json | FAULT: mkio-b does not compile | 2 |\n\
             | c.json | refused at `/x`: y | 2 |\n\
             | d.json | FAULT: the generator panics | 2 |\n\
             4 documents: 1 generated, 1 refused, 2 faults of the generator\n"
        );
        assert_eq!(judged.faults, 2);
        assert_eq!(Judged::new(&all[..1], &BTreeSet::new()).faults, 0);
    }
}
