//! Options that every command takes.

use std::{path::PathBuf, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, ValueEnum, ValueHint, builder::PossibleValuesParser};

use crate::{
    failure::{Failure, Result},
    output::{Format, Wanted},
};

/// The values of the options.
pub struct Options {
    pub profile: Option<String>,
    pub project: Option<String>,
    pub base_url: Option<String>,
    /// APIs with a service of their own, with its address.
    pub api_urls: Vec<(String, String)>,
    pub config_file: Option<PathBuf>,
    pub wanted: Wanted,
    pub timeout: Option<Duration>,
    pub switches: Switches,
}

/// A flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Switch {
    DryRun,
    ShowSecrets,
    Yes,
    Quiet,
}

/// The options that are on.
pub struct Switches(Vec<Switch>);

impl Options {
    pub fn new(matches: &ArgMatches) -> Result<Self> {
        let text = |name: &str| text(matches, name);
        let many = |name: &str| matches.get_many::<String>(name).into_iter().flatten();
        let pairs = many("api-url").map(|pair| {
            let pair = pair.split_once('=');
            let pair = pair.map(|(api, url)| (api.to_owned(), url.to_owned()));
            pair.ok_or_else(|| {
                Failure::usage("--api-url takes API=URL, such as channels=http://10.0.0.5:8080")
            })
        });
        let columns = matches.get_one::<String>("columns");
        let columns = columns.map(|text| text.split(',').map(|c| c.trim().to_owned()).collect());
        let format = match text("output").or_else(|| variable("MKIO_OUTPUT")) {
            Some(word) => Some(format(&word)?),
            None => None,
        };
        let config = matches.get_one::<PathBuf>("config").cloned();
        let switches = [
            ("dry-run", Switch::DryRun),
            ("show-secrets", Switch::ShowSecrets),
            ("yes", Switch::Yes),
            ("quiet", Switch::Quiet),
        ];
        let on = switches
            .into_iter()
            .filter(|(name, _)| matches.get_flag(name));
        Ok(Self {
            profile: text("profile"),
            project: text("project"),
            base_url: text("base-url"),
            api_urls: pairs.collect::<Result<_>>()?,
            config_file: config.or_else(|| variable("MKIO_CONFIG").map(PathBuf::from)),
            wanted: Wanted {
                format,
                columns,
                jq: text("jq"),
            },
            timeout: matches.get_one::<Duration>("timeout").copied(),
            switches: Switches(on.map(|(_, switch)| switch).collect()),
        })
    }
}

impl Options {
    /// The options of this command that a command which continues it needs, too.
    pub fn again(&self) -> String {
        let timeout = self.timeout.map(|limit| {
            let limit = humantime::format_duration(limit).to_string();
            limit.replace(' ', "")
        });
        let given = [
            (
                "config",
                self.config_file
                    .as_ref()
                    .map(|path| path.display().to_string()),
            ),
            ("profile", self.profile.clone()),
            ("project", self.project.clone()),
            ("base-url", self.base_url.clone()),
            ("timeout", timeout),
        ];
        let apis = self.api_urls.iter();
        let apis = apis.map(|(api, url)| ("api-url", Some(format!("{api}={url}"))));
        let words = given
            .into_iter()
            .chain(apis)
            .filter_map(|(name, value)| Some(format!(" --{name} {}", quoted(&value?))));
        words.collect()
    }
}

impl Switches {
    pub fn has(&self, switch: Switch) -> bool {
        self.0.contains(&switch)
    }
}

/// The text as one word of a shell.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/:.-_@%+=,[]".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A variable of the environment; an empty one counts as missing.
pub fn variable(name: &str) -> Option<String> {
    let text = std::env::var(name).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The format of this name.
fn format(word: &str) -> Result<Format> {
    Format::from_str(word, false).map_err(|_| {
        let known = Format::value_variants().iter();
        let known = known.filter_map(Format::to_possible_value);
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        Failure::usage(format!("MKIO_OUTPUT: the format `{word}` is unknown"))
            .hint(format!("there are {}", known.join(", ")))
    })
}

/// A duration such as `90s` or `1h 30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "it takes a time such as 90s, 10m or 1h".to_owned())
}

/// A count of one or more.
pub fn count(text: &str) -> Result<u64, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| "it takes a whole number from 1".to_owned())
}

fn global(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .help(help)
        .global(true)
        .help_heading("Everywhere")
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    global(name, help).action(ArgAction::SetTrue)
}

/// The text of an argument, where the command has it and it is given.
pub fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.try_get_one::<String>(name).ok().flatten().cloned()
}

/// The options of all commands.
pub fn all() -> Vec<Arg> {
    let mut all = places();
    all.extend(forms());
    all.extend(switches());
    all
}

/// Addresses and credentials.
fn places() -> Vec<Arg> {
    vec![
        global(
            "profile",
            "Profile of the configuration file, instead of the environment and the default",
        )
        .value_name("NAME"),
        global(
            "project",
            "Project, instead of MKIO_PROJECT and the profile's",
        )
        .short('p')
        .value_name("NAME"),
        global(
            "base-url",
            "Address of the service, instead of MKIO_BASE_URL",
        )
        .value_name("URL")
        .value_hint(ValueHint::Url),
        global(
            "api-url",
            "Address of one API, such as channels=http://10.0.0.5:8080",
        )
        .value_name("API=URL")
        .action(ArgAction::Append),
        global(
            "config",
            "Configuration file, instead of MKIO_CONFIG and mkio/config.toml of the user",
        )
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath),
    ]
}

/// Options for the form of the response and the time limit.
fn forms() -> Vec<Arg> {
    vec![
        global(
            "output",
            "Format of the response, instead of MKIO_OUTPUT [default: table]",
        )
        .short('o')
        .value_name("FORMAT")
        .value_parser(PossibleValuesParser::new(
            Format::value_variants()
                .iter()
                .filter_map(Format::to_possible_value),
        )),
        global(
            "columns",
            "Columns of tables and CSV, such as name,properties/state",
        )
        .value_name("PATH,…"),
        global("jq", "Filter of the response, in the language of jq").value_name("FILTER"),
        global(
            "timeout",
            "Longest time for the call, or for the wait: 90s, 10m, 1h",
        )
        .value_name("TIME")
        .value_parser(duration),
        global("error-format", "Format of errors on standard error")
            .value_name("FORMAT")
            .value_parser(["text", "json"])
            .default_value("text")
            .hide_default_value(true),
    ]
}

/// Flags.
fn switches() -> Vec<Arg> {
    vec![
        flag("dry-run", "Shows the request instead of sending it"),
        flag("show-secrets", "Shows secrets instead of ***"),
        flag("yes", "Answers yes to all questions").short('y'),
        flag("quiet", "Writes nothing to standard error but errors").short('q'),
        global(
            "verbose",
            "Shows on standard error what is sent; twice for more",
        )
        .short('v')
        .action(ArgAction::Count),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command that continues another one uses the same service and project.
    #[test]
    fn what_is_taken_up_again_goes_to_the_same_place() {
        let words = [
            "mkio",
            "--profile",
            "a b",
            "-p",
            "demo",
            "--api-url",
            "live=http://10.0.0.5:80",
            "--api-url",
            "channels=http://x",
            "--timeout",
            "90s",
        ];
        let matches = clap::Command::new("mkio")
            .args(all())
            .get_matches_from(words);
        let again = Options::new(&matches).map(|options| options.again());
        assert_eq!(
            again.unwrap(),
            " --profile 'a b' --project demo --timeout 1m30s --api-url live=http://10.0.0.5:80 \
             --api-url channels=http://x"
        );
    }
}
