//! No circle of imports in any hand-written crate: each module can be read and moved with those below it alone.
//!
//! An arrow goes from the file of a `use` to the file in which the name is defined, through all
//! re-exports on the way. Test modules and generated files do not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{Item, ItemMod, UseTree, Visibility};

/// Path of a module within its crate.
type Module = Vec<String>;

/// The imports of a file, and the names that it re-exports.
#[derive(Default)]
struct Imports {
    uses: Vec<Module>,
    offers: BTreeMap<String, Module>,
    /// Its modules that are compiled for tests only.
    tests: BTreeSet<String>,
}

#[derive(Default)]
struct Crate {
    files: BTreeMap<Module, Imports>,
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut found = Self::default();
        found.read_folder(root, &Vec::new());
        let tests: Vec<Module> = found.files.iter().flat_map(test_modules).collect();
        found
            .files
            .retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        found
    }

    fn read_folder(&mut self, folder: &Path, module: &Module) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let inner = || [module.clone(), vec![name.clone()]].concat();
            if path.is_dir() {
                if name != "generated" && name != "bin" {
                    self.read_folder(&path, &inner());
                }
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let top = matches!(&*name, "mod" | "lib" | "main");
                let text = fs::read_to_string(&path).unwrap();
                let file = if top { module.clone() } else { inner() };
                self.add(file, &text);
            }
        }
    }

    fn add(&mut self, module: Module, text: &str) {
        let mut imports = Imports::default();
        for item in syn::parse_file(text).unwrap().items {
            imports.add(&item);
        }
        self.files.entry(module).or_default().join(imports);
    }

    /// A path of a file from the crate's root; none for paths of other crates.
    fn absolute(&self, file: &Module, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([file, rest].concat()),
            "super" => {
                let parent = file[..file.len().checked_sub(1)?].to_vec();
                match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(&parent, rest),
                    _ => Some([parent, rest.to_vec()].concat()),
                }
            }
            _ => {
                let child = [&file[..], std::slice::from_ref(first)].concat();
                let known = self.files.contains_key(&child);
                known.then(|| [file, path].concat())
            }
        }
    }

    /// The file that defines this path.
    fn file_of(&self, path: &[String]) -> Option<Module> {
        let end = (0..=path.len())
            .rev()
            .find(|end| self.files.contains_key(&path[..*end]))?;
        let (file, rest) = path.split_at(end);
        let file = file.to_vec();
        let offered = rest
            .first()
            .and_then(|name| self.files[&file].offers.get(name));
        match offered.and_then(|offered| self.absolute(&file, offered)) {
            Some(there) => self.file_of(&[there, rest[1..].to_vec()].concat()),
            None => Some(file),
        }
    }

    fn arrows(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let targets = |(file, imports): (&Module, &Imports)| {
            let uses = imports.uses.iter();
            let uses = uses.filter_map(|path| self.file_of(&self.absolute(file, path)?));
            (file.clone(), uses.filter(|target| target != file).collect())
        };
        self.files.iter().map(targets).collect()
    }

    /// Files on a circle, with the arrows between them.
    fn circles(&self) -> Vec<String> {
        let arrows = self.arrows();
        let reached: BTreeMap<_, _> = arrows
            .keys()
            .map(|from| (from, reach(&arrows, from)))
            .collect();
        let in_circle = |file: &Module| reached.get(file).is_some_and(|found| found.contains(file));
        let mut circles = Vec::new();
        for (from, targets) in arrows.iter().filter(|(from, _)| in_circle(from)) {
            let back = |target: &&Module| reached[target].contains(from);
            for target in targets.iter().filter(back) {
                circles.push(format!("{} -> {}", from.join("/"), target.join("/")));
            }
        }
        circles
    }
}

impl Imports {
    fn add(&mut self, item: &Item) {
        match item {
            Item::Use(item) if !is_test(&item.attrs) => {
                for (name, path) in leaves(&item.tree, &Vec::new()) {
                    if matches!(item.vis, Visibility::Inherited) {
                        self.uses.push(path);
                    } else {
                        self.offers.insert(name, path);
                    }
                }
            }
            Item::Mod(ItemMod {
                attrs,
                ident,
                content,
                ..
            }) => {
                if is_test(attrs) {
                    self.tests.insert(ident.to_string());
                } else {
                    for item in content.iter().flat_map(|(_, items)| items) {
                        self.add(item);
                    }
                }
            }
            _ => {}
        }
    }

    fn join(&mut self, other: Self) {
        self.uses.extend(other.uses);
        self.offers.extend(other.offers);
        self.tests.extend(other.tests);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

fn test_modules((module, imports): (&Module, &Imports)) -> Vec<Module> {
    let tests = imports.tests.iter();
    tests
        .map(|test| [module.clone(), vec![test.clone()]].concat())
        .collect()
}

/// The paths of a `use`, each with the name under which it is known then.
fn leaves(tree: &UseTree, before: &Module) -> Vec<(String, Module)> {
    let after = |ident: &syn::Ident| [before.clone(), vec![ident.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &after(&path.ident)),
        UseTree::Group(group) => {
            let all = group.items.iter().flat_map(|tree| leaves(tree, before));
            all.collect()
        }
        UseTree::Name(name) if name.ident == "self" => {
            vec![(before.last().cloned().unwrap_or_default(), before.clone())]
        }
        UseTree::Name(name) => vec![(name.ident.to_string(), after(&name.ident))],
        UseTree::Rename(rename) => vec![(rename.rename.to_string(), after(&rename.ident))],
        UseTree::Glob(_) => vec![("*".to_owned(), before.clone())],
    }
}

/// All files to which arrows lead from one.
fn reach(arrows: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for target in arrows.get(file).into_iter().flatten() {
            if found.insert(target.clone()) {
                open.push(target);
            }
        }
    }
    found
}

/// The `src` folders of the crates that no document makes.
fn hand_written(root: &Path) -> Vec<PathBuf> {
    let crates = fs::read_dir(root.join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().path().join("src"));
    let made = |source: &PathBuf| {
        let text = fs::read_to_string(source.join("lib.rs"));
        text.is_ok_and(|text| text.starts_with("// @generated"))
    };
    let mut found: Vec<_> = crates
        .filter(|source| source.is_dir() && !made(source))
        .collect();
    found.push(root.join("xtask/src"));
    found.sort();
    found
}

#[test]
fn no_crate_has_a_circle_of_imports() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let crates = hand_written(root);
    assert!(crates.contains(&root.join("crates/mkio-core/src")));
    for source in crates {
        let krate = Crate::read(&source);
        let name = source.strip_prefix(root).unwrap().display();
        let arrows: usize = krate.arrows().values().map(BTreeSet::len).sum();
        assert!(
            arrows > 0 || krate.files.len() <= 1,
            "{name}: no import was understood"
        );
        let circles = krate.circles();
        assert!(circles.is_empty(), "{name}:\n  {}", circles.join("\n  "));
    }
}

#[test]
fn circles_are_found_through_re_exports_and_past_test_code() {
    let krate = |files: &[(&str, &str)]| {
        let mut krate = Crate::default();
        for (module, text) in files {
            let module = module.split("::").filter(|part| !part.is_empty());
            krate.add(module.map(str::to_owned).collect(), text);
        }
        krate.circles()
    };
    let root = ("", "mod a; mod b; pub use a::A; pub use b::inner::B;");
    let inner = ("b::inner", "pub struct B; use super::super::A;");
    assert_eq!(
        krate(&[
            root,
            ("a", "use crate::B; pub struct A;"),
            ("b", "pub mod inner;"),
            inner
        ]),
        ["a -> b/inner", "b/inner -> a"]
    );
    let tested =
        "pub struct A; #[cfg(test)] use crate::B; #[cfg(test)] mod tests { use crate::B; }";
    let none: [&str; 0] = [];
    assert_eq!(
        krate(&[root, ("a", tested), ("b", "pub mod inner;"), inner]),
        none
    );
}
