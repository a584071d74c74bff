//! The task that looks for all waits of one collection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::hub::{Hub, Key};
use super::judge::Seen;
use super::look::{self, Listed, Looked};
use super::member::{DISTRUST, Member, Next, Source, Watched, is_provider_failure, later};
use super::members::Members;
use super::target::Target;
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

/// List requests in a row that the service may refuse before the list counts as of no use.
const REFUSALS: usize = 16;

/// How long a list is not used that the service refuses; doubled each time.
const REFUSED: Duration = Duration::from_secs(120);

/// Resources shown by lists that are remembered in full.
const MEMORY: usize = 10_000;

/// Time within which looks at deadlines are put together.
const TOGETHER: Duration = Duration::from_secs(1);

/// How much older than a look an event may say that it is: clocks of a service differ, and its
/// answers tell the time in whole seconds.
const SKEW: chrono::TimeDelta = chrono::TimeDelta::seconds(1);

/// What a group is told.
pub(super) enum Command {
    Join(u64, Box<Member>),
    Leave(u64),
    Event(Arc<StateEvent>),
}

/// What a look brought.
enum Look {
    One(Vec<u64>, Result<Looked<Seen>>),
    /// A look at a resource that the list did not show.
    Check(Vec<u64>, Result<Looked<Seen>>),
    Many(Vec<Vec<u64>>, Listed),
    Last(Vec<Ending>, Result<Value>),
}

/// A wait that is decided, and how, unless it has reached its goal.
type Ending = (u64, Option<Reason>);

/// A time for which something is not done, twice as long each time.
struct Pause {
    until: Option<Instant>,
    next: Duration,
}

impl Pause {
    fn new(first: Duration) -> Self {
        Self {
            until: None,
            next: first,
        }
    }

    fn begin(&mut self) {
        if !self.lasts() {
            self.until = Some(later(Instant::now(), self.next));
            self.next = self.next.saturating_mul(2);
        }
    }

    fn lasts(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }
}

struct Group {
    hub: Arc<Hub>,
    members: Members,
    /// Waits whose resource is to be read for the last time.
    endings: Vec<Ending>,
    looks: JoinSet<Look>,
    slots: Arc<Semaphore>,
    /// Looks at deadlines do not stand behind others.
    urgent_slots: Arc<Semaphore>,
    /// When the next list look may begin.
    next_list: Instant,
    /// When the next look at deadlines may begin.
    next_last: Instant,
    /// The list is not used: it leaves out what exists.
    distrusted: Pause,
    /// The list is not used: the service refuses it.
    unlisted: Pause,
    /// Items of the list do not tell which of several resources of one name they are.
    untold: Pause,
    /// Resources that the list showed, and those that it left out although they exist.
    shown: usize,
    left_out: usize,
    /// How often a list request was refused (400) since one was answered.
    refused: usize,
    last_event: Option<Instant>,
}

pub(super) async fn run(hub: Arc<Hub>, key: Key, mut commands: mpsc::UnboundedReceiver<Command>) {
    let mut group = Group {
        hub: hub.clone(),
        members: Members::default(),
        endings: Vec::new(),
        looks: JoinSet::new(),
        slots: Arc::new(Semaphore::new(AT_ONCE)),
        urgent_slots: Arc::new(Semaphore::new(AT_ONCE)),
        next_list: Instant::now(),
        next_last: Instant::now(),
        distrusted: Pause::new(DISTRUST),
        unlisted: Pause::new(REFUSED),
        untold: Pause::new(REFUSED),
        shown: 0,
        left_out: 0,
        refused: 0,
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
            Command::Leave(id) => self.members.remove(id),
            Command::Event(event) => self.event(&event),
        }
    }

    fn event(&mut self, event: &StateEvent) {
        let now = Instant::now();
        let mut concerns_us = false;
        let mut ended = Vec::new();
        for (id, watched) in self.members.iter_mut() {
            if !event.same_kind(watched.target()) {
                continue;
            }
            concerns_us = true;
            if watched.finishing || !event.is_about(watched.target()) {
                continue;
            }
            let time = event.utc();
            if time.is_some() && time < watched.event {
                continue;
            }
            watched.event = time.or(watched.event);
            watched.news = Some(now);
            // Events come late and out of order; looks have seen more since.
            let late = time
                .zip(watched.date)
                .is_some_and(|(time, look)| look - time > SKEW);
            let Some(seen) = event.seen(watched.target()).filter(|_| !late) else {
                watched.delay = Duration::ZERO;
                continue;
            };
            let looking = watched.looking;
            ended.push((id, watched.see(seen, None, Source::Elsewhere)));
            watched.looking |= looking;
        }
        if concerns_us {
            self.last_event = Some(now);
        }
        for (id, next) in ended {
            self.follow(id, next);
        }
    }

    /// When a member is to be looked at again.
    fn due(&self, watched: &Watched) -> Instant {
        let rhythm = self.hub.rhythm();
        let plan = watched.plan();
        let mut delay = watched.delay;
        // Events do the work, as long as they come.
        if plan.target.resource.events
            && plan.judge().state.is_some()
            && !delay.is_zero()
            && !watched.settles()
            && self
                .last_event
                .is_some_and(|last| last.elapsed() < rhythm.quiet)
        {
            delay = delay.max(rhythm.slow);
        }
        later(watched.last_look, delay).min(plan.deadline)
    }

    fn wake(&self) -> Instant {
        let now = Instant::now();
        let rhythm = self.hub.rhythm();
        let quiet = self.last_event.map(|last| later(last, rhythm.quiet));
        let quiet = quiet.filter(|quiet| *quiet > now);
        let shared = self.list_usable();
        self.members
            .iter()
            .map(|(_, watched)| {
                let deadline = watched.plan().deadline;
                if watched.looking {
                    return later(deadline, LAST_LOOK);
                }
                let due = self.due(watched);
                match shared {
                    true if alone(watched, now) => due.max(self.next_list).min(deadline),
                    true if deadline <= now => self.next_last,
                    true => due.max(self.next_list).min(deadline.max(self.next_last)),
                    false => due.min(deadline),
                }
            })
            .chain(quiet)
            .min()
            .unwrap_or(now)
    }

    /// Looks through one list are possible and worth it.
    fn list_usable(&self) -> bool {
        let usable = !self.distrusted.lasts() && !self.unlisted.lasts();
        let listed = self
            .members
            .first()
            .is_some_and(|watched| watched.target().resource.listed().is_some());
        self.members.resources() > 1 && usable && listed
    }

    /// Begins the looks that are due.
    fn begin(&mut self) {
        self.read_for_the_last_time();
        let now = Instant::now();
        let mut late = Vec::new();
        let (mut last, mut last_single) = (Vec::new(), Vec::new());
        let mut due = Vec::new();
        let mut soon = Vec::new();
        let shared = self.list_usable();
        for (id, watched) in self.members.iter() {
            let at = self.due(watched);
            let deadline = watched.plan().deadline;
            let listed = shared && !alone(watched, now);
            if watched.looking {
                if later(deadline, LAST_LOOK) <= now {
                    late.push(id);
                }
            } else if deadline <= now {
                match listed {
                    true => last.push(id),
                    false => last_single.push(id),
                }
            } else if at <= now {
                due.push((at, id, listed));
            } else if listed && at <= later(now, watched.interval() / 2) {
                soon.push((at, id, listed));
            }
        }
        for id in late {
            if let Some(watched) = self.members.get_mut(id) {
                let next = watched.fail(Reason::Timeout, None);
                self.follow(id, next);
            }
        }
        // Waits of one collection often have one deadline, or nearly so.
        if !last.is_empty() && self.next_last <= now {
            self.next_last = later(now, TOGETHER);
            self.look_at_many(&last, true, 0);
        }
        self.look_at_each(&last_single, true);
        due.sort_unstable();
        soon.sort_unstable();
        if !shared {
            let ids: Vec<_> = due.into_iter().map(|(_, id, _)| id).collect();
            self.look_at_each(&ids, false);
            return;
        }
        let first = due.first().filter(|_| self.next_list <= now);
        let Some((_, first, listed)) = first.copied() else {
            return;
        };
        // Who has waited longest comes first; who is due soon fills the request.
        let all = || due.iter().chain(&soon);
        let single = all().filter(|(_, _, listed)| !listed).count();
        if listed {
            let ids = all().filter(|(_, _, listed)| *listed);
            let ids: Vec<_> = ids.map(|(_, id, _)| *id).collect();
            self.look_at_many(&ids, false, single);
        } else {
            let longest = self.longest(all().map(|(_, id, _)| *id));
            self.look_at_each(&[first], false);
            self.pause(1, single + 1, longest);
        }
    }

    /// The time within which all of these are to be looked at again.
    fn longest(&self, ids: impl Iterator<Item = u64>) -> Option<Duration> {
        ids.filter_map(|id| self.members.get(id))
            .map(|watched| watched.plan().pace.max)
            .min()
    }

    /// Looks at these with list requests. Unless it is the `last` look, one request is sent, for
    /// the first and as many others as it has place for; the rest stay as they are. So many `more`
    /// requests are due besides.
    fn look_at_many(&mut self, ids: &[u64], last: bool, more: usize) {
        let mut found = self.members.by_resource(ids);
        let longest = self.longest(found.iter().flat_map(|(_, ids)| ids).copied());
        let first = found.first().and_then(|(target, ids)| {
            let watched = self.members.get(*ids.first()?)?;
            Some((watched.plan().channels.clone(), target.resource.listed()?))
        });
        let Some((channels, list)) = first else {
            return;
        };
        let transport = match last {
            true => channels.urgent,
            false => channels.background,
        };
        let targets: Vec<_> = found.iter().map(|(target, _)| target.clone()).collect();
        let limit = |(_, ids): &(Target, Vec<u64>)| {
            let members = ids.iter().filter_map(|id| self.members.get(*id));
            members.map(|watched| watched.limit).min()
        };
        let limits: Vec<_> = found.iter().filter_map(limit).collect();
        let mut rounds = look::rounds(&targets, &limits, list, !self.untold.lasts());
        let count = rounds.len() + more;
        if !last {
            rounds.truncate(1);
        }
        self.pause(rounds.len(), count, longest);
        for round in rounds {
            let mut members = Vec::new();
            let mut shown = Vec::new();
            for place in &round.members {
                if let Some((target, ids)) = found.get_mut(*place) {
                    members.push(std::mem::take(ids));
                    shown.push(target.clone());
                }
            }
            if let [ids] = &members[..] {
                // The state of one takes as many requests as a list, and less work.
                self.look_at_one(ids.clone(), last, false);
                continue;
            }
            for id in members.iter().flatten() {
                if let Some(watched) = self.members.get_mut(*id) {
                    watched.looks();
                    watched.last |= last && watched.is_late();
                }
            }
            let transport = transport.clone();
            self.looks.spawn(async move {
                let listed = look::many(&transport, &shown, round.filter.as_deref()).await;
                Look::Many(members, listed)
            });
        }
    }

    /// Holds the next list request back for the time that `requests` count for; less if all
    /// `count` would not get their turn within the longest interval.
    fn pause(&mut self, requests: usize, count: usize, longest: Option<Duration>) {
        let times = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let each = longest.map_or(PER_REQUEST, |longest| {
            PER_REQUEST.min(longest / times(count).max(1))
        });
        self.hold(each.saturating_mul(times(requests)));
    }

    /// Holds the next list request back.
    fn hold(&mut self, pause: Duration) {
        self.next_list = self.next_list.max(later(Instant::now(), pause));
    }

    /// Looks at each resource of these.
    fn look_at_each(&mut self, ids: &[u64], last: bool) {
        for (_, ids) in self.members.by_resource(ids) {
            self.look_at_one(ids, last, false);
        }
    }

    /// Looks at the one resource that all these wait for.
    fn look_at_one(&mut self, ids: Vec<u64>, last: bool, check: bool) {
        let mut whole = false;
        let mut urgent = last;
        let mut first = None;
        for id in &ids {
            let Some(watched) = self.members.get_mut(*id) else {
                continue;
            };
            watched.looks();
            watched.last |= last && watched.is_late();
            urgent |= watched.last;
            let plan = &watched.member.plan;
            whole |= plan.wants_whole();
            first.get_or_insert_with(|| plan.clone());
        }
        let Some(plan) = first else {
            return;
        };
        let slots = match urgent {
            true => self.urgent_slots.clone(),
            false => self.slots.clone(),
        };
        self.looks.spawn(async move {
            // Never closed.
            let _slot = slots.acquire_owned().await;
            let transport = match urgent {
                true => &plan.channels.urgent,
                false => &plan.channels.background,
            };
            let looked = look::one(transport, &plan.target, whole).await;
            match check {
                true => Look::Check(ids, looked),
                false => Look::One(ids, looked),
            }
        });
    }

    fn looked(&mut self, look: Look) {
        match look {
            Look::One(ids, looked) => self.looked_at_one(&ids, &looked),
            Look::Check(ids, looked) => {
                if matches!(&looked, Ok(looked) if matches!(looked.seen, Seen::There { .. })) {
                    self.left_out += 1;
                    // It was a request too many.
                    let next = self.next_list.max(Instant::now());
                    self.next_list = later(next, PER_REQUEST);
                    for id in &ids {
                        if let Some(watched) = self.members.get_mut(*id) {
                            watched.left_out();
                        }
                    }
                }
                self.looked_at_one(&ids, &looked);
            }
            Look::Many(members, listed) => self.listed(members, listed),
            Look::Last(endings, read) => {
                for (id, reason) in endings {
                    if let Some(watched) = self.members.get_mut(id) {
                        let next = watched.finished(reason, read.clone());
                        self.follow(id, next);
                    }
                }
            }
        }
    }

    /// Takes in what a list showed, and did not.
    fn listed(&mut self, members: Vec<Vec<u64>>, listed: Listed) {
        let Listed {
            looked,
            cut,
            unclear,
        } = listed;
        let pages = looked.requests;
        let more = pages.saturating_sub(1);
        if more > 0 {
            self.pause(more, more, None);
        }
        if let Some(asked) = cut.as_ref().map_or(looked.retry_after, Error::retry_after)
            && let Some(watched) = self.members.first()
        {
            let asked = watched.plan().channels.retry().wait(1, false, Some(asked));
            self.hold(asked);
        }
        if unclear {
            self.untold.begin();
        }
        // Anything but a passing fault means that the list cannot be used like this.
        let unusable = cut
            .as_ref()
            .is_some_and(|error| !error.is_retryable() && !is_provider_failure(error));
        let refused = cut.as_ref().is_some_and(is_refused);
        let for_length = cut.as_ref().is_some_and(is_too_long);
        match &cut {
            None => self.refused = 0,
            Some(_) if refused => self.refused += 1,
            Some(_) => {}
        }
        if unusable && (!refused || self.refused > REFUSALS) {
            self.unlisted.begin();
        }
        // One name that the filter does not take must not spoil the list for the others: halves
        // of the request are tried, until it is alone.
        let size = members.len();
        let half = (size / 2).max(1);
        self.shown += looked.seen.iter().flatten().count();
        if self.left_out > self.shown {
            self.distrusted.begin();
            (self.shown, self.left_out) = (0, 0);
        } else if self.shown > MEMORY {
            // What was long ago says little of the list as it is now.
            (self.shown, self.left_out) = (self.shown / 2, self.left_out / 2);
        }
        let mut checks = 0;
        for (ids, item) in members.into_iter().zip(looked.seen) {
            let mut check = Vec::new();
            for id in ids {
                let Some(watched) = self.members.get_mut(id) else {
                    continue;
                };
                if watched.finishing || watched.knows_better() {
                    continue;
                }
                let next = match (&item, &cut) {
                    (Some(item), _) => {
                        if refused {
                            watched.limit(half, for_length);
                        }
                        watched.was_listed();
                        watched.date = looked.date.max(watched.date);
                        let seen = look::there(watched.target(), item.clone());
                        watched.see(seen, looked.retry_after, Source::Elsewhere)
                    }
                    (None, Some(_)) if refused && !self.unlisted.lasts() && half > 1 => {
                        watched.limit(half, for_length);
                        watched.again()
                    }
                    (None, Some(_)) if unusable => {
                        if refused {
                            watched.limit(half, for_length);
                        }
                        check.push(id);
                        continue;
                    }
                    // A list that keeps breaking off must not hide what comes late in it.
                    (None, Some(_)) if watched.has_failed() && checks < CHECKS => {
                        check.push(id);
                        continue;
                    }
                    (None, Some(error)) => watched.look_failed(error.clone()),
                    // Another list will tell the resources apart.
                    (None, None) if unclear => watched.again(),
                    (None, None) if watched.absence_counts(pages) => {
                        watched.see(Seen::Absent, looked.retry_after, Source::Elsewhere)
                    }
                    (None, None) if watched.absence_may_count() => watched.again(),
                    (None, None) if watched.still_missing() => watched.no_news(),
                    (None, None) if checks < CHECKS || watched.last => {
                        check.push(id);
                        continue;
                    }
                    (None, None) => watched.no_news(),
                };
                self.follow(id, next);
            }
            if !check.is_empty() {
                checks += 1;
                self.look_at_one(check, false, !unusable && cut.is_none());
            }
        }
    }

    fn looked_at_one(&mut self, ids: &[u64], looked: &Result<Looked<Seen>>) {
        for id in ids {
            let Some(watched) = self.members.get_mut(*id) else {
                continue;
            };
            if watched.finishing || watched.knows_better() {
                continue;
            }
            let next = match looked {
                Ok(looked) => watched.look(looked.clone()),
                Err(error) => watched.look_failed(error.clone()),
            };
            self.follow(*id, next);
        }
    }

    fn follow(&mut self, id: u64, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Remove => self.members.remove(id),
            Next::Finish(reason) => self.endings.push((id, reason)),
        }
    }

    /// Reads the resources of waits that are decided, each once.
    fn read_for_the_last_time(&mut self) {
        let mut reads: HashMap<Vec<String>, Vec<Ending>> = HashMap::new();
        for (id, reason) in std::mem::take(&mut self.endings) {
            if let Some(watched) = self.members.get(id) {
                let key = watched.target().values().to_vec();
                reads.entry(key).or_default().push((id, reason));
            }
        }
        for endings in reads.into_values() {
            let first = endings.first().and_then(|(id, _)| self.members.get(*id));
            let Some(plan) = first.map(|watched| watched.member.plan.clone()) else {
                continue;
            };
            self.looks.spawn(async move {
                let read = look::item(&plan.channels.foreground, &plan.target).await;
                Look::Last(endings, read.map(crate::Response::into_inner))
            });
        }
    }

    /// A look ended without a result: its task panicked or the runtime shuts down.
    fn lost(&mut self, lost: &tokio::task::JoinError) {
        let looking = |(id, watched): (u64, &Watched)| watched.looking.then_some(id);
        let ids: Vec<_> = self.members.iter().filter_map(looking).collect();
        for id in ids {
            let Some(watched) = self.members.get_mut(id) else {
                continue;
            };
            watched.finishing = false;
            let message = format!("a look at the resource was lost: {lost}");
            let error = Error::new(crate::ErrorKind::Connection, message);
            let next = watched.look_failed(error);
            self.follow(id, next);
        }
    }
}

/// The service does not take the request: its filter, or its length.
fn is_refused(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    is_too_long(error) || matches!(status, Some(400 | 422))
}

/// The service does not take the request for its length.
fn is_too_long(error: &Error) -> bool {
    let status = error.status().map(|status| status.as_u16());
    matches!(status, Some(413 | 414 | 431))
}

/// The list is of no use for this one now.
fn alone(watched: &Watched, now: Instant) -> bool {
    watched.alone || watched.unlisted.is_some_and(|until| until > now)
}
