//! The tasks that poll, by the collections they poll for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    runtime::Id,
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
};

use super::member::Member;
use crate::{sync::lock, wait::StateEvent};

/// A message to a task.
pub(super) enum Command {
    Join(u64, Box<Member>),
    Leave(u64),
    Event(Arc<StateEvent>),
}

/// A task that polls.
pub(super) struct TaskHandle {
    pub(super) commands: UnboundedSender<Command>,
    pub(super) id: u64,
}

/// All tasks of a client.
pub(super) struct Hub {
    /// By the runtime in which the task runs and the collection for which it polls.
    tasks: Mutex<HashMap<(Id, String), TaskHandle>>,
    /// Time between polls while events arrive, and time after the last event for which more are
    /// expected.
    event_times: Mutex<(Duration, Duration)>,
}

impl Hub {
    pub(super) fn new() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            tasks: Mutex::default(),
            event_times: Mutex::new((minute, 3 * minute)),
        }
    }

    pub(super) fn tasks(&self) -> MutexGuard<'_, HashMap<(Id, String), TaskHandle>> {
        lock(&self.tasks)
    }

    /// Time between polls while events arrive, and time after the last event for which more are
    /// expected.
    pub(super) fn event_times(&self) -> (Duration, Duration) {
        *lock(&self.event_times)
    }

    pub(super) fn set_event_times(&self, change: impl FnOnce(&mut (Duration, Duration))) {
        change(&mut lock(&self.event_times));
    }

    /// Takes a task without waits off the list, unless a command has come in.
    pub(super) fn retire(
        &self,
        key: &(Id, String),
        commands: &mut UnboundedReceiver<Command>,
    ) -> Option<Command> {
        let mut tasks = self.tasks();
        let command = commands.try_recv().ok();
        if command.is_none() {
            tasks.remove(key);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use tokio::{runtime::Handle, sync::mpsc::unbounded_channel};

    use super::*;

    #[tokio::test]
    async fn a_task_stays_on_the_list_while_commands_come_in() {
        let hub = Hub::new();
        let key = (Handle::current().id(), "jobs".to_owned());
        let (commands, mut received) = unbounded_channel();
        let task = TaskHandle { commands, id: 1 };
        hub.tasks().insert(key.clone(), task);
        let send = |id| {
            let command = Command::Leave(id);
            hub.tasks()[&key].commands.send(command).ok().unwrap();
        };
        send(7);
        let command = hub.retire(&key, &mut received);
        assert!(matches!(command, Some(Command::Leave(7))));
        assert_eq!(hub.tasks().len(), 1);
        assert!(hub.retire(&key, &mut received).is_none());
        assert_eq!(hub.tasks().len(), 0);
    }
}
