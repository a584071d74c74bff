use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use super::*;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The packages that are published.
fn packages() -> Vec<Value> {
    let metadata = metadata(&root(), &["--no-deps"]).unwrap();
    let packages = list(&metadata["packages"]).iter();
    packages
        .filter(|package| is_published(package))
        .cloned()
        .collect()
}

fn folder(package: &Value) -> PathBuf {
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    manifest.parent().unwrap().to_owned()
}

#[test]
fn what_is_published_is_known() {
    let published = published(&root()).unwrap();
    for name in [
        "mkio",
        "mkio-cli",
        "mkio-core",
        "mkio-emulator",
        "mkio-httpmock",
        "mkio-media",
    ] {
        assert!(published.iter().any(|known| known == name), "{name}");
    }
    for name in [
        "xtask",
        "mkio-tests",
        "mkio-bench",
        "mkio-telemetry",
        "mkio-examples",
    ] {
        assert!(!published.iter().any(|known| known == name), "{name}");
    }
}

#[test]
fn only_unpacked_copies_of_our_packages_are_removed() {
    let home = tempfile::tempdir().unwrap();
    let sources = home.path().join("registry/src");
    let ours = ["-1/mkio-0.1.0", "-2/mkio-core-0.1.0", "-2/mkio-0.2.0-rc.1"];
    let others = [
        "-1/mkio-other-0.1.0",
        "-2/serde-1.0.0",
        "host.example-1/mkio-0.1.0",
    ];
    for copy in ours.iter().chain(&others) {
        fs::create_dir_all(sources.join(copy).join("src")).unwrap();
    }
    fs::write(sources.join("-3"), "no folder").unwrap();
    let packages = ["mkio", "mkio-core"].map(str::to_owned);
    remove_unpacked(home.path(), &packages).unwrap();
    let left = |copy: &&&str| sources.join(copy).exists();
    assert_eq!(ours.iter().filter(left).count(), 0);
    assert_eq!(others.iter().filter(left).count(), 3);
    // Nothing may be unpacked yet.
    remove_unpacked(&sources, &packages).unwrap();
}

#[test]
fn cargo_has_a_home() {
    let home = cargo_home().unwrap();
    assert!(home.is_absolute(), "{}", home.display());
}

#[test]
fn every_published_package_says_what_it_is() {
    for package in packages() {
        let name = text(&package["name"]);
        for key in ["description", "license", "documentation", "rust_version"] {
            assert_ne!(text(&package[key]), "", "{name}: {key}");
        }
        assert!(
            package["repository"].is_string(),
            "{name}: repository is inherited"
        );
        let keywords = list(&package["keywords"]).len();
        assert!((1..=5).contains(&keywords), "{name}: {keywords} keywords");
        for category in ["api-bindings", "multimedia::video"] {
            assert!(
                list(&package["categories"])
                    .iter()
                    .any(|known| known == category),
                "{name}: category {category}"
            );
        }
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"], true, "{name}: docs.rs");
        assert_eq!(docs["rustdoc-args"][1], "docsrs", "{name}: docs.rs");
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            let text = fs::read_to_string(folder(&package).join(file));
            assert!(text.is_ok_and(|text| text.len() > 500), "{name}: {file}");
        }
    }
}

/// A README is shown by registries, too, where the repository's files are not beside it.
#[test]
fn readmes_link_to_nothing_in_the_repository() {
    for package in packages() {
        let path = folder(&package).join("README.md");
        let readme = fs::read_to_string(&path).unwrap();
        let links = readme.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split(')').next()) {
            let stays = link.starts_with("https://") || link.starts_with('#');
            assert!(stays, "{}: {link}", path.display());
        }
    }
}

/// What a crate includes at compile time lies in the crate.
#[test]
fn no_published_package_reads_files_of_another_folder() {
    for package in packages() {
        let folder = folder(&package);
        for file in sources(&folder.join("src")) {
            let code = fs::read_to_string(&file).unwrap();
            for include in ["include_str!(\"", "include_bytes!(\""] {
                for rest in code.split(include).skip(1) {
                    let named = rest.split('"').next().unwrap();
                    let path = file.parent().unwrap().join(named);
                    let mut depth = file.strip_prefix(&folder).unwrap().components().count() - 1;
                    for part in PathBuf::from(named).components() {
                        if part.as_os_str() == ".." {
                            assert!(
                                depth > 0,
                                "{}: {named} is outside of the package",
                                file.display()
                            );
                            depth -= 1;
                        }
                    }
                    assert!(path.is_file(), "{}: {named}", file.display());
                }
            }
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// The crates of one version belong together: generated code calls hidden functions of `mkio-core`.
#[test]
fn published_packages_ask_for_exactly_the_version_of_the_others() {
    let packages = packages();
    let names: BTreeSet<_> = packages
        .iter()
        .map(|package| text(&package["name"]))
        .collect();
    for package in &packages {
        let version = text(&package["version"]);
        for dependency in list(&package["dependencies"]) {
            // A path without a version is left out when a package is published.
            let own = names.contains(text(&dependency["name"])) && dependency["req"] != "*";
            if own {
                assert_eq!(
                    dependency["req"],
                    format!("={version}"),
                    "{}",
                    package["name"]
                );
            }
        }
    }
}

/// The system that this machine compiles for.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

/// Minor versions of Rust, as numbers.
fn rust_version(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(u64::MAX));
    Some((parts.next()?, parts.next().unwrap_or(0)))
}

#[test]
fn rust_versions_are_compared_as_numbers() {
    assert!(rust_version("1.88") < rust_version("1.100.1"));
    assert_eq!(rust_version("1.88.0"), rust_version("1.88"));
    assert!(rust_version("2") > rust_version("1.88"));
}

/// Nothing that a user of a published package compiles asks for a newer Rust than the package says.
#[test]
fn no_dependency_of_a_published_package_needs_a_newer_rust() {
    // Packages for other systems and features are there only after `cargo fetch`: without them, those that a build of the
    // workspace has downloaded are judged.
    let host = host();
    let host = ["--all-features", "--filter-platform", &host];
    let metadata = metadata(&root(), &["--all-features"])
        .or_else(|_| metadata(&root(), &host))
        .or_else(|_| metadata(&root(), &host[1..]))
        .unwrap();
    let packages: BTreeMap<_, _> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), package))
        .collect();
    let nodes: BTreeMap<_, _> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| (text(&node["id"]), node))
        .collect();
    let mut open: Vec<_> = packages
        .iter()
        .filter(|(_, package)| package["source"].is_null() && is_published(package))
        .map(|(id, _)| *id)
        .collect();
    let ours = text(&packages[open[0]]["rust_version"]);
    let mut seen = BTreeSet::new();
    let mut newer = Vec::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let needed = text(&packages[id]["rust_version"]);
        if !needed.is_empty() && rust_version(needed) > rust_version(ours) {
            newer.push(format!("{id} needs Rust {needed}"));
        }
        for dependency in list(&nodes[id]["deps"]) {
            let kinds = list(&dependency["dep_kinds"]);
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                open.push(text(&dependency["pkg"]));
            }
        }
    }
    assert!(seen.len() > 100, "only {} packages", seen.len());
    assert!(newer.is_empty(), "ours is {ours}: {newer:#?}");
}

/// A user who tries an example waits for all development dependencies of its package.
#[test]
fn examples_of_the_facade_wait_for_nothing_heavy() {
    let metadata = metadata(&root(), &["--no-deps"]).unwrap();
    let packages = list(&metadata["packages"]);
    let facade = packages.iter().find(|package| package["name"] == "mkio");
    let mut needed: Vec<_> = list(&facade.unwrap()["dependencies"])
        .iter()
        .filter(|dependency| dependency["kind"] == "dev")
        .map(|dependency| text(&dependency["name"]))
        .collect();
    needed.sort_unstable();
    let light = [
        "anyhow",
        "mkio-emulator",
        "reqwest",
        "tokio",
        "tower",
        "uuid",
    ];
    assert_eq!(needed, light, "what is heavy belongs to mkio-tests");
}

/// SECURITY.md names a file and the tests in it; each of them is there.
#[test]
fn security_names_tests_that_exist() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut file = String::new();
    let mut found = 0;
    for word in text.split('`').skip(1).step_by(2) {
        if word.ends_with(".rs") {
            file = fs::read_to_string(root().join(word)).expect(word);
        } else if word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            assert!(file.contains(&format!("fn {word}(")), "{word} is gone");
            found += 1;
        }
    }
    assert!(found > 20, "only {found} tests");
}

/// Whether the code has a path that begins with this crate, or takes the crate as a whole.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        // `::name` begins at the root of all crates.
        let before = code[..at].strip_suffix("::").unwrap_or(&code[..at]);
        let whole = !before.ends_with(part);
        let after = &code[at + name.len()..];
        whole && ["::", ";", " as "].iter().any(|end| after.starts_with(end))
    })
}

/// Unused dependencies cost build time.
#[test]
fn every_dependency_is_named_in_the_code() {
    let metadata = metadata(&root(), &["--no-deps"]).unwrap();
    let mut unused = Vec::new();
    for package in list(&metadata["packages"]) {
        let files = sources(&folder(package));
        let code: String = files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        for dependency in list(&package["dependencies"]) {
            let name = dependency["rename"]
                .as_str()
                .unwrap_or(text(&dependency["name"]));
            if !names(&code, &name.replace('-', "_")) {
                unused.push(format!("{}: {name}", text(&package["name"])));
            }
        }
    }
    assert!(unused.is_empty(), "{unused:#?}");
}
