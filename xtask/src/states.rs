//! `spec/states.yaml`: the resources with a state, as data.

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    apis::{Api, Workspace},
    document::{Document, Problem},
    model::{Model, Shape, Type},
    names::variant_name,
};

/// The file, below the workspace's folder.
pub const FILE: &str = "spec/states.yaml";

/// One resource with a state; the keys are explained in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub model: String,
    pub item: Option<String>,
    pub state: Option<String>,
    pub list: Option<Listing>,
    pub params: Vec<String>,
    pub named: Option<String>,
    pub pointer: Option<String>,
    pub progress: Option<String>,
    #[serde(default)]
    pub errors: Vec<String>,
    pub born: Option<String>,
    #[serde(default)]
    pub busy: Vec<String>,
    #[serde(default)]
    pub failed_when: IndexMap<String, Vec<String>>,
    #[serde(rename = "type")]
    pub state_type: Option<String>,
    #[serde(default)]
    pub presence: bool,
    #[serde(default)]
    pub states: IndexMap<String, Kind>,
    pub goals: IndexMap<String, Goal>,
    pub timeout: u64,
    pub poll: (u64, u64),
    pub missing_for: Option<u64>,
    #[serde(default)]
    pub events: bool,
    #[serde(default)]
    pub actions: IndexMap<String, Action>,
    pub delete: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    pub operation: String,
    pub name: String,
    pub name_field: Option<String>,
    #[serde(default)]
    pub scope: IndexMap<String, String>,
    #[serde(default)]
    pub stem: bool,
    pub id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Transient,
    Steady,
    Success,
    Failure,
    Deleting,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    pub states: Vec<String>,
    #[serde(default)]
    pub failures: Vec<String>,
    #[serde(default)]
    pub via: Vec<String>,
    #[serde(default)]
    pub undone: Vec<String>,
    #[serde(default)]
    pub settle: u64,
    #[serde(default)]
    pub grace: u64,
    #[serde(default)]
    pub requires: IndexMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// A step that comes first and has reached its own goal before this one.
    pub first: Option<Box<Action>>,
    pub operation: String,
    pub goal: String,
    pub body: Option<Value>,
    /// It makes the resource, which must not exist before.
    #[serde(default)]
    pub creates: bool,
}

impl Action {
    /// All steps, in their order.
    pub fn steps(&self) -> Vec<&Self> {
        let mut steps = self.first.as_deref().map_or_else(Vec::new, Self::steps);
        steps.push(self);
        steps
    }
}

/// A resource's name in words: `an asset`, `a live event`.
pub fn with_article(name: &str) -> String {
    let article = match name.starts_with(['a', 'e', 'i', 'o']) {
        true => "an",
        false => "a",
    };
    format!("{article} {}", name.replace('_', " "))
}

/// The resources of an API by their names, for example `live_event`.
pub type States = IndexMap<String, Resource>;

/// The file's text.
pub fn read(workspace: &Workspace) -> Result<String> {
    let path = workspace.states();
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Checks that each entry belongs to an API of the workspace.
pub fn check_owners(workspace: &Workspace, text: &str) -> Result<()> {
    let all: IndexMap<String, serde_norway::Value> = serde_norway::from_str(text).context(FILE)?;
    for name in all.keys() {
        let (owner, _) = split(name)?;
        workspace
            .api(owner)
            .with_context(|| format!("{FILE}: {name}"))?;
    }
    Ok(())
}

fn split(name: &str) -> Result<(&str, &str)> {
    let parts = name.split_once('.');
    parts.with_context(|| format!("{FILE}: {name}: not of the form <api>.<resource>"))
}

/// The entries of an API.
pub fn parse(api: &Api, text: &str) -> Result<States> {
    entries(api, text).context(FILE)
}

fn entries(api: &Api, text: &str) -> Result<States> {
    let mut all: serde_norway::Value = serde_norway::from_str(text)?;
    all.apply_merge()?;
    let all: IndexMap<String, serde_norway::Value> = serde_norway::from_value(all)?;
    let mut states = States::new();
    for (name, entry) in all {
        let (owner, resource) = split(&name)?;
        if owner == api.name {
            let entry = serde_norway::from_value(entry).with_context(|| name.clone())?;
            states.insert(resource.to_owned(), entry);
        }
    }
    Ok(states)
}

/// Checks that what the entries name exists, and adds the enums of states that the document lacks.
pub fn connect(document: &Document, model: &mut Model, states: &States) -> Result<(), Problem> {
    for (name, resource) in states {
        let entry = format!("states.yaml: {}.{name}", document.api.name);
        let known = |operation: &String| {
            model.operation(operation).map(drop).ok_or_else(|| {
                document.problem(
                    entry.clone(),
                    format!("the operation {operation:?}, which does not exist"),
                    "names as in the surface file",
                )
            })
        };
        resource.item.iter().try_for_each(known)?;
        resource.state.iter().try_for_each(known)?;
        resource.delete.iter().try_for_each(known)?;
        resource
            .list
            .iter()
            .map(|list| &list.operation)
            .try_for_each(known)?;
        let steps = resource.actions.values().flat_map(Action::steps);
        steps
            .clone()
            .map(|step| &step.operation)
            .try_for_each(known)?;
        if let Some(step) = steps
            .into_iter()
            .find(|step| !resource.goals.contains_key(&step.goal))
        {
            return Err(document.problem(
                entry,
                format!("an action with the goal {:?}", step.goal),
                "goals that the entry lists",
            ));
        }
        if let Some(state) = resource
            .busy
            .iter()
            .find(|s| !resource.states.contains_key(*s))
        {
            return Err(document.problem(
                entry,
                format!("busy in the state {state:?}"),
                "states that the entry lists",
            ));
        }
        let calls = [&resource.item, &resource.state, &resource.delete];
        let calls = calls.into_iter().flatten().chain(
            resource
                .actions
                .values()
                .flat_map(Action::steps)
                .map(|step| &step.operation),
        );
        let parameters = calls
            .filter_map(|id| model.operation(id))
            .flat_map(|operation| &operation.parameters);
        let mut missing = parameters
            .filter(|parameter| !parameter.query)
            .map(|parameter| &parameter.ident)
            .chain(&resource.named)
            .filter(|parameter| !resource.params.contains(parameter));
        if let Some(parameter) = missing.next() {
            return Err(document.problem(
                entry,
                format!("the parameter {parameter:?}, which `params` lacks"),
                "all path parameters of the operations under `params`",
            ));
        }
        let empty = |(_, goal): &(&String, &Goal)| goal.states.is_empty();
        if resource.goals.is_empty() || resource.goals.iter().any(|found| empty(&found)) {
            return Err(document.problem(
                entry,
                "nothing to wait for".to_owned(),
                "goals, each with states",
            ));
        }
        if !model.types.contains_key(&resource.model) {
            return Err(document.problem(
                entry,
                format!("the type {:?}, which does not exist", resource.model),
                "names as in the surface file",
            ));
        }
        for (goal, of) in &resource.goals {
            let all = of
                .states
                .iter()
                .chain(&of.failures)
                .chain(&of.via)
                .chain(&of.undone);
            let mut all = all.filter(|_| !resource.presence);
            if let Some(state) = all.find(|state| !resource.states.contains_key(*state)) {
                return Err(document.problem(
                    entry,
                    format!("the goal {goal:?} with the state {state:?}"),
                    "states that the entry lists",
                ));
            }
        }
    }
    for (name, resource) in states {
        let Some(state_type) = &resource.state_type else {
            continue;
        };
        if !model.types.contains_key(state_type) {
            let values = resource
                .states
                .keys()
                .map(|state| (state.clone(), variant_name(state)))
                .collect();
            model.types.insert(
                state_type.clone(),
                Type {
                    description: format!("State of {}.", with_article(name)),
                    written: false,
                    shape: Shape::Enum(values),
                },
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::passes::testing::{api, with_schemas};

    const JOB: &str = "
media.job:
  model: Job
  item: get_job
  params: [job_name]
  type: JobState
  states: {Queued: transient, Finished: success}
  goals: {finished: {states: [Finished]}}
  timeout: 60
  poll: [1, 2]
";

    #[test]
    fn entries_of_one_api_are_read() {
        assert_eq!(parse(&api(), JOB).unwrap()["job"].params, ["job_name"]);
        let other = Api::unlisted("live", "Live").unwrap();
        assert!(parse(&other, JOB).unwrap().is_empty());
        assert!(parse(&api(), "media.job: {typo: 1}").is_err());
        let workspace = Workspace::open(None).unwrap();
        assert!(check_owners(&workspace, JOB).is_ok());
        let error = check_owners(&workspace, "medai.job: {}").unwrap_err();
        assert!(format!("{error:#}").contains("medai.job"), "{error:#}");
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let document = with_schemas(json!({"Job": {"properties": {}}}));
        let states = parse(&api(), JOB).unwrap();
        let problem = connect(&document, &mut Model::new(&document), &states).unwrap_err();
        assert!(problem.found.contains("get_job"), "{problem}");
    }

    #[test]
    fn goals_and_states_of_actions_are_checked() {
        let job = JOB.replace("  item: get_job\n", "");
        let document = with_schemas(json!({"Job": {"properties": {}}}));
        let found = |more: &str| {
            let states = parse(&api(), &format!("{job}{more}")).unwrap();
            let problem = connect(&document, &mut Model::new(&document), &states).unwrap_err();
            problem.found
        };
        assert!(found("  busy: [Flying]\n").contains("Flying"));
        assert!(found("  named: whose\n").contains("whose"));
    }

    #[test]
    fn an_entry_without_a_goal_or_a_goal_without_states_is_refused() {
        let job = JOB.replace("  item: get_job\n", "");
        let document = with_schemas(json!({"Job": {"properties": {}}}));
        for goals in ["goals: {}", "goals: {finished: {states: []}}"] {
            let text = job.replace("goals: {finished: {states: [Finished]}}", goals);
            let states = parse(&api(), &text).unwrap();
            let problem = connect(&document, &mut Model::new(&document), &states).unwrap_err();
            assert!(problem.found.contains("nothing to wait for"), "{problem}");
        }
    }

    #[test]
    fn parameters_that_an_operation_needs_are_named() {
        let document = with_schemas(json!({"Job": {"properties": {}}}));
        let mut model = Model::new(&document);
        let parameter = |ident: &str, query| crate::model::Parameter {
            name: ident.to_owned(),
            ident: ident.to_owned(),
            query,
            required: true,
            many: false,
            description: String::new(),
        };
        model.operations.push(crate::model::Operation {
            id: "get_job".to_owned(),
            method: "GET".to_owned(),
            path: "/jobs/{transform_name}/{job_name}".to_owned(),
            parameters: vec![
                parameter("expand", true),
                parameter("transform_name", false),
            ],
            body: None,
            body_schema: None,
            body_required: false,
            docs: String::new(),
            answer: crate::model::Answer::Empty,
            sort: Vec::new(),
            filter: Vec::new(),
        });
        let states = parse(&api(), JOB).unwrap();
        let problem = connect(&document, &mut model, &states).unwrap_err();
        assert!(problem.found.contains("transform_name"), "{problem}");
    }

    #[test]
    fn names_get_their_article() {
        assert_eq!(with_article("asset"), "an asset");
        assert_eq!(with_article("live_event"), "a live event");
    }

    #[test]
    fn the_steps_of_an_action_come_in_their_order() {
        let restart: Action = serde_norway::from_str(
            "{first: {operation: stop, goal: stopped}, operation: start, goal: running}",
        )
        .unwrap();
        let steps: Vec<_> = restart
            .steps()
            .iter()
            .map(|step| &*step.operation)
            .collect();
        assert_eq!(steps, ["stop", "start"]);
    }

    #[test]
    fn every_entry_of_the_file_is_understood() {
        let workspace = Workspace::open(None).unwrap();
        let text = read(&workspace).unwrap();
        check_owners(&workspace, &text).unwrap();
        let of = |api: &std::sync::Arc<Api>| parse(api, &text).unwrap().len();
        let entries = workspace.apis().iter().map(of).sum::<usize>();
        let lines = text
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        assert_eq!(entries, lines.count());
    }
}
