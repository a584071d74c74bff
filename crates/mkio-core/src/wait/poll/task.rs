//! The task that polls for all waits of one collection.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    runtime::Id,
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    hub::{Command, Hub},
    list::{self, ListPoll, Listed},
    list_trust::ListTrust,
    member::{Member, Phase},
    members::Members,
    single,
};
use crate::{
    Response, Result, Transport,
    wait::{Reason, StateEvent, seen::Polled, settings::later, target::Target},
};

/// Time that a request counts for: list requests of one collection stay under 60 a minute.
pub(super) const PER_REQUEST: Duration = Duration::from_millis(1200);

/// Polls of single resources that may be under way at once.
const AT_ONCE: usize = 16;

/// How long a poll at the deadline may take.
const LAST_POLL: Duration = Duration::from_secs(10);

/// Time within which polls at deadlines are put together.
const TOGETHER: Duration = Duration::from_secs(1);

/// The result of a request, and whom it concerns.
pub(super) enum PollResult {
    /// Of one resource; as a `check` when a list did not show it.
    One {
        ids: Vec<u64>,
        check: bool,
        polled: Result<Polled>,
    },
    Many(Vec<Vec<u64>>, Listed),
    Read(Vec<u64>, Result<Value>),
}

/// A task under way.
pub(super) struct PollTask {
    hub: Arc<Hub>,
    pub(super) members: Members,
    /// Waits that are decided and whose resource is to be read.
    to_read: Vec<u64>,
    requests: JoinSet<PollResult>,
    slots: Arc<Semaphore>,
    /// Polls at deadlines do not queue behind others.
    urgent_slots: Arc<Semaphore>,
    /// When the next list poll may begin.
    pub(super) next_list: Instant,
    /// When the next list poll at deadlines may begin.
    next_last: Instant,
    pub(super) trust: ListTrust,
    last_event: Option<Instant>,
}

pub(super) async fn run(
    hub: Arc<Hub>,
    key: (Id, String),
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let mut task = PollTask {
        hub: Arc::clone(&hub),
        members: Members::default(),
        to_read: Vec::new(),
        requests: JoinSet::new(),
        slots: Arc::new(Semaphore::new(AT_ONCE)),
        urgent_slots: Arc::new(Semaphore::new(AT_ONCE)),
        next_list: Instant::now(),
        next_last: Instant::now(),
        trust: ListTrust::new(),
        last_event: None,
    };
    loop {
        while let Ok(command) = commands.try_recv() {
            task.take_command(command);
        }
        if task.members.is_empty() {
            match hub.retire(&key, &mut commands) {
                Some(command) => {
                    task.take_command(command);
                    continue;
                }
                None => return,
            }
        }
        task.begin();
        let wake = task.wake();
        tokio::select! {
            // The hub keeps a sender as long as the task is on its list.
            command = commands.recv() => match command {
                Some(command) => task.take_command(command),
                None => return,
            },
            Some(result) = task.requests.join_next() => match result {
                Ok(result) => task.take_result(result),
                Err(lost) => task.take_lost(&lost),
            },
            () = sleep_until(wake) => {}
        }
    }
}

impl PollTask {
    fn take_command(&mut self, command: Command) {
        match command {
            Command::Join(id, member) => self.members.insert(id, *member),
            Command::Leave(id) => self.members.remove(id),
            Command::Event(event) => self.take_event(&event),
        }
    }

    fn take_event(&mut self, event: &StateEvent) {
        let concerned = self.members.ids(|member| event.same_kind(member.target()));
        if !concerned.is_empty() {
            self.last_event = Some(Instant::now());
        }
        for id in concerned {
            if let Some(member) = self.members.get_mut(id)
                && event.is_about(member.target())
            {
                let decided = member.phase;
                member.take_event(event);
                if member.phase != decided {
                    self.follow(id);
                }
            }
        }
    }

    /// Handles a wait after news: takes it out when it has ended, and has its resource read when it
    /// is decided.
    pub(super) fn follow(&mut self, id: u64) {
        match self.members.get(id).map(|member| member.phase) {
            Some(Phase::Ended) => self.members.remove(id),
            Some(Phase::FinalPoll { .. }) => self.to_read.push(id),
            Some(Phase::Idle | Phase::Polling { .. }) | None => {}
        }
    }

    /// When a member is to be polled again.
    fn due(&self, member: &Member) -> Instant {
        let (slow, quiet) = self.hub.event_times();
        let recent = |last: Instant| last.elapsed() < quiet;
        // Events do the work, as long as they come.
        let slowed = self.last_event.is_some_and(recent)
            && member.target().resource.events
            && member.has_seen()
            && !member.schedule.delay.is_zero()
            && !member.is_too_young();
        member.due(if slowed { slow } else { Duration::ZERO })
    }

    fn wake(&self) -> Instant {
        let now = Instant::now();
        let (_, quiet) = self.hub.event_times();
        let quiet = self.last_event.map(|last| later(last, quiet));
        let quiet = quiet.filter(|quiet| *quiet > now);
        let shared = self.is_list_usable();
        let wake = |member: &Member| {
            let deadline = member.plan.deadline;
            if member.is_busy() {
                return later(deadline, LAST_POLL);
            }
            let due = self.due(member);
            if !shared {
                due.min(deadline)
            } else if member.polls_singly() {
                due.max(self.next_list).min(deadline)
            } else if deadline <= now {
                self.next_last
            } else {
                due.max(self.next_list).min(deadline.max(self.next_last))
            }
        };
        let wakes = self.members.iter().map(|(_, member)| wake(member));
        wakes.chain(quiet).min().unwrap_or(now)
    }

    /// Polls through one list are possible and worth it.
    fn is_list_usable(&self) -> bool {
        let first = self.members.first();
        let listed = first.is_some_and(|member| member.target().resource.listed().is_some());
        self.members.resources() > 1 && listed && self.trust.usable()
    }

    /// Begins the requests that are due.
    fn begin(&mut self) {
        self.read_decided();
        self.end_overdue();
        self.poll_at_deadlines();
        self.poll_due();
    }

    /// Ends waits whose poll at the deadline takes too long.
    fn end_overdue(&mut self) {
        let now = Instant::now();
        let overdue =
            |member: &Member| member.is_busy() && later(member.plan.deadline, LAST_POLL) <= now;
        for id in self.members.ids(overdue) {
            if let Some(member) = self.members.get_mut(id) {
                member.fail(Reason::Timeout, None);
                self.follow(id);
            }
        }
    }

    fn poll_at_deadlines(&mut self) {
        let shared = self.is_list_usable();
        let late = |member: &Member| member.phase == Phase::Idle && member.is_late();
        let listed = |member: &Member| shared && !member.polls_singly();
        let by_list = self.members.ids(|member| late(member) && listed(member));
        let singly = self.members.ids(|member| late(member) && !listed(member));
        // Waits of one collection often have one deadline, or nearly so.
        if !by_list.is_empty() && self.next_last <= Instant::now() {
            self.next_last = later(Instant::now(), TOGETHER);
            self.poll_by_list(&by_list, true, 0);
        }
        self.poll_each(&singly, true);
    }

    fn poll_due(&mut self) {
        let now = Instant::now();
        let shared = self.is_list_usable();
        let (mut due, mut soon) = (Vec::new(), Vec::new());
        for (id, member) in self.members.iter() {
            if member.phase != Phase::Idle || member.is_late() {
                continue;
            }
            let at = self.due(member);
            let listed = shared && !member.polls_singly();
            if at <= now {
                due.push((at, id, listed));
            } else if listed && at <= later(now, member.schedule.interval / 2) {
                soon.push((at, id, listed));
            }
        }
        due.sort_unstable();
        soon.sort_unstable();
        if !shared {
            let ids: Vec<_> = due.into_iter().map(|(_, id, _)| id).collect();
            self.poll_each(&ids, false);
            return;
        }
        let first = due.first().filter(|_| self.next_list <= now);
        let Some((_, first, listed)) = first.copied() else {
            return;
        };
        // The wait that is due longest comes first; waits that are due soon fill the request.
        let all = || due.iter().chain(&soon);
        let single = all().filter(|(_, _, listed)| !listed).count();
        if listed {
            let ids = all().filter(|(_, _, listed)| *listed);
            let ids: Vec<_> = ids.map(|(_, id, _)| *id).collect();
            self.poll_by_list(&ids, false, single);
        } else {
            let longest = self.longest(all().map(|(_, id, _)| *id));
            self.poll_each(&[first], false);
            self.pause(1, single + 1, longest);
        }
    }

    /// The time within which all of these are to be polled again.
    fn longest(&self, ids: impl Iterator<Item = u64>) -> Option<Duration> {
        ids.filter_map(|id| self.members.get(id))
            .map(|member| member.plan.pace().end)
            .min()
    }

    /// Polls these with list requests. Unless it is `last`, at deadlines, one request is sent, for
    /// the first and as many others as it has place for; the rest stay as they are. So many `more`
    /// requests are due besides.
    fn poll_by_list(&mut self, ids: &[u64], last: bool, more: usize) {
        let mut found = self.members.by_resource(ids);
        let longest = self.longest(found.iter().flat_map(|(_, ids)| ids).copied());
        let first = ids.first().and_then(|id| self.members.get(*id));
        let Some(channels) = first.map(|member| member.plan.channels.clone()) else {
            return;
        };
        let transport = if last {
            channels.urgent
        } else {
            channels.background
        };
        let targets: Vec<_> = found.iter().map(|(target, _)| target.clone()).collect();
        let mut polls = ListPoll::all(&targets);
        let count = polls.len() + more;
        if !last {
            polls.truncate(1);
        }
        self.pause(polls.len(), count, longest);
        for poll in polls {
            let (mut members, mut targets): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
            for place in &poll.members {
                if let Some((target, ids)) = found.get_mut(*place) {
                    members.push(std::mem::take(ids));
                    targets.push(target.clone());
                }
            }
            if let [ids] = &members[..] {
                // The state of one takes as many requests as a list, and less work.
                self.poll_one(ids.clone(), last, false);
            } else {
                self.send_list(transport.clone(), poll.filter(), members, targets, last);
            }
        }
    }

    fn send_list(
        &mut self,
        transport: Transport,
        filter: Option<String>,
        members: Vec<Vec<u64>>,
        targets: Vec<Target>,
        last: bool,
    ) {
        for id in members.iter().flatten() {
            if let Some(member) = self.members.get_mut(*id) {
                member.begin_poll(last);
            }
        }
        self.requests.spawn(async move {
            let listed = list::poll_list(&transport, &targets, filter.as_deref()).await;
            PollResult::Many(members, listed)
        });
    }

    /// Holds the next list poll back for the time that `requests` count for; less if all `count`
    /// would not get their turn within the longest interval.
    pub(super) fn pause(&mut self, requests: usize, count: usize, longest: Option<Duration>) {
        let times = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let each = longest.map_or(PER_REQUEST, |longest| {
            PER_REQUEST.min(longest / times(count).max(1))
        });
        self.hold(each.saturating_mul(times(requests)));
    }

    /// Holds the next list poll back.
    pub(super) fn hold(&mut self, pause: Duration) {
        self.next_list = self.next_list.max(later(Instant::now(), pause));
    }

    /// Polls each resource of these.
    fn poll_each(&mut self, ids: &[u64], last: bool) {
        for (_, ids) in self.members.by_resource(ids) {
            self.poll_one(ids, last, false);
        }
    }

    /// Polls the one resource that all these wait for.
    pub(super) fn poll_one(&mut self, ids: Vec<u64>, last: bool, check: bool) {
        let (mut read_resource, mut urgent) = (false, last);
        let mut first = None;
        for id in &ids {
            let Some(member) = self.members.get_mut(*id) else {
                continue;
            };
            member.begin_poll(last);
            urgent |= member.is_at_deadline();
            read_resource |= member.plan.wants_resource();
            first.get_or_insert_with(|| Arc::clone(&member.plan));
        }
        let Some(plan) = first else {
            return;
        };
        let slots = if urgent {
            Arc::clone(&self.urgent_slots)
        } else {
            Arc::clone(&self.slots)
        };
        self.requests.spawn(async move {
            // Never closed.
            let _slot = slots.acquire_owned().await;
            let transport = if urgent {
                &plan.channels.urgent
            } else {
                &plan.channels.background
            };
            let polled = single::poll_one(transport, &plan.target, read_resource).await;
            PollResult::One { ids, check, polled }
        });
    }

    /// Reads the resources of waits that are decided, each once.
    fn read_decided(&mut self) {
        let mut reads: HashMap<Vec<String>, Vec<u64>> = HashMap::new();
        for id in std::mem::take(&mut self.to_read) {
            if let Some(member) = self.members.get(id) {
                let key = member.target().values().to_vec();
                reads.entry(key).or_default().push(id);
            }
        }
        for ids in reads.into_values() {
            let first = ids.first().and_then(|id| self.members.get(*id));
            let Some(plan) = first.map(|member| Arc::clone(&member.plan)) else {
                continue;
            };
            self.requests.spawn(async move {
                let read = single::item(&plan.channels.foreground, &plan.target).await;
                PollResult::Read(ids, read.map(Response::into_inner))
            });
        }
    }
}
