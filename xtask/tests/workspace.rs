//! The xtask on a copy of the workspace, with another document.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/things.yaml");

fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("the workspace").to_owned()
}

/// A copy of the workspace without build results and hidden files.
fn copy() -> tempfile::TempDir {
    fn below(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            let (name, kind) = (entry.file_name(), entry.file_type().expect("a kind"));
            let hidden = name.to_string_lossy().starts_with('.');
            if hidden || name == "target" {
                continue;
            }
            if kind.is_dir() {
                below(&entry.path(), &to.join(name));
            } else {
                fs::copy(entry.path(), to.join(name)).expect("copied");
            }
        }
    }
    let copy = tempfile::tempdir().expect("a folder");
    below(&root(), copy.path());
    copy
}

fn run(program: impl AsRef<OsStr>, folder: &Path, args: &[&str]) -> Output {
    // Copies reuse the builds of our workspace.
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Command::new(program)
        .args(args)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .output()
        .expect("a program that runs")
}

fn ok(program: impl AsRef<OsStr>, folder: &Path, args: &[&str]) -> String {
    let output = run(program, folder, args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{args:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout) + &text(&output.stderr)
}

fn xtask() -> &'static str {
    env!("CARGO_BIN_EXE_xtask")
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Checks packages of a copy, whose lock file may have to change: without the network, with what
/// the workspace's own lock file names.
fn check(folder: &Path, args: &[&str]) {
    // On a fresh machine, only what the tests themselves need was downloaded.
    static FETCHED: OnceLock<()> = OnceLock::new();
    FETCHED.get_or_init(|| drop(ok(cargo(), &root(), &["fetch", "--locked"])));
    ok(cargo(), folder, &[&["check", "--offline"], args].concat());
}

/// An API is an entry, a document, and nothing else.
#[test]
fn an_api_more_is_an_entry_and_a_document() {
    let copy = copy();
    let here = copy.path();
    let list = here.join("spec/apis.yaml");
    let entry = "\n- name: things\n  title: Things\n  about: things of anybody\n";
    fs::write(&list, fs::read_to_string(&list).expect("a list") + entry).expect("written");
    ok(
        xtask(),
        &here.join("crates/mkio"),
        &["spec", "import", "things", DOCUMENT],
    );
    let told = ok(xtask(), here, &["generate"]);
    // Clashing fields are reported, and the seven APIs do not change.
    assert!(
        told.contains("things: at /paths/~1api~1v2~1things/get/parameters/"),
        "{told}"
    );
    let text = |path: &str| fs::read_to_string(here.join(path)).expect(path);
    assert!(text("crates/mkio/Cargo.toml").contains("things = [\"dep:mkio-things\"]"));
    assert!(text("README.md").contains("mkio-things"));
    assert!(text("spec/README.md").contains("`things.json`"));
    ok(xtask(), here, &["generate", "--check"]);
    ok(xtask(), here, &["generate", "things", "--check"]);
    check(
        here,
        &[
            "--all-targets",
            "-p",
            "mkio-things",
            "--features",
            "dynamic,schemars",
        ],
    );
    check(here, &["-p", "mkio-httpmock", "--features", "things"]);
    check(
        here,
        &[
            "-p",
            "mkio",
            "--no-default-features",
            "--features",
            "things",
        ],
    );
}

/// Adds what the service may publish next to a copy of the workspace: five operations and a state.
/// Gives the ids of the operations.
fn add_cuesheets(here: &Path) -> Vec<String> {
    let read = |path: &Path| fs::read_to_string(path).expect("text");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let json = |path: &Path| -> Value { serde_json::from_str(&read(path)).expect("JSON") };
    let added = json(&data.join("cuesheets.json"));
    let path = here.join("spec/media.json");
    let mut document = json(&path);
    for part in ["/paths", "/components/schemas"] {
        let more = added.pointer(part).and_then(Value::as_object);
        let own = document.pointer_mut(part).and_then(Value::as_object_mut);
        own.expect(part).extend(more.expect(part).clone());
    }
    let text = serde_json::to_string_pretty(&document).expect("JSON");
    fs::write(path, text + "\n").expect("written");
    let states = here.join("spec/states.yaml");
    let text = read(&states) + &read(&data.join("cuesheets.yaml"));
    fs::write(states, text).expect("written");
    let items = added["paths"].as_object().expect("paths").values();
    let operations = items.flat_map(|item| item.as_object().expect("operations").values());
    operations
        .map(|operation| operation["operationId"].as_str().expect("an id").to_owned())
        .collect()
}

/// Operations and a state more need no code: client, lists, waits, mocks and docs come from the
/// document and the lines of `states.yaml`; the emulator lists operations that it does not serve.
#[test]
fn a_resource_more_is_a_document_and_lines_of_states() {
    let copy = copy();
    let here = copy.path();
    let ids = add_cuesheets(here);
    assert_eq!(ids.len(), 5);
    ok(xtask(), here, &["generate", "--deny-warnings"]);
    ok(xtask(), here, &["generate", "--check", "--deny-warnings"]);
    let surface = fs::read_to_string(here.join("spec/surface/media.txt")).expect("a surface");
    for call in [
        "list_cuesheets(",
        "create_or_update_cuesheet(",
        "publish_cuesheet(",
    ] {
        assert!(surface.contains(call), "{call}");
    }
    let waits = here.join("crates/mkio-media/src/generated/waits.rs");
    let waits = fs::read_to_string(waits).expect("waits");
    for call in [
        "wait_for_cuesheet",
        "publish_cuesheet_and_wait",
        "delete_cuesheet_and_wait",
    ] {
        assert!(waits.contains(&format!("pub fn {call}(")), "{call}");
    }
    let unserved = here.join("crates/mkio-emulator/data/unserved.txt");
    let text = fs::read_to_string(&unserved).expect("a list") + &ids.join("\n") + "\n";
    fs::write(unserved, text).expect("written");
    check(
        here,
        &["-p", "mkio-media", "--all-targets", "--features", "dynamic"],
    );
    check(here, &["-p", "mkio-httpmock", "--features", "media"]);
}

/// A crate in a folder of its own, below the facade in place of the published one.
#[test]
fn a_crate_of_a_customer_stands_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (here, root) = (folder.path(), root());
    // A newer document: something that the crate did not have before.
    let spec = fs::read_to_string(root.join("spec/infrastructure.json")).expect("a document");
    let mut document: Value = serde_json::from_str(&spec).expect("JSON");
    document["info"]["version"] = "9.9.9".into();
    let paths = document["paths"].as_object_mut().expect("paths");
    let mut list = paths["/api/v1/projects/{project_name}/infra/networks"].clone();
    for operation in list.as_object_mut().expect("operations").values_mut() {
        let id = operation["operationId"].as_str().unwrap_or_default();
        operation["operationId"] = id.replace("networks", "cables").into();
    }
    paths.insert(
        "/api/v1/projects/{project_name}/infra/cables".to_owned(),
        list,
    );
    let newer = here.join("newer.json");
    fs::write(&newer, document.to_string()).expect("written");
    let before =
        fs::read_to_string(root.join("spec/surface/infrastructure.txt")).expect("a surface");
    let [newer, out] =
        [&newer, &here.join("mine")].map(|path| path.to_str().expect("text").to_owned());
    ok(
        xtask(),
        &root,
        &[
            "generate",
            "infrastructure",
            "--document",
            &newer,
            "--out",
            &out,
        ],
    );
    let after =
        fs::read_to_string(root.join("spec/surface/infrastructure.txt")).expect("a surface");
    assert_eq!(before, after, "the clone changes");
    let manifest = fs::read_to_string(here.join("mine/Cargo.toml")).expect("a manifest");
    assert!(!manifest.contains("workspace"), "{manifest}");
    assert!(
        manifest.contains("version = \"=") && manifest.contains("9.9.9"),
        "{manifest}"
    );

    // A program of the customer: the facade, with this crate in place of the published one.
    let path = |name: &str| format!("{:?}", root.join("crates").join(name));
    fs::create_dir_all(here.join("program/src")).expect("a folder");
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nmkio-core = \"*\"\nmkio-infrastructure = \"*\"\n\n[patch.crates-io]\nmkio-core = {{ path = {} }}\nmkio-infrastructure = {{ path = \"../mine\" }}\n",
        path("mkio-core")
    );
    fs::write(here.join("program/Cargo.toml"), manifest).expect("written");
    fs::copy(root.join("Cargo.lock"), here.join("program/Cargo.lock")).expect("copied");
    let program = "fn main() {\n    let _ = |client: mkio_infrastructure::Client| client.list_cables(\"a\");\n}\n";
    fs::write(here.join("program/src/main.rs"), program).expect("written");
    check(&here.join("program"), &[]);
}

/// All problems are reported at once, and nothing is written.
#[test]
fn an_import_tries_the_pipeline_before_it_writes() {
    let copy = tempfile::tempdir().expect("a folder");
    let (here, root) = (copy.path(), root());
    fs::create_dir_all(here.join("spec/overlays")).expect("a folder");
    for file in [
        "apis.yaml",
        "states.yaml",
        "media.json",
        "overlays/media.yaml",
    ] {
        fs::copy(root.join("spec").join(file), here.join("spec").join(file)).expect("copied");
    }
    let spec = fs::read_to_string(here.join("spec/media.json")).expect("a document");
    let renamed = spec
        .replace("\"Finished\"", "\"Completed\"")
        .replace("streamKey", "streamWord");
    fs::write(here.join("newer.json"), &renamed).expect("written");
    let output = run(xtask(), here, &["spec", "import", "media", "newer.json"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(told.contains("streamKey"), "{told}");
    assert_eq!(
        fs::read_to_string(here.join("spec/media.json")).expect("a document"),
        spec
    );
    // Another prefix and another name of a parameter need no other change.
    let moved = spec
        .replace("/api/v1/", "/api/v2/")
        .replace("{endpoint_name}", "{endpoint}")
        .replace("\"endpoint_name\"", "\"endpoint\"");
    fs::write(here.join("newer.json"), moved).expect("written");
    let output = run(xtask(), here, &["spec", "import", "media", "newer.json"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("media: at"))
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line.contains("states.yaml") && line.contains("\"endpoint\"")),
        "{told}"
    );
    // The changes for users.
    let diff = ok(xtask(), here, &["spec", "diff", "media", "spec/media.json"]);
    assert!(diff.contains("0 breaking, 0 compatible"), "{diff}");
}
