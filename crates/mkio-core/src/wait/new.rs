//! A wait that has not begun.

use std::mem::take;

use tokio::sync::mpsc;

use super::{
    Resource, WaitDescription,
    action::{ActionCall, ActionRun},
    judge::ActionResult,
    plan::Plan,
    poll::Channels,
    running::{Acting, Running},
    settings::WaitSettings,
    target::Target,
    want::Want,
};
use crate::{Result, Transport};

/// The settings of a wait's caller. Wrong ones are an error when the wait is polled.
pub(super) struct NewWait {
    channels: Channels,
    pub(super) resource: &'static Resource,
    pub(super) target: Result<Target>,
    pub(super) want: Result<Want>,
    pub(super) settings: WaitSettings,
    /// The action that the wait begins with.
    pub(super) actions: Vec<ActionCall>,
}

impl NewWait {
    pub(super) fn new(
        transport: &Transport,
        resource: &'static Resource,
        values: Vec<String>,
    ) -> Self {
        Self {
            channels: Channels::of(transport),
            resource,
            target: Target::new(resource, values),
            want: Want::default_of(resource),
            settings: WaitSettings::of(resource),
            actions: Vec::new(),
        }
    }

    pub(super) fn resume(
        transport: &Transport,
        resource: &'static Resource,
        description: &WaitDescription,
    ) -> Result<Self> {
        Ok(Self {
            channels: Channels::of(transport),
            resource,
            target: Target::new(resource, description.values(resource)?),
            want: description.want(resource),
            settings: description.settings(resource),
            actions: Vec::new(),
        })
    }

    pub(super) fn describe(&self) -> Result<WaitDescription> {
        let want = self.want.as_ref().map_err(Clone::clone)?;
        let mut settings = self.settings.clone();
        settings.after_action |= !self.actions.is_empty();
        WaitDescription::new(self.target.as_ref().map_err(Clone::clone)?, want, &settings)
    }

    /// Begins the actions, if there are any and the wait after them can begin.
    pub(super) fn act(&mut self) -> Option<Acting> {
        let actions = take(&mut self.actions);
        let target = self.target.as_ref().ok().filter(|_| self.want.is_ok())?;
        if actions.is_empty() {
            return None;
        }
        let (sender, changes) = mpsc::unbounded_channel();
        let settings = self.settings.clone();
        let run = ActionRun::new(target.clone(), self.channels.clone(), settings, sender);
        // Descriptions from now on say that an action came first.
        self.settings.after_action = true;
        Some(Acting {
            run: Box::pin(run.run(actions)),
            outcome: None,
            changes,
        })
    }

    /// Begins to poll, with the result of the actions.
    pub(super) fn begin(self, after_action: Option<ActionResult>) -> Result<Running> {
        let mut settings = self.settings;
        if let Some(result) = &after_action {
            settings.timeout = settings.timeout.saturating_sub(result.waited);
        }
        let plan = Plan::new(
            self.target?,
            self.want?,
            self.channels,
            settings,
            after_action,
        );
        Running::begin(plan)
    }
}
