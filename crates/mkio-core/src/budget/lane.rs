//! One queue for one count of the service.

use std::{
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::{
    sync::{Mutex as Queue, Notify},
    time::{Instant, sleep_until},
};

use super::clock::{Moment, TokioClock};
use crate::Priority;

const MINUTE: Duration = Duration::from_secs(60);

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Moment>>;

/// Gives turns, in the order in which they are asked for; background calls come after all
/// foreground calls and leave these half of what may go at once.
pub(crate) struct Lane {
    all: Limiter,
    background: Limiter,
    foreground_queue: Queue<()>,
    background_queue: Queue<()>,
    /// Foreground calls that wait.
    waiting: AtomicUsize,
    /// Told when `waiting` falls to zero.
    clear: Notify,
    paused_until: Mutex<Option<Instant>>,
    /// Pauses since the service last answered anything else than 429.
    pauses: AtomicU32,
    last_used: Mutex<Instant>,
}

impl Lane {
    pub(crate) fn new(per_minute: u32) -> Self {
        // A bucket of b with r more per minute lets up to b + r pass within a minute.
        let burst = (per_minute / 10).max(1);
        let rate = per_minute.saturating_sub(burst).max(1);
        Self {
            all: limiter(burst, rate),
            background: limiter((burst / 2).max(1), rate),
            foreground_queue: Queue::default(),
            background_queue: Queue::default(),
            waiting: AtomicUsize::new(0),
            clear: Notify::new(),
            paused_until: Mutex::default(),
            pauses: AtomicU32::new(0),
            last_used: Mutex::new(Instant::now()),
        }
    }

    /// Takes a turn without waiting, if nobody waits and the limit is far: the usual case.
    pub(crate) fn try_turn(&self, priority: Priority, now: Instant) -> bool {
        let free = priority == Priority::Foreground
            && self.waiting.load(Ordering::Acquire) == 0
            && self.paused_until().is_none()
            && self.all.check().is_ok();
        if free {
            *lock(&self.last_used) = now;
        }
        free
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self, priority: Priority) {
        match priority {
            Priority::Foreground => self.foreground().await,
            Priority::Background => self.background().await,
        }
        *lock(&self.last_used) = Instant::now();
    }

    /// Gives no more turns for a while: the service has answered 429. `wait` tells how long, for the
    /// how manieth pause in a row this is.
    ///
    /// Answers that arrive during a pause belong to the same one. A single operation may have a
    /// tighter limit of its own; as long as others succeed, its 429s do not make pauses longer.
    pub(crate) fn pause(&self, wait: impl FnOnce(u32) -> Duration) {
        let pauses = match self.paused_until() {
            Some(_) => self.pauses.load(Ordering::Acquire).max(1),
            None => self.pauses.fetch_add(1, Ordering::AcqRel).saturating_add(1),
        };
        let until = Instant::now().checked_add(wait(pauses));
        let mut paused = lock(&self.paused_until);
        *paused = (*paused).max(until);
    }

    /// The service has answered something else than 429.
    pub(crate) fn flows(&self) {
        self.pauses.store(0, Ordering::Release);
    }

    /// When the pause ends, if there is one.
    pub(crate) fn paused_until(&self) -> Option<Instant> {
        let mut paused = lock(&self.paused_until);
        *paused = paused.filter(|until| *until > Instant::now());
        *paused
    }

    /// Forgetting this lane now would let nothing pass that should not.
    pub(crate) fn is_idle(&self) -> bool {
        self.paused_until().is_none() && lock(&self.last_used).elapsed() > MINUTE
    }

    async fn foreground(&self) {
        let _waiting = Waiting::new(self);
        let _turn = self.foreground_queue.lock().await;
        while let Err(until) = self.ready(&self.all) {
            sleep_until(until).await;
        }
    }

    async fn background(&self) {
        let _turn = self.background_queue.lock().await;
        while let Err(until) = self.ready(&self.background) {
            sleep_until(until).await;
        }
        loop {
            let clear = self.clear.notified();
            if self.waiting.load(Ordering::Acquire) > 0 {
                clear.await;
                continue;
            }
            match self.ready(&self.all) {
                Ok(()) => return,
                Err(until) => sleep_until(until).await,
            }
        }
    }

    /// Takes a turn of the limiter, or tells when to ask again.
    fn ready(&self, limiter: &Limiter) -> Result<(), Instant> {
        if let Some(until) = self.paused_until() {
            return Err(until);
        }
        limiter
            .check()
            .map_err(|not_until| not_until.earliest_possible().0)
    }
}

fn limiter(burst: u32, per_minute: u32) -> Limiter {
    let one = NonZeroU32::MIN;
    let quota = Quota::with_period(MINUTE / per_minute.max(1))
        .unwrap_or(Quota::per_second(one))
        .allow_burst(NonZeroU32::new(burst).unwrap_or(one));
    RateLimiter::direct_with_clock(quota, TokioClock)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a waiting foreground call for as long as it lives, dropped calls included.
struct Waiting<'a>(&'a Lane);

impl<'a> Waiting<'a> {
    fn new(lane: &'a Lane) -> Self {
        lane.waiting.fetch_add(1, Ordering::AcqRel);
        Self(lane)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.clear.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_two_that_wait_for_one_turn_the_foreground_call_gets_it() {
        use Priority::{Background, Foreground};
        for order in [[Background, Foreground], [Foreground, Background]] {
            let lane = Arc::new(Lane::new(1));
            lane.turn(Foreground).await;
            let turns = Arc::new(Mutex::new(Vec::new()));
            let waits = order.map(|priority| {
                let (lane, turns) = (Arc::clone(&lane), Arc::clone(&turns));
                tokio::spawn(async move {
                    lane.turn(priority).await;
                    lock(&turns).push(priority);
                })
            });
            for wait in waits {
                wait.await.unwrap();
            }
            assert_eq!(*lock(&turns), [Foreground, Background], "{order:?}");
        }
    }
}
