//! Everything that the platform consists of: a line for each file of `resources`. Operations that none of them serves are declared in
//! `data/unserved.txt`.

use std::sync::OnceLock;

use crate::{
    platform::rules::{Entry, Registry},
    resources::{channels, fleet, infrastructure, live, management, media, templates},
};

static ENTRIES: &[&Entry] = &[
    &media::assets::ENTRY,
    &media::blobs::ENTRY,
    &media::connections::ENTRY,
    &media::download::ENTRY,
    &media::endpoints::ENTRY,
    &media::events::ENTRY,
    &media::filters::ENTRY,
    &media::jobs::ENTRY,
    &media::keys::ENTRY,
    &media::locators::ENTRY,
    &media::play::ENTRY,
    &media::policies::ENTRY,
    &media::storage::ENTRY,
    &live::flows::ENTRY,
    &live::monitoring::ENTRY,
    &live::operations::ENTRY,
    &templates::ENTRY,
    &fleet::backups::ENTRY,
    &fleet::devices::ENTRY,
    &fleet::packages::ENTRY,
    &fleet::software::ENTRY,
    &infrastructure::ENTRY,
    &management::account::ENTRY,
    &management::billing::ENTRY,
    &management::metrics::ENTRY,
    &management::organization::ENTRY,
    &management::people::ENTRY,
    &management::projects::ENTRY,
    &management::rules::ENTRY,
    &management::teams::ENTRY,
    &management::tokens::ENTRY,
    &channels::channel::ENTRY,
    &channels::device::ENTRY,
    &channels::exchange::ENTRY,
];

/// The registry of this crate.
pub fn get() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(ENTRIES))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        base::{
            states::{self, Class},
            store::Event,
            world::Names,
        },
        docs::{Api, Documents, Operation},
        platform::rules::Action,
    };

    /// Ids of operations that a document has and the emulator does not serve: it answers them with 501. A line for each; what follows a
    /// `#` is a note.
    const UNSERVED: &str = include_str!("../data/unserved.txt");

    /// The operations that are declared as not served.
    fn unserved() -> impl Iterator<Item = &'static str> {
        UNSERVED
            .lines()
            .filter_map(|line| line.split('#').next())
            .map(str::trim)
            .filter(|id| !id.is_empty())
    }

    #[test]
    fn every_operation_is_served_or_declared_as_not_served() {
        let operations = Documents::get().operations();
        let unserved: Vec<&str> = unserved().collect();
        let served = |operation: &&Operation| get().action(operation).is_some();
        // An API of which nothing is served is one that the emulator does not know yet.
        let known: Vec<Api> = Api::all()
            .filter(|api| {
                operations
                    .iter()
                    .filter(served)
                    .any(|operation| operation.api == *api)
            })
            .collect();
        assert!(known.len() >= 7, "{known:?}");
        let missing: Vec<String> = operations
            .iter()
            .filter(|operation| known.contains(&operation.api) && !served(operation))
            .filter(|operation| !unserved.contains(&operation.id.as_str()))
            .map(|operation| format!("{} {} ({})", operation.method, operation.path, operation.id))
            .collect();
        assert_eq!(
            missing,
            Vec::<String>::new(),
            "serve these, or put their ids into data/unserved.txt"
        );
        let idle: Vec<&str> = unserved
            .into_iter()
            .filter(|id| {
                let named = operations.iter().find(|operation| operation.id == *id);
                named.is_none_or(|operation| get().action(operation).is_some())
            })
            .collect();
        assert_eq!(
            idle,
            Vec::<&str>::new(),
            "data/unserved.txt names these, which no document has or which are served"
        );
    }

    #[test]
    fn every_route_of_an_entry_is_an_operation_of_a_document() {
        let served: usize = Documents::get()
            .operations()
            .iter()
            .filter(|operation| matches!(get().action(operation), Some(Action::Own(_))))
            .count();
        let routes: usize = ENTRIES.iter().map(|entry| entry.routes.len()).sum();
        assert_eq!(
            served, routes,
            "a route that no document declares is never reached"
        );
    }

    /// The texts in quotes between each occurrence of a mark and what ends it.
    fn quoted(code: &str, mark: &str, end: char) -> Vec<String> {
        let pieces = code.split(mark).skip(1);
        let ends = pieces.map(|rest| rest.split(end).next().unwrap_or_default());
        ends.flat_map(|piece| piece.split('"').skip(1).step_by(2))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn each_state_that_code_enters_is_declared_so_that_it_can_be_taken_up_again() {
        let mut folders =
            vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources")];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let code = std::fs::read_to_string(&path).expect("a text");
                for (mark, end) in [
                    ("world.enter(", ';'),
                    ("world.plan(", ';'),
                    ("Event::Enter(", ')'),
                    (".state = ", ';'),
                ] {
                    for state in quoted(&code, mark, end) {
                        // Other texts stand in these statements, too; no state has such signs.
                        if state.contains([' ', '/']) {
                            continue;
                        }
                        let known = get().state(&state);
                        assert_eq!(known, Some(state.as_str()), "{}", path.display());
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 40, "{seen}");
    }

    /// States that `spec/states.yaml` names and this emulator never shows: those that the platform is not known to use, and `Deleted`,
    /// which nobody can read.
    const NEVER: &[(&str, &[&str])] = &[
        ("live.live_channel", &["", "Allocated", "Started"]),
        ("media.live_event", &["Allocating", "StandBy"]),
        ("media.streaming_endpoint", &["Created"]),
    ];

    #[test]
    fn the_states_of_a_kind_are_those_of_the_shared_file() {
        let mut compared = 0;
        for rules in get().rules().filter(|rules| !rules.states.is_empty()) {
            let known = states::of(rules.states);
            assert!(
                !known.states.is_empty(),
                "{} is not in the file",
                rules.states
            );
            let mut shown: BTreeSet<&str> = rules.others.iter().copied().collect();
            shown.insert(rules.initial);
            shown.extend(rules.creation.iter().filter_map(|step| match step.event {
                Event::Enter(state) => Some(state),
                Event::Remove => None,
            }));
            shown.extend(
                rules
                    .acts
                    .iter()
                    .flat_map(|act| act.to.into_iter().chain([act.through])),
            );
            if rules.deletion > 0 {
                shown.insert("Deleting");
            }
            let never = NEVER.iter().find(|(name, _)| *name == rules.states);
            let never = never.map_or(&[][..], |(_, never)| never);
            let mut expected: BTreeSet<&str> = known.states.keys().map(String::as_str).collect();
            expected.retain(|state| !never.contains(state) && *state != "Deleted");
            assert_eq!(shown, expected, "{}", rules.states);
            for act in rules.acts {
                let busy = |state: &&str| known.busy.contains(*state);
                assert_eq!(
                    act.from.iter().copied().find(busy),
                    None,
                    "{} {}",
                    rules.states,
                    act.name
                );
                assert_eq!(
                    known.class(act.through),
                    Class::Transient,
                    "{}",
                    act.through
                );
            }
            compared += 1;
        }
        assert!(compared > 10, "{compared}");
    }
}
