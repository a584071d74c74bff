//! The entries of all resources. Operations that nothing serves are declared in `data/unserved.txt`.

use std::sync::OnceLock;

use crate::{entries::ENTRIES, platform::rules::Registry};

/// The registry of this crate.
pub fn get() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(ENTRIES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
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
}
