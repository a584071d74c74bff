//! Taking in the results of a task's requests.

use tokio::{task::JoinError, time::Instant};

use super::{
    list::Listed,
    member::Member,
    task::{PER_REQUEST, PollResult, PollTask},
};
use crate::{
    Error, ErrorKind, Result,
    wait::{
        seen::{Polled, Seen},
        settings::later,
    },
};

/// Resources that a list did not show and that are polled one by one, per list.
const CHECKS: usize = 10;

impl PollTask {
    pub(super) fn take_result(&mut self, result: PollResult) {
        match result {
            PollResult::One { ids, check, polled } => {
                let exists = |polled: &Polled| matches!(polled.seen, Seen::There { .. });
                if check && polled.as_ref().is_ok_and(exists) {
                    self.take_missed(&ids);
                }
                self.take_single(&ids, &polled);
            }
            PollResult::Many(members, listed) => self.take_list(members, &listed),
            PollResult::Read(ids, read) => {
                for id in ids {
                    self.update(id, |member| member.take_final_poll(read.clone()));
                }
            }
        }
    }

    /// Changes a member, and handles its next phase.
    fn update(&mut self, id: u64, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.get_mut(id) {
            change(member);
            self.follow(id);
        }
    }

    /// The list left out a resource that exists.
    fn take_missed(&mut self, ids: &[u64]) {
        self.trust.note_missed();
        // It was a request too many.
        let next = self.next_list.max(Instant::now());
        self.next_list = later(next, PER_REQUEST);
        for id in ids {
            if let Some(member) = self.members.get_mut(*id) {
                member.was_missed();
            }
        }
    }

    fn take_single(&mut self, ids: &[u64], polled: &Result<Polled>) {
        for id in ids {
            if self.members.get_mut(*id).is_some_and(Member::takes_poll) {
                self.update(*id, |member| member.take_single(polled.clone()));
            }
        }
    }

    /// Takes in the items of a list, and the resources that are not in it.
    fn take_list(&mut self, members: Vec<Vec<u64>>, listed: &Listed) {
        self.hold_after(listed);
        let shown = listed.items.iter().flatten().count();
        let refused = self.trust.observe(shown, listed.cut.as_ref());
        let mut checks = 0;
        for (ids, item) in members.into_iter().zip(&listed.items) {
            let mut check = Vec::new();
            for id in ids {
                let Some(member) = self.members.get_mut(id) else {
                    continue;
                };
                if !member.takes_poll() {
                    continue;
                }
                if member.take_list(item.as_ref(), listed, refused, checks < CHECKS) {
                    self.follow(id);
                } else {
                    check.push(id);
                }
            }
            if !check.is_empty() {
                checks += 1;
                self.poll_one(check, false, listed.cut.is_none());
            }
        }
    }

    /// Holds the next list back for the pages of this one, and as long as the service asks.
    fn hold_after(&mut self, listed: &Listed) {
        let more = listed.pages.saturating_sub(1);
        self.pause(more, more, None);
        let asked = listed.cut.as_ref();
        let asked = asked.map_or(listed.retry_after, Error::retry_after);
        if let Some(asked) = asked
            && let Some(member) = self.members.first()
        {
            let retry = member.plan.channels.retry();
            self.hold(retry.wait(1, false, Some(asked)));
        }
    }

    /// A request ended without a result: its task panicked or the runtime shuts down.
    pub(super) fn take_lost(&mut self, lost: &JoinError) {
        for id in self.members.ids(Member::is_busy) {
            let message = format!("a poll of the resource was lost: {lost}");
            let error = Error::new(ErrorKind::Connection, message);
            self.update(id, |member| member.poll_failed(error));
        }
    }
}
