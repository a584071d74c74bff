//! The task that looks for all waits of one collection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::hub::Hub;
use super::judge::Seen;
use super::look::{self, Listed, Looked};
pub(super) use super::member::Member;
use super::member::{Next, Watched};
use super::{Reason, StateEvent};
use crate::{Error, Result};

/// Waits that come in within this time share their first look.
const GATHER: Duration = Duration::from_millis(10);

/// Time that a request counts for: list requests of one collection stay under 60 a minute.
const PER_REQUEST: Duration = Duration::from_millis(1200);

/// Looks at single resources that may be under way at once.
const AT_ONCE: usize = 16;

/// Resources that a list did not show and that are looked at one by one, per list look.
const CHECKS: usize = 10;

/// How long a look at the deadline may take.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// How long a list is not used after it left out more than it showed; doubled each time.
const DISTRUST: Duration = Duration::from_secs(60);

/// What a group is told.
pub(super) enum Command {
    Join(u64, Box<Member>),
    Leave(u64),
    Detail(u64, bool),
    Event(Arc<StateEvent>),
}

/// What a look brought.
enum Look {
    One(u64, Result<Looked<Seen>>),
    /// A look at a resource that the list did not show.
    Check(u64, Result<Looked<Seen>>),
    Many(Vec<u64>, Listed),
    Last(u64, Option<Reason>, Result<Value>),
}

struct Group {
    hub: Arc<Hub>,
    members: BTreeMap<u64, Watched>,
    looks: JoinSet<Look>,
    slots: Arc<Semaphore>,
    /// When the next list look may begin.
    next_list: Instant,
    /// Until when the list is not used.
    distrusted: Option<Instant>,
    distrust: Duration,
    /// Resources that the list showed, and those that it left out although they exist.
    shown: usize,
    left_out: usize,
    /// The list cannot be used at all.
    unlisted: bool,
    last_event: Option<Instant>,
}

pub(super) async fn run(
    hub: Arc<Hub>,
    key: String,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let mut group = Group {
        hub: hub.clone(),
        members: BTreeMap::new(),
        looks: JoinSet::new(),
        slots: Arc::new(Semaphore::new(AT_ONCE)),
        next_list: Instant::now(),
        distrusted: None,
        distrust: DISTRUST,
        shown: 0,
        left_out: 0,
        unlisted: false,
        last_event: None,
    };
    loop {
        while let Ok(command) = commands.try_recv() {
            group.take(command);
        }
        if group.members.is_empty() {
            match hub.retire(&key, &mut commands) {
                Some(command) => {
                    group.take(command);
                    continue;
                }
                None => return,
            }
        }
        group.begin();
        let wake = group.wake();
        tokio::select! {
            // The hub keeps a sender as long as the group is on its list.
            command = commands.recv() => match command {
                Some(command) => group.take(command),
                None => return,
            },
            Some(look) = group.looks.join_next() => match look {
                Ok(look) => group.looked(look),
                Err(lost) => group.lost(&lost),
            },
            () = sleep_until(wake) => {}
        }
    }
}

impl Group {
    fn take(&mut self, command: Command) {
        match command {
            Command::Join(id, member) => {
                self.members.insert(id, Watched::new(*member, GATHER));
            }
            Command::Leave(id) => {
                self.members.remove(&id);
            }
            Command::Detail(id, wanted) => {
                if let Some(watched) = self.members.get_mut(&id) {
                    watched.member.detail = wanted;
                }
            }
            Command::Event(event) => self.event(&event),
        }
    }

    fn event(&mut self, event: &StateEvent) {
        let mut concerns_us = false;
        let mut ended = Vec::new();
        for (id, watched) in &mut self.members {
            if !event.same_kind(&watched.member.target) {
                continue;
            }
            concerns_us = true;
            if watched.finishing || !event.is_about(&watched.member.target) {
                continue;
            }
            let time = event.utc();
            if time.is_some() && time < watched.event {
                continue;
            }
            watched.event = time.or(watched.event);
            let Some(seen) = event.seen(&watched.member.target) else {
                watched.delay = Duration::ZERO;
                continue;
            };
            let looking = watched.looking;
            ended.push((*id, watched.see(seen, None)));
            watched.looking |= looking;
        }
        if concerns_us {
            self.last_event = Some(Instant::now());
        }
        for (id, next) in ended {
            self.follow(id, next);
        }
    }

    /// When a member is to be looked at again.
    fn due(&self, watched: &Watched) -> Instant {
        let rhythm = self.hub.rhythm();
        let mut delay = watched.delay;
        // Events do the work, as long as they come.
        if watched.member.target.resource.events
            && watched.member.judge.state.is_some()
            && !delay.is_zero()
            && self
                .last_event
                .is_some_and(|last| last.elapsed() < rhythm.quiet)
        {
            delay = delay.max(rhythm.slow);
        }
        later(watched.last_look, delay).min(watched.member.deadline)
    }

    fn wake(&self) -> Instant {
        let rhythm = self.hub.rhythm();
        let quiet = self.last_event.map(|last| later(last, rhythm.quiet));
        let quiet = quiet.filter(|quiet| *quiet > Instant::now());
        let shared = self.list_usable();
        self.members
            .values()
            .map(|watched| {
                if watched.looking {
                    return later(watched.member.deadline, LAST_LOOK);
                }
                let due = self.due(watched);
                let due = if shared { due.max(self.next_list) } else { due };
                due.min(watched.member.deadline)
            })
            .chain(quiet)
            .min()
            .unwrap_or_else(Instant::now)
    }

    /// Looks through one list are possible and worth it.
    fn list_usable(&self) -> bool {
        let trusted = self.distrusted.is_none_or(|until| until <= Instant::now());
        let listed = self
            .members
            .values()
            .next()
            .is_some_and(|watched| watched.member.target.resource.listed().is_some());
        self.members.len() > 1 && trusted && listed && !self.unlisted
    }

    /// Begins the looks that are due.
    fn begin(&mut self) {
        let now = Instant::now();
        let mut late = Vec::new();
        let mut last = Vec::new();
        let mut due = Vec::new();
        let mut soon = Vec::new();
        for (id, watched) in &self.members {
            let at = self.due(watched);
            if watched.looking {
                if later(watched.member.deadline, LAST_LOOK) <= now {
                    late.push(*id);
                }
            } else if watched.member.deadline <= now {
                last.push(*id);
            } else if at <= now {
                due.push((at, *id));
            } else if at <= later(now, watched.interval() / 2) {
                soon.push((at, *id));
            }
        }
        for id in late {
            if let Some(watched) = self.members.get_mut(&id) {
                let next = watched.fail(Reason::Timeout, None);
                self.follow(id, next);
            }
        }
        for id in &last {
            if let Some(watched) = self.members.get_mut(id) {
                watched.last = true;
            }
        }
        if !self.list_usable() {
            for id in last.into_iter().chain(due.into_iter().map(|(_, id)| id)) {
                self.look_at_one(id, false);
            }
            return;
        }
        // Waits of one collection often have one deadline, too.
        self.look_at_many(&last, false);
        if due.is_empty() || self.next_list > now {
            return;
        }
        // Who has waited longest comes first; who is due soon fills the request.
        due.sort_unstable();
        soon.sort_unstable();
        let ids: Vec<_> = due.into_iter().chain(soon).map(|(_, id)| id).collect();
        self.look_at_many(&ids, true);
    }

    /// Looks at these with list requests. With `paced` one request is sent, for the first and as
    /// many others as it has place for; the rest stay as they are.
    fn look_at_many(&mut self, ids: &[u64], paced: bool) {
        let mut targets = Vec::new();
        let mut polls = None;
        let mut longest = None;
        for id in ids {
            let Some(watched) = self.members.get(id) else {
                continue;
            };
            targets.push(watched.member.target.clone());
            polls.get_or_insert_with(|| watched.member.polls.clone());
            if watched.member.pace.explicit {
                let max = watched.member.pace.max;
                longest = Some(longest.map_or(max, |longest: Duration| longest.min(max)));
            }
        }
        let (Some(polls), Some(first)) = (polls, targets.first()) else {
            return;
        };
        let Some(list) = first.resource.listed() else {
            return;
        };
        let mut rounds = look::rounds(&targets, list);
        let count = rounds.len();
        if paced {
            rounds.truncate(1);
        }
        self.pause(rounds.len(), count, longest);
        for round in rounds {
            let members: Vec<_> = round
                .members
                .iter()
                .filter_map(|place| ids.get(*place).copied())
                .collect();
            if let [id] = members[..] {
                // The state of one takes as many requests as a list, and less work.
                self.look_at_one(id, false);
                continue;
            }
            for id in &members {
                if let Some(watched) = self.members.get_mut(id) {
                    watched.looking = true;
                    watched.last_look = Instant::now();
                }
            }
            let targets: Vec<_> = round
                .members
                .iter()
                .filter_map(|place| targets.get(*place).cloned())
                .collect();
            let polls = polls.clone();
            self.looks.spawn(async move {
                let looked = look::many(&polls, &targets, round.filter.as_deref()).await;
                Look::Many(members, looked)
            });
        }
    }

    /// Holds the next list request back for the time that `requests` count for; less if all
    /// `count` would not get their turn within the longest interval that a user asked for.
    fn pause(&mut self, requests: usize, count: usize, longest: Option<Duration>) {
        let times = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        let each = longest.map_or(PER_REQUEST, |longest| {
            PER_REQUEST.min(longest / times(count))
        });
        let pause = each.saturating_mul(times(requests));
        self.next_list = self.next_list.max(later(Instant::now(), pause));
    }

    fn look_at_one(&mut self, id: u64, check: bool) {
        let Some(watched) = self.members.get_mut(&id) else {
            return;
        };
        watched.looking = true;
        watched.last_look = Instant::now();
        let member = &watched.member;
        let (polls, target) = (member.polls.clone(), member.target.clone());
        let detail = member.detail || member.judge.tests();
        let slots = self.slots.clone();
        self.looks.spawn(async move {
            // Never closed.
            let _slot = slots.acquire_owned().await;
            let looked = look::one(&polls, &target, detail).await;
            match check {
                true => Look::Check(id, looked),
                false => Look::One(id, looked),
            }
        });
    }

    fn looked(&mut self, look: Look) {
        match look {
            Look::One(id, looked) => {
                self.looked_at_one(id, looked);
            }
            Look::Check(id, looked) => {
                if matches!(&looked, Ok(looked) if matches!(looked.seen, Seen::There { .. })) {
                    self.left_out += 1;
                }
                self.looked_at_one(id, looked);
            }
            Look::Many(ids, (looked, cut)) => self.listed(ids, looked, cut.as_ref()),
            Look::Last(id, reason, read) => {
                if let Some(watched) = self.members.get_mut(&id) {
                    let next = watched.finished(reason, read);
                    self.follow(id, next);
                }
            }
        }
    }

    /// Takes in what a list showed, and did not.
    fn listed(&mut self, ids: Vec<u64>, looked: Looked<Vec<Option<Value>>>, cut: Option<&Error>) {
        let more = looked.requests.saturating_sub(1);
        if more > 0 {
            self.pause(more, more, None);
        }
        // Anything but a passing fault means that the list cannot be used like this.
        let unusable = cut.is_some_and(|error| !error.is_retryable());
        self.unlisted |= unusable;
        self.shown += looked.seen.iter().flatten().count();
        if self.left_out > self.shown {
            self.distrusted = Some(later(Instant::now(), self.distrust));
            self.distrust = self.distrust.saturating_mul(2);
            (self.shown, self.left_out) = (0, 0);
        }
        let mut checks = 0;
        for (id, item) in ids.into_iter().zip(looked.seen) {
            let Some(watched) = self.members.get_mut(&id) else {
                continue;
            };
            if watched.finishing {
                continue;
            }
            let next = match (item, cut) {
                (Some(item), _) => {
                    watched.listed = true;
                    let seen = look::there(&watched.member.target, item);
                    watched.see(seen, looked.retry_after)
                }
                (None, Some(_)) if unusable => {
                    self.look_at_one(id, false);
                    continue;
                }
                // A list that keeps breaking off must not hide what comes late in it.
                (None, Some(_)) if watched.has_failed() && checks < CHECKS => {
                    checks += 1;
                    self.look_at_one(id, false);
                    continue;
                }
                (None, Some(error)) => watched.look_failed(error.clone()),
                (None, None) if watched.absence_counts() => {
                    watched.see(Seen::Absent, looked.retry_after)
                }
                (None, None) if watched.still_missing() => watched.no_news(),
                (None, None) if checks < CHECKS || watched.last => {
                    checks += 1;
                    self.look_at_one(id, true);
                    continue;
                }
                (None, None) => watched.no_news(),
            };
            self.follow(id, next);
        }
    }

    fn looked_at_one(&mut self, id: u64, looked: Result<Looked<Seen>>) {
        let Some(watched) = self
            .members
            .get_mut(&id)
            .filter(|watched| !watched.finishing)
        else {
            return;
        };
        let next = match looked {
            Ok(looked) => watched.see(looked.seen, looked.retry_after),
            Err(error) => watched.look_failed(error),
        };
        self.follow(id, next);
    }

    fn follow(&mut self, id: u64, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Remove => {
                self.members.remove(&id);
            }
            Next::Finish(reason) => {
                let Some(watched) = self.members.get(&id) else {
                    return;
                };
                let (calls, target) = (watched.member.calls.clone(), watched.member.target.clone());
                self.looks.spawn(async move {
                    let read = look::item(&calls, &target).await;
                    Look::Last(id, reason, read.map(crate::Response::into_inner))
                });
            }
        }
    }

    /// A look ended without a result: its task panicked or the runtime shuts down.
    fn lost(&mut self, lost: &tokio::task::JoinError) {
        let ids: Vec<_> = self.members.keys().copied().collect();
        for id in ids {
            let Some(watched) = self.members.get_mut(&id).filter(|watched| watched.looking) else {
                continue;
            };
            let message = format!("a look at the resource was lost: {lost}");
            let error = Error::new(crate::ErrorKind::Connection, message);
            let next = watched.look_failed(error);
            self.follow(id, next);
        }
    }
}

/// As good as never.
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// `delay` after `time`; never is a year from then.
pub(super) fn later(time: Instant, delay: Duration) -> Instant {
    time.checked_add(delay).unwrap_or(time + YEAR)
}
