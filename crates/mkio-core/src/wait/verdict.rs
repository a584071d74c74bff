//! The rules by which a wait ends.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use super::{Change, Goal, Reason, StateKind, pointer, target::Target, want::Want};

/// The next step after a poll or an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    GoOn,
    Reached,
    Failed(Reason),
    /// The resource seems to have fallen back, but what shows it may be old.
    Doubtful,
    /// The caller's closure panicked.
    Panicked,
}

/// The verdict of a change, `elapsed` after the first poll of the wait. Before it, a state other
/// than those of the goal may have been seen (`elsewhere`), and one that is on the way to the goal.
pub(super) fn of_change(
    want: &mut Want,
    target: &Target,
    change: &Change<Arc<str>>,
    (elsewhere, on_the_way): (bool, bool),
    elapsed: Duration,
) -> Verdict {
    let state = &*change.state;
    let failed_elsewhere = || {
        let found = |at: &str| pointer::text(change.resource()?, at);
        let mut rules = target.resource.failed_when.iter();
        rules.any(|(at, values)| found(at).is_some_and(|found| values.contains(&found)))
    };
    match want {
        Want::Leave(states) => reached_if(!states.contains(&state)),
        // Reads give 404 by then; the documents name the state all the same.
        Want::Gone => reached_if(state == "Deleted"),
        _ if failed_elsewhere() => Verdict::Failed(Reason::State),
        // A panic would take all waits of the collection with it.
        Want::Test(test) => match catch_unwind(AssertUnwindSafe(|| test(change))) {
            Ok(true) => Verdict::Reached,
            Ok(false) => of_other_state(change.kind),
            Err(_) => Verdict::Panicked,
        },
        Want::States(states) if states.iter().any(|wanted| wanted == state) => Verdict::Reached,
        Want::States(_) => of_other_state(change.kind),
        Want::Goal(goal) => of_goal(goal, target, change, (elsewhere, on_the_way), elapsed),
    }
}

fn of_goal(
    goal: &Goal,
    target: &Target,
    change: &Change<Arc<str>>,
    (elsewhere, on_the_way): (bool, bool),
    elapsed: Duration,
) -> Verdict {
    let state = &*change.state;
    if goal.states.contains(&state) {
        let counts = elsewhere || elapsed >= goal.min_age;
        return reached_if(counts && is_fulfilled(goal, target, change.resource()));
    }
    if goal.failures.contains(&state) {
        Verdict::Failed(Reason::State)
    } else if on_the_way && goal.fell_back.contains(&state) {
        Verdict::Failed(Reason::FellBack)
    } else {
        Verdict::GoOn
    }
}

/// The verdict of the final poll, after `decided` reached the goal; `seen_before` says that its
/// state was seen earlier.
///
/// - A resource that has moved on from the goal has reached it.
/// - One that shows the state of before has not.
/// - One whose earlier state is not a final one has not.
pub(super) fn of_final_poll(
    want: &Want,
    target: &Target,
    decided: Option<&str>,
    read: &str,
    seen_before: bool,
) -> Verdict {
    let is_final = |state: &str| {
        let kind = target.resource.kind(state);
        matches!(kind, Some(StateKind::Success | StateKind::Failure))
    };
    let reached = match want {
        Want::Goal(goal) => goal.states.contains(&read),
        Want::States(states) => states.iter().any(|wanted| wanted == read),
        Want::Test(_) => decided == Some(read),
        Want::Gone | Want::Leave(_) => true,
    };
    if reached {
        Verdict::Reached
    } else if matches!(want, Want::Goal(goal) if goal.failures.contains(&read)) {
        Verdict::Failed(Reason::State)
    } else if seen_before || decided.is_some_and(is_final) {
        Verdict::GoOn
    } else {
        Verdict::Reached
    }
}

fn reached_if(reached: bool) -> Verdict {
    if reached {
        Verdict::Reached
    } else {
        Verdict::GoOn
    }
}

/// A state after which no other comes is the end of every wait.
fn of_other_state(kind: Option<StateKind>) -> Verdict {
    match kind {
        Some(StateKind::Success | StateKind::Failure | StateKind::Deleting) => {
            Verdict::Failed(Reason::State)
        }
        _ => Verdict::GoOn,
    }
}

/// The resource has the values that the goal requires besides its state.
fn is_fulfilled(goal: &Goal, target: &Target, resource: Option<&Value>) -> bool {
    goal.requires.iter().all(|(at, value)| {
        let found = resource.and_then(|resource| pointer::text(resource, &target.pointer(at)));
        found == Some(&target.text(value))
    })
}
