//! The description of a resource with a state, as data.

use std::time::Duration;

use crate::Operation;

/// A resource with a state: where the state is read, and the meaning of each.
///
/// The generated crates have one per resource. Fields that do not apply stay as in
/// [`Resource::DEFAULT`].
#[derive(Debug)]
pub struct Resource {
    /// Name with its API, for example `media.job`; descriptions of waits carry it.
    pub name: &'static str,
    /// Parameters of the resource in the order in which they are given: those of its path, and
    /// others that its pointers use.
    pub params: &'static [&'static str],
    /// The parameter that is the resource's own name; the last one when empty.
    pub name_param: &'static str,
    /// Reads the resource.
    pub item: Option<&'static Operation>,
    /// Reads its state alone: `{"status": {"state": …}}`.
    pub state: Option<&'static Operation>,
    /// Lists it with its siblings.
    pub list: Option<ListSource>,
    /// Where the resource's JSON has the state; empty when it has none there. `{parameter}` stands
    /// for the value of a parameter.
    pub state_pointer: &'static str,
    /// Where the resource's JSON has its progress in percent; several numbers count as their mean.
    pub progress_pointer: &'static str,
    /// Where the resource's JSON has errors.
    pub error_pointers: &'static [&'static str],
    /// Where the resource's JSON has the time of its creation; empty when it has none. A resource
    /// that is older than the one that the wait is about is an earlier one of the same name.
    pub created_pointer: &'static str,
    /// States in which the service may refuse an action for a while (409): a call that acts and
    /// waits acts again when the resource has left them.
    pub busy: &'static [&'static str],
    /// Values elsewhere in the JSON that mean failure, whatever the state.
    pub failed_when: &'static [(&'static str, &'static [&'static str])],
    /// The resource has no state: that it can be read is all there is to wait for. The state is
    /// then called [`PRESENT`].
    pub presence: bool,
    /// The known states.
    pub states: &'static [(&'static str, StateKind)],
    /// The goals of waits; the first is the default.
    pub goals: &'static [Goal],
    /// Longest time to wait, unless the caller sets one.
    pub timeout: Duration,
    /// Shortest and longest time between two polls, unless the caller sets one.
    pub poll: (Duration, Duration),
    /// How long a 404 means "not there yet", unless the caller sets one.
    pub missing_for: Duration,
    /// The service sends webhook events for this resource's states.
    pub events: bool,
}

/// A list operation that shows many resources of a kind at once.
#[derive(Debug)]
pub struct ListSource {
    /// The list operation.
    pub operation: &'static Operation,
    /// Where an item has its name.
    pub name_pointer: &'static str,
    /// Field by which the list can be filtered by name; without it, all pages are read.
    pub name_field: Option<&'static str>,
    /// Fields by which the list can be filtered for path parameters that it does not have itself,
    /// as (parameter, field).
    pub scope_fields: &'static [(&'static str, &'static str)],
    /// A file extension may follow the name in the list.
    pub stem: bool,
    /// Where an item has its id, a path that may contain the path parameters that the item does not
    /// have itself; empty when it has none.
    pub id_pointer: &'static str,
}

/// The meaning of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateKind {
    /// On the way to another state.
    Transient,
    /// Stays until somebody acts.
    Steady,
    /// The good end; nothing follows.
    Success,
    /// A bad end, or stuck until somebody acts.
    Failure,
    /// About to disappear.
    Deleting,
}

/// A goal that a wait can have.
#[derive(Debug)]
pub struct Goal {
    /// Name, for example `running`.
    pub name: &'static str,
    /// States that reach the goal.
    pub states: &'static [&'static str],
    /// States from which the goal is not reached any more.
    pub failures: &'static [&'static str],
    /// States on the way to the goal.
    pub on_the_way: &'static [&'static str],
    /// States that mean failure once a state of `on_the_way` was seen: a start that fell back.
    pub fell_back: &'static [&'static str],
    /// Shortest time until a goal state counts that was there from the beginning: a restart that has not
    /// begun still shows the old state. Once another state was seen, the goal state counts at once. The
    /// same holds for a failure state, unless the resource is being deleted.
    pub min_age: Duration,
    /// How long a failure state that is there from the beginning does not count, if that is longer
    /// than `min_age`: what repairs it may take its time to show.
    pub failure_grace: Duration,
    /// Values that the resource's JSON must have besides, as (pointer, value); both may hold
    /// `{parameter}`.
    pub requires: &'static [(&'static str, &'static str)],
}

/// State of a resource that has none and exists.
pub const PRESENT: &str = "Present";

const MINUTE: Duration = Duration::from_secs(60);

impl Resource {
    /// Nothing but the usual times: 10 minutes, polls every 1 to 10 s, 404 tolerated for 30 s.
    pub const DEFAULT: Self = Self {
        name: "",
        params: &[],
        name_param: "",
        item: None,
        state: None,
        list: None,
        state_pointer: "",
        progress_pointer: "",
        error_pointers: &[],
        created_pointer: "",
        busy: &[],
        failed_when: &[],
        presence: false,
        states: &[],
        goals: &[],
        timeout: Duration::from_secs(10 * MINUTE.as_secs()),
        poll: (Duration::from_secs(1), Duration::from_secs(10)),
        missing_for: Duration::from_secs(30),
        events: false,
    };

    /// The meaning of a state; `None` for one that this version does not know.
    pub fn kind(&self, state: &str) -> Option<StateKind> {
        self.states
            .iter()
            .find(|(name, _)| *name == state)
            .map(|(_, kind)| *kind)
    }

    pub(super) fn goal(&self, name: &str) -> Option<&'static Goal> {
        self.goals.iter().find(|goal| goal.name == name)
    }

    /// The list shows the members that a wait needs.
    pub(super) fn listed(&self) -> Option<&ListSource> {
        let shows = self.presence || !self.state_pointer.is_empty();
        self.list.as_ref().filter(|_| shows)
    }
}

impl Goal {
    /// No states at all; for filling in.
    pub const DEFAULT: Self = Self {
        name: "",
        states: &[],
        failures: &[],
        on_the_way: &[],
        fell_back: &[],
        min_age: Duration::ZERO,
        failure_grace: Duration::ZERO,
        requires: &[],
    };
}
