//! All waits of a client.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::{Handle, Id},
    sync::mpsc::{UnboundedSender, unbounded_channel},
};

use super::{
    hub::{Command, Hub, TaskHandle},
    member::Member,
    task,
};
use crate::{
    Error, ErrorKind, Result, Transport,
    wait::{
        StateEvent,
        plan::{Plan, Update},
    },
};

/// All waits of a client, over all its clones.
///
/// Waits of one collection share a task, which polls with list requests where these are fewer than
/// polls of each resource. The task ends with its last wait. Waits that begin in different tokio
/// runtimes have tasks of their own, so that none depends on a runtime that stands still or ends.
///
/// ```
/// # fn example(client: &mkio_core::Transport) {
/// use std::time::Duration;
///
/// // With webhooks, a poll is the exception.
/// client.waits().poll_every_with_events(Duration::from_secs(300));
/// # }
/// ```
#[derive(Clone)]
pub struct Waits {
    hub: Arc<Hub>,
    next: Arc<AtomicU64>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            hub: Arc::new(Hub::new()),
            next: Arc::default(),
        }
    }
}

impl Transport {
    /// All waits that run over this transport and its clones.
    pub fn waits(&self) -> &Waits {
        self.attachment()
    }
}

impl Waits {
    /// Passes a webhook event to the waits: the one it is about advances or ends.
    ///
    /// That costs no request, with two exceptions. An event that reaches the goal without the
    /// resource has the resource read. An event that may be older than the last poll has the
    /// resource polled at once.
    ///
    /// While events arrive for a kind of resource, its waits poll less often, see
    /// [`poll_every_with_events`](Self::poll_every_with_events). When none has come for a while, they
    /// return to their own pace, see [`expect_events_for`](Self::expect_events_for).
    /// Events of other projects and kinds are of no effect.
    pub fn notify(&self, event: &StateEvent) {
        let event = Arc::new(event.clone());
        for task in self.hub.tasks().values() {
            // A task that has just ended needs no news.
            let _ = task.commands.send(Command::Event(Arc::clone(&event)));
        }
    }

    /// Sets the time between polls while events arrive: 60 s by default.
    pub fn poll_every_with_events(&self, slow: Duration) {
        self.hub.set_event_times(|times| times.0 = slow);
    }

    /// Sets how long after the last event more are expected: 180 s by default.
    pub fn expect_events_for(&self, quiet: Duration) {
        self.hub.set_event_times(|times| times.1 = quiet);
    }

    /// Polling tasks that are running: one per collection with waits, and runtime.
    pub fn pollers(&self) -> usize {
        self.hub.tasks().len()
    }

    /// Adds a wait to the task of its collection, which is started if there is none.
    pub(in crate::wait) fn join(
        &self,
        plan: Arc<Plan>,
        updates: UnboundedSender<Update>,
    ) -> Result<Membership> {
        let runtime = Handle::try_current().map_err(|_| {
            let message = format!("{}: a wait needs a tokio runtime to run in", plan.target);
            Error::new(ErrorKind::Config, message)
        })?;
        let key = (runtime.id(), plan.target.collection());
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let membership = |commands| Membership {
            commands,
            runtime: runtime.id(),
            id,
        };
        let mut command = Command::Join(id, Box::new(Member::new(plan, updates)));
        let mut tasks = self.hub.tasks();
        if let Some(task) = tasks.get(&key) {
            match task.commands.send(command) {
                Ok(()) => return Ok(membership(task.commands.clone())),
                // It has just ended.
                Err(returned) => command = returned.0,
            }
        }
        let (commands, received) = unbounded_channel();
        // The receiver is at hand, so this cannot fail.
        let _ = commands.send(command);
        let handle = TaskHandle {
            commands: commands.clone(),
            id,
        };
        tasks.insert(key.clone(), handle);
        drop(tasks);
        let registration = Registration {
            hub: Arc::clone(&self.hub),
            key: key.clone(),
            id,
        };
        let hub = Arc::clone(&self.hub);
        runtime.spawn(async move {
            let _registration = registration;
            task::run(hub, key, received).await;
        });
        Ok(membership(commands))
    }
}

/// Takes a task off the list when it ends in any way.
struct Registration {
    hub: Arc<Hub>,
    key: (Id, String),
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut tasks = self.hub.tasks();
        if tasks.get(&self.key).is_some_and(|task| task.id == self.id) {
            tasks.remove(&self.key);
        }
    }
}

/// A wait's place in a task; gives it up when dropped.
pub(in crate::wait) struct Membership {
    commands: UnboundedSender<Command>,
    /// Where the task runs.
    runtime: Id,
    id: u64,
}

impl Membership {
    /// The caller is in another runtime than the task.
    pub(in crate::wait) fn is_left_behind(&self) -> bool {
        Handle::try_current().is_ok_and(|runtime| runtime.id() != self.runtime)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Leave(self.id));
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waits")
            .field("pollers", &self.pollers())
            .finish()
    }
}
