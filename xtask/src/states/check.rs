//! Checks the names in the entries, and adds the enums of states that the document lacks.

use super::{
    Action, FILE, Resource, States,
    place::{Place, place},
    with_article,
};
use crate::{
    document::Document,
    model::{Location, Model, Shape, Type},
    names::{snake_name, type_name, variant_name},
    report::Changes,
    types,
};

/// Checks that the names in the entries exist, and adds the enums of states that the document
/// lacks.
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
                    rest_schema: None,
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

    /// Checks that operations exist and names are free.
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
        self.bodies();
        self.names(name);
        self.calls(name);
    }

    /// Only operations that send a body are given one.
    fn bodies(&mut self) {
        let sends_none = |id: &str| {
            let operation = self.model.operation(id);
            operation.is_some_and(|operation| operation.body.is_none())
        };
        let given = self.steps().into_iter();
        let wrong: Vec<String> = given
            .filter(|step| step.body.is_some() && sends_none(&step.operation))
            .map(|step| step.operation.clone())
            .collect();
        for id in wrong {
            let found = format!("a body for the operation {id:?}, which sends none");
            self.refuse("actions", found, "`body` at operations that send one");
        }
    }

    /// Checks that names are names in Rust.
    fn names(&mut self, name: &str) {
        let resource = self.resource;
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
            let found = format!("{name:?}, which is not a name in Rust");
            self.refuse(key, found, "snake_case; CamelCase for a type");
        }
    }

    /// Checks that no call of the entry has the name of an operation.
    fn calls(&mut self, name: &str) {
        let resource = self.resource;
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

    /// Checks that goals, actions and states name each other.
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

    /// Checks the path parameters of all operations.
    fn parameters(&mut self) {
        let resource = self.resource;
        let ids = [&resource.item, &resource.state, &resource.delete]
            .into_iter()
            .flatten();
        let steps = self.steps().into_iter().map(|step| &step.operation);
        let operations = ids.chain(steps).filter_map(|id| self.model.operation(id));
        let parameters = operations.flat_map(|operation| &operation.parameters);
        let mut missing: Vec<String> = parameters
            .filter(|parameter| parameter.location == Location::Path)
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

    /// Checks that pointers lead to a place in their type.
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
            Some((list, types::named_type(item)?.to_owned()))
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

    /// Checks that states are values of the enum at their place, and that all its values have a meaning.
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
        self.declared(&name, &of.pointer, values);
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

    /// Checks that states are values of the enum, or listed as undeclared.
    fn declared(&mut self, name: &str, pointer: &str, values: &[(String, String)]) {
        let resource = self.resource;
        let known = |state: &str| values.iter().any(|(value, _)| value == state);
        for state in resource
            .states
            .keys()
            .filter(|state| !known(state) && !resource.undeclared.contains(state))
        {
            self.refuse(
                "states",
                format!("the state {state:?}, which the enum {name} ({pointer}) does not have"),
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
    }
}
