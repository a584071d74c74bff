//! One queue for one count of the service.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
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
use crate::{Priority, sync::lock};

const MINUTE: Duration = Duration::from_secs(60);

/// Of so many turns, background calls get one while foreground calls never stop.
const FLOOR: u32 = 10;

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Moment>>;

/// Gives turns, in the order in which they are asked for.
///
/// Background calls come after all foreground calls, but get one turn in ten. They leave half of
/// what may go at once to foreground calls.
pub(crate) struct RateQueue {
    all: Limiter,
    background: Limiter,
    foreground_queue: Queue<()>,
    background_queue: Queue<()>,
    /// Foreground calls that wait.
    waiting: AtomicUsize,
    /// Foreground turns since a background call became the next in line; `None` without one.
    passed_over: Mutex<Option<u32>>,
    /// Notified when `waiting` falls to zero, and when it is a background call's turn or was.
    changed: Notify,
    pauses: Mutex<Pauses>,
    last_used: Mutex<Instant>,
}

/// What gets no turn after a 429, and until when.
#[derive(Default)]
struct Pauses {
    all: Option<Instant>,
    paths: HashMap<String, Instant>,
    /// Pauses since the service last answered anything else than 429.
    in_a_row: u32,
}

impl Pauses {
    fn end(&mut self, now: Instant) {
        self.all = self.all.filter(|until| *until > now);
        self.paths.retain(|_, until| *until > now);
    }

    fn are_none(&self) -> bool {
        self.all.is_none() && self.paths.is_empty()
    }
}

impl RateQueue {
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
            passed_over: Mutex::default(),
            changed: Notify::new(),
            pauses: Mutex::default(),
            last_used: Mutex::new(Instant::now()),
        }
    }

    /// Takes a turn without waiting, if nobody waits and the limit is far: the usual case.
    pub(crate) fn try_acquire(&self, priority: Priority, path: &str, now: Instant) -> bool {
        let free = priority == Priority::Foreground
            && self.waiting.load(Ordering::Acquire) == 0
            && self.paused_until(path).is_none()
            && !self.is_backgrounds_turn()
            && self.all.check().is_ok();
        if free {
            self.note_foreground_turn();
            *lock(&self.last_used) = now;
        }
        free
    }

    /// Waits for a turn.
    pub(crate) async fn acquire(&self, priority: Priority, path: &str) {
        loop {
            while let Some(until) = self.paused_until(path) {
                sleep_until(until).await;
            }
            match priority {
                Priority::Foreground => self.foreground().await,
                Priority::Background => self.background().await,
            }
            // Another call to the same path may have been throttled while this one was in line.
            if self.paused_until(path).is_none() {
                break;
            }
        }
        *lock(&self.last_used) = Instant::now();
    }

    /// Gives no more turns to a path for a while: the service has answered 429. `wait` receives how
    /// many pauses have come in a row (1 for the first) and returns the length of this one.
    ///
    /// A single operation may have a tighter limit of its own. When a second path is throttled
    /// while the first one is paused, nothing gets a turn.
    ///
    /// Responses that arrive during a pause belong to the same one.
    pub(crate) fn pause(&self, path: &str, wait: impl FnOnce(u32) -> Duration) {
        let now = Instant::now();
        let mut pauses = lock(&self.pauses);
        pauses.end(now);
        pauses.in_a_row = if pauses.are_none() {
            pauses.in_a_row.saturating_add(1)
        } else {
            pauses.in_a_row.max(1)
        };
        let Some(until) = now.checked_add(wait(pauses.in_a_row)) else {
            return;
        };
        if pauses.all.is_some() || pauses.paths.keys().any(|other| other != path) {
            pauses.all = pauses.all.max(Some(until));
        } else {
            let paused = pauses.paths.entry(path.to_owned()).or_insert(until);
            *paused = (*paused).max(until);
        }
    }

    /// The service has answered something else than 429.
    pub(crate) fn note_success(&self) {
        lock(&self.pauses).in_a_row = 0;
    }

    /// When the pause of a path ends, if there is one.
    pub(crate) fn paused_until(&self, path: &str) -> Option<Instant> {
        let mut pauses = lock(&self.pauses);
        if pauses.are_none() {
            return None;
        }
        pauses.end(Instant::now());
        pauses.all.max(pauses.paths.get(path).copied())
    }

    /// The queue limits no call any more, so it can be dropped.
    pub(crate) fn is_idle(&self) -> bool {
        let mut pauses = lock(&self.pauses);
        pauses.end(Instant::now());
        pauses.are_none() && lock(&self.last_used).elapsed() > MINUTE
    }

    async fn foreground(&self) {
        let _waiting = Waiting::new(self);
        let _turn = self.foreground_queue.lock().await;
        loop {
            let changed = self.changed.notified();
            if self.is_backgrounds_turn() {
                changed.await;
                continue;
            }
            match self.ready(&self.all) {
                Ok(()) => return self.note_foreground_turn(),
                Err(until) => sleep_until(until).await,
            }
        }
    }

    async fn background(&self) {
        let _turn = self.background_queue.lock().await;
        while let Err(until) = self.ready(&self.background) {
            sleep_until(until).await;
        }
        let _next = NextInLine::new(self);
        loop {
            let changed = self.changed.notified();
            if self.waiting.load(Ordering::Acquire) > 0 && !self.is_backgrounds_turn() {
                changed.await;
                continue;
            }
            match self.ready(&self.all) {
                Ok(()) => return,
                Err(until) => sleep_until(until).await,
            }
        }
    }

    /// Foreground calls have had their share since a background call became the next in line.
    fn is_backgrounds_turn(&self) -> bool {
        lock(&self.passed_over).is_some_and(|turns| turns + 1 >= FLOOR)
    }

    fn note_foreground_turn(&self) {
        let mut passed_over = lock(&self.passed_over);
        *passed_over = passed_over.map(|turns| turns + 1);
        if passed_over.is_some_and(|turns| turns + 1 >= FLOOR) {
            self.changed.notify_waiters();
        }
    }

    /// Takes a turn of the limiter, or gives the time to ask again.
    fn ready(&self, limiter: &Limiter) -> Result<(), Instant> {
        let now = Instant::now();
        if let Some(until) = lock(&self.pauses).all.filter(|until| *until > now) {
            return Err(until);
        }
        limiter
            .check()
            .map_err(|not_until| not_until.earliest_possible().0)
    }
}

fn limiter(burst: u32, per_minute: u32) -> Limiter {
    let one = NonZeroU32::MIN;
    let rate = Quota::with_period(MINUTE / per_minute.max(1))
        .unwrap_or(Quota::per_second(one))
        .allow_burst(NonZeroU32::new(burst).unwrap_or(one));
    RateLimiter::direct_with_clock(rate, TokioClock)
}

/// Counts a waiting foreground call for as long as it lives, dropped calls included.
struct Waiting<'a>(&'a RateQueue);

impl<'a> Waiting<'a> {
    fn new(queue: &'a RateQueue) -> Self {
        queue.waiting.fetch_add(1, Ordering::AcqRel);
        Self(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.changed.notify_waiters();
        }
    }
}

/// A background call that is the next in line, for as long as it waits.
struct NextInLine<'a>(&'a RateQueue);

impl<'a> NextInLine<'a> {
    fn new(queue: &'a RateQueue) -> Self {
        *lock(&queue.passed_over) = Some(0);
        Self(queue)
    }
}

impl Drop for NextInLine<'_> {
    fn drop(&mut self) {
        *lock(&self.0.passed_over) = None;
        self.0.changed.notify_waiters();
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
            let queue = Arc::new(RateQueue::new(1));
            queue.acquire(Foreground, "/a").await;
            let turns = Arc::new(Mutex::new(Vec::new()));
            let waits = order.map(|priority| {
                let (queue, turns) = (Arc::clone(&queue), Arc::clone(&turns));
                tokio::spawn(async move {
                    queue.acquire(priority, "/a").await;
                    lock(&turns).push(priority);
                })
            });
            for wait in waits {
                wait.await.unwrap();
            }
            assert_eq!(*lock(&turns), [Foreground, Background], "{order:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn background_calls_get_one_turn_in_ten_from_readers_that_never_pause() {
        let queue = Arc::new(RateQueue::new(600));
        let readers: Vec<_> = (0..20)
            .map(|_| {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move {
                    let mut turns = 0u32;
                    loop {
                        if !queue.try_acquire(Priority::Foreground, "/a", Instant::now()) {
                            queue.acquire(Priority::Foreground, "/a").await;
                        }
                        turns += 1;
                        if turns.is_multiple_of(1000) {
                            tokio::task::yield_now().await;
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(MINUTE).await;
        let started = Instant::now();
        for _ in 0..54 {
            queue.acquire(Priority::Background, "/b").await;
        }
        for reader in readers {
            reader.abort();
        }
        // 540 turns a minute, of which background calls get 54.
        let took = started.elapsed();
        assert!(took <= MINUTE + MINUTE / 20, "{took:?}");
        assert!(took >= MINUTE - MINUTE / 10, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_throttled_path_pauses_all() {
        let queue = RateQueue::new(100);
        let free = |path| queue.try_acquire(Priority::Foreground, path, Instant::now());
        queue.pause("/a", |_| MINUTE);
        assert_eq!((free("/a"), free("/b"), free("/c")), (false, true, true));
        queue.pause("/a", |_| MINUTE);
        assert_eq!((free("/a"), free("/b")), (false, true));
        queue.pause("/b", |_| MINUTE / 2);
        assert_eq!((free("/a"), free("/b"), free("/c")), (false, false, false));
        tokio::time::advance(MINUTE / 2).await;
        assert_eq!((free("/a"), free("/b"), free("/c")), (false, true, true));
        tokio::time::advance(MINUTE / 2).await;
        assert!(free("/a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_begins_while_a_call_is_in_line_costs_it_no_turn() {
        // One turn each 20 s.
        let queue = Arc::new(RateQueue::new(4));
        queue.acquire(Priority::Foreground, "/a").await;
        let started = Instant::now();
        let waits = Arc::clone(&queue);
        let call = tokio::spawn(async move { waits.acquire(Priority::Foreground, "/c").await });
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(1)).await;
        for path in ["/a", "/b"] {
            queue.pause(path, |_| Duration::from_secs(24));
        }
        call.await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(25));
    }

    #[tokio::test(start_paused = true)]
    async fn a_background_call_that_is_dropped_in_line_holds_nobody_up() {
        let queue = Arc::new(RateQueue::new(1));
        queue.acquire(Priority::Foreground, "/a").await;
        let background = Arc::clone(&queue);
        let poll =
            tokio::spawn(async move { background.acquire(Priority::Background, "/b").await });
        for _ in 0..2 * FLOOR {
            queue.acquire(Priority::Foreground, "/a").await;
        }
        poll.abort();
        let started = Instant::now();
        for _ in 0..2 * FLOOR {
            queue.acquire(Priority::Foreground, "/a").await;
        }
        assert_eq!(started.elapsed(), MINUTE * 2 * FLOOR);
    }
}
