//! The content of the emulated platform, and its changes over time.

mod snapshot;

use std::{
    cell::OnceCell,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, DurationRound, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::base::{
    blobs::{Blobs, Container},
    clock::LAST,
    error::ApiError,
    keys::{Digest, Signer},
    kind::Kind,
    life::Move,
    outbox::Outbox,
    settings::Settings,
    store::{Address, Event, Place, Resource, Step, Table, enter},
    weight::{self, Scales},
};

pub use snapshot::{Names, Snapshot};

/// Where a quantity is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usage {
    /// Project that used it.
    pub project: String,
    /// Name of the meter.
    pub meter: String,
    /// The hour it was used in.
    pub hour: DateTime<Utc>,
}

/// The files that a token for files opens.
#[derive(Debug, Clone)]
pub struct FileAccess {
    /// Project of the asset.
    pub project: String,
    /// Asset whose files may be read.
    pub asset: String,
    /// When it expires, by [`World::counted`].
    pub expires: Duration,
}

/// Hours of projects and meters that usage is remembered for.
const MOST_USAGE: usize = 100_000;
/// Steps that may wait without being looked through.
const MIN_QUEUE: usize = 1_024;

/// A step that waits for its time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    time: DateTime<Utc>,
    order: u64,
    address: Address,
    id: Uuid,
    generation: u64,
}

/// An event without a caller.
#[derive(Debug)]
pub enum Happened {
    /// A resource entered a state.
    Entered {
        /// The resource.
        address: Address,
        /// The state before.
        previous: &'static str,
    },
    /// A resource is gone.
    Removed {
        /// Where it was.
        address: Address,
        /// What it was.
        removed: Box<Resource>,
    },
}

/// The user who owns the resources that the emulator makes itself.
pub const PLATFORM_USER: Uuid = Uuid::from_u128(0x6d6b_696f_0000_4000_8000_0000_0000_0001);

/// The platform's memory.
#[derive(Debug)]
pub struct World {
    /// Platform time of the current request or step.
    pub now: DateTime<Utc>,
    /// Time since the start in real seconds: not scaled, but with the steps of the control handle.
    pub counted: Duration,
    /// Real time, with the steps of the control handle.
    pub real: DateTime<Utc>,
    /// Scheme and authority by which the caller reaches the emulator, such as `http://127.0.0.1:4080`. Events that no request causes use
    /// those of the last request.
    pub origin: String,
    /// Files that callers stored.
    pub blobs: Blobs,
    /// How this emulator was set up.
    pub settings: Settings,
    /// Webhook deliveries.
    pub outbox: Outbox,
    /// Names of media live events that were deleted: a project cannot use one again.
    pub spent_names: BTreeSet<(String, String)>,
    /// Tokens by digest.
    pub token_digests: HashMap<Digest, Uuid>,
    /// Tokens for files, by digest.
    pub file_tokens: HashMap<Digest, FileAccess>,
    /// The usage, by project, meter and hour.
    pub usage: BTreeMap<Usage, f64>,
    /// The organization that everything belongs to at the start.
    pub home: Uuid,
    /// The key that tokens are signed with, once there is one.
    pub signer: OnceCell<Signer>,
    /// Containers in use: project, storage account, container.
    pub containers: BTreeSet<(String, String, String)>,
    /// The files that deleted assets left in their containers: the private notes of an asset.
    pub retained: BTreeMap<Container, Value>,
    tables: BTreeMap<Place, Table>,
    /// Kinds that ever had a table.
    kinds: BTreeSet<Kind>,
    scales: Scales,
    queue: BinaryHeap<Reverse<Due>>,
    /// Steps in the queue before it is looked through for those that nothing waits for any more.
    queue_limit: usize,
    counter: u64,
}

impl World {
    /// An empty platform.
    pub fn new(now: DateTime<Utc>, settings: Settings) -> Self {
        Self {
            now,
            counted: Duration::ZERO,
            real: now,
            origin: "http://127.0.0.1".to_owned(),
            blobs: Blobs::new(settings.files.clone()),
            settings,
            outbox: Outbox::default(),
            spent_names: BTreeSet::new(),
            token_digests: HashMap::new(),
            file_tokens: HashMap::new(),
            usage: BTreeMap::new(),
            home: Uuid::new_v4(),
            signer: OnceCell::new(),
            containers: BTreeSet::new(),
            retained: BTreeMap::new(),
            tables: BTreeMap::new(),
            kinds: BTreeSet::new(),
            scales: Scales::default(),
            queue: BinaryHeap::new(),
            queue_limit: MIN_QUEUE,
            counter: 0,
        }
    }

    /// A number that only grows.
    pub fn next_sequence(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A table, if anything was ever put there.
    pub fn table(&self, place: &Place) -> Option<&Table> {
        self.tables.get(place)
    }

    /// Tables of a kind in a project, whatever the parent.
    pub fn tables<'a>(
        &'a self,
        project: &str,
        kind: Kind,
    ) -> impl Iterator<Item = (&'a Place, &'a Table)> + use<'a> {
        let first = Place::new(project, kind);
        let project = project.to_owned();
        self.tables
            .range(first..)
            .take_while(move |(place, _)| place.project == project && place.kind == kind)
    }

    /// Resources of a kind in a project, whatever the parent, with their addresses.
    pub fn all<'a>(
        &'a self,
        project: &str,
        kind: Kind,
    ) -> impl Iterator<Item = (&'a Place, &'a Resource)> + use<'a> {
        self.tables(project, kind)
            .flat_map(|(place, table)| table.iter().map(move |resource| (place, resource)))
    }

    /// A resource.
    pub fn get(&self, address: &Address) -> Option<&Resource> {
        self.tables.get(&address.place)?.get(&address.name)
    }

    /// A resource, to change.
    pub fn get_mut(&mut self, address: &Address) -> Option<&mut Resource> {
        self.touch(address);
        self.tables.get_mut(&address.place)?.get_mut(&address.name)
    }

    /// Remembers that a resource is about to change, so that it is weighed afterwards.
    fn touch(&mut self, address: &Address) {
        if self.scales.is_full() {
            self.settle();
        }
        self.scales.touch(address);
    }

    /// Weighs the resources that have changed.
    pub fn settle(&mut self) {
        for address in self.scales.take() {
            let table = self.tables.get_mut(&address.place);
            if let Some(resource) = table.and_then(|table| table.get_mut(&address.name)) {
                let now = weight::of(resource);
                let before = std::mem::replace(&mut resource.weight, now);
                self.scales.reweigh(before, now);
            }
        }
    }

    /// Whether there is memory for a body. A deletion, and a request without a body, is always possible.
    ///
    /// # Errors
    /// 409 when the emulator keeps as much as it may.
    pub fn room_for(&mut self, body: &Value) -> Result<(), ApiError> {
        if body.is_null() {
            return Ok(());
        }
        self.settle();
        let limit = self.settings.memory_limit;
        if self.scales.total().saturating_add(weight::of_value(body)) <= limit {
            return Ok(());
        }
        Err(ApiError::conflict(format!(
            "this emulator keeps at most {limit} bytes of resources; delete some of them"
        )))
    }

    /// A resource, or 404.
    ///
    /// # Errors
    /// 404 with the kind and the name.
    pub fn find(&self, address: &Address) -> Result<&Resource, ApiError> {
        self.get(address).ok_or_else(|| missing(address))
    }

    /// A resource to change, or 404.
    ///
    /// # Errors
    /// 404 with the kind and the name.
    pub fn find_mut(&mut self, address: &Address) -> Result<&mut Resource, ApiError> {
        self.get_mut(address).ok_or_else(|| missing(address))
    }

    /// Whether a resource exists and is not being deleted.
    pub fn has(&self, address: &Address) -> bool {
        self.get(address)
            .is_some_and(|resource| !resource.is_deleting())
    }

    /// Makes a resource without a plan.
    ///
    /// # Errors
    /// 409 when the emulator already keeps as many of the kind as it may.
    pub fn insert(
        &mut self,
        address: &Address,
        body: Value,
        by: Uuid,
    ) -> Result<&mut Resource, ApiError> {
        self.touch(address);
        let full = self.table(&address.place).is_some_and(|table| {
            table.len() >= self.settings.resource_limit && table.get(&address.name).is_none()
        });
        if full {
            return Err(self.full());
        }
        self.kinds.insert(address.place.kind);
        let table = self.tables.entry(address.place.clone()).or_default();
        let replaced = table.get(&address.name).map_or(0, |old| old.weight);
        self.scales.reweigh(replaced, 0);
        self.counter += 1;
        table.insert(Resource {
            name: address.name.as_str().into(),
            id: Uuid::new_v4(),
            sequence: self.counter,
            created: self.now,
            created_by: by,
            updated: self.now,
            updated_by: by,
            body,
            server: json!({}),
            hidden: Map::new(),
            private: json!({}),
            state: "",
            plan: VecDeque::new(),
            weight: 0,
            generation: 0,
        });
        table
            .get_mut(&address.name)
            .ok_or_else(|| ApiError::internal("a resource vanished while it was made"))
    }

    /// The refusal of a resource beyond the limit.
    pub fn full(&self) -> ApiError {
        ApiError::conflict(format!(
            "this emulator keeps at most {} resources of a kind under one parent",
            self.settings.resource_limit
        ))
    }

    /// Takes a resource out, with everything below it.
    pub fn remove(&mut self, address: &Address) -> Option<Resource> {
        let removed = self.tables.get_mut(&address.place)?.remove(&address.name)?;
        let below = if address.place.parent.is_empty() {
            address.name.clone()
        } else {
            format!("{}/{}", address.place.parent, address.name)
        };
        let kind = address.place.kind;
        let project = if kind == Kind::PROJECT {
            address.name.clone()
        } else {
            address.place.project.clone()
        };
        self.scales.reweigh(removed.weight, 0);
        if kind == Kind::PROJECT {
            let scales = &mut self.scales;
            self.tables.retain(|place, table| {
                let stays = place.project != project;
                if !stays {
                    scales.drop_table(table);
                }
                stays
            });
        }
        for child in self
            .kinds
            .iter()
            .filter(|child| child.parent() == Some(kind))
        {
            if let Some(table) = self.tables.remove(&Place::under(&project, *child, &below)) {
                self.scales.drop_table(&table);
            }
        }
        Some(removed)
    }

    /// Gives a resource a new plan; the old plan is dropped.
    pub fn plan(&mut self, address: &Address, steps: &[Step]) {
        if let Some(resource) = self.get_mut(address) {
            resource.generation += 1;
            resource.plan = steps.iter().copied().collect();
        }
        self.schedule(address);
    }

    /// Puts a resource into a state at once and gives it a plan.
    pub fn enter(&mut self, address: &Address, state: &'static str, steps: &[Step]) {
        if let Some(resource) = self.get_mut(address) {
            resource.state = state;
        }
        self.plan(address, steps);
    }

    /// Starts a move of a resource.
    pub fn go(&mut self, address: &Address, way: &Move) {
        let before = self.get(address).map_or("", |resource| resource.state);
        let mut steps = way.steps.to_vec();
        steps.extend(way.back.map(|after| enter(after, before)));
        self.enter(address, way.to.unwrap_or(before), &steps);
    }

    fn schedule(&mut self, address: &Address) {
        let order = self.next_sequence();
        let Some(resource) = self.get(address) else {
            return;
        };
        let Some(step) = resource.plan.front() else {
            return;
        };
        let after = chrono::TimeDelta::from_std(step.after).unwrap_or(chrono::TimeDelta::MAX);
        let time = self
            .now
            .checked_add_signed(after)
            .filter(|time| *time < LAST)
            // The clock never shows a later time.
            .unwrap_or(LAST);
        let due = Due {
            time,
            order,
            address: address.clone(),
            id: resource.id,
            generation: resource.generation,
        };
        self.queue.push(Reverse(due));
        if self.queue.len() > self.queue_limit {
            self.tidy_queue();
        }
    }

    /// Drops steps of plans that were replaced and of resources that are gone: while the clock is paused, none of them is ever reached.
    fn tidy_queue(&mut self) {
        let mut queue = std::mem::take(&mut self.queue);
        queue.retain(|Reverse(due)| self.is_current(due));
        self.queue = queue;
        self.queue_limit = self.queue.len().saturating_mul(2).max(MIN_QUEUE);
    }

    fn is_current(&self, due: &Due) -> bool {
        self.get(&due.address)
            .is_some_and(|resource| resource.id == due.id && resource.generation == due.generation)
    }

    /// Runs the next step that is due by `now`, and gives its event. `None` when there is none left: the time is `now` then. The
    /// caller handles what follows from the event, then calls again.
    pub fn advance(&mut self, now: DateTime<Utc>) -> Option<Happened> {
        while self
            .queue
            .peek()
            .is_some_and(|Reverse(due)| due.time <= now)
        {
            let Some(Reverse(due)) = self.queue.pop() else {
                break;
            };
            self.now = self.now.max(due.time);
            let happened = self.happen(due);
            if happened.is_some() {
                return happened;
            }
        }
        self.now = self.now.max(now);
        None
    }

    fn happen(&mut self, due: Due) -> Option<Happened> {
        if !self.is_current(&due) {
            return None;
        }
        let address = due.address;
        let resource = self.get_mut(&address)?;
        match resource.plan.pop_front()?.event {
            Event::Remove => {
                let removed = Box::new(self.remove(&address)?);
                Some(Happened::Removed { address, removed })
            }
            Event::Enter(state) => {
                let previous = std::mem::replace(&mut resource.state, state);
                // The next step at once, so that a listener can drop it.
                self.schedule(&address);
                Some(Happened::Entered { address, previous })
            }
        }
    }

    /// Counts a quantity now.
    pub fn meter(&mut self, project: &str, meter: &str, quantity: f64) {
        let hour = self
            .now
            .duration_trunc(chrono::TimeDelta::hours(1))
            .unwrap_or(self.now);
        if self.usage.len() >= MOST_USAGE {
            self.forget_old_usage();
        }
        *self
            .usage
            .entry(Usage {
                project: project.to_owned(),
                meter: meter.to_owned(),
                hour,
            })
            .or_default() += quantity;
    }

    /// Forgets the older half of the usage.
    fn forget_old_usage(&mut self) {
        let mut hours: Vec<DateTime<Utc>> = self.usage.keys().map(|usage| usage.hour).collect();
        hours.sort_unstable();
        if let Some(middle) = hours.get(hours.len() / 2) {
            self.usage.retain(|usage, _| usage.hour > *middle);
        }
    }

    /// Remembers that a project cannot use a name of a live event again; of too many names, some are forgotten.
    pub fn spend_name(&mut self, project: &str, name: &str) {
        if self.spent_names.len() >= self.settings.resource_limit {
            self.spent_names.pop_first();
        }
        self.spent_names
            .insert((project.to_owned(), name.to_owned()));
    }

    /// When the next step is due; deliveries count only if `deliveries` is set.
    pub fn next_due(&self, deliveries: bool) -> Option<DateTime<Utc>> {
        let step = self.queue.peek().map(|Reverse(due)| due.time);
        let delivery = if deliveries {
            self.outbox.next_due()
        } else {
            None
        };
        match (step, delivery) {
            (Some(step), Some(delivery)) => Some(step.min(delivery)),
            (step, delivery) => step.or(delivery),
        }
    }
}

fn missing(address: &Address) -> ApiError {
    ApiError::not_found(format!(
        "there is no {} named '{}'",
        address.place.kind.noun(),
        address.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::store::enter;

    const THING: Kind = Kind::new("thing", "thing");
    const PART: Kind = Kind::under("part", "part", &THING);

    fn world() -> World {
        World::new(DateTime::UNIX_EPOCH, Settings::default())
    }

    #[test]
    fn plans_that_are_replaced_do_not_pile_up_while_the_clock_stands() -> Result<(), ApiError> {
        let mut world = world();
        let address = Address::new("demo", THING, "a");
        world.insert(&address, json!({}), Uuid::nil())?;
        let step = enter(60_000, "Ready");
        for _ in 0..50_000 {
            world.plan(&address, &[step]);
        }
        assert!(world.queue.len() <= MIN_QUEUE + 1, "{}", world.queue.len());
        let later = DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(60);
        while world.advance(later).is_some() {}
        assert_eq!(world.find(&address)?.state, "Ready");
        assert_eq!(world.queue.len(), 0);
        Ok(())
    }

    #[test]
    fn a_resource_goes_with_what_is_below_it_and_nothing_else() -> Result<(), ApiError> {
        let mut world = world();
        let job = |project: &str, transform: &str| Place::under(project, PART, transform).at("j");
        for project in ["demo", "other"] {
            for transform in ["t", "u"] {
                let above = Address::new(project, THING, transform);
                world.insert(&above, json!({}), Uuid::nil())?;
                world.insert(&job(project, transform), json!({}), Uuid::nil())?;
            }
        }
        world.remove(&Address::new("demo", THING, "t"));
        let left = |world: &World| {
            [("demo", "t"), ("demo", "u"), ("other", "t"), ("other", "u")]
                .map(|(project, transform)| world.has(&job(project, transform)))
        };
        assert_eq!(left(&world), [false, true, true, true]);
        world.insert(
            &Address::new("", Kind::PROJECT, "other"),
            json!({}),
            Uuid::nil(),
        )?;
        world.remove(&Address::new("", Kind::PROJECT, "other"));
        assert_eq!(left(&world), [false, true, false, false]);
        Ok(())
    }

    #[test]
    fn usage_and_spent_names_are_bounded() {
        let mut world = world();
        for _ in 0..MOST_USAGE + 10 {
            world.now += chrono::TimeDelta::hours(1);
            world.meter("demo", "encoding-minutes", 1.0);
        }
        assert!(world.usage.len() <= MOST_USAGE, "{}", world.usage.len());
        let newest = world.usage.keys().map(|usage| usage.hour).max();
        assert_eq!(newest, Some(world.now));
        world.settings.resource_limit = 5;
        for number in 0..9 {
            world.spend_name("demo", &number.to_string());
        }
        assert_eq!(world.spent_names.len(), 5);
        assert!(
            world
                .spent_names
                .contains(&("demo".to_owned(), "8".to_owned()))
        );
    }
}
