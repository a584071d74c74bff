//! `spec/states.yaml`: the resources with a state, as data.

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    apis::{Api, Workspace},
    document::Document,
    model::{Model, Shape, Type},
    names::{snake_name, type_name, variant_name},
    report::Changes,
    types,
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
    pub name_param: Option<String>,
    pub pointer: Option<String>,
    pub progress: Option<String>,
    #[serde(default)]
    pub errors: Vec<String>,
    pub created_at: Option<String>,
    #[serde(default)]
    pub busy: Vec<String>,
    #[serde(default)]
    pub failed_when: IndexMap<String, Vec<String>>,
    #[serde(rename = "type")]
    pub state_type: Option<String>,
    #[serde(default)]
    pub presence: bool,
    /// States that occur and that the document's enum lacks.
    #[serde(default)]
    pub undeclared: Vec<String>,
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
    pub on_the_way: Vec<String>,
    #[serde(default)]
    pub fell_back: Vec<String>,
    #[serde(default)]
    pub min_age: u64,
    #[serde(default)]
    pub failure_grace: u64,
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
pub fn connect(document: &Document, model: &mut Model, states: &States, changes: &mut Changes) {
    for (name, resource) in states {
        let mut entry = Entry {
            document,
            model,
            resource,
            place: format!("{FILE}: {}.{name}", document.api.name),
            changes,
        };
        entry.operations(name);
        entry.goals();
        entry.parameters();
        if entry.model.types.contains_key(&resource.model) {
            entry.pointers();
            entry.values();
        } else {
            let found = format!("the type {:?}, which does not exist", resource.model);
            entry.refuse("model", found, "names as in the surface file");
        }
    }
    add_enums(document, model, states);
}

/// The enums of states that the document lacks.
fn add_enums(document: &Document, model: &mut Model, states: &States) {
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
                    pointer: format!("{FILE}: {}.{name}", document.api.name),
                    description: format!("State of {}.", with_article(name)),
                    written: false,
                    read: true,
                    rest: None,
                    patch: false,
                    required: Vec::new(),
                    shape: Shape::Enum(values),
                },
            );
        }
    }
}

/// An entry while it is checked.
struct Entry<'a> {
    document: &'a Document,
    model: &'a Model,
    resource: &'a Resource,
    place: String,
    changes: &'a mut Changes,
}

impl Entry<'_> {
    fn refuse(&mut self, key: &str, found: impl Into<String>, accepted: impl Into<String>) {
        let place = format!("{}/{key}", self.place);
        self.changes
            .refuse(self.document.problem(place, found, accepted));
    }

    fn steps(&self) -> Vec<&'_ Action> {
        self.resource
            .actions
            .values()
            .flat_map(Action::steps)
            .collect()
    }

    /// Operations exist, and no call that is made of the entry has the name of one.
    fn operations(&mut self, name: &str) {
        let resource = self.resource;
        let list = resource.list.as_ref().map(|list| &list.operation);
        let steps = self
            .steps()
            .into_iter()
            .map(|step| ("actions", &step.operation));
        let named: Vec<(&str, String)> = [
            ("item", &resource.item),
            ("state", &resource.state),
            ("delete", &resource.delete),
        ]
        .into_iter()
        .filter_map(|(key, id)| Some((key, id.as_ref()?)))
        .chain(list.map(|id| ("list", id)))
        .chain(steps)
        .map(|(key, id)| (key, id.clone()))
        .collect();
        for (key, id) in named {
            if self.model.operation(&id).is_none() {
                let found = format!("the operation {id:?}, which does not exist");
                self.refuse(
                    key,
                    found,
                    "names as in the surface file; no entry for what is gone",
                );
            }
        }
        let is_name = |name: &str| snake_name(name) == name;
        let mut bad: Vec<(&str, String)> = Vec::new();
        bad.extend((!is_name(name)).then(|| ("", name.to_owned())));
        let calls = resource.actions.keys().map(|call| ("actions", call));
        let names = calls.chain(
            resource
                .params
                .iter()
                .map(|parameter| ("params", parameter)),
        );
        let names = names.filter(|(_, name)| !is_name(name));
        bad.extend(names.map(|(key, name)| (key, name.clone())));
        let ty = resource
            .state_type
            .iter()
            .filter(|ty| type_name(ty) != **ty);
        bad.extend(ty.map(|ty| ("type", ty.clone())));
        for (key, name) in bad {
            let found = format!("{name:?}, which is no name in Rust");
            self.refuse(key, found, "snake_case; CamelCase for a type");
        }
        let waits = [
            "wait_for_{}",
            "resume_wait_for_{}",
            "resume_wait_until_{}_gone",
        ];
        let calls = waits.map(|call| call.replace("{}", name));
        let actions = resource.actions.keys().cloned();
        let deletes = resource.delete.iter().map(|id| format!("{id}_and_wait"));
        for call in calls.into_iter().chain(actions).chain(deletes) {
            if let Some(operation) = self.model.operation(&call) {
                let pointer =
                    crate::document::operation_pointer(&operation.path, &operation.method);
                let found = format!("the call {call:?}, which {pointer} is called, too");
                self.refuse(
                    "actions",
                    found,
                    "an `x-mkio-name` in the overlay, or another name here",
                );
            }
        }
    }

    /// Goals, actions and states name each other.
    fn goals(&mut self) {
        let resource = self.resource;
        let unknown: Vec<String> = self
            .steps()
            .iter()
            .filter(|step| !resource.goals.contains_key(&step.goal))
            .map(|step| step.goal.clone())
            .collect();
        for goal in unknown {
            self.refuse(
                "actions",
                format!("an action with the goal {goal:?}"),
                "goals that the entry lists",
            );
        }
        let known = |state: &String| resource.presence || resource.states.contains_key(state);
        for state in resource
            .busy
            .iter()
            .filter(|state| !resource.states.contains_key(*state))
        {
            self.refuse(
                "busy",
                format!("busy in the state {state:?}"),
                "states that the entry lists",
            );
        }
        if resource.goals.is_empty() || resource.goals.values().any(|goal| goal.states.is_empty()) {
            self.refuse("goals", "nothing to wait for", "goals, each with states");
        }
        for (name, goal) in &resource.goals {
            let all = [
                &goal.states,
                &goal.failures,
                &goal.on_the_way,
                &goal.fell_back,
            ];
            for state in all.into_iter().flatten().filter(|state| !known(state)) {
                self.refuse(
                    "goals",
                    format!("the goal {name:?} with the state {state:?}"),
                    "states that the entry lists",
                );
            }
        }
    }

    /// Path parameters of all operations are there.
    fn parameters(&mut self) {
        let resource = self.resource;
        let ids = [&resource.item, &resource.state, &resource.delete]
            .into_iter()
            .flatten();
        let steps = self.steps().into_iter().map(|step| &step.operation);
        let operations = ids.chain(steps).filter_map(|id| self.model.operation(id));
        let parameters = operations.flat_map(|operation| &operation.parameters);
        let mut missing: Vec<String> = parameters
            .filter(|parameter| !parameter.query && !parameter.header)
            .map(|parameter| &parameter.ident)
            .chain(&resource.name_param)
            .filter(|parameter| !resource.params.contains(parameter))
            .cloned()
            .collect();
        missing.dedup();
        for parameter in missing {
            self.refuse(
                "params",
                format!("the parameter {parameter:?}, which `params` lacks"),
                "all path parameters of the operations under `params`",
            );
        }
    }

    /// Pointers lead somewhere in the type that they are read from.
    fn pointers(&mut self) {
        let resource = self.resource;
        let own = resource.model.clone();
        let mut all: Vec<(&str, &str)> = Vec::new();
        all.extend(resource.pointer.iter().map(|p| ("pointer", p.as_str())));
        all.extend(resource.progress.iter().map(|p| ("progress", p.as_str())));
        all.extend(
            resource
                .created_at
                .iter()
                .map(|p| ("created_at", p.as_str())),
        );
        all.extend(resource.errors.iter().map(|p| ("errors", p.as_str())));
        all.extend(
            resource
                .failed_when
                .keys()
                .map(|p| ("failed_when", p.as_str())),
        );
        let required = resource
            .goals
            .values()
            .flat_map(|goal| goal.requires.keys());
        all.extend(required.map(|p| ("goals", p.as_str())));
        for (key, pointer) in all {
            self.leads(key, &own, pointer);
        }
        let item = resource.list.as_ref().and_then(|list| {
            let operation = self.model.operation(&list.operation)?;
            let item = self.model.item_of(operation)?;
            Some((list, types::named(item)?.to_owned()))
        });
        if let Some((list, item)) = item {
            self.leads("list/name", &item, &list.name);
            if let Some(id) = &list.id {
                self.leads("list/id", &item, id);
            }
        }
    }

    fn leads(&mut self, key: &str, model: &str, pointer: &str) {
        if let Place::Nowhere(at) = place(self.model, model, pointer) {
            let origin = self.model.types.get(&at).map(|of| of.pointer.clone());
            self.refuse(
                key,
                format!(
                    "the place {pointer:?} of {model}, which {at} ({}) does not have",
                    origin.unwrap_or_default()
                ),
                "a place that the type has, as its property is called now",
            );
        }
    }

    /// States are values of the enum that the type has at their place, and all of those have a meaning.
    fn values(&mut self) {
        let resource = self.resource;
        let at = resource
            .pointer
            .as_deref()
            .map(|pointer| place(self.model, &resource.model, pointer));
        let named = match at {
            Some(Place::Type(name)) => Some(name),
            _ => resource.state_type.clone(),
        };
        let Some((name, of)) =
            named.and_then(|name| Some((name.clone(), self.model.types.get(&name)?)))
        else {
            return;
        };
        let Shape::Enum(values) = &of.shape else {
            return;
        };
        if let Some(state_type) = resource
            .state_type
            .as_ref()
            .filter(|state_type| **state_type != name)
        {
            let found = format!(
                "the type {state_type:?}, where the resource has {name:?} ({})",
                of.pointer
            );
            self.refuse("type", found, "the type that the resource has at `pointer`");
        }
        let known = |state: &str| values.iter().any(|(value, _)| value == state);
        for state in resource
            .states
            .keys()
            .filter(|state| !known(state) && !resource.undeclared.contains(state))
        {
            self.refuse(
                "states",
                format!(
                    "the state {state:?}, which the enum {name} ({}) does not have",
                    of.pointer
                ),
                "values of the enum; those that the service has all the same under `undeclared`",
            );
        }
        for state in resource.undeclared.iter().filter(|state| known(state)) {
            self.refuse(
                "undeclared",
                format!("the state {state:?}, which the enum {name} has by now"),
                "states that the enum lacks",
            );
        }
        for (value, _) in values
            .iter()
            .filter(|(value, _)| !resource.states.contains_key(value))
        {
            let problem = self.document.problem(
                format!("{}/states", self.place),
                format!(
                    "no meaning of the state {value:?} of {name} ({})",
                    of.pointer
                ),
                "a line for each value of the enum: waits go on in a state that they do not know",
            );
            self.changes.warn(problem);
        }
    }
}

/// What a pointer leads to in a type.
enum Place {
    /// A named type.
    Type(String),
    /// Something else, or what the document leaves open.
    Open,
    /// Nothing: the type that lacks the next part.
    Nowhere(String),
}

fn place(model: &Model, name: &str, pointer: &str) -> Place {
    let mut current = crate::document::reference(name);
    let mut owner = name.to_owned();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match types::named(&current) {
            Some(name) => {
                owner = name.to_owned();
                match model.types.get(name).map(|of| &of.shape) {
                    Some(Shape::Struct(fields)) => {
                        fields.get(&part).map(|field| field.schema.clone())
                    }
                    Some(Shape::Union { variants, .. }) => {
                        let mut found = variants.iter().filter_map(|variant| {
                            match &model.types.get(&variant.member)?.shape {
                                Shape::Struct(fields) => Some(fields.get(&part)?.schema.clone()),
                                _ => None,
                            }
                        });
                        found.next()
                    }
                    Some(Shape::Enum(_)) => None,
                    Some(Shape::Secret) | None => return Place::Open,
                }
            }
            None if current["type"] == "array" => {
                // `key=value` is the item with that value.
                let index = part == "*" || part.contains('=') || part.parse::<usize>().is_ok();
                index.then(|| current["items"].clone())
            }
            None if current.get("type").is_none() || current["type"] == "object" => {
                return Place::Open;
            }
            None => None,
        };
        match next {
            Some(next) => current = next,
            None => return Place::Nowhere(owner),
        }
    }
    types::named(&current).map_or(Place::Open, |name| Place::Type(name.to_owned()))
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

    fn problems(document: &Document, text: &str) -> Vec<String> {
        let states = parse(&api(), text).unwrap();
        let mut changes = Changes::default();
        connect(document, &mut Model::new(document), &states, &mut changes);
        changes.problems().iter().map(ToString::to_string).collect()
    }

    /// A state or a property that the service has renamed would make waits run into their deadline.
    #[test]
    fn states_and_places_are_those_of_the_document() {
        let reference = |name: &str| json!({"allOf": [crate::document::reference(name)]});
        let document = |property: &str, values: &[&str]| {
            with_schemas(json!({
                "Job": {"properties": {"properties": reference("JobProperties")}},
                "JobProperties": {"properties": {property: reference("JobState"), "outputs": {"type": "array", "items": {}}}},
                "JobState": {"type": "string", "enum": values},
            }))
        };
        let job = JOB.replace("  item: get_job\n", "") + "  pointer: /properties/state\n";
        let told = |document: &Document, more: &str| {
            let states = parse(&api(), &format!("{job}{more}")).unwrap();
            let mut changes = Changes::default();
            connect(document, &mut Model::new(document), &states, &mut changes);
            let texts = |of: &[crate::document::Problem]| {
                of.iter().map(ToString::to_string).collect::<Vec<_>>()
            };
            (texts(changes.problems()), texts(changes.warnings()))
        };
        let fine = document("state", &["Queued", "Finished"]);
        assert_eq!(told(&fine, ""), (vec![], vec![]));
        assert_eq!(
            told(&fine, "  progress: /properties/outputs/*/progress\n"),
            (vec![], vec![])
        );
        let (problems, warnings) = told(&document("state", &["Queued", "Completed"]), "");
        assert!(
            problems[0].contains("\"Finished\"")
                && problems[0].contains("/components/schemas/JobState"),
            "{problems:?}"
        );
        assert!(warnings[0].contains("\"Completed\""), "{warnings:?}");
        let (problems, warnings) = told(
            &document("state", &["Queued"]),
            "  undeclared: [Finished]\n",
        );
        assert_eq!((problems, warnings), (vec![], vec![]));
        let (problems, _) = told(&document("phase", &["Queued", "Finished"]), "");
        assert!(
            problems[0].contains("/properties/state") && problems[0].contains("JobProperties"),
            "{problems:?}"
        );
        let (problems, _) = told(&fine, "  errors: [/properties/outputs/error]\n");
        assert!(
            problems[0].contains("/properties/outputs/error"),
            "{problems:?}"
        );
    }

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
        let found = problems(&document, JOB);
        assert!(found[0].contains("get_job"), "{found:?}");
    }

    #[test]
    fn goals_and_states_of_actions_are_checked() {
        let job = JOB.replace("  item: get_job\n", "");
        let document = with_schemas(json!({"Job": {"properties": {}}}));
        let found = |more: &str| problems(&document, &format!("{job}{more}")).join(" ");
        assert!(found("  busy: [Flying]\n").contains("Flying"));
        assert!(found("  name_param: whose\n").contains("whose"));
    }

    #[test]
    fn an_entry_without_a_goal_or_a_goal_without_states_is_refused() {
        let job = JOB.replace("  item: get_job\n", "");
        let document = with_schemas(json!({"Job": {"properties": {}}}));
        for goals in ["goals: {}", "goals: {finished: {states: []}}"] {
            let text = job.replace("goals: {finished: {states: [Finished]}}", goals);
            let found = problems(&document, &text);
            assert!(found[0].contains("nothing to wait for"), "{found:?}");
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
            header: false,
            ty: syn::parse_quote!(String),
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
            client_error: None,
            server_error: None,
            statuses: Vec::new(),
            sort: Vec::new(),
            filter: Vec::new(),
        });
        let states = parse(&api(), JOB).unwrap();
        let mut changes = Changes::default();
        connect(&document, &mut model, &states, &mut changes);
        let problem = &changes.problems()[0];
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
