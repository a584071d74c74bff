//! The handle that tests steer an emulator with.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::core::engine::Engine;

/// Steers a running emulator: its clock. Clones steer the same emulator.
#[derive(Debug, Clone)]
pub struct Control {
    pub(crate) engine: Arc<Engine>,
}

impl Control {
    /// Platform time now.
    pub fn now(&self) -> DateTime<Utc> {
        self.engine.clock.now()
    }

    /// Lets `scale` seconds of platform time pass in each second from now on.
    pub fn set_time_scale(&self, scale: f64) {
        self.engine.clock.set_scale(scale);
    }

    /// Stops platform time; states stand still.
    pub fn pause(&self) {
        self.engine.clock.pause();
    }

    /// Lets platform time pass again.
    pub fn resume(&self) {
        self.engine.clock.resume();
    }

    /// Moves platform time ahead at once, paused or not; everything due in between happens in order.
    pub fn step(&self, by: Duration) {
        self.engine.clock.step(by);
        drop(self.engine.world());
    }
}
