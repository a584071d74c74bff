//! The memory of a wait, and its verdict on each poll or event.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    Change, PRESENT, Reason, Resource, StateKind, pointer,
    seen::{self, Seen},
    settings::WaitSettings,
    target::Target,
    verdict::{self, Verdict},
    want::Want,
};
use crate::Timestamp;

/// How long a failure from before an action does not count, where the goal says nothing.
const GRACE: Duration = Duration::from_secs(10);

/// The memory of a wait.
pub(super) struct Judge {
    want: Want,
    missing_for: Duration,
    /// Only a resource created after this counts.
    created_after: Option<DateTime<Utc>>,
    /// The result of the action that the wait began with.
    after_action: Option<ActionResult>,
    /// Time from the beginning of the wait to its first poll.
    before: Duration,
    state: Option<Arc<str>>,
    progress: Option<u8>,
    /// The resource as it was last seen.
    resource: Option<Arc<Value>>,
    /// The last poll or event showed the whole resource.
    has_resource: bool,
    /// The last state is a failure that may be from before the wait.
    doubted: bool,
    /// All states that were seen, also before the wait was taken up again.
    seen: BTreeSet<Arc<str>>,
    /// When the resource was created that the wait is about.
    created_at: Option<DateTime<Utc>>,
}

/// What an action leaves behind for the wait that follows.
#[derive(Debug, Clone, Default)]
pub(super) struct ActionResult {
    /// The last state that was seen.
    pub(super) state: Option<Arc<str>>,
    /// When the resource was created, if the action did that.
    pub(super) created_at: Option<DateTime<Utc>>,
    /// How long it took.
    pub(super) took: Duration,
    /// How much of that was waiting for the resource.
    pub(super) waited: Duration,
}

impl Judge {
    pub(super) fn new(
        want: Want,
        settings: &WaitSettings,
        after_action: Option<ActionResult>,
    ) -> Self {
        let after_action =
            after_action.or_else(|| settings.after_action.then(ActionResult::default));
        Self {
            want,
            missing_for: settings.missing_for,
            created_after: settings.created_after.as_ref().and_then(Timestamp::utc),
            state: after_action
                .as_ref()
                .and_then(|result| result.state.clone()),
            created_at: after_action.as_ref().and_then(|result| result.created_at),
            before: after_action
                .as_ref()
                .map_or(Duration::ZERO, |result| result.took),
            after_action,
            progress: None,
            resource: None,
            has_resource: false,
            doubted: false,
            seen: settings.seen.iter().map(|state| (**state).into()).collect(),
        }
    }

    pub(super) fn want(&self) -> &Want {
        &self.want
    }

    /// All states that were seen.
    pub(super) fn seen(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().map(|state| &**state)
    }

    pub(super) fn is_after_action(&self) -> bool {
        self.after_action.is_some()
    }

    /// Time from the beginning of the wait to its first poll.
    pub(super) fn before(&self) -> Duration {
        self.before
    }

    /// So much of the wait has passed before its first poll.
    pub(super) fn start_late(&mut self, passed: Duration) {
        self.before = passed;
    }

    pub(super) fn state(&self) -> Option<&Arc<str>> {
        self.state.as_ref()
    }

    pub(super) fn progress(&self) -> Option<u8> {
        self.progress
    }

    /// The resource as it was last seen.
    pub(super) fn resource(&self) -> Option<&Value> {
        self.resource.as_deref()
    }

    /// The resource, if it was seen as a whole the last time.
    pub(super) fn current(&self) -> Option<&Value> {
        self.resource().filter(|_| self.has_resource)
    }

    /// The state alone is not enough to decide.
    pub(super) fn wants_resource(&self, resource: &Resource) -> bool {
        match &self.want {
            // It may look at anything.
            Want::Test(_) => true,
            Want::Goal(goal) => !goal.requires.is_empty() || !resource.failed_when.is_empty(),
            Want::States(_) => !resource.failed_when.is_empty(),
            Want::Gone | Want::Leave(_) => false,
        }
    }

    pub(super) fn wants_gone(&self) -> bool {
        matches!(self.want, Want::Gone)
    }

    pub(super) fn missing_for(&self) -> Duration {
        self.missing_for
    }

    /// How long a failure that was there from the beginning does not count.
    fn failure_grace(&self) -> Duration {
        let created_by_us = |result: &ActionResult| result.created_at.is_some();
        match (&self.want, &self.after_action) {
            (_, Some(result)) if created_by_us(result) => Duration::ZERO,
            (Want::Goal(goal), _) if !goal.min_age.is_zero() || !goal.failure_grace.is_zero() => {
                goal.min_age.max(goal.failure_grace)
            }
            (_, Some(_)) => GRACE,
            (_, None) => Duration::ZERO,
        }
    }

    /// How long a state that was there from the beginning does not count by itself.
    pub(super) fn min_age(&self) -> Duration {
        match &self.want {
            _ if self.doubted => self.failure_grace(),
            Want::Goal(goal) if !self.was_elsewhere() => goal.min_age,
            _ => Duration::ZERO,
        }
    }

    /// A state other than those of the goal was seen.
    fn was_elsewhere(&self) -> bool {
        let of_goal =
            |state: &str| matches!(&self.want, Want::Goal(goal) if goal.states.contains(&state));
        self.seen().any(|state| !of_goal(state))
    }

    /// A state on the way to the goal was seen, also by the action.
    fn was_on_the_way(&self) -> bool {
        let Want::Goal(goal) = &self.want else {
            return false;
        };
        let before = self
            .after_action
            .iter()
            .filter_map(|result| result.state.as_ref());
        let mut all = self.seen.iter().chain(before);
        all.any(|state| goal.on_the_way.contains(&&**state))
    }

    /// A state other than the first was seen.
    fn has_moved(&self) -> bool {
        let first = self
            .after_action
            .as_ref()
            .and_then(|result| result.state.as_ref());
        let first = first.or(self.seen.first());
        self.seen.iter().any(|state| Some(state) != first)
    }

    /// The resource is an earlier one of the same name. A `direct` read remembers the newest one;
    /// lists and events are not trusted with that.
    pub(super) fn is_outdated(&mut self, target: &Target, resource: &Value, direct: bool) -> bool {
        let Some(created_at) = seen::created_at(target, resource) else {
            return false;
        };
        // Some responses have the time in whole seconds.
        let older = |newest: DateTime<Utc>| created_at.timestamp() < newest.timestamp();
        let outdated = self.created_at.is_some_and(older)
            || self.created_after.is_some_and(|after| created_at <= after);
        if direct {
            self.created_at = self.created_at.max(Some(created_at));
        }
        outdated
    }

    /// The verdict of the final poll, after a state that reached the goal.
    pub(super) fn check_final_poll(&self, target: &Target, resource: &Value) -> Verdict {
        let Some(read) = seen::state_of(target, resource) else {
            return Verdict::Reached;
        };
        let seen_before = self.seen.contains(read);
        verdict::of_final_poll(&self.want, target, self.state.as_deref(), read, seen_before)
    }

    /// Takes in the final poll of a resource that has failed.
    pub(super) fn take_final_poll(&mut self, target: &Target, resource: Value) {
        if let Some(state) = seen::state_of(target, &resource) {
            self.state = Some(state.into());
        }
        self.resource = Some(Arc::new(resource));
    }

    /// Takes in the resource of a failure that is decided.
    pub(super) fn take_resource(&mut self, resource: Value) {
        self.resource = Some(Arc::new(resource));
    }

    /// Takes in a poll or an event, `elapsed` after the first poll: the change, if it is one, and
    /// the verdict. A state from a list or an event is not `direct` and may be old.
    pub(super) fn see(
        &mut self,
        target: &Target,
        seen: Seen,
        elapsed: Duration,
        direct: bool,
    ) -> (Option<Change<Arc<str>>>, Verdict) {
        let (state, resource) = match seen {
            Seen::Absent => return (None, self.absent(target, elapsed)),
            Seen::There { state, resource } => (state, resource.map(Arc::new)),
        };
        if let Some(resource) = &resource
            && self.is_outdated(target, resource, direct)
        {
            return (None, Verdict::GoOn);
        }
        if !direct && state.as_deref().is_some_and(|state| self.falls_back(state)) {
            return (None, Verdict::Doubtful);
        }
        self.has_resource = resource.is_some();
        self.resource = resource.clone().or_else(|| self.resource.take());
        let state: Arc<str> = match state {
            Some(state) => state.into(),
            None if target.resource.presence => PRESENT.into(),
            // Readable, but without a state: as good as no news.
            None => return (None, Verdict::GoOn),
        };
        let (change, is_new) = self.change(target, state, elapsed, resource);
        let verdict = self.judge(target, &change, elapsed);
        (is_new.then_some(change), verdict)
    }

    /// Remembers a state; the change, and whether it is one.
    fn change(
        &mut self,
        target: &Target,
        state: Arc<str>,
        elapsed: Duration,
        resource: Option<Arc<Value>>,
    ) -> (Change<Arc<str>>, bool) {
        let declared = target.resource;
        let unchanged = self.state.as_ref() == Some(&state);
        let progress = match &resource {
            Some(json) => pointer::percent(json, &target.pointer(declared.progress_pointer)),
            None => self.progress.filter(|_| unchanged),
        };
        let is_new = !unchanged || self.progress != progress;
        let previous = self.state.replace(Arc::clone(&state));
        self.progress = progress;
        self.seen.insert(Arc::clone(&state));
        let kind = declared.kind(&state);
        let total = self.before().saturating_add(elapsed);
        let change = Change::new(state, previous, kind, progress, total, resource);
        (change, is_new)
    }

    fn judge(&mut self, target: &Target, change: &Change<Arc<str>>, elapsed: Duration) -> Verdict {
        let past = (self.was_elsewhere(), self.was_on_the_way());
        let verdict = verdict::of_change(&mut self.want, target, change, past, elapsed);
        let leaving = change.kind == Some(StateKind::Deleting) || &*change.state == "Deleted";
        self.doubted = verdict == Verdict::Failed(Reason::State)
            && !leaving
            && !self.has_moved()
            && elapsed < self.failure_grace();
        if self.doubted {
            return Verdict::GoOn;
        }
        verdict
    }

    /// After this state the goal is not expected any more.
    fn falls_back(&self, state: &str) -> bool {
        let on_the_way = self.was_on_the_way();
        matches!(&self.want, Want::Goal(goal) if on_the_way && goal.fell_back.contains(&state))
    }

    fn absent(&self, target: &Target, elapsed: Duration) -> Verdict {
        if self.wants_gone() {
            Verdict::Reached
        } else if self.state.is_some() || !self.seen.is_empty() {
            Verdict::Failed(Reason::Gone)
        } else if target.resource.presence || elapsed < self.missing_for {
            Verdict::GoOn
        } else {
            Verdict::Failed(Reason::NotFound)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::tests::service::job;

    fn judge(after_action: Option<ActionResult>) -> (Judge, Target) {
        let target = job("h264", "a");
        let want = Want::default_of(target.resource).unwrap();
        let settings = WaitSettings::of(target.resource);
        (Judge::new(want, &settings, after_action), target)
    }

    #[test]
    fn a_resource_may_be_missing_for_less_than_the_limit() {
        let (mut judge, target) = judge(None);
        let limit = judge.missing_for();
        let mut after = |elapsed| judge.see(&target, Seen::Absent, elapsed, true).1;
        assert_eq!(after(limit - Duration::from_nanos(1)), Verdict::GoOn);
        assert_eq!(after(limit), Verdict::Failed(Reason::NotFound));
    }

    #[test]
    fn a_failure_from_before_the_action_does_not_count_for_less_than_its_grace() {
        let (mut judge, target) = judge(Some(ActionResult::default()));
        let mut after = |elapsed| {
            let failed = Seen::There {
                state: Some("Error".to_owned()),
                resource: None,
            };
            judge.see(&target, failed, elapsed, true).1
        };
        assert_eq!(after(GRACE - Duration::from_nanos(1)), Verdict::GoOn);
        assert_eq!(after(GRACE), Verdict::Failed(Reason::State));
    }
}
