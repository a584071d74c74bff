//! `cargo xtask ci`: all checks, in one list. `.ci/run` calls it, and so does a person.

use std::{
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{apis::Workspace, packages};

/// Options of `cargo xtask ci`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Checks to run, in this order; all of the default run when none is named.
    checks: Vec<String>,
    /// Lists the checks and their commands, and runs none.
    #[arg(long)]
    list: bool,
}

/// One check: arguments of cargo, a line for each call.
struct Check {
    name: &'static str,
    commands: &'static [&'static str],
    /// A tool that it needs and that does not come with Rust.
    tool: Option<Tool>,
}

/// A subcommand of cargo that is installed where it is missing.
struct Tool {
    package: &'static str,
    version: &'static str,
}

/// Stands for all packages that are published.
const PUBLISHED: &str = "{published}";

const CHECKS: &[Check] = &[
    check("fmt", &["fmt --all --check"]),
    check("generate", &["xtask generate --check --deny-warnings"]),
    check(
        "clippy",
        &["clippy --workspace --all-targets --all-features --locked"],
    ),
    check("test", &["test --workspace --locked"]),
    check(
        "features",
        &[
            "clippy -p mkio-core --locked --no-default-features",
            "clippy -p mkio-core --locked --no-default-features --features rustls-no-provider",
            "clippy -p mkio --locked --no-default-features",
            "clippy -p mkio --locked --no-default-features --features media,blocking",
            "clippy -p mkio --locked --no-default-features --features files",
            "clippy -p mkio --locked --no-default-features --features management,axum",
            "clippy -p mkio --locked --no-default-features --features channels,dynamic",
            "clippy -p mkio-cli --locked --no-default-features --features rustls-ring",
            "clippy -p mkio-emulator --locked --no-default-features",
            "clippy -p mkio-emulator --locked --no-default-features --features host",
            "clippy -p mkio-httpmock --locked --no-default-features",
            "clippy -p mkio-httpmock --locked --no-default-features --features channels",
        ],
    ),
    check(
        "doc",
        &["doc --workspace --all-features --no-deps --locked"],
    ),
    check("package", &["package --locked --allow-dirty {published}"]),
    with_tool(
        "deny",
        &["deny --locked --all-features check --hide-inclusion-graph licenses bans sources"],
        "cargo-deny",
        "0.20.2",
    ),
];

const fn check(name: &'static str, commands: &'static [&'static str]) -> Check {
    Check {
        name,
        commands,
        tool: None,
    }
}

const fn with_tool(
    name: &'static str,
    commands: &'static [&'static str],
    package: &'static str,
    version: &'static str,
) -> Check {
    Check {
        name,
        commands,
        tool: Some(Tool { package, version }),
    }
}

/// Runs the checks, and ends with the first that fails.
pub fn run(workspace: &Workspace, args: &Args) -> Result<ExitCode> {
    let checks = selected(&args.checks)?;
    if args.list {
        for check in checks {
            for command in check.commands {
                println!("{:10} cargo {command}", check.name);
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let started = Instant::now();
    let mut times = Vec::new();
    for check in checks {
        let begun = Instant::now();
        check
            .run(workspace.root())
            .with_context(|| format!("the check {:?} failed", check.name))?;
        times.push((check.name, begun.elapsed()));
    }
    for (name, time) in times {
        println!("{name:10} {:>5} s", time.as_secs());
    }
    println!("all checks passed in {} s", started.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

fn selected(names: &[String]) -> Result<Vec<&'static Check>> {
    if names.is_empty() {
        return Ok(CHECKS.iter().collect());
    }
    let find = |name: &String| {
        let found = CHECKS.iter().find(|check| check.name == *name);
        found.with_context(|| {
            let known: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
            format!("no check {name:?}; there are {}", known.join(", "))
        })
    };
    names.iter().map(find).collect()
}

impl Check {
    fn run(&self, root: &Path) -> Result<()> {
        if let Some(tool) = &self.tool {
            tool.install(root)?;
        }
        for command in self.commands {
            let mut published = Vec::new();
            if command.contains(PUBLISHED) {
                published = packages::published(root)?;
                if let Some(home) = packages::cargo_home() {
                    packages::remove_unpacked(&home, &published)?;
                }
            }
            cargo(root, &named_all(command, &published))?;
        }
        Ok(())
    }
}

/// The command with these packages in the place of all that are published.
fn named_all(command: &str, published: &[String]) -> String {
    let names: Vec<_> = published.iter().map(|name| format!("-p {name}")).collect();
    command.replace(PUBLISHED, &names.join(" "))
}

impl Tool {
    fn install(&self, root: &Path) -> Result<()> {
        let subcommand = self.package.trim_start_matches("cargo-");
        let shown = Command::new("cargo")
            .args([subcommand, "--version"])
            .current_dir(root)
            .stderr(Stdio::null())
            .output()?;
        if self.is_shown(&String::from_utf8_lossy(&shown.stdout)) {
            return Ok(());
        }
        cargo(root, &self.installation())
    }

    /// Whether the output of `--version` has the wanted version.
    fn is_shown(&self, text: &str) -> bool {
        text.split_whitespace().any(|word| word == self.version)
    }

    fn installation(&self) -> String {
        // Without optimization: it runs for seconds and would be built for minutes.
        format!("install --locked --debug {}@{}", self.package, self.version)
    }
}

/// Calls cargo; warnings are errors.
fn cargo(root: &Path, line: &str) -> Result<()> {
    println!("== cargo {line}");
    let begun = Instant::now();
    let status = command(root, line).status().context("cannot run cargo")?;
    println!("== cargo {line}: {}", seconds(begun.elapsed()));
    if !status.success() {
        bail!("`cargo {line}` ended with {status}");
    }
    Ok(())
}

/// A call of cargo for which warnings are errors.
fn command(root: &Path, line: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(line.split(' ')).current_dir(root);
    command.stdin(Stdio::null());
    if line.starts_with("clippy ") {
        command.args(["--", "-D", "warnings"]);
    }
    if line.starts_with("doc ") {
        command.env("RUSTDOCFLAGS", "-D warnings");
    }
    command
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks_named(names: &[&str]) -> Result<Vec<&'static str>> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let found = selected(&names)?;
        Ok(found.iter().map(|check| check.name).collect())
    }

    #[test]
    fn checks_are_chosen_by_name_and_all_when_none_is_named() {
        assert_eq!(checks_named(&["doc", "fmt"]).unwrap(), ["doc", "fmt"]);
        assert_eq!(checks_named(&[]).unwrap().len(), CHECKS.len());
    }

    #[test]
    fn an_unknown_check_is_an_error_that_lists_the_known_ones() {
        let error = checks_named(&["docs"]).unwrap_err().to_string();
        assert!(
            error.contains("\"docs\"") && error.contains("clippy"),
            "{error}"
        );
    }

    #[test]
    fn warnings_are_errors_where_cargo_tells_them() {
        for (line, arguments, flags) in [
            ("fmt --check", "fmt --check", None),
            ("clippy -p a", "clippy -p a -- -D warnings", None),
            ("doc -p a", "doc -p a", Some("-D warnings")),
        ] {
            let command = command(Path::new("."), line);
            let given: Vec<_> = command
                .get_args()
                .map(|arg| arg.to_str().unwrap())
                .collect();
            assert_eq!(given.join(" "), arguments);
            let set: Vec<_> = command.get_envs().collect();
            let expected = flags.map(|flags| ("RUSTDOCFLAGS".as_ref(), Some(flags.as_ref())));
            assert_eq!(set, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn published_packages_are_named_one_by_one() {
        let published = ["a", "b"].map(str::to_owned);
        assert_eq!(
            named_all("package {published}", &published),
            "package -p a -p b"
        );
        assert_eq!(named_all("fmt --all", &[]), "fmt --all");
    }

    #[test]
    fn a_tool_is_installed_unless_this_version_is_there() {
        let deny = CHECKS.iter().find_map(|check| check.tool.as_ref()).unwrap();
        assert!(deny.is_shown(&format!("{} {}\n", deny.package, deny.version)));
        assert!(!deny.is_shown(&format!("{} {}0\n", deny.package, deny.version)));
        assert!(!deny.is_shown(""));
        assert_eq!(
            deny.installation(),
            format!("install --locked --debug cargo-deny@{}", deny.version)
        );
    }

    #[test]
    fn a_call_that_fails_is_an_error_with_the_call() {
        let error = cargo(Path::new("."), "no-such-subcommand").unwrap_err();
        assert!(error.to_string().contains("cargo no-such-subcommand"));
    }

    #[test]
    fn times_are_told_in_seconds() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2 s");
    }
}
