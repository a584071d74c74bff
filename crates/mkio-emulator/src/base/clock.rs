//! Platform time: runs with tokio's clock, can be scaled, paused and stepped.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

#[derive(Debug)]
struct Reading {
    platform: DateTime<Utc>,
    counted: Duration,
    stepped: Duration,
    real: Instant,
    scale: f64,
    paused: bool,
}

impl Reading {
    fn now(&self, real: Instant) -> DateTime<Utc> {
        if self.paused {
            return self.platform;
        }
        let elapsed = real.saturating_duration_since(self.real).as_secs_f64() * self.scale;
        forward(self.platform, elapsed)
    }

    fn counted(&self, real: Instant) -> Duration {
        if self.paused {
            return self.counted;
        }
        self.counted
            .saturating_add(real.saturating_duration_since(self.real))
    }

    fn rebase(&mut self) {
        let real = Instant::now();
        self.counted = self.counted(real);
        self.platform = self.now(real);
        self.real = real;
    }
}

/// The time `seconds` later. Stops at the end of the calendar, whatever the scale and however often it is stepped.
fn forward(time: DateTime<Utc>, seconds: f64) -> DateTime<Utc> {
    let micros = (seconds.max(0.0) * 1.0e6).min(9.0e18) as i64;
    time.checked_add_signed(TimeDelta::microseconds(micros))
        .filter(|later| *later < LAST)
        .unwrap_or(LAST)
}

/// The last time that the documents' date format can write.
pub const LAST: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(time) => time,
    None => DateTime::<Utc>::MAX_UTC,
};

/// The reading of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockFace {
    /// Platform time.
    pub now: DateTime<Utc>,
    /// Seconds of platform time that pass in a second while it is not paused.
    pub scale: f64,
    /// Whether platform time is paused.
    pub paused: bool,
    /// Time since the start without the scale.
    pub counted: Duration,
    /// Sum of all steps.
    #[serde(default)]
    pub stepped: Duration,
}

/// The emulator's clock. Cheap to read; shared by reference.
#[derive(Debug)]
pub struct Clock {
    reading: Mutex<Reading>,
    changed: Notify,
}

impl Clock {
    /// A clock that starts at `start` and lets `scale` seconds of platform time pass in each second. A scale below zero or one
    /// that is not a number counts as 1.
    pub fn new(start: DateTime<Utc>, scale: f64) -> Self {
        Self {
            reading: Mutex::new(Reading {
                platform: start,
                counted: Duration::ZERO,
                stepped: Duration::ZERO,
                real: Instant::now(),
                scale: valid(scale),
                paused: false,
            }),
            changed: Notify::new(),
        }
    }

    fn with<T>(&self, action: impl FnOnce(&mut Reading) -> T) -> T {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        action(&mut reading)
    }

    /// Platform time now.
    pub fn now(&self) -> DateTime<Utc> {
        self.with(|reading| reading.now(Instant::now()))
    }

    /// Time since the start without the scale: the time of tokio's clock while this one was not paused, and every step.
    pub fn counted(&self) -> Duration {
        self.with(|reading| reading.counted(Instant::now()))
    }

    /// Real time with every step, as the clocks of callers show it: they do not know platform time.
    pub fn real(&self) -> DateTime<Utc> {
        let stepped = self.with(|reading| reading.stepped);
        forward(Utc::now(), stepped.as_secs_f64())
    }

    /// The current reading.
    pub fn face(&self) -> ClockFace {
        self.with(|reading| {
            reading.rebase();
            ClockFace {
                now: reading.platform,
                scale: reading.scale,
                paused: reading.paused,
                counted: reading.counted,
                stepped: reading.stepped,
            }
        })
    }

    /// Sets another reading, which may be an earlier time; the clock runs on from there.
    pub fn set(&self, face: ClockFace) {
        self.with(|reading| {
            *reading = Reading {
                platform: face.now.min(LAST),
                counted: face.counted,
                stepped: face.stepped,
                real: Instant::now(),
                scale: valid(face.scale),
                paused: face.paused,
            };
        });
        self.changed.notify_waiters();
    }

    /// Lets `scale` seconds of platform time pass in each second from now on.
    pub fn set_scale(&self, scale: f64) {
        self.with(|reading| {
            reading.rebase();
            reading.scale = valid(scale);
        });
        self.changed.notify_waiters();
    }

    /// Stops platform time.
    pub fn pause(&self) {
        self.with(|reading| {
            reading.rebase();
            reading.paused = true;
        });
        self.changed.notify_waiters();
    }

    /// Lets platform time pass again.
    pub fn resume(&self) {
        self.with(|reading| {
            reading.rebase();
            reading.paused = false;
        });
        self.changed.notify_waiters();
    }

    /// Moves platform time ahead at once, paused or not.
    pub fn step(&self, by: Duration) {
        self.with(|reading| {
            reading.rebase();
            reading.platform = forward(reading.platform, by.as_secs_f64());
            reading.counted = reading.counted.saturating_add(by);
            reading.stepped = reading.stepped.saturating_add(by);
        });
        self.changed.notify_waiters();
    }

    /// When platform time reaches `due`; none while paused or when it never gets there.
    pub fn instant_of(&self, due: DateTime<Utc>) -> Option<Instant> {
        self.with(|reading| {
            if reading.paused || reading.scale <= 0.0 {
                return None;
            }
            let real = Instant::now();
            let missing = (due - reading.now(real))
                .num_microseconds()
                .unwrap_or(i64::MAX)
                .max(0) as f64;
            // A little late rather than early: the waiter must find the state moved.
            let wait = Duration::from_secs_f64((missing / 1.0e6 / reading.scale).min(3.0e8))
                + Duration::from_micros(50);
            real.checked_add(wait)
        })
    }

    /// Completes when somebody changes the clock after this call.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}

fn valid(scale: f64) -> f64 {
    if scale.is_finite() && scale >= 0.0 {
        scale
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn time_passes_scaled_and_stands_while_paused() {
        let clock = Clock::new(start(), 60.0);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now(), start() + TimeDelta::seconds(120));
        clock.pause();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now(), start() + TimeDelta::seconds(120));
        assert_eq!(clock.instant_of(start() + TimeDelta::days(1)), None);
        clock.step(Duration::from_secs(30));
        clock.resume();
        clock.set_scale(1.0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), start() + TimeDelta::seconds(151));
        // Two seconds before the pause, thirty stepped, one after it: neither the scale nor the pause counts.
        assert_eq!(clock.counted(), Duration::from_secs(33));
    }

    #[tokio::test(start_paused = true)]
    async fn no_step_leaves_the_calendar() {
        let clock = Clock::new(start(), 1.0e300);
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..3 {
            clock.step(Duration::MAX);
            assert_eq!(clock.now(), LAST);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_until_an_instant_reaches_the_platform_time() {
        let clock = Clock::new(start(), 60.0);
        let due = start() + TimeDelta::seconds(90);
        let Some(instant) = clock.instant_of(due) else {
            panic!("a running clock gets there")
        };
        tokio::time::sleep_until(instant).await;
        assert!(clock.now() >= due);
        assert!(clock.now() < due + TimeDelta::seconds(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_goes_on_from_what_another_one_showed() {
        let (first, second) = (Clock::new(start(), 60.0), Clock::new(LAST, 1.0));
        tokio::time::advance(Duration::from_secs(2)).await;
        second.set(first.face());
        assert_eq!(second.face(), first.face());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(second.now(), start() + TimeDelta::seconds(180));
        assert_eq!(second.counted(), Duration::from_secs(3));
    }

    #[test]
    fn odd_scales_do_no_harm() {
        for scale in [f64::NAN, f64::INFINITY, -3.0] {
            assert_eq!(valid(scale), 1.0);
        }
    }
}
