//! All waits of a client.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::StateEvent;
use super::group::{self, Command};
use super::member::Member;
use crate::{Error, ErrorKind, Result};

/// All waits of a client, over all its clones.
///
/// Waits of one collection share a task that looks for all of them, with list requests where that
/// takes fewer requests than a look at each. The task ends with its last wait. Waits that begin in
/// different tokio runtimes have tasks of their own, so that none depends on a runtime that stands
/// still or ends.
#[derive(Clone)]
pub struct Waits {
    hub: Arc<Hub>,
}

/// How waits behave while webhook events arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rhythm {
    /// Time between looks while events arrive.
    pub(super) slow: Duration,
    /// Time after the last event for which more are expected.
    pub(super) quiet: Duration,
}

pub(super) struct Hub {
    groups: Mutex<HashMap<Key, Group>>,
    rhythm: Mutex<Rhythm>,
    next: AtomicU64,
}

/// The runtime in which a task runs, and the collection for which it looks.
pub(super) type Key = (Id, String);

/// A task that looks.
struct Group {
    commands: mpsc::UnboundedSender<Command>,
    id: u64,
}

/// Takes a task off the list when it ends in any way.
struct Listed {
    hub: Arc<Hub>,
    key: Key,
    id: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut groups = lock(&self.hub.groups);
        if groups
            .get(&self.key)
            .is_some_and(|group| group.id == self.id)
        {
            groups.remove(&self.key);
        }
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self::new()
    }
}

impl Waits {
    pub(crate) fn new() -> Self {
        Self {
            hub: Arc::new(Hub {
                groups: Mutex::default(),
                rhythm: Mutex::new(Rhythm {
                    slow: Duration::from_secs(60),
                    quiet: Duration::from_secs(180),
                }),
                next: AtomicU64::new(0),
            }),
        }
    }

    /// Tells the waits of a webhook event: the one it is about advances or ends. That takes no
    /// look, save that a goal reached by an event without its resource has the resource read, and
    /// that an event which may be older than the last look makes the wait look again at once.
    ///
    /// While events arrive for a kind of resource, its waits look only every `slow` (see
    /// [`events`](Self::events)); when none has come for `quiet`, they return to their own pace.
    /// Events of other projects and kinds are of no effect.
    pub fn notify(&self, event: &StateEvent) {
        let event = Arc::new(event.clone());
        for group in lock(&self.hub.groups).values() {
            // A closed group has ended and needs no news.
            let _ = group.commands.send(Command::Event(event.clone()));
        }
    }

    /// Sets the time between looks while events arrive (60 s by default), and how long after the
    /// last event that goes on (180 s by default).
    pub fn events(&self, slow: Duration, quiet: Duration) {
        *lock(&self.hub.rhythm) = Rhythm { slow, quiet };
    }

    /// Polling tasks that are running: one per collection with waits, and runtime.
    pub fn pollers(&self) -> usize {
        lock(&self.hub.groups).len()
    }

    /// Adds a wait to the task of its collection, which is started if there is none.
    pub(super) fn join(&self, member: Member) -> Result<Membership> {
        let runtime = Handle::try_current()
            .map_err(|_| Error::new(ErrorKind::Config, "a wait needs a tokio runtime to run in"))?;
        let key = (runtime.id(), member.plan.target.group());
        let id = self.hub.next.fetch_add(1, Ordering::Relaxed);
        let mut groups = lock(&self.hub.groups);
        let command = Command::Join(id, Box::new(member));
        let command = match groups.get(&key) {
            Some(group) => match group.commands.send(command) {
                Ok(()) => {
                    return Ok(Membership {
                        group: group.commands.clone(),
                        runtime: key.0,
                        id,
                    });
                }
                // It has just ended.
                Err(returned) => returned.0,
            },
            None => command,
        };
        let (sender, commands) = mpsc::unbounded_channel();
        // The receiver is at hand, so this cannot fail.
        let _ = sender.send(command);
        let group = Group {
            commands: sender.clone(),
            id,
        };
        groups.insert(key.clone(), group);
        drop(groups);
        let listed = Listed {
            hub: self.hub.clone(),
            key: key.clone(),
            id,
        };
        let (hub, runtime_id) = (self.hub.clone(), key.0);
        runtime.spawn(async move {
            let _listed = listed;
            group::run(hub, key, commands).await;
        });
        Ok(Membership {
            group: sender,
            runtime: runtime_id,
            id,
        })
    }
}

impl Hub {
    pub(super) fn rhythm(&self) -> Rhythm {
        *lock(&self.rhythm)
    }

    /// Takes a group without members off the list, unless a command has come in.
    pub(super) fn retire(
        &self,
        key: &Key,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Option<Command> {
        let mut groups = lock(&self.groups);
        match commands.try_recv() {
            Ok(command) => Some(command),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                groups.remove(key);
                None
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A wait's place in a group; gives it up when dropped.
pub(super) struct Membership {
    group: mpsc::UnboundedSender<Command>,
    /// Where the group's task runs.
    runtime: Id,
    id: u64,
}

impl Membership {
    /// The caller is in another runtime than the task that looks.
    pub(super) fn is_left_behind(&self) -> bool {
        Handle::try_current().is_ok_and(|runtime| runtime.id() != self.runtime)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let _ = self.group.send(Command::Leave(self.id));
    }
}

impl std::fmt::Debug for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waits")
            .field("pollers", &self.pollers())
            .finish()
    }
}
