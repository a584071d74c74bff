//! The tree of commands: nouns and verbs of all operations, from the catalog.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, Command, ValueHint};
use mkio::{
    dynamic::{Action, Catalog, Entry, Parameter, Place, ResponseBody, Shape, Ty, Type},
    wait::Resource,
};

use crate::options;

/// Name of the parameter that the options fill in.
pub const PROJECT: &str = "project_name";
/// How many items a list shows by default.
pub const LIMIT: &str = "100";

/// The work of a command of the tree.
#[derive(Clone, Copy)]
pub enum Leaf {
    Operation(&'static Entry),
    Action(&'static Catalog, &'static Action),
}

/// A command for each noun of the catalogs, in alphabetical order.
pub fn nouns() -> Vec<Command> {
    let mut nouns = Node::default();
    for catalog in mkio::CATALOGS {
        for entry in catalog.entries {
            nouns.add(entry.command, Leaf::Operation(entry));
        }
        for action in catalog.actions {
            nouns.add(action.command, Leaf::Action(catalog, action));
        }
    }
    let all = nouns.below.into_iter();
    all.map(|(name, node)| node.command(name)).collect()
}

/// The command of these words; none for a task, which is not in the catalog.
pub fn find(words: &[&str]) -> Option<Leaf> {
    let operation = |catalog: &&'static Catalog| {
        let entry = catalog.entries.iter().find(|entry| entry.command == words);
        entry.map(Leaf::Operation)
    };
    let action = |catalog: &&'static Catalog| {
        let action = catalog.actions.iter().find(|of| of.command == words);
        action.map(|action| Leaf::Action(catalog, action))
    };
    let all = || mkio::CATALOGS.iter();
    all().find_map(operation).or_else(|| all().find_map(action))
}

/// The resource with a state that an operation reads, if it reads one.
pub fn read_by(entry: &Entry) -> Option<&'static Resource> {
    let own = (entry.operation.api, entry.id().strip_prefix("get_")?);
    let all = mkio::CATALOGS.iter().flat_map(|catalog| catalog.resources);
    let is_it = |resource: &&'static Resource| {
        let item = resource.item;
        resource.name.split_once('.') == Some(own)
            && item.is_some_and(|item| item.api == own.0 && item.id == entry.id())
    };
    all.copied().find(is_it)
}

/// A word of the tree.
#[derive(Default)]
struct Node {
    leaf: Option<Leaf>,
    below: BTreeMap<&'static str, Node>,
}

impl Node {
    fn add(&mut self, words: &'static [&'static str], leaf: Leaf) {
        match words.split_first() {
            Some((word, rest)) => self.below.entry(*word).or_default().add(rest, leaf),
            // An operation comes before an action of the same words: it is the whole of it.
            None => {
                self.leaf.get_or_insert(leaf);
            }
        }
    }

    fn command(self, name: &'static str) -> Command {
        let mut command = match self.leaf {
            Some(Leaf::Operation(entry)) => operation(name, entry),
            Some(Leaf::Action(catalog, of)) => action(name, catalog, of),
            None => {
                let verbs: Vec<&str> = self.below.keys().copied().collect();
                Command::new(name)
                    .about(verbs.join(", "))
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .disable_help_subcommand(true)
            }
        };
        for (name, node) in self.below {
            command = command.subcommand(node.command(name));
        }
        command
    }
}

/// Id of the argument of a parameter; options have ids without a colon.
pub fn id(parameter: &Parameter) -> String {
    format!("arg:{}", parameter.name)
}

/// Parameters that are given by position.
pub fn positional(entry: &'static Entry) -> impl Iterator<Item = &'static Parameter> {
    let own_project = entry.operation.path.ends_with("{project_name}");
    entry
        .path_parameters()
        .filter(move |parameter| parameter.ident != PROJECT || own_project)
}

fn operation(name: &'static str, entry: &'static Entry) -> Command {
    let mut long = entry.docs.to_owned();
    long.push_str(&format!(
        "\n\n{}: {} {}",
        entry.id(),
        entry.operation.method,
        entry.operation.path
    ));
    let mut command = Command::new(name)
        .about(entry.summary())
        .long_about(long)
        .args(names(entry));
    let flags = entry.parameters.iter().filter(|p| p.place != Place::Path);
    command = command.args(flags.map(|parameter| flag(parameter, entry)));
    if entry.item.is_some() {
        command = command.args(list_arguments(entry));
    }
    if let Some(body) = &entry.body {
        command = command.args(body_arguments(body.ty.is_some()));
    }
    if matches!(entry.response, ResponseBody::Bytes(_)) {
        command = command.arg(save_argument());
    }
    if entry.waiting.is_some() {
        command = command.args(wait_arguments());
    }
    if read_by(entry).is_some() {
        command = command.arg(watch_argument());
    }
    command
}

fn action(name: &'static str, catalog: &'static Catalog, of: &'static Action) -> Command {
    let entry = of
        .steps
        .first()
        .and_then(|step| catalog.entry(step.operation).ok());
    let steps: Vec<&str> = of.steps.iter().map(|step| step.operation).collect();
    let goals: Vec<&str> = of.steps.iter().map(|step| step.goal).collect();
    Command::new(name)
        .about(format!(
            "Calls {} and waits for {}",
            steps.join(", "),
            goals.join(", then ")
        ))
        .args(entry.into_iter().flat_map(names))
        .arg(wait_anyway())
}

/// Names of parents and resource; several resources can be deleted at once.
fn names(entry: &'static Entry) -> Vec<Arg> {
    let deletes = entry.operation.method == mkio::http::Method::DELETE;
    let all: Vec<_> = positional(entry).collect();
    let last = all.len().saturating_sub(1);
    let made = all.into_iter().enumerate().map(|(n, parameter)| {
        let name = parameter.ident.trim_end_matches("_name").replace('_', "-");
        let arg = Arg::new(id(parameter))
            .value_name(name.to_uppercase())
            .help(about(parameter, &name))
            .required(true);
        if deletes && n == last {
            arg.num_args(1..).action(ArgAction::Append)
        } else {
            arg
        }
    });
    made.collect()
}

/// The document's description of a name, or one made from its word.
fn about(parameter: &Parameter, name: &str) -> String {
    if let Some(line) = parameter.docs.lines().next() {
        return line.to_owned();
    }
    match name.strip_suffix("-id") {
        Some(of) => format!("Id of the {}", of.replace('-', " ")),
        None => format!("Name of the {}", name.replace('-', " ")),
    }
}

fn flag(parameter: &'static Parameter, entry: &'static Entry) -> Arg {
    let name = parameter.ident.replace('_', "-");
    let mut help = parameter.docs.lines().collect::<Vec<_>>().join(" ");
    let fields = match parameter.name {
        "$orderby" => entry.sort,
        "$filter" => entry.filter,
        _ => &[],
    };
    if !fields.is_empty() {
        help = format!("{help} Fields: {}.", fields.join(", "))
            .trim()
            .to_owned();
    }
    if let Some(values) = values(parameter.ty, entry) {
        help = format!("{help} Values: {}.", values.join(", "))
            .trim()
            .to_owned();
    }
    let arg = Arg::new(id(parameter))
        .long(name.clone())
        .value_name(value_name(parameter.ty))
        .help(help)
        .required(parameter.required)
        // The resume token has the place of the list.
        .hide(parameter.name == "$skiptoken");
    let arg = match name.as_str() {
        "label" => arg.short('l'),
        _ => arg,
    };
    match parameter.ty {
        Ty::List(_) => arg.action(ArgAction::Append),
        _ => arg,
    }
}

fn values(ty: Ty, entry: &'static Entry) -> Option<&'static [&'static str]> {
    match Type::find(entry.types, ty.type_name()?)?.shape {
        Shape::Enum(values) => Some(values),
        _ => None,
    }
}

fn value_name(ty: Ty) -> &'static str {
    match ty {
        Ty::Integer | Ty::Unsigned | Ty::Number => "NUMBER",
        Ty::Flag => "true|false",
        Ty::Time => "TIME",
        _ => "TEXT",
    }
}

fn list_arguments(entry: &'static Entry) -> [Arg; 3] {
    // A token holds filter, order and page size of its list.
    let held = entry.parameters.iter().filter(|p| p.place == Place::Query);
    [
        Arg::new("limit")
            .long("limit")
            .value_name("N")
            .help("Most items to show")
            .value_parser(options::count)
            .default_value(LIMIT)
            .conflicts_with("all"),
        Arg::new("all")
            .long("all")
            .help("Shows all items")
            .action(ArgAction::SetTrue),
        Arg::new("resume")
            .long("resume")
            .value_name("TOKEN")
            .conflicts_with_all(held.map(id))
            .help("Goes on where an earlier list stopped, with its filter and order; that list printed the token"),
    ]
}

/// The arguments for a body.
pub fn body_arguments(typed: bool) -> Vec<Arg> {
    let file = Arg::new("file")
        .short('f')
        .long("file")
        .value_name("FILE")
        .value_hint(ValueHint::FilePath);
    if !typed {
        return vec![
            file.required(true)
                .help("File to send, or - for standard input"),
        ];
    }
    vec![
        file.help("Body as JSON or YAML, or - for standard input"),
        set_argument(),
        Arg::new("skeleton")
            .long("skeleton")
            .help("Prints a body with the required fields, and sends nothing")
            .action(ArgAction::SetTrue),
        Arg::new("editor")
            .long("editor")
            .help("Opens the body, or a skeleton of it, in the editor of VISUAL or EDITOR first")
            .action(ArgAction::SetTrue)
            .conflicts_with("skeleton"),
    ]
}

/// `--set path=value`.
pub fn set_argument() -> Arg {
    Arg::new("set")
        .long("set")
        .value_name("PATH=VALUE")
        .help("Sets a field: properties.description=news; ${env:NAME} is a variable, ${file:PATH} the text of a file")
        .action(ArgAction::Append)
}

/// `--save FILE`, for responses that are bytes.
pub fn save_argument() -> Arg {
    Arg::new("save")
        .long("save")
        .value_name("FILE")
        .help("File for the response, instead of standard output")
        .value_hint(ValueHint::FilePath)
}

/// `--wait` of a command that waits without it, too.
pub fn wait_anyway() -> Arg {
    Arg::new("wait")
        .long("wait")
        .help("Accepted as for other commands; this one always waits")
        .action(ArgAction::SetTrue)
}

/// `--watch` of a command that reads a resource with a state.
fn watch_argument() -> Arg {
    Arg::new("watch")
        .short('w')
        .long("watch")
        .help("Shows changes until it has ended, or until Ctrl-C, as `mkio watch` does")
        .action(ArgAction::SetTrue)
}

fn wait_arguments() -> [Arg; 2] {
    [
        Arg::new("wait")
            .long("wait")
            .help("Waits until the resource reaches the goal of the call")
            .action(ArgAction::SetTrue),
        Arg::new("for")
            .long("for")
            .value_name("GOAL|STATE")
            .help("With --wait: waits for this goal instead")
            .requires("wait"),
    ]
}
