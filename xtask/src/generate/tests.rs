//! The pipeline from text to files: its output, and its errors.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::*;
use crate::document::{Problem, Problems};

const LIST: &str = "/api/v1/projects/{project_name}/media/things";
const ITEM: &str = "/api/v1/projects/{project_name}/media/things/{thing_name}";

fn media() -> Arc<Api> {
    crate::passes::testing::api()
}

/// A workspace of its own with documents.
fn workspace(sources: &[(&str, &Sources)]) -> (tempfile::TempDir, Workspace) {
    let root = tempfile::tempdir().expect("a folder");
    let spec = root.path().join("spec");
    fs::create_dir_all(spec.join("overlays")).expect("a folder");
    let write = |path: &str, text: &str| fs::write(spec.join(path), text).expect("written");
    let mut apis = String::new();
    for (name, sources) in sources {
        apis += &format!("- {{name: {name}, title: T, about: a, prefix: 'projects/{{}}/media'}}\n");
        write(&format!("{name}.json"), &sources.document);
        if let Some(overlay) = &sources.overlay {
            write(&format!("overlays/{name}.yaml"), overlay);
        }
        write("states.yaml", &sources.states);
    }
    write("apis.yaml", &apis);
    let workspace = Workspace::open(Some(root.path())).expect("a workspace");
    (root, workspace)
}

/// All files below a folder but those under `spec/` that are read, with their text.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("text");
                found.insert(path.strip_prefix(root).expect("below").to_owned(), text);
            }
        }
    }
    found
}

/// A small document.
fn document() -> Value {
    let parameter = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    let response = |schema: &str| {
        json!({"description": "OK", "content": {"application/json": {
            "schema": {"$ref": format!("#/components/schemas/{schema}")}
        }}})
    };
    json!({
        "openapi": "3.0.2",
        "info": {"title": "Things", "version": "1.0"},
        "paths": {
            LIST: {"get": {
                "summary": "Lists things",
                "parameters": [parameter("project_name")],
                "responses": {"200": response("ThingListResponseSchema")}
            }},
            ITEM: {"put": {
                "summary": "Makes or changes a thing",
                "parameters": [parameter("project_name"), parameter("thing_name")],
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/ThingSchema"}
                }}},
                "responses": {"200": response("ThingSchema"), "201": response("ThingSchema")}
            }}
        },
        "components": {"schemas": {
            "ThingSchema": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"},
                "kind": {"type": "string", "enum": ["Big", "Small"]}
            }},
            "ThingListResponseSchema": {"type": "object", "properties": {
                "@odata.nextLink": {"type": "string"},
                "value": {"type": "array", "items": {"$ref": "#/components/schemas/ThingSchema"}}
            }}
        }}
    })
}

fn sources(document: &Value) -> Sources {
    Sources {
        document: document.to_string(),
        overlay: None,
        states: "{}".to_owned(),
    }
}

fn files(api: &Arc<Api>, sources: &Sources) -> Result<Files> {
    let mut files = Files::default();
    let outcome = pipeline::single_crate(api, sources, &mut files, &mut Report::default());
    if outcome.is_err() {
        assert!(files == Files::default(), "a part of a crate");
    }
    outcome.map(|()| files)
}

/// The problem of a document. Also checks that nothing is written, not even the correct API
/// before it.
fn refused(bad: &Sources) -> Problem {
    let fine = sources(&document());
    let (root, workspace) = workspace(&[("media", &fine), ("live", bad)]);
    let before = tree(root.path());
    let error = update(&workspace, &Args::default()).unwrap_err();
    assert!(tree(root.path()) == before, "something was written");
    let text = format!("{error:#}");
    let Problems(problems) = error.downcast::<Problems>().expect("Problems");
    let problem = problems.into_iter().next().expect("one at least");
    // What a user reads has all four parts.
    assert_eq!(problem.api, "live");
    for part in [&problem.api, &problem.found, &problem.accepted] {
        assert!(!part.is_empty() && text.contains(part), "{text}");
    }
    assert!(text.contains(&problem.pointer), "{text}");
    problem
}

/// The same for a document that `change` has spoiled.
fn refused_after(change: impl FnOnce(&mut Value)) -> Problem {
    let mut document = document();
    change(&mut document);
    refused(&sources(&document))
}

fn says(problem: &Problem, pointer: &str, found: &str, accepted: &str) {
    assert_eq!(problem.pointer, pointer, "{problem}");
    assert!(problem.found.contains(found), "{problem}");
    assert!(problem.accepted.contains(accepted), "{problem}");
}

#[test]
fn a_document_becomes_a_crate_that_stays_the_same() {
    let (root, workspace) = workspace(&[("media", &sources(&document()))]);
    let run = |document: &Value, check: bool| {
        let args = Args {
            check,
            ..Args::default()
        };
        let path = workspace.document(&media());
        fs::write(path, document.to_string()).expect("written");
        update(&workspace, &args).unwrap().0
    };
    let mut document = document();
    assert!(matches!(run(&document, true), Outcome::Differs(_)));
    let Outcome::Written(written) = run(&document, false) else {
        panic!("nothing written");
    };
    assert!(written > 8, "{written}");
    assert_eq!(run(&document, true), Outcome::Same);
    assert_eq!(run(&document, false), Outcome::Written(0));
    let read = |path: &str| fs::read_to_string(root.path().join(path)).expect("a file");
    let surface = read("spec/surface/media.txt");
    for line in [
        "list_things",
        "create_or_update_thing",
        "struct ThingList",
        "Big = \"Big\"",
    ] {
        assert!(surface.contains(line), "{line} in:\n{surface}");
    }
    let client = read("crates/mkio-media/src/generated/client.rs");
    assert!(client.contains("pub fn create_or_update_thing"), "{client}");

    // A changed document shows in the comparison as the lines that it changes.
    document["components"]["schemas"]["ThingSchema"]["properties"]["size"] =
        json!({"type": "integer"});
    let Outcome::Differs(diff) = run(&document, true) else {
        panic!("no drift");
    };
    assert!(diff.contains("\n+    size: Option<i64>\n"), "{diff}");
    assert!(diff.contains("--- crates/mkio-media/src/generated/types.rs"));
}

#[test]
fn a_run_fails_when_code_differs_or_a_warning_is_denied() {
    let (root, workspace) = workspace(&[("media", &sources(&document()))]);
    let args = |check: bool, deny_warnings: bool| Args {
        check,
        deny_warnings,
        ..Args::default()
    };
    assert_eq!(
        run(&workspace, &args(true, false)).unwrap(),
        ExitCode::FAILURE
    );
    assert_eq!(
        run(&workspace, &args(false, false)).unwrap(),
        ExitCode::SUCCESS
    );
    for deny_warnings in [false, true] {
        assert_eq!(
            run(&workspace, &args(true, deny_warnings)).unwrap(),
            ExitCode::SUCCESS
        );
    }

    // The emulator has the document as it is, with the names of its operations.
    let read = |name: &str| {
        let path = root
            .path()
            .join("crates/mkio-emulator/data/spec")
            .join(name);
        fs::read_to_string(path).expect("a file")
    };
    assert_eq!(read("media.json"), document().to_string());
    let names = read("media.names.txt");
    let list = "GET /api/v1/projects/{}/media/things list_things";
    assert!(names.lines().any(|line| line == list), "{names}");
}

/// The warnings of all APIs count, and those of a crate that stands alone.
#[test]
fn warnings_are_told_and_may_be_denied() {
    let mut odd = document();
    for operation in [(LIST, "get"), (ITEM, "put")] {
        odd["paths"][operation.0][operation.1]["callbacks"] = json!({"x": {}});
    }
    let odd = sources(&odd);
    let (_root, workspace) = workspace(&[("live", &odd), ("media", &odd)]);
    let (_, warnings) = update(&workspace, &Args::default()).unwrap();
    assert_eq!(warnings, 4);
    fs::write(
        workspace.root().join("Cargo.toml"),
        include_str!("../../../Cargo.toml"),
    )
    .unwrap();
    let out = tempfile::tempdir().unwrap();
    for (deny_warnings, code) in [(false, ExitCode::SUCCESS), (true, ExitCode::FAILURE)] {
        let all = Args {
            deny_warnings,
            ..Args::default()
        };
        assert_eq!(run(&workspace, &all).unwrap(), code);
        let one = Args {
            apis: vec!["media".to_owned()],
            out: Some(out.path().to_owned()),
            ..all
        };
        assert_eq!(run(&workspace, &one).unwrap(), code);
    }
}

#[test]
fn a_reader_may_have_seen_enough_of_a_dump() {
    struct Fails(io::ErrorKind);
    impl io::Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut seen = Vec::new();
    print(&mut seen, "text").unwrap();
    assert_eq!(seen, b"text\n");
    print(Fails(io::ErrorKind::BrokenPipe), "text").unwrap();
    print(Fails(io::ErrorKind::StorageFull), "text").unwrap_err();
}

#[test]
fn a_text_makes_a_crate_or_an_error() {
    let text = document().to_string();
    crate::try_generate(&text, None).unwrap();
    crate::try_generate("{}", None).unwrap_err();
    crate::try_generate(&text, Some(NAMED)).unwrap();
    crate::try_generate(&text, Some("overlay: 2.0.0")).unwrap_err();
}

/// Maps with random order must not reach the output.
#[test]
fn the_same_bytes_every_time() {
    let workspace = Workspace::open(None).unwrap();
    let api = workspace.api("infrastructure").unwrap();
    let sources = Sources::read(&workspace, api).unwrap();
    let once = files(api, &sources).unwrap();
    assert!(once == files(api, &sources).unwrap(), "not the same twice");
}

/// Every step has an effect on some crate.
#[test]
fn the_committed_code_is_what_the_documents_make() {
    let workspace = Workspace::open(None).unwrap();
    let args = Args {
        check: true,
        ..Args::default()
    };
    match update(&workspace, &args).unwrap().0 {
        Outcome::Differs(diff) => panic!("run `cargo xtask generate`:\n{diff}"),
        outcome => assert_eq!(outcome, Outcome::Same),
    }
}

/// Files of several APIs are in one folder; each run knows its own.
#[test]
fn one_api_at_a_time_changes_nothing_of_the_others() {
    let fine = sources(&document());
    let (root, workspace) = workspace(&[("media", &fine), ("live", &fine)]);
    update(&workspace, &Args::default()).unwrap();
    let all = tree(root.path());
    assert!(all.contains_key(Path::new("crates/mkio-httpmock/src/generated/live.rs")));
    for api in workspace.apis() {
        for check in [true, false] {
            let apis = vec![api.name.clone()];
            let args = Args {
                apis,
                check,
                ..Args::default()
            };
            let (outcome, _) = update(&workspace, &args).unwrap();
            let same = [Outcome::Same, Outcome::Written(0)].contains(&outcome);
            assert!(same, "{}: {outcome:?}", api.name);
        }
    }
    assert!(tree(root.path()) == all);
    // Files of an API that left the list are removed by the next run over all.
    let list = fs::read_to_string(root.path().join("spec/apis.yaml")).unwrap();
    let one: String = list
        .lines()
        .take(1)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(root.path().join("spec/apis.yaml"), one).unwrap();
    let workspace = Workspace::open(Some(root.path())).unwrap();
    update(&workspace, &Args::default()).unwrap();
    let left = tree(root.path());
    assert!(
        !left.keys().any(|path| path.starts_with("crates/mkio-live")),
        "{:?}",
        left.keys()
    );
}

/// An overlay that gives the list a name.
const NAMED: &str = "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n  - target: \
                     $.paths['/api/v1/projects/{project_name}/media/things'].get\n    \
                     description: reads better\n    update: {x-mkio-name: all_things}\n";

#[test]
fn the_document_can_be_seen_after_each_step() {
    let named = Sources {
        overlay: Some(NAMED.to_owned()),
        ..sources(&document())
    };
    let (_root, workspace) = workspace(&[("media", &named)]);
    let args = |apis: &[&str]| Args {
        apis: apis.iter().map(|name| (*name).to_owned()).collect(),
        ..Args::default()
    };
    let after = |step: &str| {
        let text = dump(&workspace, &args(&["media"]), step).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let first = after("after:overlay");
    assert_eq!(first["paths"][LIST]["get"]["x-mkio-name"], "all_things");
    assert!(first["paths"][LIST]["get"].get("operationId").is_none());
    let last = after(&format!("after:{}", passes::names().last().unwrap()));
    assert_eq!(last["paths"][LIST]["get"]["operationId"], "all_things");

    let error = |apis: &[&str], step: &str| {
        let error = dump(&workspace, &args(apis), step).unwrap_err();
        error.to_string()
    };
    for unknown in ["after:nothing", "overlay"] {
        let error = error(&["media"], unknown);
        assert!(
            error.contains(unknown) && error.contains("overlay, "),
            "{error}"
        );
    }
    for apis in [&[][..], &["media", "live"]] {
        let error = error(apis, "after:overlay");
        assert!(error.contains("one API"), "{error}");
    }
    assert!(error(&["live"], "after:overlay").contains("live"));
}

#[test]
fn one_crate_can_stand_alone() {
    let (root, workspace) = workspace(&[("media", &sources(&document()))]);
    let manifest = include_str!("../../../Cargo.toml");
    fs::write(root.path().join("Cargo.toml"), manifest).unwrap();
    let before = tree(root.path());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let out = folder.path().join("own/crate");
    let made = |args: Args| {
        let made = run(&workspace, &args).map(|code| code == ExitCode::SUCCESS);
        assert!(tree(root.path()) == before, "the workspace has changed");
        made
    };
    let args = |apis: &[&str]| Args {
        apis: apis.iter().map(|name| (*name).to_owned()).collect(),
        out: Some(out.clone()),
        ..Args::default()
    };
    let surface = || fs::read_to_string(out.join("surface.txt")).unwrap();

    assert!(made(args(&["media"])).unwrap());
    assert!(surface().contains("list_things(") && out.join("src/lib.rs").is_file());
    let manifest = fs::read_to_string(out.join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("workspace = true"), "{manifest}");

    let overlay = Some(write("overlay.yaml", NAMED));
    let named = Args {
        overlay,
        ..args(&["media"])
    };
    assert!(made(named).unwrap());
    assert!(surface().contains("all_things("), "{}", surface());

    // An API that is not listed has its document from elsewhere.
    let error = made(args(&["own"])).unwrap_err().to_string();
    assert!(error.contains("--document"), "{error}");
    let of_file = || Args {
        document: Some(write("own.json", &document().to_string())),
        ..args(&["own"])
    };
    assert!(made(of_file()).unwrap());
    assert!(surface().contains("list_things("), "{}", surface());
    for apis in [&[][..], &["media", "own"]] {
        let error = made(args(apis)).unwrap_err().to_string();
        assert!(error.contains("one API"), "{error}");
    }
}

#[test]
fn an_operation_is_known_by_method_path_and_body() {
    let named = Sources {
        overlay: Some(NAMED.to_owned()),
        ..sources(&document())
    };
    let (_root, workspace) = workspace(&[("media", &named)]);
    let known = describe(&workspace, workspace.api("media").unwrap()).unwrap();
    assert_eq!(
        known.document["paths"][LIST]["get"]["x-mkio-name"],
        "all_things"
    );
    let name = |method, path, media_type| {
        (known.rust_id)(Target {
            method,
            path,
            media_type,
        })
    };
    let json = Some("application/json");
    assert_eq!(name("get", LIST, None).as_deref(), Some("all_things"));
    assert!(name("put", ITEM, json).is_some_and(|name| name.ends_with("thing")));
    for other in [
        name("put", LIST, None),
        name("get", ITEM, None),
        name("put", ITEM, None),
        name("get", LIST, json),
    ] {
        assert_eq!(other, None);
    }
}

#[test]
fn an_overlay_changes_what_is_generated() {
    let sources = Sources {
        overlay: Some(NAMED.to_owned()),
        ..sources(&document())
    };
    let diff = files(&media(), &sources)
        .unwrap()
        .diff(Path::new("nowhere"))
        .unwrap();
    assert!(
        diff.contains("+all_things(project_name: String) -> ThingList"),
        "{diff}"
    );
    assert!(!diff.contains("list_things"), "{diff}");
}

#[test]
fn truncated_json() {
    let mut sources = sources(&document());
    sources.document.truncate(sources.document.len() / 2);
    says(&refused(&sources), "", "EOF while parsing", "JSON");
    sources.document = String::new();
    says(&refused(&sources), "", "EOF while parsing", "JSON");
}

#[test]
fn what_is_no_document() {
    for text in ["null", "[]", "3", "\"openapi\"", "{}"] {
        let sources = Sources {
            document: text.to_owned(),
            ..sources(&document())
        };
        let problem = refused(&sources);
        let way = ["openapi", "3.1.x"]
            .iter()
            .any(|way| problem.accepted.contains(way));
        assert!(problem.pointer.is_empty() && way, "{problem}");
    }
}

#[test]
fn an_unknown_reference() {
    let problem = refused_after(|document| {
        document["components"]["schemas"]["ThingSchema"]["properties"]["kind"] =
            json!({"$ref": "#/components/schemas/Gone"});
    });
    let pointer = "/components/schemas/ThingSchema/properties/kind/$ref";
    says(&problem, pointer, "Gone", "/components/schemas");
}

#[test]
fn a_reference_to_another_file() {
    let problem = refused_after(|document| {
        document["paths"][LIST]["get"]["responses"]["200"] =
            json!({"$ref": "common.json#/responses/Things"});
    });
    let pointer = format!("/paths/{}/get/responses/200/$ref", LIST.replace('/', "~1"));
    says(&problem, &pointer, "common.json", "inside it");
}

#[test]
fn a_cyclic_all_of() {
    for parts in [
        json!([{"$ref": "#/components/schemas/Part"}]),
        json!([{"type": "object"}, {"allOf": [{"$ref": "#/components/schemas/Part"}]}]),
    ] {
        let problem = refused_after(|document| {
            let schemas = &mut document["components"]["schemas"];
            schemas["ThingSchema"] = json!({"allOf": parts});
            schemas["Part"] = json!({"allOf": [{"$ref": "#/components/schemas/ThingSchema"}]});
        });
        let pointer = "/components/schemas/Part";
        says(&problem, pointer, "made of itself", "that end");
    }
}

#[test]
fn a_schema_that_is_only_itself() {
    let itself = json!({"$ref": "#/components/schemas/ThingSchema"});
    let refused = |schema| {
        refused_after(|document| document["components"]["schemas"]["ThingSchema"] = schema)
    };
    let problem = refused(itself.clone());
    let pointer = "/components/schemas/ThingSchema";
    says(&problem, pointer, "made of itself", "that end");
    // A union whose members cannot be distinguished is any JSON, with a warning.
    for (key, other) in [("oneOf", "string"), ("anyOf", "object")] {
        let mut document = document();
        document["components"]["schemas"]["ThingSchema"] = json!({key: [itself, {"type": other}]});
        let mut report = Report::default();
        let sources = sources(&document);
        pipeline::single_crate(&media(), &sources, &mut Files::default(), &mut report).unwrap();
        let warnings = report.warnings();
        assert_eq!(
            warnings[0].pointer,
            format!("/components/schemas/ThingSchema/{key}")
        );
        assert!(
            warnings[0].accepted.contains("discriminator"),
            "{warnings:?}"
        );
    }
}

#[test]
fn a_type_that_contains_itself_in_a_field_is_fine() {
    let mut document = document();
    let itself = json!({"$ref": "#/components/schemas/ThingSchema"});
    let thing = &mut document["components"]["schemas"]["ThingSchema"]["properties"];
    thing["one"] = itself.clone();
    thing["many"] = json!({"type": "array", "items": itself});
    thing["named"] = json!({"type": "object", "additionalProperties": itself});
    let diff = files(&media(), &sources(&document))
        .unwrap()
        .diff(Path::new("nowhere"))
        .unwrap();
    assert!(diff.contains("many: Option<Vec<Thing>>"), "{diff}");
}

#[test]
fn the_same_operation_name_twice() {
    let problem = refused_after(|document| {
        document["paths"]["/api/v1/things"] = document["paths"][LIST].clone();
        document["paths"]["/api/v1/things"]["get"]["parameters"] = json!([]);
    });
    let pointer = "/paths/~1api~1v1~1things/get";
    says(&problem, pointer, "list_things", "x-mkio-name");
    assert!(
        problem.found.contains(&LIST.replace('/', "~1")),
        "{problem}"
    );
}

#[test]
fn an_unsupported_media_type() {
    let put = format!("/paths/{}/put", ITEM.replace('/', "~1"));
    let problem = refused_after(|document| {
        document["paths"][ITEM]["put"]["requestBody"]["content"] = json!({"application/xml": {}});
    });
    let pointer = format!("{put}/requestBody/content/application~1xml");
    says(&problem, &pointer, "application/xml", "application/json");
    let problem = refused_after(|document| {
        document["paths"][ITEM]["put"]["responses"]["200"]["content"] =
            json!({"multipart/form-data": {}});
    });
    let pointer = format!("{put}/responses/200/content/multipart~1form-data");
    says(
        &problem,
        &pointer,
        "multipart/form-data",
        "application/json",
    );
}

/// One run shows everything that has to change.
#[test]
fn all_problems_come_at_once() {
    let mut document = document();
    let put = &mut document["paths"][ITEM]["put"];
    put["requestBody"]["content"] = json!({"application/xml": {}});
    document["paths"][LIST]["get"]["parameters"][0] = json!({"name": "project_name", "in": "path", "required": true, "schema": {"type": "object"}});
    document["components"]["schemas"]["ThingSchema"]["x-mkio-type-name"] = json!("Option");
    let overlay = "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n  - target: \
                   $.gone\n    description: was wrong\n    remove: true\n";
    let mut sources = sources(&document);
    let count = |sources: &Sources| {
        let error = files(&media(), sources).unwrap_err();
        error.downcast::<Problems>().expect("Problems").0.len()
    };
    assert_eq!(count(&sources), 3);
    sources.overlay = Some(overlay.to_owned());
    assert_eq!(
        count(&sources),
        1,
        "what the overlay would mend is not judged"
    );
}

#[test]
fn an_overlay_target_that_matches_nothing() {
    let overlay = "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n  - target: \
                   $.components.schemas.Gone\n    description: was wrong\n    remove: true\n";
    let problem = refused(&Sources {
        overlay: Some(overlay.to_owned()),
        ..sources(&document())
    });
    let pointer = "overlay /actions/0 (was wrong)";
    says(
        &problem,
        pointer,
        "$.components.schemas.Gone",
        "a target that exists",
    );
}

#[test]
fn openapi_2() {
    let problem = refused(&sources(&json!({
        "swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {}
    })));
    says(&problem, "/swagger", "2.0", "3.0.x or 3.1.x");
}

#[test]
fn a_version_of_tomorrow() {
    let problem = refused_after(|document| document["openapi"] = json!("4.0.0"));
    says(&problem, "/openapi", "4.0.0", "3.1.x");
}

/// Nothing in a document makes the pipeline panic: each value in it in turn is replaced by
/// something else.
#[test]
fn whatever_is_wrong_it_does_not_panic() {
    fn pointers(value: &Value, pointer: String, all: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(object) => object
                .iter()
                .map(|(key, child)| (crate::document::escape(key), child))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, child)| (index.to_string(), child))
                .collect(),
            _ => Vec::new(),
        };
        for (key, child) in children {
            pointers(child, format!("{pointer}/{key}"), all);
        }
        all.push(pointer);
    }
    let fine = document();
    let mut all = Vec::new();
    pointers(&fine, String::new(), &mut all);
    assert!(all.len() > 50, "{}", all.len());
    let wrong = [json!(null), json!(7), json!("x y"), json!([]), json!({})];
    let mut errors = 0;
    for pointer in &all {
        for value in &wrong {
            let mut document = fine.clone();
            *document.pointer_mut(pointer).expect("a place") = value.clone();
            let Err(error) = files(&media(), &sources(&document)) else {
                continue;
            };
            errors += 1;
            let problems = error.downcast_ref::<Problems>();
            assert!(problems.is_some(), "{pointer} = {value}: {error:#}");
        }
    }
    assert!(errors > 50, "{errors}");
}
